"""Curves over size, node, width and voltage: exact at the rows, close between, told beyond."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from energy_case import HEAD, ask, of_tool, rivals, rows_of, sram, tables_of
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy import EnergyTables, clocks, read_query, shipped_tables
from codesign.energy.row import Quantity, Row
from codesign.errors import EnergyError

CACTI = rows_of("cacti_sram.csv")
SHIPPED = shipped_tables().rows
TOOLS = ("CACTI 7", "hwcomponents 1.0.114")


def curve(tool: str, action: str, node: float) -> list[Row]:
    """Rows of one curve by size, with a port of 64 bits."""
    found = [
        row
        for row in SHIPPED
        if (row.component, row.tool, row.action, row.node_nm, row.width_bits)
        == ("sram", tool, action, node, 64)
        and row.energy_j is not None
    ]
    return sorted(found, key=lambda row: row.size_bytes or 0)


def test_there_are_seventeen_reference_rows() -> None:
    assert len(CACTI) == 17


@pytest.mark.parametrize("row", CACTI, ids=lambda row: f"{row['node_nm']}nm-{row['bytes']}")
def test_a_row_is_given_back_to_the_digit(row: dict[str, str]) -> None:
    size, node = int(row["bytes"]), float(row["node_nm"])
    read, write = sram(size, node), sram(size, node, "write")
    assert read.value == pytest.approx(float(row["read_pj"]) * 1e-12, rel=1e-12)
    assert write.value == pytest.approx(float(row["write_pj"]) * 1e-12, rel=1e-12)
    latency = ask("latency", component="sram", action="read", size=size, node=node)
    assert latency.value == pytest.approx(float(row["access_ns"]) * 1e-9, rel=1e-12)
    assert (read.flags, write.flags, latency.flags) == ((), (), ())
    assert read.status == write.status == "tool"


def left_out_errors(tool: str) -> list[float]:
    """Signed errors of the inner sizes of a tool, each read from its neighbours."""
    errors = []
    for node in sorted({row.node_nm for row in SHIPPED if row.tool == tool and row.node_nm}):
        for action in ("read", "write"):
            for row in curve(tool, action, node)[1:-1]:
                rest = EnergyTables([r for r in curve(tool, action, node) if r is not row])
                found = ask(
                    tables=rest, component="sram", action=action, size=row.size_bytes, node=node
                )
                assert found.flags == ("interpolated",)
                errors.append(found.value / (row.energy_j or 0.0) - 1)
    return errors


def test_inner_sizes_left_out_one_by_one_come_back_within_ten_percent() -> None:
    errors = left_out_errors("CACTI 7")
    assert len(errors) == 22
    assert max(map(abs, errors)) == pytest.approx(0.0874, abs=0.0005)


def test_inner_sizes_of_the_second_tool_come_back_within_eleven_percent() -> None:
    errors = left_out_errors("hwcomponents 1.0.114")
    assert len(errors) == 50
    assert max(map(abs, errors)) == pytest.approx(0.1077, abs=0.0005)
    assert sum(map(abs, errors)) / len(errors) < 0.05


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("action", ["read", "write"])
def test_shipped_curves_rise_with_size(tool: str, action: str) -> None:
    nodes = {row.node_nm for row in SHIPPED if row.tool == tool and row.component == "sram"}
    for node in nodes - {None}:
        energies = [row.energy_j or 0.0 for row in curve(tool, action, node or 0.0)]
        assert len(energies) >= 5
        assert all(low < high for low, high in pairwise(energies))


NODES = st.floats(min_value=3, max_value=180).map(lambda node: round(node, 3))
SIZES = st.integers(min_value=1, max_value=2**34)


@given(node=NODES, sizes=st.tuples(SIZES, SIZES), width=st.sampled_from([8, 64, 256]))
@pytest.mark.parametrize("action", ["read", "write"])
@pytest.mark.parametrize("banks", [1, 4])
def test_a_larger_memory_never_costs_less(
    node: float, sizes: tuple[int, int], width: int, action: str, banks: int
) -> None:
    small, large = (sram(size, node, action, width=width, banks=banks) for size in sorted(sizes))
    assert small.tool == large.tool
    assert small.value <= large.value * (1 + 1e-12)


@given(node=NODES, sizes=st.tuples(SIZES, SIZES))
@pytest.mark.parametrize("quantity", ["latency", "area", "leakage"])
def test_a_larger_memory_is_never_faster_smaller_or_tighter(
    quantity: Quantity, node: float, sizes: tuple[int, int]
) -> None:
    words: dict[str, Any] = {"component": "sram", "action": "read", "node": node}
    small, large = (ask(quantity, **words, size=size) for size in sorted(sizes))
    assert small.value <= large.value * (1 + 1e-12)


@given(node=NODES, size=SIZES, factor=st.floats(min_value=0.01, max_value=100))
def test_scaling_every_row_scales_every_energy(node: float, size: int, factor: float) -> None:
    line = "sram,read,t,{},{},64,{},tool,s"
    rows = [(22, 1024, 1.0), (22, 65536, 5.0), (45, 1024, 2.5), (45, 65536, 11.0)]
    plain = tables_of(*(line.format(n, s, e) for n, s, e in rows))
    scaled = tables_of(*(line.format(n, s, e * factor) for n, s, e in rows))
    words: dict[str, Any] = {"component": "sram", "action": "read", "size": size, "node": node}
    both = ask(tables=plain, **words), ask(tables=scaled, **words)
    assert both[1].value == pytest.approx(both[0].value * factor, rel=1e-9)
    assert both[0].flags == both[1].flags


def test_between_two_rows_the_line_is_straight_on_log_paper() -> None:
    both = sram("32 KiB").value, sram("128 KiB").value
    middle = sram("64 KiB")
    assert middle.value == pytest.approx((both[0] * both[1]) ** 0.5, rel=1e-12)
    assert middle.flags == ("interpolated",)
    assert middle.status == "tool"
    assert middle.summary.startswith("read between 32 KiB and 128 KiB; tools differ")


@pytest.mark.parametrize(("size", "edge"), [("2 KiB", "8 KiB"), ("8 MiB", "2 MiB")])
def test_beyond_the_rows_energy_follows_the_root_and_says_so(size: str, edge: str) -> None:
    found, known = sram(size), sram(edge)
    assert found.value / known.value == pytest.approx({"2 KiB": 0.5, "8 MiB": 2.0}[size])
    assert found.flags == ("extrapolated",)
    assert found.status == "assumed"
    assert f"beyond the rows, from {edge} with the root of the size" in found.summary


def test_the_root_of_the_size_fits_the_rows_at_22_nm_within_eight_percent_but_for_one() -> None:
    rows = curve("CACTI 7", "read", 22)
    scaled = [(row.energy_j or 0.0) / (row.size_bytes or 1.0) ** 0.5 for row in rows]
    middle = (max(scaled) * min(scaled)) ** 0.5
    assert max(scaled) / middle - 1 < 0.08


def test_between_two_nodes_of_a_tool_the_line_is_straight_on_log_paper() -> None:
    low, high = sram("1 MiB", 22), sram("1 MiB", 32)
    found = sram("1 MiB", 28)
    assert low.value < found.value < high.value
    assert found.flags == ("interpolated",)
    assert "read between 22 and 32 nm" in found.summary
    assert len(found.rows) == 2


def test_outside_the_nodes_of_a_tool_the_figure_is_carried_and_says_so() -> None:
    found = of_tool(rivals(component="sram", action="read", size="1 MiB", node=16), "CACTI 7")
    assert found.value == pytest.approx(sram("1 MiB", 22).value * 16 / 22)
    assert found.flags == ("scaled",)
    assert found.status == "assumed"
    assert "carried from 22 to 16 nm in proportion to the node" in found.summary


def test_a_row_at_the_node_beats_one_that_must_be_carried() -> None:
    assert sram("1 MiB", 65).tool == "hwcomponents 1.0.114"
    assert sram("1 MiB", 45).tool == "CACTI 7"


def test_a_narrow_port_pays_the_fixed_share_and_a_wide_one_only_once() -> None:
    at_64 = sram("1 MiB").value
    for width, factor in ((32, 0.65), (128, 1.7), (256, 3.1)):
        found = sram("1 MiB", width=width)
        assert found.value == pytest.approx(at_64 * factor)
        assert found.flags == ("scaled",)
        assert "0.3 of a 64-bit access fixed" in found.summary


@pytest.mark.parametrize(("width", "error"), [(32, -0.154), (128, 0.075), (256, 0.290)])
def test_the_width_rule_errs_as_its_docstring_says(width: int, error: float) -> None:
    tool = "hwcomponents 1.0.114"
    words: dict[str, Any] = {"component": "sram", "action": "read", "size": "64 KiB", "node": 22}
    exact = of_tool(rivals(**words, width=width), tool)
    assert exact.flags == ()
    ruled = of_tool(rivals(**words), tool).value * (0.3 + 0.7 * width / 64)
    assert ruled / exact.value - 1 == pytest.approx(error, abs=0.001)


def test_voltage_counts_by_its_square_and_only_where_the_row_states_one() -> None:
    half = sram("1 MiB", voltage="0.3 V")
    assert half.value == pytest.approx(sram("1 MiB").value / 4)
    assert half.flags == ("scaled",)
    assert sram("1 MiB", voltage="0.6 V").flags == ()
    seven = sram("1 MiB", 7, voltage="0.6 V")
    assert "states no voltage" in seven.summary
    assert seven.value == sram("1 MiB", 7).value


def test_a_row_without_a_node_is_carried_nowhere_and_says_so() -> None:
    found = ask(component="link", action="move", node=7)
    assert found.value == pytest.approx(0.03e-12)
    assert "states no node" in found.summary


def test_a_row_of_one_byte_is_a_rate_and_extrapolates_nothing() -> None:
    found = ask("leakage", component="sram", size="1 MiB", node=22)
    assert found.value == pytest.approx(0.14e-9 * 2**20)
    assert found.flags == ()
    assert found.status == "assumed"


def test_zero_energies_are_read_on_plain_paper() -> None:
    rows = "x,read,t,22,8,64,0,tool,s,clock gated", "x,read,t,22,16,64,2 pJ,tool,s,"
    tables = tables_of(*rows, head=f"{HEAD},note")
    found = ask(tables=tables, component="x", action="read", size=12, node=22)
    assert found.value == pytest.approx(1e-12)


def test_leakage_has_no_trend_over_nodes() -> None:
    words: dict[str, Any] = {"component": "sram", "size": "1 MiB"}
    many = {node: ask("leakage", **words, node=node) for node in (65, 45, 22, 7)}
    assert {one.value for one in many.values()} == {0.14e-9 * 2**20}
    tool = {
        node: of_tool(rivals("leakage", component="sram", size="64 KiB", node=node), TOOLS[1])
        for node in many
    }
    assert tool[65].value > tool[45].value < tool[22].value > tool[7].value
    assert {one.status for one in tool.values()} == {"assumed"}


def test_no_leakage_comes_from_low_operating_power_cells() -> None:
    leaking = [row for row in SHIPPED if row.leakage_w is not None]
    assert len(leaking) > 30
    assert not [row for row in leaking if row.type == "itrs-lop" or row.tool == "CACTI 7"]
    assert max(row.leakage_w or 0.0 for row in leaking if row.component == "sram") < 1e-3


def test_retention_keeps_three_tenths_and_off_nothing() -> None:
    words: dict[str, Any] = {"component": "sram", "size": "1 MiB", "node": 22}
    active, kept, off = (
        ask("leakage", **words, state=state) for state in ("active", "retention", "off")
    )
    assert kept.value == pytest.approx(0.3 * active.value)
    assert off.value == 0
    assert "contents are lost" in off.summary


def test_a_banked_memory_costs_one_bank_and_the_wire_to_it() -> None:
    found = sram("16 MiB", banks=8)
    bank = sram("2 MiB")
    area = ask("area", component="sram", size="2 MiB", node=22).value * 8
    wire = 0.1e-12 * 64 * (area**0.5 * 1e3 / 2)
    assert found.value == pytest.approx(bank.value + wire, rel=1e-9)
    assert "composed" in found.flags
    assert found.value < sram("16 MiB").value


def test_banks_add_their_areas_and_leakages() -> None:
    quantities: tuple[Quantity, ...] = ("area", "leakage")
    for quantity in quantities:
        words: dict[str, Any] = {"component": "sram", "node": 22}
        whole = ask(quantity, **words, size="1 MiB", banks=4)
        bank = ask(quantity, **words, size="256 KiB")
        assert whole.value == pytest.approx(4 * bank.value)


def test_a_latency_is_rounded_up_to_clocks_and_takes_at_least_one() -> None:
    latency = ask("latency", component="sram", action="read", size="1 MiB", node=22)
    assert latency.value == pytest.approx(1.84349e-9)
    assert [clocks(latency, hertz) for hertz in (1e8, 5e8, 1e9, 2e9)] == [1, 1, 2, 4]
    exact = ask("latency", component="adc", action="convert", bits=8, node=22)
    assert clocks(exact, 1e8) == 1
    assert clocks(exact, 2e8) == 2


def test_an_answer_is_looked_up_once() -> None:
    tables = EnergyTables(SHIPPED)
    query = read_query({"component": "sram", "action": "read", "size": "1 MiB", "node": 22})
    assert tables.estimate(query) is tables.estimate(query)


def test_a_question_over_size_needs_one_and_over_nodes_too() -> None:
    with pytest.raises(EnergyError, match="sram read needs a size; add for example"):
        ask(component="sram", action="read", node=22)
    with pytest.raises(EnergyError, match="sram read needs a node; add for example"):
        ask(component="sram", action="read", size=64)
