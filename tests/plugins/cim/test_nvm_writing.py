"""Writing cells takes time, takes energy and wears them; peers charge nothing for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codesign_plugins.cim.nvm_designs import mnsim_rram, neurram_core
from codesign_plugins.cim.nvm_writing import Writing
from hypothesis import given
from hypothesis import strategies as st
from nvm_arrays import ARRAY, WRITING

from codesign.errors import HardwareError

YEAR_S = 365.25 * 24 * 3600


def test_rows_are_written_one_after_the_other_each_with_its_pulses() -> None:
    assert WRITING.seconds(128) == pytest.approx(128 * 100e-9 * 4, rel=1e-12)


def test_every_pulse_on_every_cell_is_charged() -> None:
    assert WRITING.joules(1000) == pytest.approx(1000 * 2e-12 * 4, rel=1e-12)


def test_writing_nothing_costs_nothing() -> None:
    assert WRITING.seconds(0) == 0
    assert WRITING.joules(0) == 0


@pytest.mark.parametrize("cell_j", [1e-15, 1e-12])
@pytest.mark.parametrize("pulses", [1.0, 8.5])
def test_a_write_is_never_free(cell_j: float, pulses: float) -> None:
    writing = Writing(cell_j=cell_j, pulses=pulses)
    assert writing.seconds(1) > 0
    assert writing.joules(1) > 0


def test_a_tile_is_written_in_cells_of_both_halves_of_its_pairs() -> None:
    # 128 x 32 weights of four pairs
    cells = ARRAY.cells(128, 32, 8)
    assert cells == 128 * 32 * 4 * 2
    assert ARRAY.writing.joules(cells) == pytest.approx(32768 * 8e-12, rel=1e-12)


def test_loading_the_weights_of_a_network_costs_what_its_simulator_leaves_out() -> None:
    # AlexNet for CIFAR-10 has 2,779,840 weights of eight pairs of cells
    array = mnsim_rram()
    cells = array.cells(1, 2_779_840, 8)
    assert cells == 44_477_440
    assert array.writing.joules(cells) == pytest.approx(44_477_440 * 0.225e-12, rel=1e-12)
    # one load costs 3 % of what the tool says an inference does
    assert 0.02 < array.writing.joules(cells) / 365.333e-6 < 0.04


@pytest.mark.parametrize("array", [mnsim_rram(), neurram_core(1), neurram_core(2)])
def test_the_shipped_designs_pay_for_writes_and_wear(array: object) -> None:
    writing = array.writing  # type: ignore[attr-defined]
    assert writing.seconds(1) > 0
    assert writing.joules(1) > 0
    assert 0 < writing.lifetime_s(1.0) < math.inf


def test_a_cell_lives_as_many_seconds_as_its_endurance_allows() -> None:
    assert WRITING.lifetime_s(1.0) == 1e6
    assert WRITING.lifetime_s(1000.0) == 1e3


def test_a_cell_that_is_never_written_lives_for_ever() -> None:
    assert WRITING.lifetime_s(0.0) == math.inf


def test_writing_every_hundredth_of_a_second_wears_rram_out_in_three_hours() -> None:
    # one inference of 10 ms that reloads its weights
    assert WRITING.lifetime_s(100.0) / 3600 == pytest.approx(2.78, abs=0.01)


def test_pcm_of_a_hundred_times_the_endurance_lives_a_hundred_times_longer() -> None:
    pcm = Writing(cell_j=2e-12, endurance=1e8)
    assert pcm.lifetime_s(1.0) == 100 * WRITING.lifetime_s(1.0)
    assert pcm.lifetime_s(1.0) / YEAR_S == pytest.approx(3.17, abs=0.01)


@given(macros=st.integers(1, 64), rate=st.floats(1e-6, 1e6))
def test_wear_levelling_divides_the_writes_by_the_macros(macros: int, rate: float) -> None:
    assert WRITING.lifetime_s(rate, macros) == pytest.approx(
        macros * float(WRITING.lifetime_s(rate)), rel=1e-12
    )


@given(steps=st.integers(1, 10_000), writes=st.integers(1, 50), step_s=st.floats(1e-6, 1.0))
def test_writes_times_steps_are_the_wear(steps: int, writes: int, step_s: float) -> None:
    # a recurrence that reloads at each step: its wear in a run is what the lifetime says
    rate = writes / step_s
    worn = writes * steps / WRITING.endurance
    run_s = steps * step_s
    assert run_s / WRITING.lifetime_s(rate) == pytest.approx(worn, rel=1e-9)


@given(steps=st.integers(1, 1000))
def test_weights_that_stay_wear_once_and_weights_that_are_reloaded_at_every_step(
    steps: int,
) -> None:
    cells = ARRAY.cells(128, 32, 8)
    once, always = ARRAY.writing.joules(cells), steps * ARRAY.writing.joules(cells)
    assert always == pytest.approx(steps * once, rel=1e-12)
    step_s = 1e-3
    resident = 1 / (steps * step_s)
    reloaded = steps / (steps * step_s)
    assert ARRAY.writing.lifetime_s(resident) == pytest.approx(
        steps * float(ARRAY.writing.lifetime_s(reloaded)), rel=1e-12
    )


@given(rows=st.integers(1, 512), more=st.integers(0, 512))
def test_more_rows_never_take_less(rows: int, more: int) -> None:
    assert WRITING.seconds(rows + more) >= WRITING.seconds(rows)


def test_arrays_of_designs_give_each_its_own_life() -> None:
    writing = Writing(cell_j=1e-12, endurance=np.array([1e6, 1e8]), pulses=np.array([1.0, 4.0]))
    assert np.array_equal(writing.lifetime_s(np.array([1.0, 0.0])), [1e6, np.inf])
    assert np.allclose(writing.seconds(10), [100e-9, 400e-9], rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"endurance": 0},
            "endurance must be above 0 writes: cells that last none hold no weights; take 1e6 for "
            "RRAM or 1e8 for PCM, got 0",
        ),
        (
            {"endurance": -1e6},
            "endurance must be above 0 writes: cells that last none hold no weights; take 1e6 for "
            "RRAM or 1e8 for PCM, got -1000000.0",
        ),
        (
            {"pulses": 0.5},
            "pulses must be at least 1: a write takes one; state the mean of program and verify, "
            "got 0.5",
        ),
        ({"cell_j": 0.0}, "cell_j of a write must be above 0: writing is never free; state it"),
        ({"row_s": 0.0}, "row_s of a write must be above 0: writing is never free; state it"),
        ({"cell_j": math.nan}, "cell_j of a write must be above 0"),
    ],
)
def test_what_no_cell_can_be_is_one_line(changes: dict[str, float], message: str) -> None:
    fields = {"cell_j": 1e-12} | changes
    with pytest.raises(HardwareError) as caught:
        Writing(**fields).check()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_one_design_of_many_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(HardwareError, match="endurance must be above 0 writes"):
        Writing(cell_j=1e-12, endurance=np.array([1e6, 0.0])).check()
