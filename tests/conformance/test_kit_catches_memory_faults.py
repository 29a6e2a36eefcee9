"""Every check of a memory or link fails on one with just the fault that it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from toy_plugins import Store, Wire, caught, dot

from codesign import Descriptor, Service
from codesign.testing import (
    check_engine,
    check_link,
    check_memory,
)


def test_honest_plugins_pass() -> None:
    check_engine(dot())
    check_memory(Store(name="store", size=1024))
    check_link(Wire(name="wire", connects=("a", "b")))


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
    picky = memory(lambda descriptors: Service(1000 + max(one.rows for one in descriptors)))
    caught(lambda: check_memory(picky), "let classify return everything that service looks at")
    honest = memory(
        lambda descriptors: Service(1000 + max(one.rows for one in descriptors)),
        classify=lambda self, descriptor: descriptor.rows,
    )
    check_memory(honest)


SERVED_FAULTS: dict[str, tuple[Callable[[Descriptor], Any], str]] = {
    "fraction": (lambda one: one.bytes * 1.5, "must be a whole number of bytes, got 96.0; round"),
    "nothing": (lambda one: None, "must be a whole number of bytes, got None; round it up"),
    "a word": (lambda one: True, "must be a whole number of bytes, got True; round it up"),
    "a byte too few": (
        lambda one: one.bytes - 1,
        "must be at least the 64 B asked for, got 63; add what is moved beyond them, never less",
    ),
    "a byte too few of a long write only": (
        lambda one: one.bytes - (one.direction == "write" and one.rows > 16),
        "must be at least the 4,096 B asked for, got 4,095; add what is moved beyond them",
    ),
}


@pytest.mark.parametrize("fault", SERVED_FAULTS)
def test_a_memory_that_miscounts_what_it_moves_is_caught(fault: str) -> None:
    served, rule = SERVED_FAULTS[fault]
    faulty = memory(lambda _: Service(1), served_bytes=lambda self, one: served(one))
    caught(lambda: check_memory(faulty), rule)


def test_a_memory_that_moves_another_number_of_bytes_every_time_is_caught() -> None:
    more = itertools.count()
    moody = memory(lambda _: Service(1), served_bytes=lambda self, one: one.bytes + next(more))
    caught(lambda: check_memory(moody), "two calls gave two answers; keep no state")


def test_a_memory_that_moves_whole_bursts_passes() -> None:
    check_memory(
        memory(lambda _: Service(1), served_bytes=lambda self, one: -(-one.bytes // 48) * 48)
    )


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
