"""Rows at several supply voltages: those of the nearest make the curve."""

from __future__ import annotations

from typing import Any

import pytest
from energy_case import ask, tables_of
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy import EnergyTables, Estimate

HEAD = "component,action,tool,node_nm,vdd_v,size_bytes,width_bits,energy_j,latency_s,status,source"
LINE = "sram,read,ours,22,{volts},{size},64,{energy} pJ,{latency} ns,datasheet,ours"


def table(*points: tuple[str, str, float]) -> EnergyTables:
    """Rows by voltage, size and picojoules, with as many nanoseconds."""
    lines = [LINE.format(volts=v, size=s, energy=e, latency=e) for v, s, e in points]
    return tables_of(*lines, head=HEAD)


TWO = table(("0.6 V", "64 KiB", 1), ("0.8 V", "64 KiB", 3))


def read(tables: EnergyTables, voltage: object = None, **words: Any) -> Estimate:
    """A read of 64 KiB at 22 nm."""
    if voltage is not None:
        words["voltage"] = voltage
    words = {"size": "64 KiB", "node": 22, **words}
    return ask(words.pop("quantity", "energy"), tables, component="sram", action="read", **words)


@pytest.mark.parametrize(("voltage", "picojoules"), [("0.6 V", 1), ("0.8 V", 3), ("800 mV", 3)])
def test_rows_at_the_voltage_asked_for_are_given_back(voltage: str, picojoules: float) -> None:
    found = read(TWO, voltage)
    assert found.value == pytest.approx(picojoules * 1e-12)
    assert (found.status, found.flags, found.notes) == ("datasheet", (), ())


@pytest.mark.parametrize(("voltage", "near", "known"), [("0.75 V", 0.8, 3), ("0.5 V", 0.6, 1)])
def test_another_voltage_is_carried_from_the_nearest(
    voltage: str, near: float, known: float
) -> None:
    found = read(TWO, voltage)
    assert found.value == pytest.approx(known * 1e-12 * (float(voltage[:-2]) / near) ** 2)
    assert (found.status, found.flags) == ("assumed", ("scaled",))
    assert f"carried from {near:g} to" in found.summary


def test_latencies_are_those_of_the_nearest_voltage_too() -> None:
    values = [read(TWO, volts, quantity="latency").value for volts in ("0.6 V", "0.8 V")]
    assert values == pytest.approx([1e-9, 3e-9])


def test_a_voltage_has_a_curve_of_its_own_over_sizes() -> None:
    tables = table(
        ("0.6 V", "16 KiB", 1),
        ("0.8 V", "16 KiB", 3),
        ("0.6 V", "1 MiB", 8),
        ("0.8 V", "1 MiB", 27),
    )
    low, high = (read(tables, volts, size="128 KiB") for volts in ("0.6 V", "0.8 V"))
    assert [low.value, high.value] == pytest.approx([8**0.5 * 1e-12, 9e-12])
    assert {row.vdd_v for row in high.rows} == {0.8}
    assert (high.status, high.flags) == ("datasheet", ("interpolated",))


@pytest.mark.parametrize("volts", ["0.7 V", "700 mV", "0.35 V", "350 mV"])
def test_a_voltage_is_itself_in_any_unit(volts: str) -> None:
    number = {"0.7 V": "700 mV", "700 mV": "0.7 V", "0.35 V": "350 mV", "350 mV": "0.35 V"}[volts]
    found = read(table((volts, "64 KiB", 2)), number)
    assert (found.status, found.flags) == ("datasheet", ())


def test_without_a_voltage_the_first_of_several_counts_and_the_answer_says_so() -> None:
    found = read(table(("0.8 V", "64 KiB", 3), ("0.6 V", "64 KiB", 1), ("", "64 KiB", 5)))
    assert found.value == pytest.approx(3e-12)
    assert "rows of 0.8 V and 0.6 V and no voltage: those of the first count" in found.summary
    assert read(table(("0.8 V", "64 KiB", 3))).notes == ()


def test_rows_that_state_no_voltage_are_left_out_where_others_do_and_the_answer_says_so() -> None:
    found = read(table(("", "64 KiB", 5), ("0.6 V", "64 KiB", 1)), "0.6 V")
    assert found.value == pytest.approx(1e-12)
    assert found.summary == "rows that state no voltage are left out"


def test_each_node_has_the_nearest_voltage_of_its_own() -> None:
    line = "sram,read,ours,{},{},64 KiB,64,{} pJ,,tool,s"
    places = ((22, 0.6, 1), (22, 0.8, 3), (32, 0.7, 4), (32, 0.8, 6))
    tables = tables_of(*(line.format(*place) for place in places), head=HEAD)
    found = read(tables, "0.8 V", node=28)
    assert {row.vdd_v for row in found.rows} == {0.8}
    assert 3e-12 < found.value < 6e-12
    assert (found.status, found.flags) == ("tool", ("interpolated",))


@given(
    voltages=st.lists(st.sampled_from(["", "0.6 V", "0.8 V"]), min_size=2, max_size=5),
    sizes=st.tuples(st.integers(1, 2**24), st.integers(1, 2**24)),
    asked=st.sampled_from([None, "0.55 V", "0.6 V", "0.9 V"]),
)
def test_energy_rises_with_size_whatever_the_voltages_of_the_rows(
    voltages: list[str], sizes: tuple[int, int], asked: str | None
) -> None:
    tables = table(*((v, f"{4**place} KiB", 2**place) for place, v in enumerate(voltages)))
    small, large = (read(tables, asked, size=size) for size in sorted(sizes))
    assert small.value <= large.value * (1 + 1e-12)
