"""Other nodes: the published fit for logic, our rule for memories, and the gaps of both."""

from __future__ import annotations

import pytest
from energy_case import rows_of
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy.scaling import between, to_node, to_voltage

CACTI = {
    (int(r["bytes"]), int(r["node_nm"])): float(r["read_pj"]) for r in rows_of("cacti_sram.csv")
}
MEBIBYTE = 2**20
NODES = st.floats(min_value=2, max_value=250)


def test_a_mebibyte_shrinks_2_87_times_from_45_to_22_nm_and_the_rule_gives_2_05() -> None:
    measured = CACTI[MEBIBYTE, 45] / CACTI[MEBIBYTE, 22]
    rule = to_node("energy", "memory", 45, 22)
    assert measured == pytest.approx(2.87, abs=0.01)
    assert 1 / rule.factor == pytest.approx(2.05, abs=0.01)
    assert "shrinks 2.87x" in rule.note.text
    assert "this rule gives 2.05x" in rule.note.text
    assert (rule.note.flag, rule.status) == ("scaled", "assumed")


def test_voltage_explains_what_is_left_of_it_to_three_percent() -> None:
    voltage = to_voltage(0.7, 0.6)
    assert voltage is not None
    both = to_node("energy", "memory", 45, 22).factor * voltage.factor
    assert CACTI[MEBIBYTE, 45] / CACTI[MEBIBYTE, 22] * both == pytest.approx(1.03, abs=0.01)


@pytest.mark.parametrize(
    ("start", "end", "factor"),
    [(45, 32, 0.643), (45, 20, 0.275), (45, 16, 0.216), (45, 7, 0.117), (65, 45, 0.648)],
)
def test_logic_follows_the_published_fit_at_its_nodes(
    start: float, end: float, factor: float
) -> None:
    carried = to_node("energy", "logic", start, end)
    assert carried.factor == pytest.approx(factor, abs=0.001)
    assert (carried.status, carried.note.flag) == ("fitted", "scaled")
    assert "Stillmaker and Baas 2017" in carried.note.text


@pytest.mark.parametrize(("end", "factor"), [(32, 0.46), (20, 0.21), (7, 0.059), (65, 1.5)])
def test_areas_of_logic_are_those_of_the_published_table(end: float, factor: float) -> None:
    assert to_node("area", "logic", 45, end).factor == pytest.approx(factor)


def test_beyond_the_published_nodes_the_fit_is_continued_and_says_so() -> None:
    carried = to_node("energy", "logic", 7, 3.5)
    assert carried.factor == pytest.approx(0.5)
    assert carried.status == "assumed"
    assert "beyond its 7 to 130 nm" in carried.note.text


@given(start=NODES, end=NODES, middle=NODES)
@pytest.mark.parametrize("physics", ["memory", "logic", "wire"])
@pytest.mark.parametrize("quantity", ["energy", "latency", "area", "leakage"])
def test_two_steps_are_one_and_back_again_is_none(
    quantity: str, physics: str, start: float, end: float, middle: float
) -> None:
    def factor(a: float, b: float) -> float:
        return to_node(quantity, physics, a, b).factor  # type: ignore[arg-type]

    assert factor(start, middle) * factor(middle, end) == pytest.approx(factor(start, end))
    assert factor(start, end) * factor(end, start) == pytest.approx(1)


@given(low=NODES, high=NODES)
def test_a_smaller_node_never_costs_more_energy_or_area(low: float, high: float) -> None:
    low, high = sorted((low, high))
    for physics in ("memory", "logic"):
        for quantity in ("energy", "area"):
            carried = to_node(quantity, physics, high, low)
            assert carried.factor <= 1 + 1e-9


def test_wires_and_leakage_stay_and_say_so() -> None:
    for quantity, physics in (("energy", "wire"), ("leakage", "memory"), ("leakage", "logic")):
        carried = to_node(quantity, physics, 45, 7)  # type: ignore[arg-type]
        assert carried.factor == 1
        assert "unchanged, no trend is known" in carried.note.text


def test_voltages_count_by_the_square_of_their_ratio() -> None:
    carried = to_voltage(0.9, 0.45)
    assert carried is not None
    assert carried.factor == pytest.approx(0.25)
    assert to_voltage(0.9, 0.9) is None
    unknown = to_voltage(None, 0.9)
    assert unknown is not None
    assert (unknown.factor, unknown.note.flag) == (1.0, "")


def test_a_line_on_log_paper_goes_through_its_points() -> None:
    line = between(2.0, 3.0, 8.0, 12.0)
    assert [line(x) for x in (2, 4, 8)] == pytest.approx([3.0, 6.0, 12.0])
    assert between(2.0, 0.0, 8.0, 12.0)(5) == pytest.approx(6.0)
