"""Every check of the kit fails on a plugin with just the fault that it is there for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import pytest
from toy_plugins import Dot, Store, Wire

from codesign import Budget, Descriptor, Engine, Loop, Move, Op, Service, Tile, TilePlan
from codesign.testing import (
    check_engine,
    check_fields,
    check_link,
    check_memory,
    check_plan,
    elementwise,
    matmul,
)
from codesign.units import Count, Unit

OPERATORS = (matmul(4, 6, 8), matmul(3, 5, 7, bias=True), elementwise((8,)))


def dot(kind: type[Dot] = Dot) -> Dot:
    return kind(name="dot", buffer="sram")


def caught(check: Callable[[], object], rule: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(rule)) as fault:
        check()
    assert "\n" not in str(fault.value)


def test_honest_plugins_pass() -> None:
    check_engine(dot())
    check_engine(dot(), OPERATORS)
    check_memory(Store(name="store", size=1024))
    check_link(Wire(name="wire", connects=("a", "b")))


# -- plans ----------------------------------------------------------------------------------------

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
    "slots twice": (
        lambda plan, op, budget: replace(plan, slots=plan.slots * 2),
        "names a cause of slots twice",
    ),
    "negative action": (
        lambda plan, op, budget: replace(plan, actions=(("", "mac", -1),)),
        "counts -1 of 'mac'",
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

    caught(lambda: check_engine(broken(crash), OPERATORS), "raised ZeroDivisionError; raise codesi")


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


@pytest.mark.parametrize("energy", [float("nan"), float("inf")])
def test_an_energy_that_is_no_number_is_caught(energy: float) -> None:
    caught(lambda: check_memory(Store(name="s", size=1, energy=energy)), "must cost at least 0 J")


def test_an_energy_out_of_proportion_is_caught() -> None:
    class Squared(Store):
        def energy_j(self, action: str, count: float) -> float:
            return super().energy_j(action, count) * count

    part = dataclass(frozen=True, kw_only=True)(Squared)(name="s", size=1)
    caught(lambda: check_memory(part), "make energy_j proportional to the count")


# -- fields ---------------------------------------------------------------------------------------


def test_a_field_without_documentation_is_caught() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Silent(Store):
        """A memory.

        Attributes:
            bank: of another name.
        """

        banks: Count = 1

    caught(lambda: check_fields(Silent), "Silent.banks: not documented; add it to 'Attributes:'")


def test_documentation_of_a_base_class_counts() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Plain(Store):
        """A memory with the fields of its base."""

    check_fields(Plain)


@pytest.mark.parametrize(
    "hint", [int, float, float | None, Mapping[str, float], tuple[int, ...]], ids=str
)
def test_a_number_without_a_unit_is_caught(hint: Any) -> None:
    class Bare(Store):
        """A memory.

        Attributes:
            banks: how many.
        """

    Bare.__annotations__ = {"banks": hint}
    Bare.banks = 1  # type: ignore[attr-defined]
    caught(
        lambda: check_fields(dataclass(frozen=True, kw_only=True)(Bare)),
        "Bare.banks: a number without a unit",
    )


@pytest.mark.parametrize(
    "hint", [str, bool, Count, Count | None, Mapping[str, Annotated[float, Unit("J")]]], ids=str
)
def test_words_switches_and_numbers_with_a_unit_pass(hint: Any) -> None:
    class Fine(Store):
        """A memory.

        Attributes:
            banks: how many.
        """

    Fine.__annotations__ = {"banks": hint}
    Fine.banks = 1  # type: ignore[attr-defined]
    check_fields(dataclass(frozen=True, kw_only=True)(Fine))


def test_a_class_that_can_be_changed_is_caught() -> None:
    class Undecorated(Store):
        """A memory."""

    caught(lambda: check_fields(Undecorated), "decorate it with @dataclass(frozen=True, kw_only")


def test_a_class_without_a_kind_is_caught() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Nameless(Store):
        """A memory."""

        kind: ClassVar[str] = ""

    caught(lambda: check_fields(Nameless), "give it kind: ClassVar[str]")


# -- memories and links ---------------------------------------------------------------------------


def memory(service: Callable[[Sequence[Descriptor]], Any], **members: Any) -> Store:
    body = {"service": lambda self, descriptors: service(descriptors), **members}
    made: type[Store] = dataclass(frozen=True, kw_only=True)(type("Made", (Store,), body))
    return made(name="store", size=1024)


@pytest.mark.parametrize("rate", [0, -5, 1.5e9, None])
def test_a_rate_that_is_no_whole_number_of_at_least_one_is_caught(rate: Any) -> None:
    caught(
        lambda: check_memory(memory(lambda descriptors: Service(rate))),
        f"bytes_per_s must be a whole number of at least 1, got {rate!r}",
    )


def test_a_memory_that_forgets_what_it_said_is_caught() -> None:
    rates = itertools.count(1)
    caught(
        lambda: check_memory(memory(lambda descriptors: Service(next(rates)))),
        "two calls gave two answers; keep no state",
    )


def test_a_rate_without_a_service_around_it_is_caught() -> None:
    caught(lambda: check_memory(memory(lambda descriptors: 5)), "must return a codesign.Service")


def test_a_class_that_hides_what_service_looks_at_is_caught() -> None:
    picky = memory(lambda descriptors: Service(1000 + descriptors[0].rows))
    caught(lambda: check_memory(picky), "let classify return everything that service looks at")
    honest = memory(
        lambda descriptors: Service(1000 + descriptors[0].rows),
        classify=lambda self, descriptor: descriptor.rows,
    )
    check_memory(honest)


@pytest.mark.parametrize("action", ["read", "write"])
def test_a_memory_that_does_not_price_an_access_is_caught(action: str) -> None:
    other = {"read": "write", "write": "read"}[action]
    free = memory(lambda descriptors: Service(1), energies_j=lambda self: {other: 1e-12})
    caught(lambda: check_memory(free), f"action {action!r} has no energy; add it to energies_j")


def wire(**members: Any) -> Wire:
    made: type[Wire] = dataclass(frozen=True, kw_only=True)(type("Made", (Wire,), members))
    return made(name="wire", connects=("a", "b"))


LINK_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "fraction": ({"bytes_per_s": property(lambda self: 0.5)}, "whole number of at least 1"),
    "standing still": ({"bytes_per_s": property(lambda self: 0)}, "whole number of at least 1"),
    "negative set-up": ({"setup_s": property(lambda self: -1e-9)}, "at least 0 s, got -1e-09"),
    "a word": ({"separate": property(lambda self: "full")}, "must be True or False, got 'full'"),
    "free": ({"energies_j": lambda self: {}}, "action 'move' has no energy"),
}


@pytest.mark.parametrize("fault", LINK_FAULTS)
def test_a_faulty_link_is_caught(fault: str) -> None:
    members, rule = LINK_FAULTS[fault]
    caught(lambda: check_link(wire(**members)), rule)


def test_a_link_that_changes_its_rate_is_caught() -> None:
    rates = itertools.count(1)
    moody = wire(bytes_per_s=property(lambda self: next(rates)))
    caught(lambda: check_link(moody), "differ; keep no state")


def test_a_link_with_one_end_is_caught() -> None:
    caught(lambda: check_link(Wire(name="w", connects=("a", "a"))), "at least two memories")
