"""Arithmetic of any width: the published rows as they stand, and told rules for the rest."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from energy_case import ask, of_tool, rivals, tables_of
from hypothesis import given
from hypothesis import strategies as st

from codesign.energy.arithmetic import mac_weight
from codesign.energy.row import STATUSES, Quantity
from codesign.errors import EnergyError

HOROWITZ = {
    ("adder", "int8"): 0.03,
    ("adder", "int32"): 0.1,
    ("adder", "fp16"): 0.4,
    ("adder", "fp32"): 0.9,
    ("multiplier", "int8"): 0.2,
    ("multiplier", "int32"): 3.1,
    ("multiplier", "fp16"): 1.1,
    ("multiplier", "fp32"): 3.7,
}


def mac(activation: int, weight: int, accumulator: int = 32, node: float = 45) -> dict[str, Any]:
    bits = {"activation_bits": activation, "weight_bits": weight, "accumulator_bits": accumulator}
    return {"component": "mac", "action": "compute", "node": node, **bits}


@pytest.mark.parametrize(("component", "format"), HOROWITZ)
def test_published_operations_are_given_back(component: str, format: str) -> None:
    words: dict[str, Any] = (
        {"bits": int(format[3:])} if format.startswith("int") else {"format": format}
    )
    action = {"adder": "add", "multiplier": "multiply"}[component]
    found = of_tool(rivals(component=component, action=action, node=45, **words), "Horowitz 2014")
    assert found.value == pytest.approx(HOROWITZ[component, format] * 1e-12)
    assert found.flags == ()
    assert found.status == (
        "assumed" if (component, format)[1:] == ("fp16",) and "mul" in component else "published"
    )


@pytest.mark.parametrize(
    ("widths", "picojoules", "status"),
    [
        ((8, 8, 32), 0.30, "published"),
        ((4, 4, 32), 0.15, "assumed"),
        ((8, 4, 32), 0.2, "assumed"),
        ((16, 16, 32), 0.9, "assumed"),
        ((8, 8, 16), 0.25, "assumed"),
    ],
)
def test_integer_macs_at_45_nm(
    widths: tuple[int, int, int], picojoules: float, status: str
) -> None:
    found = ask(**mac(*widths))
    assert found.tool == "Horowitz 2014"
    assert found.value == pytest.approx(picojoules * 1e-12)
    assert "composed" in found.flags
    assert found.status == status


def test_a_half_precision_mac_with_a_wide_sum_takes_two_picojoules() -> None:
    found = ask(component="mac", action="compute", node=45, format="fp16")
    assert found.value == pytest.approx(2.0e-12)
    assert "nobody has checked it" in found.summary
    assert found.status == "assumed"


def test_a_full_precision_mac_adds_multiply_and_add() -> None:
    found = ask(component="mac", action="compute", node=45, format="fp32")
    assert found.value == pytest.approx((3.7 + 0.9) * 1e-12)
    assert found.status == "published"


def test_the_tool_row_is_given_back_at_its_own_width() -> None:
    found = of_tool(rivals(**mac(8, 8, 16, 22)), "hwcomponents 1.0.114")
    assert found.value == pytest.approx(0.3037616e-12)
    assert found.flags == ()
    area = ask("area", **mac(8, 8, 16, 22))
    assert area.value == pytest.approx(196.35e-12, rel=1e-4)


def test_aladdins_parts_add_up_to_what_its_tool_says_of_the_whole() -> None:
    whole = rivals(**mac(8, 8, 16, 40))
    parts = of_tool(whole, "Aladdin")
    assert parts.value == pytest.approx(of_tool(whole, "hwcomponents 1.0.114").value)
    assert parts.value == pytest.approx((12.68 / 16 + 0.21 / 2) * 1e-12)


def test_the_spread_between_tools_is_told() -> None:
    found = ask(**mac(8, 8, 32, 22))
    assert found.spread == pytest.approx(3.9, abs=0.05)
    assert "tools differ by a factor of 3.9" in found.summary


@given(
    small=st.tuples(*[st.integers(1, 64)] * 3),
    more=st.tuples(*[st.integers(0, 64)] * 3),
    node=st.sampled_from([7, 16, 28, 45, 65]),
)
def test_wider_operands_never_cost_less(
    small: tuple[int, ...], more: tuple[int, ...], node: float
) -> None:
    large = tuple(a + b for a, b in zip(small, more, strict=True))
    low, high = (ask(**{**mac(*one[:3]), "node": node}) for one in (small, large))
    assert low.value <= high.value * (1 + 1e-12)


def test_the_rule_for_widths_is_the_one_of_the_page() -> None:
    assert mac_weight(8, 8, 32) == pytest.approx(0.3e-12)
    assert mac_weight(4, 4, 32) == pytest.approx(0.15e-12)


def test_integer_rows_predict_the_widths_that_they_are_not_taken_from() -> None:
    narrow = tables_of(
        "multiplier,multiply,t,int8,45,8,0.2 pJ,tool,s",
        "adder,add,t,int32,45,32,0.1 pJ,tool,s",
        head="component,action,tool,type,node_nm,width_bits,energy_j,status,source",
    )
    multiply = ask(tables=narrow, component="multiplier", action="multiply", bits=32, node=45)
    add = ask(tables=narrow, component="adder", action="add", bits=8, node=45)
    assert multiply.value / 3.1e-12 - 1 == pytest.approx(0.032, abs=0.001)
    assert add.value / 0.03e-12 - 1 == pytest.approx(-0.167, abs=0.001)
    assert multiply.flags == add.flags == ("scaled",)


@pytest.mark.parametrize("quantity", ["energy", "latency", "area", "leakage"])
@pytest.mark.parametrize("component", ["adder", "multiplier", "vector_lane"])
def test_a_bit_more_never_makes_an_operator_cheaper(component: str, quantity: Quantity) -> None:
    for node in (7, 22, 45):
        words: dict[str, Any] = {"component": component, "node": node}
        sweep = [ask(quantity, **words, bits=bits) for bits in range(1, 130)]
        assert len({one.tool for one in sweep}) == 1
        assert all(low.value <= high.value * (1 + 1e-12) for low, high in pairwise(sweep))


def test_seventeen_bits_cost_more_than_sixteen() -> None:
    adds = [ask(component="adder", node=45, bits=bits).value for bits in (8, 16, 17, 31, 32, 33)]
    assert adds == sorted(adds)
    assert adds[1] == pytest.approx((0.03e-12 * 0.1e-12) ** 0.5)
    between = ask(component="adder", node=45, bits=16)
    assert (between.flags, between.status) == (("interpolated",), "assumed")
    assert "adder read between 8 and 32 bits" in between.summary
    beyond = ask(component="adder", node=45, bits=64)
    assert beyond.value == pytest.approx(0.2e-12)
    assert beyond.flags == ("scaled",)


STATUS = st.sampled_from(STATUSES)


@given(statuses=st.tuples(STATUS, STATUS, STATUS, STATUS, STATUS))
def test_a_sweep_over_widths_stays_with_one_tool_whatever_the_statuses(
    statuses: tuple[str, ...],
) -> None:
    places = (("a", 4, 1), ("a", 8, 2), ("a", 32, 3), ("b", 8, 6), ("b", 16, 7))
    tables = tables_of(
        *(
            f"adder,add,{tool},int{bits},45,{bits},{energy} pJ,{status},s"
            for (tool, bits, energy), status in zip(places, statuses, strict=True)
        ),
        head="component,action,tool,type,node_nm,width_bits,energy_j,status,source",
    )
    sweep = [ask(tables=tables, component="adder", node=45, bits=bits) for bits in range(1, 70)]
    assert len({one.tool for one in sweep}) == 1
    assert all(low.value <= high.value * (1 + 1e-12) for low, high in pairwise(sweep))


def test_a_lane_is_charged_as_an_add_unless_a_row_says_otherwise() -> None:
    words: dict[str, Any] = {
        "component": "vector_lane",
        "action": "operation",
        "bits": 32,
        "node": 45,
    }
    found = ask(**words)
    assert found.value == pytest.approx(0.1e-12)
    assert "a lane operation is charged as an add" in found.summary
    own = tables_of("vector_lane,operation,t,45,,,0.4 pJ,fitted,ours")
    mine = ask(tables=own, **words)
    assert mine.value == pytest.approx(0.4e-12)
    assert mine.is_own


def test_rows_that_nobody_checked_serve_only_where_there_are_no_others() -> None:
    found = rivals(component="mac", action="compute", node=16, bits=8)
    assert found[0].tool == "Horowitz 2014"
    recalled = [one for one in found if any("nobody has" in note.text for note in one.notes)]
    assert [one.tool for one in recalled] == ["after Jouppi 2021"]
    assert recalled[0].status == "assumed"
    assert found.index(recalled[0]) > 2
    bf16 = ask(component="mac", action="compute", node=16, format="bf16")
    assert bf16.value == pytest.approx(0.65e-12)
    assert bf16.status == "assumed"
    assert "nobody has checked it" in bf16.summary


def test_many_cells_leak_as_many_times_one() -> None:
    words = mac(8, 8, 16, 22)
    one, many = ask("leakage", **words), ask("leakage", **words, count=4096)
    assert many.value == pytest.approx(4096 * one.value)
    assert many.value == pytest.approx(8.6e-3, rel=0.001)


def test_a_converter_has_rows_for_its_own_bits_only() -> None:
    found = ask(component="adc", action="convert", bits=8, node=22)
    assert found.value == pytest.approx(0.6778e-12, rel=1e-4)
    with pytest.raises(EnergyError, match="adc convert has rows for 8 bits only, asked for 4"):
        ask(component="adc", action="convert", bits=4, node=22)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"component": "mac"}, "needs activation_bits and weight_bits, bits for both, or a format"),
        ({"component": "adder"}, "adder add needs bits or a format"),
        ({"component": "adder", "format": "wide"}, "a format is a word and bits, got 'wide'"),
        ({"component": "mac", "format": "fp8"}, "no row gives the energy of mac compute in fp8"),
        ({"component": "mac", "bits": 8, "banks": 2}, "mac takes no 'banks'; it takes action"),
        ({"component": "mac", "bits": 8, "count": 2}, "count is for area and leakage"),
    ],
)
def test_a_question_that_means_nothing_is_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(EnergyError, match=message):
        ask(**words, node=22)
