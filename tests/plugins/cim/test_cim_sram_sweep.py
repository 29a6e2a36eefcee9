"""All 529 recorded macros: delay, energy and area by part, to the digits that the tool printed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from cim_peer import PARTS, Recorded, energies_pj, sweep
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.sram_analog import AnalogSram
from codesign_plugins.cim.sram_digital import DigitalSram

DELAYS = {
    "adc": "d_ns_adcs",
    "product": "d_ns_mults",
    "adder": "d_ns_adders_regular",
    "shift adder": "d_ns_adders_pv",
    "accumulator": "d_ns_accumulators",
}


def shown(point: Recorded, column: str) -> tuple[float, float]:
    """A figure of the tool and half a unit of the last digit that it shows."""
    text = point.row[column]
    digits = len(text.split(".")[1]) if "." in text else 0
    return float(text), 0.5001 * 10.0**-digits


def named(points: list[Recorded]) -> list[str]:
    return [point.row["case"] for point in points]


def test_the_sweep_has_every_kind_and_size() -> None:
    kinds = Counter(point.row["kind"] for point in sweep())
    assert kinds == {"AIMC": 441, "DIMC": 88}
    for column, values in {
        "act_bits": {"1", "2", "4", "8"},
        "weight_bits": {"1", "2", "4", "8"},
        "bit_serial": {"1", "2", "4", "8"},
        "adc_bits": {"0", "3", "4", "5", "6", "8"},
        "inputs": {"32", "128", "512"},
    }.items():
        assert {point.row[column] for point in sweep()} == values


def test_every_clock_is_the_recorded_one() -> None:
    for point in sweep():
        theirs = point.number("tclk_ns")
        assert math.isclose(float(point.macro.clock_s) * 1e9, theirs, rel_tol=1e-9)


def test_every_delay_of_a_part_is_the_recorded_one_to_its_digits() -> None:
    compared = 0
    for point in sweep():
        for part, seconds in point.macro.delays().items():
            theirs = point.number(DELAYS[part])
            # the tool prints four digits here, and five or more of the sum
            assert abs(float(seconds) * 1e9 - theirs) <= 5.001e-5, (point.row["case"], part)
            compared += 1
    assert compared == 529 * 4


def test_every_energy_of_a_part_is_the_recorded_one_to_its_digits() -> None:
    for point in sweep():
        macro = point.macro
        found = energies_pj(macro, macro.rows, macro.columns, point.widths)
        passes = macro.passes(point.widths[0])
        assert passes == point.number("cycles_per_mvm")
        for part in PARTS.values():
            ours = float(found[part]) / passes
            assert abs(ours - point.number(f"e_pj_{part}")) <= 5.001e-6, (point.row["case"], part)


def test_nothing_is_precharged_with_one_weight_set() -> None:
    assert {point.number("e_pj_local_bl_precharging") for point in sweep()} == {0.0}
    for point in sweep():
        macro = point.macro
        assert "weight set read" not in macro.counts(1, 1, *point.widths)
        assert not np.any(macro.set_reads(1, 1)["weight set read"])


def test_every_energy_per_mac_is_the_recorded_one_to_its_digits() -> None:
    for point in sweep():
        theirs, half = shown(point, "fj_per_mac")
        ours = peak(point.macro, *point.widths).joules_per_mac * 1e15
        assert abs(float(ours) - theirs) <= half, point.row["case"]


def test_every_throughput_is_the_recorded_one() -> None:
    for point in sweep():
        found = peak(point.macro, *point.widths)
        assert abs(float(found.ops_per_s) * 1e-12 - point.number("tops")) <= 5.001e-7
        assert abs(float(found.ops_per_joule) * 1e-12 - point.number("topsw")) <= 5.001e-5


def test_every_area_without_cells_is_the_recorded_one_to_its_digits() -> None:
    for point in sweep():
        parts = point.macro.area()
        assert float(parts.pop("cell")) == 0.0
        ours = sum(map(float, parts.values())) * 1e6
        assert abs(ours - point.number("area_mm2_ex_cells")) <= 5.001e-7, point.row["case"]


@pytest.mark.parametrize("kind", [DigitalSram, AnalogSram])
def test_all_macros_in_one_call_are_as_each_alone(kind: type[DigitalSram | AnalogSram]) -> None:
    points = [p for p in sweep() if isinstance(p.macro, kind) and p.widths == (8, 8)]
    assert len(points) > 20
    names = [field.name for field in fields(kind)]
    many = kind(**{name: np.array([getattr(p.macro, name) for p in points]) for name in names})
    found = peak(many, 8, 8)
    for place, point in enumerate(points):
        alone = peak(point.macro, 8, 8)
        assert math.isclose(many.clock_s[place], float(point.macro.clock_s))
        assert math.isclose(found.joules_per_mac[place], float(alone.joules_per_mac))
        area = sum(part[place] for part in many.area().values())
        assert math.isclose(area, sum(map(float, point.macro.area().values())))


@pytest.mark.parametrize(
    ("change", "figure"),
    [({"input_bits": 2}, "energy"), ({"rows": 64}, "clock"), ({"weight_bits": 4}, "area")],
)
def test_another_macro_is_another_figure(change: dict[str, int], figure: str) -> None:
    """The comparison can fail."""
    macro = DigitalSram()
    other = replace(macro, **change)
    figures = {
        "energy": lambda one: peak(one, 8, one.weight_bits).joules_per_mac,
        "clock": lambda one: one.clock_s,
        "area": lambda one: sum(one.area().values()),
    }
    ratio = figures[figure](other) / figures[figure](macro)
    assert abs(float(ratio) - 1) > 1e-3
