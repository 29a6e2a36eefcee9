"""Presets of chips that are known by measured energies, at the widths and supplies of these."""

from __future__ import annotations

from typing import Any

import pytest
from cim_chips import ROWS, flat, header, macro_j, macros, plan_of, run_full
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.nvm_designs import NEURRAM_CORES, NEURRAM_OPS_PER_PRODUCT, neurram_core
from codesign_plugins.cim.silicon import (
    COLONNADE_FJ,
    COLONNADE_ONE_BIT_FJ,
    JIA,
    JIA_ARRAY,
    JIA_WHOLE,
    Supply,
    colonnade,
    jia,
)

from codesign import Trace, simulate
from codesign.errors import MappingError
from codesign.hardware.spec import Hardware, load_hardware
from codesign.testing import matmul

ONE_BIT = {"cim.columns": 256, "cim.weight_bits": 1, "cim.activation_bits": 1}
AT_1_2_V = {
    "cim.voltage": "1.2 V",
    "cim.clock": "1852.247 kHz",
    "cim.column_energy": "20.4 pJ",
    "cim.adc_energy": "3.56 pJ",
    "cim.output_energy": "14.7 pJ",
}
"""As the header of the preset says."""


def jia_at(supply: Supply) -> Hardware:
    """The macro of Jia et al. as published, with one-bit operands."""
    changes = ONE_BIT if supply.vdd == 0.85 else ONE_BIT | AT_1_2_V
    return load_hardware("jia-2020").with_all(changes)


@pytest.mark.parametrize("supply", JIA, ids=lambda supply: f"{supply.vdd} V")
def test_jia_with_one_bit_operands_is_the_published_macro(supply: Supply) -> None:
    part, same = macros(jia_at(supply)), jia(supply)
    assert part.clock_hz == pytest.approx(1 / float(same.clock_s), rel=1e-6)
    for action in JIA_WHOLE:
        assert part.energies_j()[action] == pytest.approx(float(same.prices()[action]))
    assert part.physics.counts(2304, 256, 1, 1) == same.counts(2304, 256, 1, 1)


@pytest.mark.parametrize(
    ("supply", "array", "whole"), [(JIA[0], 401e12, 233e12), (JIA[1], 192e12, 119e12)]
)
def test_jia_has_two_efficiencies_by_what_is_counted(
    supply: Supply, array: float, whole: float
) -> None:
    result = run_full(jia_at(supply), (1, 1))
    for actions, wanted in ((JIA_ARRAY, array), (JIA_WHOLE, whole)):
        ops_per_joule = 2 * result.macs / macro_j(result, actions)
        assert ops_per_joule == pytest.approx(wanted, rel=0.003)
        assert f"{wanted / 1e12:g}" in header("jia-2020")


def test_jia_has_the_published_area_of_array_and_converters() -> None:
    area = macros(load_hardware("jia-2020")).physics.area()
    assert float(area["cell"] + area["product"]) == pytest.approx(2.91e-6, rel=1e-5)
    assert float(area["adc"]) == pytest.approx(0.497e-6, rel=1e-5)


def test_colonnade_states_the_fit_for_every_format_that_was_measured() -> None:
    table = macros(load_hardware("colonnade")).mac_energies_j()
    measured = [(bits, bits) for bits in COLONNADE_FJ]
    measured += [(1, bits) for bits in COLONNADE_ONE_BIT_FJ if bits > 1]
    assert table == {
        f"int{bits}*int{weight}": pytest.approx(
            float(peak(colonnade(bits, weight), bits, weight).joules_per_mac), rel=1e-9
        )
        for bits, weight in measured
    }


@pytest.mark.parametrize("bits", COLONNADE_FJ)
def test_colonnade_takes_the_fitted_energy_at_every_width(bits: int) -> None:
    widths = {"cim.weight_bits": bits, "cim.activation_bits": bits, "cim.columns": 128 // bits}
    result = run_full(load_hardware("colonnade").with_all(widths), (bits, bits))
    joules_per_mac = macro_j(result) / result.macs
    assert joules_per_mac == pytest.approx(bits * (60 + 11.5 * bits) * 1e-15, rel=1e-9)
    assert joules_per_mac == pytest.approx(COLONNADE_FJ[bits][2] * 1e-15, rel=0.051)


def test_colonnade_is_as_far_from_the_chip_as_its_header_says() -> None:
    table = macros(load_hardware("colonnade")).mac_energies_j()
    equal = {bits: table[f"int{bits}*int{bits}"] * 1e15 for bits in COLONNADE_FJ}
    errors = [abs(fj / COLONNADE_FJ[bits][2] - 1) for bits, fj in equal.items()]
    assert f"mean absolute {100 * sum(errors) / len(errors):.1f} %" in header("colonnade")
    ones = {bits: table[f"int1*int{bits}"] * 1e15 for bits in COLONNADE_ONE_BIT_FJ}
    errors = [abs(fj / COLONNADE_ONE_BIT_FJ[bits] - 1) for bits, fj in ones.items()]
    assert f"{100 * sum(errors) / len(errors):.1f} % over one-bit" in header("colonnade")
    assert f"at most {100 * max(errors):.1f} %" in header("colonnade")


def used(preset: str, rows: int, columns: int) -> float:
    """Joules of the macro for products that use so much of it."""
    op = matmul(ROWS, rows, columns)
    trace = Trace("part", (op,), tuple(access.tensor for access in op.operands))
    return macro_j(simulate(trace, preset))


def test_cells_of_colonnade_that_are_not_used_take_nothing() -> None:
    assert used("colonnade", 32, 16) == pytest.approx(used("colonnade", 128, 16) / 4, rel=1e-9)


def test_rows_of_jia_that_are_not_used_take_as_much_and_columns_nothing() -> None:
    assert used("jia-2020", 100, 32) == used("jia-2020", 2304, 32)
    assert used("jia-2020", 2304, 8) == pytest.approx(used("jia-2020", 2304, 32) / 4, rel=1e-9)


def test_colonnade_refuses_a_format_that_nobody_measured() -> None:
    machine = load_hardware("colonnade")
    with pytest.raises(MappingError, match=r"no energy for int8\*int4; mac_energy has ") as caught:
        run_full(machine, (8, 4))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("phases", [1, 2])
def test_neurram_reads_in_one_phase_or_in_two(phases: Any) -> None:
    machine = load_hardware("neurram").with_("cim.phases", phases)
    core = macros(machine).physics
    assert flat(core) == {
        path: pytest.approx(value, rel=1e-6) for path, value in flat(neurram_core(phases)).items()
    }


def test_neurram_runs_at_its_published_throughput_and_efficiency() -> None:
    machine = load_hardware("neurram")
    result = run_full(machine, (8, 4))
    plan = plan_of(result)
    ops = ROWS * NEURRAM_CORES * NEURRAM_OPS_PER_PRODUCT
    assert ops == 2 * result.macs
    assert ops / (plan.cycles / plan.clock_hz) == pytest.approx(0.2638743409e12, rel=0.03)
    assert ops / macro_j(result) == pytest.approx(6.437388185e12, rel=0.01)


def test_neurram_says_what_one_phase_costs_and_saves() -> None:
    one, two = (
        macros(load_hardware("neurram").with_("cim.phases", n)).physics.passes for n in (1, 2)
    )
    assert f"{100 * (1 - one(4) / two(4)):.0f} % less time" in header("neurram")
    assert f"for 8 bits {one(8) / two(8):.1f} times as long" in header("neurram")
