"""Greedy residency: what saves most bytes per byte held, then repairs one hold at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from codesign.mapping.hold import Hold
from codesign.mapping.packing import Packing
from codesign.mapping.room_price import price_room

_WORK = 20_000
"""Most swaps that a repair tries, times the holds there are: a swap copies them all."""

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
_TURNS: tuple[Worth, ...] = (_in_all, _per_byte_and_operator)
"""Orders in which holds that were left out are swapped in."""
_CHEAPEST = Fraction(1, 10**6)
"""Stands for the price of what is free, in bytes saved."""


def choose_greedily(
    candidates: Sequence[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
) -> tuple[Hold, ...]:
    """Holds that fit together and save much.

    Candidates are taken in four orders: by bytes saved per byte held, the same per operator, bytes
    saved, and bytes saved per price of the room (see ``codesign.mapping.room_price``). Each packing
    is repaired: a hold that was left out goes in for those in its way, and what then fits again
    comes back, as long as that saves more. The best packing is the answer.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.
    """
    fixed = tuple(fixed)
    possible = [hold for hold in candidates if hold.saved > 0 and hold.memory in limits]
    best = Packing(limits, length, fixed)
    for worth in (*_WORTHS, _per_price(possible, best)):
        order = _sorted(possible, worth)
        for turn in _TURNS:
            packing = Packing(limits, length, fixed)
            packing.fill(order)
            packing = _repaired(packing, order, _sorted(possible, turn))
            if packing.saved > best.saved:
                best = packing
    return best.holds


def _sorted(holds: Iterable[Hold], worth: Worth) -> list[Hold]:
    return sorted(holds, key=lambda hold: _key(hold, worth))


def _per_price(holds: Sequence[Hold], empty: Packing) -> Worth:
    """Bytes saved per price of the room that is taken."""
    prices = price_room(holds, empty.free)
    paid = {memory: np.concatenate(([0.0], np.cumsum(each))) for memory, each in prices.items()}

    def worth(hold: Hold) -> Fraction:
        along = paid[hold.memory]
        price = Fraction(float(along[hold.last + 1] - along[hold.first])) * hold.bytes
        return Fraction(hold.saved) / max(price, _CHEAPEST)

    return worth


def _key(hold: Hold, worth: Worth) -> tuple[Fraction, int, int, tuple[str, ...]]:
    return -worth(hold), hold.first, hold.last, hold.names


def _repaired(packing: Packing, order: Sequence[Hold], turns: Sequence[Hold]) -> Packing:
    """Swaps holds in until none of them saves more, or enough have been tried.

    Args:
        packing: what stays.
        order: all candidates in the order in which they come back.
        turns: all candidates in the order in which they are swapped in.
    """
    tries, changed = _WORK // max(1, len(order)), True
    while changed and tries > 0:
        changed = False
        for hold in turns:
            if hold not in packing and tries > 0:
                for swapped in _swaps(packing, hold, order):
                    tries -= 1
                    if swapped.saved > packing.saved:
                        packing, changed = swapped, True
                        break
    return packing


def _swaps(packing: Packing, hold: Hold, order: Sequence[Hold]) -> Iterator[Packing]:
    """What becomes of a packing if a hold goes in, whoever makes room."""
    if sum(other.saved for other in packing.clashes(hold)) >= hold.saved:
        return  # longer or shorter, what stays of these tensors saves more already
    for worth in _LOSSES:
        yield _swapped(packing, hold, order, worth)
    for rival in list(packing.at(hold.memory, packing.tightest(hold))):
        yield _swapped(packing, hold, order, _per_byte, rival)


def _swapped(
    packing: Packing,
    hold: Hold,
    order: Sequence[Hold],
    worth: Worth,
    rival: Hold | None = None,
) -> Packing:
    """A packing after a hold went in for those in its way.

    Args:
        packing: what stays before.
        hold: what goes in.
        order: all candidates in the order in which they come back.
        worth: what decides who makes room.
        rival: a hold that makes room before all others.
    """
    changed = packing.copy()
    removed = _make_room(changed, hold, worth, rival)
    changed.fill([hold])
    first = min(other.first for other in [hold, *removed])
    last = max(other.last for other in [hold, *removed])
    near = [other for other in order if other.first <= last and first <= other.last]
    changed.fill(near)
    for other in near:
        if other not in changed and any(other.clashes(gone) for gone in removed):
            again = changed.copy()
            _make_room(again, other, worth)
            again.fill([other, *near])
            if again.saved > changed.saved:
                changed = again
    return changed


def _make_room(packing: Packing, hold: Hold, worth: Worth, rival: Hold | None = None) -> list[Hold]:
    """Removes what a hold cannot be together with, the least worth first."""
    removed = packing.clashes(hold)
    if rival is not None and rival not in removed:
        removed.append(rival)
    for other in removed:
        packing.remove(other)
    while packing.room(hold) < hold.bytes:
        in_the_way = list(packing.at(hold.memory, packing.tightest(hold)))
        if not in_the_way:
            break
        least = max(in_the_way, key=lambda other: _key(other, worth))
        packing.remove(least)
        removed.append(least)
    return removed
