"""The check of fixed mappings fails on an engine that says it takes them and does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector

from codesign import Budget, Engine, Op, TilePlan
from codesign.errors import MappingError
from codesign.testing import check_engine, convolution, elementwise, matmul, softmax
from codesign.testing.mappings import check_mappings

OPERATORS = [
    matmul(16, 24, 20),
    matmul(3, 5, 7, batch=2, bias=True),
    convolution(4, 6, 8, 3, padding=1),
    # strides leave gaps, so that a tile of all of it is less than its operands
    convolution(4, 4, 9, 1, stride=2),
]
Fault = Callable[[Engine, Op, Budget], TilePlan]


def npu(kind: type[Systolic] = Systolic, **fields: Any) -> Systolic:
    return kind(name="npu", buffer="sram", rows=8, cols=8, **fields)


def with_fault(fault: Fault) -> Systolic:
    """An array whose plans have a fault under a fixed mapping."""

    class Faulty(Systolic):  # type: ignore[misc]
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            return fault(npu(), op, budget)

    return npu(dataclass(frozen=True, kw_only=True)(Faulty))


def deaf(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """Plans as if nothing were decided."""
    return engine.plan(op, replace(budget, fixed=None))


def too_small(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """Keeps to it, and says that it takes no room."""
    plan = engine.plan(op, budget)
    return replace(plan, held_bytes=0) if budget.fixed else plan


def nameless(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """Refuses every fixed mapping without a word on which."""
    if budget.fixed:
        raise MappingError("cannot")
    return engine.plan(op, budget)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: str(op.name))
def test_an_engine_that_listens_passes(op: Op) -> None:
    check_mappings(npu(), op)


@pytest.mark.parametrize("op", [elementwise((8, 9), inputs=2), softmax(4, 16)])
def test_an_engine_without_products_passes(op: Op) -> None:
    check_mappings(Vector(name="lanes", buffer="sram"), op)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: str(op.name))
def test_an_engine_that_does_not_listen_is_caught(op: Op) -> None:
    with pytest.raises(AssertionError, match=r"keep to Budget\.fixed, or leave takes_mappings"):
        check_mappings(with_fault(deaf), op)


def test_a_plan_that_hides_what_it_takes_is_caught() -> None:
    with pytest.raises(AssertionError, match="systolic"):
        check_mappings(with_fault(too_small), OPERATORS[0])


def test_a_refusal_that_names_no_mapping_is_caught() -> None:
    with pytest.raises(AssertionError, match="name the mapping by its place"):
        check_mappings(with_fault(nameless), OPERATORS[0])


def test_an_accumulator_that_is_too_small_is_no_fault() -> None:
    check_mappings(npu(accumulator=64), OPERATORS[0])


def test_an_engine_that_takes_no_mappings_is_not_asked() -> None:
    class Silent(Systolic):  # type: ignore[misc]
        takes_mappings = False

        def plan(self, op: Op, budget: Budget) -> TilePlan:
            assert budget.fixed is None
            plan: TilePlan = super().plan(op, budget)
            return plan

    check_mappings(npu(dataclass(frozen=True, kw_only=True)(Silent)), OPERATORS[0])


def test_the_check_of_an_engine_asks_for_it() -> None:
    with pytest.raises(AssertionError, match=r"keep to Budget\.fixed"):
        check_engine(with_fault(deaf), OPERATORS)
