"""Every check of an engine fails on one with just the fault that it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from toy_plugins import Dot, caught, dot

from codesign import Budget, Engine, Loop, Move, Op, Tile, TilePlan, fields_only
from codesign.testing import (
    check_engine,
    check_plan,
    elementwise,
    matmul,
)

OPERATORS = (matmul(4, 6, 8), matmul(3, 5, 7, bias=True), elementwise((8,)))


Change = Callable[[TilePlan, Op, Budget], TilePlan]


def broken(change: Change) -> Dot:
    """A dot engine whose plans are changed before they are handed out."""

    class Broken(Dot):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            return change(super().plan(op, budget), op, budget)

    return dot(dataclass(frozen=True, kw_only=True)(Broken))


def only_tile(plan: TilePlan, **fields: Any) -> TilePlan:
    return replace(plan, loop=Loop((replace(plan.first, **fields),)))


def shorter_load(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    first, *others = plan.first.loads or (Move(0, 1),)
    return only_tile(plan, loads=(replace(first, bytes=first.bytes - 1), *others))


def no_loads(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    return only_tile(plan, loads=())


def ignores_residency(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    return Dot.plan(dot(), op, replace(budget, resident=()))


def stores_twice(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    return replace(
        plan,
        loop=Loop((plan.first, Tile(0, (), plan.first.stores))),
    )


def stores_an_input(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    stores = (*plan.first.stores, Move(0, 1))
    return replace(only_tile(plan, stores=stores), slot_out_bytes=plan.slot_out_bytes + 1)


def spills_nothing(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
    return only_tile(plan, stores=())


PLAN_FAULTS: dict[str, tuple[Change, str]] = {
    "over budget": (
        lambda plan, op, budget: replace(plan, held_bytes=budget.buffer_bytes + 1),
        "of buffer; choose smaller tiles, or raise MappingError",
    ),
    "input slot too small": (
        lambda plan, op, budget: replace(plan, slot_in_bytes=0),
        "let slot_in_bytes be the inputs of the largest tile",
    ),
    "output slot too small": (
        lambda plan, op, budget: replace(plan, slot_out_bytes=0),
        "let slot_out_bytes be the outputs of the largest tile",
    ),
    "a byte too few": (shorter_load, "every input byte crosses at least once"),
    "loads nothing": (no_loads, "B are compulsory; every input byte crosses at least once"),
    "loads what is there": (ignores_residency, "which lies in the buffer already"),
    "stores twice": (stores_twice, "every output byte leaves exactly once"),
    "stores nothing": (spills_nothing, "every output byte leaves exactly once"),
    "stores an input": (stores_an_input, "stores operands [0], which the operator only reads"),
    "negative cycles": (
        lambda plan, op, budget: only_tile(plan, cycles=-1),
        "a tile takes -1 cycles; whole and at least 0",
    ),
    "fractional cycles": (
        lambda plan, op, budget: only_tile(plan, cycles=1.5),
        "a tile takes 1.5 cycles; whole and at least 0",
    ),
    "negative bytes": (
        lambda plan, op, budget: only_tile(plan, loads=(Move(0, -4),)),
        "is not whole bytes",
    ),
    "negative room": (
        lambda plan, op, budget: replace(plan, held_bytes=-1),
        "held_bytes must be whole and at least 0, got -1",
    ),
    "nothing to wait for": (
        lambda plan, op, budget: replace(plan, exclusive=(7,)),
        "exclusive names operands [7], which no tile loads; leave them out",
    ),
    "no tile": (
        lambda plan, op, budget: replace(plan, loop=Loop((plan.first,), 0)),
        "has no tile",
    ),
    "no clock": (
        lambda plan, op, budget: replace(plan, clock_hz=0.0),
        "clock_hz must be at least 1, got 0.0",
    ),
    "too few effective slots": (
        lambda plan, op, budget: replace(plan, slots=(("effective", op.macs - 1),)),
        "put ('effective', op.macs) into slots",
    ),
    "no slots": (
        lambda plan, op, budget: replace(plan, slots=()),
        "books 0 effective MAC slots",
    ),
    "negative slots": (
        lambda plan, op, budget: replace(plan, slots=(("effective", op.macs), ("edge", -2))),
        "books -2 slots as 'edge'",
    ),
    "more starts than cycles": (
        lambda plan, op, budget: replace(plan, start_cycles=plan.cycles + 1),
        "cycles start it; whole, and no more",
    ),
    "a start of less than nothing": (
        lambda plan, op, budget: replace(plan, start_cycles=-1),
        "-1 of",
    ),
    "slots twice": (
        lambda plan, op, budget: replace(plan, slots=plan.slots * 2),
        "names a cause of slots twice",
    ),
    "negative action": (
        lambda plan, op, budget: replace(plan, actions=(("", "mac", -1),)),
        "counts -1 of 'mac'",
    ),
    "no cycles": (
        lambda plan, op, budget: only_tile(plan, cycles=0),
        "takes 0 cycles for 192 MACs; give its tiles the cycles they compute for",
    ),
    "no actions": (
        lambda plan, op, budget: replace(plan, actions=()),
        "charges the engine no action for 192 MACs; put ('', action, count) into actions",
    ),
    "only actions of the buffer": (
        lambda plan, op, budget: replace(plan, actions=(("buffer", "read", 2 * op.macs),)),
        "charges the engine no action for 192 MACs",
    ),
    "an action zero times": (
        lambda plan, op, budget: replace(plan, actions=(("", "mac", 0),)),
        "charges the engine no action for 192 MACs",
    ),
    "action without energy": (
        lambda plan, op, budget: replace(plan, actions=(("", "add", 1),)),
        "action 'add' has no energy; add it to energies_j",
    ),
    "unknown buffer action": (
        lambda plan, op, budget: replace(plan, actions=(("buffer", "erase", 1),)),
        "charges the buffer for 'erase'; a memory prices read and write",
    ),
    "slower with more buffer": (
        lambda plan, op, budget: only_tile(plan, cycles=op.macs * budget.buffer_bytes),
        "keep the smaller tiling as a choice",
    ),
    "cannot be pickled": (
        lambda plan, op, budget: replace(plan, note=_Unpicklable()),  # type: ignore[arg-type]
        "cannot be pickled",
    ),
}


class _Unpicklable:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unpicklable)

    def __hash__(self) -> int:
        return 0

    def __reduce__(self) -> str:
        raise TypeError("a handle of this process")


@pytest.mark.parametrize("fault", PLAN_FAULTS)
def test_a_faulty_plan_is_caught(fault: str) -> None:
    change, rule = PLAN_FAULTS[fault]
    caught(lambda: check_engine(broken(change), OPERATORS), rule)


def test_a_plan_that_changes_from_call_to_call_is_caught() -> None:
    calls = itertools.count()
    moody = broken(lambda plan, op, budget: replace(plan, note=str(next(calls))))
    caught(lambda: check_engine(moody, OPERATORS), "two calls gave two plans; keep no state")


def test_another_exception_than_a_mapping_error_is_caught() -> None:
    def crash(plan: TilePlan, op: Op, budget: Budget) -> TilePlan:
        raise ZeroDivisionError

    line = crash.__code__.co_firstlineno + 1
    place = f"test_kit_catches_faults.py:{line} in crash; raise codesign"
    caught(lambda: check_engine(broken(crash), OPERATORS), place)


def test_an_engine_that_claims_to_fit_one_byte_is_caught() -> None:
    class Squeezing(Dot):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            return super().plan(op, replace(budget, buffer_bytes=max(2048, budget.buffer_bytes)))

    caught(lambda: check_engine(dot(dataclass(frozen=True)(Squeezing)), OPERATORS), "buffer of 1 B")


def test_an_engine_that_never_finds_a_plan_is_caught() -> None:
    class Stubborn(Dot):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            return super().plan(op, replace(budget, buffer_bytes=0))

    caught(
        lambda: check_engine(dot(dataclass(frozen=True)(Stubborn)), OPERATORS),
        "finds no plan for 'matmul 1x4x6x8' in 1048576 B",
    )


def test_a_plan_of_another_type_is_caught() -> None:
    nothing = broken(lambda plan, op, budget: None)  # type: ignore[arg-type,return-value]
    caught(lambda: check_engine(nothing, OPERATORS), "must return a codesign.TilePlan, got None")


def test_check_plan_can_be_used_on_its_own() -> None:
    op, budget = matmul(4, 6, 8), Budget(1000, 1e9, 1e9)
    plan = dot().plan(op, budget)
    check_plan(dot(), op, budget, plan)
    caught(
        lambda: check_plan(dot(), op, replace(budget, buffer_bytes=50), plan),
        "takes 104 B of buffer",
    )


def test_what_two_inputs_read_alike_is_loaded_through_either_of_them() -> None:
    op = elementwise((8,), ("mul",), inputs=2)
    square = replace(op, inputs=(op.inputs[0], op.inputs[0]))
    budget = Budget(1000, 1e9, 1e9)
    for loads in ((Move(0, 8),), (Move(1, 8),), (Move(0, 8), Move(1, 8))):
        room = sum(move.bytes for move in loads)
        tile = Tile(1, loads, (Move(2, 8),))
        plan = TilePlan(Loop((tile,)), 1e9, slot_in_bytes=room, slot_out_bytes=8)
        check_plan(dot(), square, budget, plan)
        if len(loads) == 1:
            caught(lambda plan=plan: check_plan(dot(), op, budget, plan), "8 B are compulsory")  # type: ignore[misc]
    short = TilePlan(Loop((Tile(1, (Move(0, 7),), (Move(2, 8),)),)), 1e9, 0, 8, 8)
    caught(lambda: check_plan(dot(), square, budget, short), "loads 7 B of operand 0, of which 8 B")


def test_what_one_of_two_like_inputs_finds_in_the_buffer_needs_no_load() -> None:
    op = elementwise((8,), ("mul",), inputs=2)
    square = replace(op, inputs=(op.inputs[0], op.inputs[0]))
    plan = TilePlan(Loop((Tile(1, (), (Move(2, 8),)),)), 1e9, slot_out_bytes=8)
    check_plan(dot(), square, Budget(1000, 1e9, 1e9, resident=(False, True, False)), plan)
    none = Budget(1000, 1e9, 1e9)
    caught(lambda: check_plan(dot(), square, none, plan), "loads 0 B of operand 0, of which 8 B")


# -- what an engine says of itself ----------------------------------------------------------------


def answering(*answers: object) -> Engine:
    class Odd(Dot):
        replies: ClassVar[Iterable[object]] = itertools.cycle(answers)

        def supports(self, op: Op) -> Any:
            return next(iter(self.replies))

    return dot(dataclass(frozen=True, kw_only=True)(Odd))


@pytest.mark.parametrize("answer", [True, "", 0])
def test_an_answer_that_is_neither_none_nor_a_reason_is_caught(answer: object) -> None:
    caught(
        lambda: check_engine(answering(answer), OPERATORS),
        f"must be None or the reason why not, got {answer!r}",
    )


def test_answers_that_change_are_caught() -> None:
    caught(lambda: check_engine(answering(None, "no"), OPERATORS), "two calls gave two answers")


def test_an_engine_that_takes_nothing_needs_operators_of_its_own() -> None:
    caught(lambda: check_engine(answering("never")), "pass some that it takes")


def test_a_negative_energy_is_caught() -> None:
    caught(
        lambda: check_engine(Dot(name="dot", buffer="sram", mac_energy=-1e-12)),
        "one 'mac' must cost at least 0 J, got -1e-12",
    )


def test_a_broken_promise_to_compute_from_fields_alone_is_caught() -> None:
    @fields_only
    @dataclass(frozen=True, kw_only=True)
    class Exact(Dot):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            plan = super().plan(op, budget)
            return plan if type(self) is Exact else only_tile(plan, cycles=plan.first.cycles + 1)

    caught(
        lambda: check_engine(dot(Exact), OPERATORS),
        "another object with the same fields plans otherwise; take away fields_only",
    )


def test_who_promises_nothing_may_ask_for_its_exact_type() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Exact(Dot):
        def plan(self, op: Op, budget: Budget) -> TilePlan:
            plan = super().plan(op, budget)
            return plan if type(self) is Exact else only_tile(plan, cycles=plan.first.cycles + 1)

    check_engine(dot(Exact), OPERATORS)
