"""What an engine says no plan goes below is held against its plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from toy_plugins import Dot, caught, dot

from codesign import Budget, Least, Op
from codesign.testing import check_engine, matmul

OPERATORS = (matmul(4, 6, 8), matmul(3, 5, 7, bias=True))
BUDGET = Budget(1 << 20, 1e9, 1e9)


def saying(answer: Callable[[Dot, Op], Least]) -> Dot:
    class Bounded(Dot):
        def least(self, op: Op) -> Least:
            return answer(self, op)

    return dot(dataclass(frozen=True, kw_only=True)(Bounded))


def as_planned(engine: Dot, op: Op, share: float = 1.0) -> Least:
    plan = engine.plan(op, BUDGET)
    actions: tuple[Any, ...] = tuple((*name, share * count) for *name, count in plan.actions)
    return Least(share * plan.cycles / plan.clock_hz, actions)


def test_nothing_and_a_part_of_a_plan_are_bounds() -> None:
    check_engine(dot(), OPERATORS)
    check_engine(saying(lambda engine, op: as_planned(engine, op, 0.5)), OPERATORS)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda engine, op: Least(1.0), "and least() says 1.0 s; lower it"),
        (lambda engine, op: Least(-1.0), "and least() says -1.0 s"),
        (lambda engine, op: Least(0.0, (("", "dream", 1),)), "counts 0 times 'dream'"),
        (lambda engine, op: as_planned(engine, op, 1.01), "least() says"),
    ],
)
def test_a_bound_above_a_plan_is_caught(answer: Callable[[Dot, Op], Least], message: str) -> None:
    caught(lambda: check_engine(saying(answer), OPERATORS), message)
