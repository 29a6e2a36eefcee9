"""What every memory and every link promises."""

from __future__ import annotations

import math
from dataclasses import replace

from codesign.hardware.component import Descriptor, Direction, Link, Memory, Rest, Service
from codesign.hardware.fields_only import is_fields_only
from codesign.mapping.twins import Watch
from codesign.testing.rules import check_energies, check_fields, check_priced, expect, pairs

_SINGLE = (
    Descriptor(64, 1, 0, "read"),
    Descriptor(4096, 16, 4096, "read"),
    Descriptor(4096, 16, 8192, "read", base=1 << 20),
    Descriptor(32, 512, 1024, "read", initiator="other"),
    Descriptor(4096, 16, 4096, "write"),
    Descriptor(1, 4096, 64, "write", priority=1),
)
DIRECTIONS: tuple[Direction, ...] = ("read", "write")
PATTERNS: tuple[tuple[Descriptor, ...], ...] = (
    *((descriptor,) for descriptor in _SINGLE),
    *pairs(_SINGLE),
    _SINGLE,
)
"""Sets of transfers that are active together: long and short rows, one or many, mixed ways."""

_ROUNDING = 1 + 1e-9  # of floating-point sums that are equal on paper


def check_memory(memory: Memory) -> None:
    """Checks a memory: fields, energies, services and their bounds, addresses, power states.

    Args:
        memory: an instance as a hardware file would make it.

    Raises:
        AssertionError: says which promise is broken, for which transfers, and what to change.
    """
    check_fields(type(memory))
    for action in ("read", "write"):
        check_priced(memory, action)
    check_energies(memory)
    expect(memory.size >= 1, f"{memory.kind}: size must be at least 1 B, got {memory.size}")
    for transfer in _SINGLE:
        _check_served(memory, transfer)
    for pattern in PATTERNS:
        _check_service(memory, pattern)
    for direction in DIRECTIONS:
        _check_latency(memory, direction)
    for one, two in pairs(_SINGLE):
        _check_classes(memory, one, two)
    _check_addresses(memory)
    _check_states(memory)
    _check_promise(memory)


def _check_promise(memory: Memory) -> None:
    """Who computes from fields alone answers alike for another object that holds the same."""
    if not is_fields_only(type(memory)):
        return
    twin = Watch(memory).twin
    for pattern in PATTERNS:
        expect(
            twin.service(pattern) == memory.service(pattern),
            f"{memory.kind}.service({pattern}): another object with the same fields answers "
            "otherwise; take away fields_only, or keep nothing outside of fields",
        )
    for direction in DIRECTIONS:
        expect(
            twin.latency_s(direction) == memory.latency_s(direction),
            f"{memory.kind}.latency_s({direction!r}): another object with the same fields answers "
            "otherwise; take away fields_only, or keep nothing outside of fields",
        )


def _check_served(memory: Memory, transfer: Descriptor) -> None:
    place = f"{memory.kind}.served_bytes({transfer})"
    served = memory.served_bytes(transfer)
    expect(
        isinstance(served, int) and not isinstance(served, bool),
        f"{place}: must be a whole number of bytes, got {served!r}; round it up to what is moved",
    )
    expect(
        served >= transfer.bytes,
        f"{place}: must be at least the {transfer.bytes:,} B asked for, got {served:,}; "
        "add what is moved beyond them, never less",
    )
    expect(
        memory.served_bytes(transfer) == served,
        f"{place}: two calls gave two answers; keep no state and draw no random numbers",
    )


def _check_service(memory: Memory, pattern: tuple[Descriptor, ...]) -> None:
    place = f"{memory.kind}.service({len(pattern)} transfers, first {pattern[0]})"
    service = memory.service(pattern)
    expect(
        isinstance(service, Service), f"{place}: must return a codesign.Service, got {service!r}"
    )
    expect(
        isinstance(service.bytes_per_s, int) and service.bytes_per_s >= 1,
        f"{place}: bytes_per_s must be a whole number of at least 1, got {service.bytes_per_s!r}; "
        "round it",
    )
    for action, rate in service.actions:
        check_priced(memory, action)
        expect(rate >= 0, f"{place}: {action!r} must happen at least 0 times a byte, got {rate}")
    shares = sum(share for _, share in service.states)
    expect(
        all(share >= 0 for _, share in service.states) and shares <= 1,
        f"{place}: shares of power states must be at least 0 and at most 1 together, got {shares}",
    )
    most = max(map(memory.ceiling, pattern))
    expect(
        service.bytes_per_s <= most,
        f"{place}: {service.bytes_per_s:,} B/s exceed ceiling(), {most:,} B/s; override it",
    )
    expect(
        memory.service(pattern) == service,
        f"{place}: two calls gave two answers; keep no state and draw no random numbers",
    )
    expect(
        memory.service(pattern[::-1]) == service,
        f"{place}: another order gave another answer; let service not look at the order",
    )


def _check_latency(memory: Memory, direction: Direction) -> None:
    place = f"{memory.kind}.latency_s({direction!r})"
    latency = memory.latency_s(direction)
    expect(
        math.isfinite(latency) and latency >= 0,
        f"{place}: must be at least 0 s and finite, got {latency}",
    )
    expect(
        memory.latency_s(direction) == latency,
        f"{place}: two calls gave two answers; keep no state and draw no random numbers",
    )


def _check_classes(memory: Memory, one: Descriptor, two: Descriptor) -> None:
    first, second = memory.classify(one), memory.classify(two)
    expect(
        hash(first) == hash(memory.classify(one)),
        f"{memory.kind}.classify: two calls gave two classes; return a tuple of plain values",
    )
    expect(
        first != second or memory.service((one,)) == memory.service((two,)),
        f"{memory.kind}.classify puts {one} and {two} in one class, but service tells them apart; "
        "let classify return everything that service looks at",
    )


def _check_addresses(memory: Memory) -> None:
    alignment = memory.alignment
    expect(
        isinstance(alignment, int) and alignment >= 1 and not alignment & (alignment - 1),
        f"{memory.kind}: alignment must be a power of two, got {alignment!r}; round it up",
    )
    for one in _SINGLE:
        moved = replace(one, base=one.base + alignment)
        expect(
            memory.classify(one) == memory.classify(moved),
            f"{memory.kind}.classify tells {one} from the same one {alignment:,} B further on; "
            "let classify look at the address modulo alignment only",
        )
    for place in range(8):
        base = memory.base(place)
        expect(
            isinstance(base, int) and 0 <= base < alignment,
            f"{memory.kind}.base({place}) must be from 0 to below alignment, got {base!r}",
        )


def _check_states(memory: Memory) -> None:
    rests = memory.rests
    expect(
        all(isinstance(rest, Rest) and rest.after >= 1 and rest.exit >= 0 for rest in rests),
        f"{memory.kind}.rests must be Rests entered after at least 1 tick, got {rests}",
    )
    order = [rest.after for rest in rests]
    expect(
        order == sorted(set(order)),
        f"{memory.kind}.rests must be entered one after the other, got {order}; sort them",
    )
    states = {memory.IDLE, *(rest.name for rest in rests)}
    states.update(name for one in _SINGLE for name, _ in memory.service((one,)).states)
    for state in states:
        once = memory.background({state: 10**12})
        expect(
            all(math.isfinite(joules) and joules >= 0 for _, joules in once.values()),
            f"{memory.kind}.background: a second of {state!r} must cost at least 0 J, got {once}",
        )
        joules = math.fsum(joules for _, joules in once.values())
        expect(
            0 <= memory.least_background <= joules * _ROUNDING,
            f"{memory.kind}.least_background says {memory.least_background} W, and a second of "
            f"{state!r} takes {joules} J; lower it to what the most frugal state takes",
        )


def check_link(link: Link) -> None:
    """Checks a link: its fields, its energies, its rate and its set-up time.

    Args:
        link: an instance as a hardware file would make it.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    check_fields(type(link))
    check_priced(link, "move")
    check_energies(link)
    rate = link.bytes_per_s
    expect(
        isinstance(rate, int) and rate >= 1,
        f"{link.kind}: bytes_per_s must be a whole number of at least 1, got {rate!r}; round it",
    )
    expect(
        link.bytes_per_s == rate and link.setup_s == link.setup_s,
        f"{link.kind}: two reads of its rate or set-up time differ; keep no state",
    )
    expect(link.setup_s >= 0, f"{link.kind}: setup_s must be at least 0 s, got {link.setup_s}")
    expect(
        isinstance(link.separate, bool),
        f"{link.kind}: separate must be True or False, got {link.separate!r}",
    )
    expect(
        len(set(link.connects)) >= 2,
        f"{link.kind}: connects must name at least two memories, got {link.connects}",
    )
