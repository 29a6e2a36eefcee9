"""Which answer is the best, how far the others are, and where each figure is from."""

from __future__ import annotations

import pickle
from itertools import accumulate
from typing import Any

import pytest
from energy_case import HEAD, ask, of_tool, rivals, sram, tables_of
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy import (
    EnergyTables,
    Estimated,
    NoRowError,
    Row,
    figure,
    read_query,
    read_table,
    shipped_tables,
)
from codesign.energy.row import STATUSES
from codesign.errors import EnergyError

WORDS: dict[str, Any] = {"component": "x", "action": "read", "node": 22, "size": 64}


def test_statuses_compete_in_their_order() -> None:
    lines = [
        f"x,read,{status},22,64,64,{place} pJ,{status},s"
        for place, status in enumerate(reversed(STATUSES), start=1)
    ]
    found = rivals(tables=tables_of(*lines, is_own=False), **WORDS)
    assert [one.status for one in found] == list(STATUSES)
    assert found[0].spread == pytest.approx(6 / 2)  # the assumed row does not count


MIXED = (
    "x,read,a,22,1 KiB,64,1 pJ,published,s",
    "x,read,a,22,16 KiB,64,4 pJ,published,s",
    "x,read,a,22,64 KiB,64,9 pJ,assumed,s",
    "x,read,b,22,1 KiB,64,5 pJ,tool,s",
    "x,read,b,22,2 KiB,64,5.2 pJ,tool,s",
    "x,read,b,22,64 KiB,64,20 pJ,tool,s",
)


def test_a_curve_ranks_by_its_worst_row_at_every_size() -> None:
    sizes = [2**power for power in range(8, 20)]
    for is_own in (False, True):
        tables = tables_of(*MIXED, is_own=is_own)
        assert {ask(tables=tables, **{**WORDS, "size": size}).tool for size in sizes} == {"b"}
    found = of_tool(rivals(tables=tables, **{**WORDS, "size": "1 KiB"}), "a")
    assert found.status == "published"  # what is told is the status of the rows that are used


CURVES = st.lists(
    st.tuples(
        st.sets(st.integers(0, 20), min_size=1, max_size=5),
        st.lists(st.sampled_from(STATUSES), min_size=5, max_size=5),
        st.lists(st.floats(0, 2), min_size=5, max_size=5),
        st.sampled_from([16, 22, 32]),
    ),
    min_size=2,
    max_size=4,
)


@given(curves=CURVES, sizes=st.tuples(*[st.integers(1, 2**22)] * 2), node=st.integers(10, 40))
@pytest.mark.parametrize("component", ["x", "sram"])
def test_a_sweep_over_sizes_stays_on_one_rising_curve_whatever_the_statuses(
    component: str, curves: list[Any], sizes: tuple[int, int], node: int
) -> None:
    rows = []
    for tool, (powers, statuses, steps, at) in enumerate(curves):
        energies = accumulate(steps, initial=1e-3 * (tool + 1))
        for power, status, energy in zip(sorted(powers), statuses, energies, strict=False):
            place: dict[str, Any] = {"node_nm": at, "size_bytes": 2.0**power, "width_bits": 64}
            rows.append(Row(component, "read", f"t{tool}", status, "s", energy_j=energy, **place))
    words: dict[str, Any] = {"component": component, "action": "read", "node": node}
    tables = EnergyTables(rows)
    small, large = (ask(tables=tables, **words, size=size) for size in sorted(sizes))
    assert small.tool == large.tool
    assert small.value <= large.value * (1 + 1e-9)


def test_wires_do_not_rank_the_banks_at_their_ends() -> None:
    wire = Row("wire", "move", "w", "assumed", "s", width_bits=1, energy_j=1e-13, is_own=True)
    words: dict[str, Any] = {"component": "sram", "action": "read", "node": 22, "size": "1 MiB"}
    mine = shipped_tables().with_rows([wire])
    own = tables_of("sram,read,ours,45,1 MiB,64,9 pJ,assumed,a guess").rows
    for banks in (1, 2, 8):
        assert ask(tables=mine, **words, banks=banks).tool.startswith("CACTI 7")
        assert ask(tables=mine.with_rows(own), **words, banks=banks).tool.startswith("ours")


def test_of_equal_rows_the_first_wins() -> None:
    tables = tables_of("x,read,b,22,64,64,2 pJ,tool,s", "x,read,a,22,64,64,1 pJ,tool,s")
    assert [one.tool for one in rivals(tables=tables, **WORDS)] == ["b", "a"]


def test_a_row_of_the_user_beats_every_shipped_one_and_is_shown_as_such() -> None:
    lines = (HEAD, "sram,read,our compiler,22,1 MiB,64,9 pJ,assumed,a guess")
    mine = shipped_tables().with_rows(read_table("\n".join(lines), "mine.csv"))
    best, *others = rivals(tables=mine, component="sram", action="read", node=22, size="1 MiB")
    assert (best.value, best.is_own, best.status) == (9e-12, True, "assumed")
    assert best.rows[0].place == "mine.csv:2"
    assert [one.is_own for one in others] == [False, False]
    assert ask(tables=mine, component="sram", action="write", node=22, size="1 MiB").is_own is False


def test_a_curve_of_the_user_is_carried_like_any_other() -> None:
    lines = (HEAD, "sram,read,ours,22,1 MiB,64,9 pJ,datasheet,ours")
    mine = shipped_tables().with_rows(read_table("\n".join(lines), "mine.csv"))
    found = ask(tables=mine, component="sram", action="read", node=22, size="256 KiB")
    assert found.tool == "ours"
    assert found.value == pytest.approx(4.5e-12)
    assert (found.flags, found.status) == (("extrapolated",), "assumed")


@pytest.mark.parametrize(("node", "spread"), [(22, 1.6), (45, 2.1)])
def test_the_two_tools_of_a_scratchpad_differ_as_the_page_says(node: int, spread: float) -> None:
    found = sram("64 KiB", node)
    assert round(found.spread, 1) == spread
    assert f"tools differ by a factor of {spread:g}" in found.summary


def test_sram_energy_per_byte_is_that_of_the_page() -> None:
    words: dict[str, Any] = {"component": "sram", "action": "read", "size": "64 KiB"}
    for node, picojoules in ((65, 5.88), (45, 3.23), (22, 0.71), (7, 0.40)):
        tool = of_tool(rivals(**words, node=node), "hwcomponents 1.0.114")
        assert tool.value / 8e-12 == pytest.approx(picojoules, abs=0.005)
    query = read_query({"component": "sram", "action": "read", "size": "1 MiB", "node": 22})
    per_byte = shipped_tables().in_unit(query, "J/B")
    assert per_byte.value == pytest.approx(1.829e-12, rel=1e-3)
    assert per_byte.unit == "J/B"


def test_a_convention_answers_only_who_asks_for_it() -> None:
    words: dict[str, Any] = {"component": "sram", "action": "read", "size": "1 MiB", "node": 22}
    assert "mobile-asr" not in {one.tool for one in rivals(**words)}
    (found,) = rivals(**words, type="mobile-asr")
    assert found.value / 8 == pytest.approx(1.5e-12)
    assert found.status == "assumed"
    dram = ask(component="dram", action="access", type="mobile-asr", width=8)
    assert dram.value == pytest.approx(120e-12)


def test_devices_of_different_types_are_no_rivals() -> None:
    with pytest.raises(EnergyError, match="dram needs a type; add for example 'type: LPDDR4'"):
        ask(component="dram", action="access")
    found = rivals(component="dram", action="access", type="LPDDR4")
    assert [round(one.value * 1e12, 2) for one in found] == [8.0, 14.0, 8.09]
    assert found[0].spread == pytest.approx(1.75)


def test_every_shipped_row_has_a_source_a_status_and_a_place() -> None:
    rows = shipped_tables().rows
    assert len(rows) > 200
    assert all(row.source and row.status in STATUSES and row.place for row in rows)
    assert not any(row.is_own for row in rows)
    assert len({row.place for row in rows}) == len(rows)


def test_what_nobody_has_checked_is_assumed_and_says_so() -> None:
    doubted = [row for row in shipped_tables().rows if "nobody has checked" in row.note]
    assert len(doubted) > 10
    assert {row.status for row in doubted} == {"assumed"}


def test_every_component_that_needs_none_but_assumed_rows_is_known() -> None:
    rows = shipped_tables().rows
    resting = {
        name
        for name in shipped_tables().components
        if {row.status for row in rows if row.component == name} == {"assumed"}
    }
    assert resting == {"link", "wire"}


def test_the_status_is_that_of_the_weakest_step() -> None:
    assert sram("64 KiB").status == "tool"
    assert ask(component="adder", action="add", bits=32, node=22).status == "fitted"
    assert ask(component="adder", action="add", bits=24, node=22).status == "assumed"
    assert sram("64 KiB", width=32).status == "assumed"


def test_an_estimate_reads_well() -> None:
    text = str(sram("64 KiB"))
    assert text.startswith("3.552 pJ (tool, interpolated; CACTI 7 (github.com/")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.21017e-12, "J", "1.21 pJ"),
        (0.3e-12, "J", "300 fJ"),
        (0.0, "J", "0 J"),
        (1e-12, "J/B", "1 pJ/B"),
        (9.77e-6, "W", "9.77 uW"),
        (5.86e-8, "m2", "0.0586 mm2"),
        (1.96e-10, "m2", "196 um2"),
        (3.4e-19, "J", "0.00034 fJ"),
    ],
)
def test_figures_are_written_with_a_prefix(value: float, unit: str, text: str) -> None:
    assert figure(value, unit) == text


def test_an_estimated_number_is_a_number_that_remembers_its_estimate() -> None:
    number = Estimated(sram("1 MiB"))
    assert number == sram("1 MiB").value
    again = pickle.loads(pickle.dumps(number))
    assert (again, again.estimate) == (number, number.estimate)


def test_tables_can_be_sent_to_another_process() -> None:
    tables = tables_of("x,read,b,22,64,64,2 pJ,tool,s")
    again = pickle.loads(pickle.dumps(tables))
    assert again.rows == tables.rows
    assert ask(tables=again, **WORDS) == ask(tables=tables, **WORDS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"component": "sran"}, r"unknown component 'sran'; did you mean 'sram'\? known: adc, "),
        ({"component": "sram", "action": "red"}, r"unknown action 'red' of sram; did you mean 'r"),
        ({"component": "sram"}, r"unknown action '' of sram; known: read, write"),
        ({"component": "sram", "action": "read", "type": "itrs-lop2"}, r"unknown type 'itrs-lop2'"),
        ({"component": "sram", "action": "read", "bits": 8}, r"sram takes no 'bits'; it takes act"),
        ({"component": "sram", "action": "read", "state": "off"}, r"state is for leakage; drop it"),
        (
            {"component": "sram", "action": "read", "estimator": "x"},
            r"unknown estimator 'x'; known",
        ),
    ],
)
def test_a_wrong_word_is_told_in_one_line(words: dict[str, Any], message: str) -> None:
    with pytest.raises(EnergyError, match=message) as caught:
        ask(**words, size=1024, node=22)
    assert "\n" not in str(caught.value)


def test_a_figure_that_nobody_has_is_no_zero() -> None:
    with pytest.raises(NoRowError, match="no row gives the area of wire; add a table"):
        ask("area", component="wire")


@pytest.mark.parametrize("unit", ["B/s", "", "B"])
def test_only_energies_times_powers_and_areas_are_estimated(unit: str) -> None:
    query = read_query({"component": "sram", "action": "read", "size": 64, "node": 22})
    with pytest.raises(EnergyError, match="an estimate is in J, J/B, W, m2, s, not in"):
        shipped_tables().in_unit(query, unit)


def test_an_action_without_a_width_has_no_energy_per_byte() -> None:
    query = read_query({"component": "mac", "action": "compute", "bits": 8, "node": 22})
    with pytest.raises(EnergyError, match="mac compute has no width, so no energy per byte"):
        shipped_tables().in_unit(query, "J/B")


def test_an_estimator_answers_once_and_as_it_stands() -> None:
    asked = []

    def tool(query: object) -> Row:
        asked.append(query)
        return Row("sram", "read", "ours", "tool", "asked", energy_j=7e-12, area_m2=1e-9)

    tables = EnergyTables(shipped_tables().rows, {"ours": tool})
    words: dict[str, Any] = {
        "component": "sram",
        "node": 22,
        "size": "64 KiB",
        "banks": 4,
        "estimator": "ours",
    }
    for _ in range(3):
        assert ask(tables=tables, **words, action="read").value == 7e-12
    assert len(asked) == 1
    assert ask("area", tables, **words, count=3).value == pytest.approx(3e-9)
    with pytest.raises(EnergyError, match="estimator 'ours' gives no leakage of sram"):
        ask("leakage", tables, **words)
