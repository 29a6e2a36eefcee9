"""Every check of addresses, actions and power states fails on a memory with just that fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from test_kit_catches_memory_faults import memory
from toy_plugins import caught

from codesign import Descriptor, Service
from codesign.hardware.component import Rest
from codesign.testing import check_memory


def steady(_: Any) -> Service:
    return Service(1000, (("act", Fraction(1, 64)),), (("open", Fraction(1, 2)),))


PRICES = {"read": 1e-12, "write": 1e-12, "act": 1e-9}
HONEST: dict[str, Any] = {
    "energies_j": lambda self: PRICES,
    "alignment": property(lambda self: 4096),
    "base": lambda self, place: place % 2 * 2048,
    "classify": lambda self, one: (one.direction, one.base % 4096),
    "rests": property(lambda self: (Rest("doze", 100, 5), Rest("sleep", 1000, 50))),
    "background": lambda self, ticks: {name: (n, n * 1e-15) for name, n in ticks.items()},
}


def test_an_honest_memory_with_all_of_these_passes() -> None:
    check_memory(memory(steady, **HONEST))


def faulty(**members: Any) -> None:
    check_memory(memory(members.pop("service", steady), **{**HONEST, **members}))


_TIMES = itertools.count()


def first_counts(descriptors: Sequence[Descriptor]) -> Service:
    return Service(1000 if descriptors[0].direction == "read" else 900)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a least power above that of a state": (
        {"least_background": property(lambda self: 2e-3)},
        "least_background says 0.002 W, and a second of",
    ),
    "a least power below zero": (
        {"least_background": property(lambda self: -1.0)},
        "least_background says -1.0 W",
    ),
    "a rate that depends on the order of transfers": (
        {"service": first_counts},
        "another order gave another answer; let service not look at the order",
    ),
    "a latency below zero": (
        {"latency_s": lambda self, direction: -1e-9},
        "latency_s('read'): must be at least 0 s and finite, got -1e-09",
    ),
    "a latency that changes": (
        {"latency_s": lambda self, direction: next(_TIMES)},
        "latency_s('read'): two calls gave two answers; keep no state",
    ),
    "an action without a price": (
        {"energies_j": lambda self: {"read": 1e-12, "write": 1e-12}},
        "action 'act' has no energy",
    ),
    "an action that happens less than never": (
        {"service": lambda _: Service(9, (("act", Fraction(-1)),))},
        "'act' must happen at least 0 times a byte, got -1",
    ),
    "states that take more than the time there is": (
        {"service": lambda _: Service(9, (), (("a", Fraction(2, 3)), ("b", Fraction(1, 2))))},
        "at most 1 together, got 7/6",
    ),
    "a share below nothing": (
        {"service": lambda _: Service(9, (), (("a", Fraction(-1, 3)),))},
        "must be at least 0",
    ),
    "an alignment that is no power of two": (
        {"alignment": property(lambda self: 3000)},
        "alignment must be a power of two, got 3000; round it up",
    ),
    "a class that looks beyond the alignment": (
        {"classify": lambda self, one: (one.direction, one.base)},
        "let classify look at the address modulo alignment only",
    ),
    "a tensor that begins outside of the alignment": (
        {"base": lambda self, place: place * 2048},
        "base(2) must be from 0 to below alignment, got 4096",
    ),
    "a rest that begins at once": (
        {"rests": property(lambda self: (Rest("doze", 0, 5),))},
        "entered after at least 1 tick",
    ),
    "rests out of order": (
        {"rests": property(lambda self: (Rest("b", 9, 5), Rest("a", 5, 5)))},
        "entered one after the other, got [9, 5]; sort them",
    ),
    "a state that gives energy back": (
        {"background": lambda self, ticks: dict.fromkeys(ticks, (1, -1.0))},
        "must cost at least 0 J",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_with_the_rule_that_it_breaks(fault: str) -> None:
    members, rule = FAULTS[fault]
    caught(lambda: faulty(**members), rule)


def joint(descriptors: Sequence[Descriptor]) -> Service:
    return Service(1000 * len(descriptors))


def test_company_that_exceeds_the_ceiling_is_caught_and_an_honest_ceiling_passes() -> None:
    caught(lambda: faulty(service=joint), "exceed ceiling(), 1,000 B/s; override it")
    ceiling: Callable[[Any, Descriptor], int] = lambda self, one: 10**6  # noqa: E731
    check_memory(memory(joint, **{**HONEST, "ceiling": ceiling}))
