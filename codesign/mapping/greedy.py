"""Greedy residency: what saves most bytes per byte held, then repairs one hold at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from codesign.mapping.hold import Hold
from codesign.mapping.packing import Packing

_REPAIRS = 2000
"""Most holds that a repair tries, so that large programs stay fast."""

Worth: TypeAlias = Callable[[Hold], Fraction]


def _per_byte(hold: Hold) -> Fraction:
    return Fraction(hold.saved, hold.bytes)


def _per_byte_and_operator(hold: Hold) -> Fraction:
    return Fraction(hold.saved, hold.bytes * hold.length)


def _in_all(hold: Hold) -> Fraction:
    return Fraction(hold.saved)


_WORTHS: tuple[Worth, ...] = (_per_byte, _per_byte_and_operator, _in_all)
"""Orders in which holds are taken."""
_LOSSES: tuple[Worth, ...] = (_per_byte, _in_all)
"""Orders in which holds make room for another one."""


def choose_greedily(
    candidates: Sequence[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
) -> tuple[Hold, ...]:
    """Holds that fit together and save much.

    Candidates are taken in three orders: by bytes saved per byte held, the same per operator, and
    bytes saved. Each packing is repaired: a hold that was left out goes in for those in its way,
    and what then fits again comes back, as long as that saves more. The best packing is the answer.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.
    """
    fixed = tuple(fixed)
    possible = [hold for hold in candidates if hold.saved > 0 and hold.memory in limits]
    best = Packing(limits, length, fixed)
    for worth in _WORTHS:
        order = sorted(possible, key=lambda hold: _key(hold, worth))
        packing = Packing(limits, length, fixed)
        packing.fill(order)
        _repair(packing, order)
        if packing.saved > best.saved:
            best = packing
    return best.holds


def _key(hold: Hold, worth: Worth) -> tuple[Fraction, int, int, tuple[str, ...]]:
    return -worth(hold), hold.first, hold.last, hold.names


def _repair(packing: Packing, order: Sequence[Hold]) -> None:
    """Swaps holds in until none of them saves more, or enough have been tried."""
    outside = sorted(order, key=lambda hold: -hold.saved)
    tried, changed = 0, True
    while changed and tried < _REPAIRS:
        changed = False
        for hold in outside:
            if hold not in packing and tried < _REPAIRS:
                tried += 1
                changed |= any(_swap(packing, hold, order, worth) for worth in _LOSSES)


def _swap(packing: Packing, hold: Hold, order: Sequence[Hold], worth: Worth) -> bool:
    """Puts a hold in for those in its way, the least worth first, if that saves more."""
    before = packing.saved
    removed = packing.clashes(hold)
    if sum(other.saved for other in removed) >= hold.saved:
        return False  # longer or shorter, what stays of these tensors saves more already
    for other in removed:
        packing.remove(other)
    while packing.room(hold) < hold.bytes:
        in_the_way = list(packing.at(hold.memory, packing.tightest(hold)))
        if not in_the_way:
            break
        least = max(in_the_way, key=lambda other: _key(other, worth))
        packing.remove(least)
        removed.append(least)
    first = min(other.first for other in [hold, *removed])
    last = max(other.last for other in [hold, *removed])
    near = (other for other in order if other.first <= last and first <= other.last)
    added = packing.fill([hold, *near])
    if packing.saved > before:
        return True
    for other in added:
        packing.remove(other)
    for other in removed:
        packing.add(other)
    return False
