"""Analog neurons: pulses of bit planes, conversion step by step, in one phase or two."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from codesign_plugins.cim.designs import evaluate
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.nvm_phases import PhaseEnergies, PhaseTimes
from codesign_plugins.cim.physics import Physics
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import CORE, WRITING, core, joules

from codesign.errors import HardwareError
from codesign.testing import matmul

BITS = st.integers(1, 8)


def test_it_answers_what_an_engine_asks_of_any_macro() -> None:
    physics: Physics = CORE
    assert physics.clock_s == 10e-9
    assert physics.passes(8) > 0


@pytest.mark.parametrize(
    ("bits", "one", "two"),
    [
        # max(1, 2^(a-1) - 1), and (2^ceil((a-1)/2) - 1) + (2^floor((a-1)/2) - 1)
        (1, 1, 1),
        (2, 1, 1),
        (3, 3, 2),
        (4, 7, 4),
        (5, 15, 6),
        (6, 31, 10),
        (7, 63, 14),
        (8, 127, 22),
    ],
)
def test_pulses_count_the_values_of_the_bit_planes_of_each_phase(
    bits: int, one: int, two: int
) -> None:
    assert core(phases=1).pulses(bits) == one
    assert core(phases=2).pulses(bits) == two


@given(bits=BITS)
def test_two_phases_never_take_more_pulses_and_always_twice_the_steps(bits: int) -> None:
    one, two = core(phases=1), core(phases=2)
    assert two.pulses(bits) <= one.pulses(bits)
    assert two.steps(bits) == 2 * one.steps(bits)


def test_outputs_have_two_bits_more_than_inputs() -> None:
    assert [CORE.steps(bits) for bits in (1, 4, 8)] == [3, 6, 10]


def test_a_product_is_its_pulses_its_steps_and_its_phases() -> None:
    # 3 clocks a pulse, 2 a step, 5 a phase
    assert core(phases=1).passes(4) == 3 * 7 + 2 * 6 + 5
    assert core(phases=2).passes(4) == 3 * 4 + 2 * 12 + 2 * 5


@given(bits=st.integers(1, 7), phases=st.sampled_from([1, 2]))
def test_more_bits_take_more_time_and_more_energy(bits: int, phases: int) -> None:
    made = core(phases=phases)
    assert made.passes(bits + 1) > made.passes(bits)
    assert joules(made, 16, 8, bits + 1, 4) > joules(made, 16, 8, bits, 4)


def test_two_phases_pay_off_for_wide_inputs_only() -> None:
    one, two = core(phases=1), core(phases=2)
    assert two.passes(2) > one.passes(2)
    assert two.passes(8) < one.passes(8)


def test_a_full_product_does_what_the_closed_form_says() -> None:
    assert core(phases=2).counts(16, 8, 4, 4) == {
        "word line": 16 * 3,
        "word line set-up": 16 * 2,
        "input pulse": 16 * 3,
        "neuron integration": 8 * 3,
        "conversion step": 8 * 2 * 6,
    }


def test_energy_is_counts_times_prices() -> None:
    expected = 48 * (1e-12 + 3e-12) + 16 * 2e-12 + 24 * 4e-12 + 8 * 6 * 5e-12
    assert joules(CORE, 16, 8, 4, 4) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [field.name for field in fields(PhaseEnergies)])
def test_every_energy_reaches_the_total(name: str) -> None:
    dearer = replace(CORE.energies, **{name: 2 * getattr(CORE.energies, name)})
    assert joules(core(energies=dearer), 16, 8, 4, 4) > joules(CORE, 16, 8, 4, 4)


@given(rows=st.integers(1, 15), columns=st.integers(1, 7), bits=BITS)
def test_energy_grows_with_rows_and_columns(rows: int, columns: int, bits: int) -> None:
    less = joules(CORE, rows, columns, bits, 4)
    assert joules(CORE, rows + 1, columns, bits, 4) > less
    assert joules(CORE, rows, columns + 1, bits, 4) > less


def test_every_action_has_a_price() -> None:
    assert CORE.counts(16, 8, 8, 4).keys() == CORE.prices().keys()


def test_area_is_that_of_cells_drivers_and_neurons() -> None:
    expected = {"cells": 256 * 1e-13, "row drivers": 16e-11, "neurons": 8e-10}
    assert CORE.area() == pytest.approx(expected)


def test_a_weight_is_a_pair_of_cells_of_any_width_it_holds() -> None:
    assert CORE.cells(16, 8, 4) == CORE.cells(16, 8, 1) == 256


def test_writing_a_core_costs_every_cell_a_write() -> None:
    assert CORE.writing.joules(CORE.cells(16, 8, 4)) == pytest.approx(256 * 4 * 2e-12, rel=1e-12)


@given(m=st.integers(1, 50))
def test_macro_cycles_of_a_product_are_its_rows_times_its_tiles_times_passes(m: int) -> None:
    op = matmul(m, 32, 24, dtype="int4")
    found = evaluate(op, CORE)
    assert found.cycles == m * 2 * 3 * CORE.passes(4)


def test_many_designs_at_once_are_what_each_is_alone() -> None:
    phases = np.array([1, 2, 1, 2])
    rows = np.array([16, 16, 32, 64])
    many = core(phases=phases, rows=rows)
    found = evaluate(matmul(7, 100, 24, dtype="int4"), many)
    for design in range(4):
        alone = core(phases=int(phases[design]), rows=int(rows[design]))
        single = evaluate(matmul(7, 100, 24, dtype="int4"), alone)
        assert found.cycles[design] == single.cycles
        assert found.joules[design] == pytest.approx(float(single.joules), rel=1e-12)


def test_the_efficiency_says_what_it_counts() -> None:
    assert peak(CORE, 4, 4).boundary == (
        "word line + word line set-up + input pulse + neuron integration + conversion step; "
        "2 operations per MAC"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 0}, "rows must be whole and >= 1, got 0"),
        ({"columns": 1.5}, "columns must be whole and >= 1, got 1.5"),
        ({"phases": 3}, "phases must be 1 or 2, got 3"),
        ({"clock_s": 0.0}, "clock_s must be > 0, got 0.0"),
        ({"cell_m2": -1.0}, "cell_m2 must be >= 0, got -1.0"),
        (
            {"times": PhaseTimes(pulse=-1, step=2, phase=5)},
            "pulse must be >= 0, got -1",
        ),
        (
            {"energies": replace(CORE.energies, step_j=-1e-15)},
            "step_j must be >= 0, got -1e-15",
        ),
        (
            {"writing": replace(WRITING, endurance=0)},
            "endurance must be above 0 writes: cells that last none hold no weights; take 1e6 for "
            "RRAM or 1e8 for PCM, got 0",
        ),
    ],
)
def test_what_no_core_can_be_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HardwareError) as caught:
        core(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("field", "activation_bits", "weight_bits"),
    [("activation_bits", 9, 4), ("weight_bits", 8, 5)],
)
def test_operands_wider_than_the_core_are_one_line(
    field: str, activation_bits: int, weight_bits: int
) -> None:
    with pytest.raises(HardwareError, match=f"^{field} of an operand must be <= those of the mac"):
        CORE.counts(16, 8, activation_bits, weight_bits)


def test_wide_weights_fit_into_no_pair() -> None:
    with pytest.raises(HardwareError, match="weight_bits of an operand must be <= those of"):
        CORE.cells(16, 8, 8)
