"""Sums of a saved result."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.report.saved import Saved
from codesign.report.sums import (
    Stack,
    bytes_by_component,
    bytes_by_operator,
    energy_by_component,
    energy_by_operator,
    energy_by_role,
)
from codesign.result.result import Result

pytest_plugins = ["report_fixtures"]


@pytest.mark.parametrize("group", [energy_by_component, energy_by_role, energy_by_operator])
def test_every_grouping_sums_to_the_energy(saved: Saved, group: object) -> None:
    assert callable(group)
    assert group(saved).total == pytest.approx(saved.summary.energy_j, rel=1e-12)


def test_energy_by_component_is_that_of_the_summary(saved: Saved) -> None:
    stack = energy_by_component(saved)
    said = {name: joules for name, joules in saved.summary.energy_by_component_j.items() if joules}
    assert {name: stack.row(name) for name in stack.rows} == pytest.approx(said)
    causes = {
        cause: sum(stack.values.get((r, cause), 0.0) for r in stack.rows) for cause in stack.parts
    }
    assert causes["leakage"] == pytest.approx(saved.summary.leakage_energy_j)
    assert causes["dynamic"] == pytest.approx(saved.summary.dynamic_energy_j)


def test_an_operator_called_static_is_kept_apart_in_the_report(saved: Saved) -> None:
    names = [op and "static" for op in saved.ledger["op"]]
    assert None in names
    renamed = dataclasses.replace(saved, ledger={**saved.ledger, "op": names})
    found = energy_by_operator(renamed)
    assert set(found.rows) == {"static", "static (no operator)"}


def test_bytes_off_the_chip_are_those_of_the_summary(saved: Saved, result: Result) -> None:
    by_operator = bytes_by_operator(saved, frozenset(["dram"]))
    assert by_operator.total == sum(result.offchip_bytes.values())
    by_component = bytes_by_component(saved)
    assert by_component.row("dram") == by_operator.total
    roles = {role for _, role in by_component.values}
    assert roles == {role for role, size in result.offchip_bytes.items() if size}


def test_the_largest_rows_come_first_and_the_others_are_told_of() -> None:
    rows = ("a", "b", "c", "d")
    stack = Stack(rows, ("x", "y"), {("a", "x"): 1, ("b", "x"): 5, ("c", "y"): 3, ("d", "y"): 2})
    kept = stack.largest(2)
    assert (kept.rows, kept.folded, kept.others) == (("b", "c"), 2, 3.0)
    assert kept.total + kept.others == stack.total
    assert stack.largest(9).folded == 0


def test_equal_rows_stand_in_the_order_of_their_names() -> None:
    stack = Stack(("z", "a"), ("x",), {("z", "x"): 1.0, ("a", "x"): 1.0})
    assert stack.largest(2).rows == ("a", "z")


@given(st.permutations(["b.2.x", "b.10.x", "b.10.y", "b.x", "9", "a²"]))
def test_blocks_of_one_size_stand_in_the_order_of_their_numbers(rows: list[str]) -> None:
    stack = Stack(tuple(rows), ("x",), {(row, "x"): 1.0 for row in rows})
    assert stack.largest(9).rows == ("9", "a²", "b.2.x", "b.10.x", "b.10.y", "b.x")
