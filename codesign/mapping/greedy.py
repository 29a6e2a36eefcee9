"""Greedy residency: what saves most bytes per byte held, then what was left out gets its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from codesign.mapping.hold import Hold
from codesign.mapping.packing import Packing

_WORK = 10_000
"""Turns in one order, times the candidates there are: a turn looks at all of them (assumed)."""

Worth: TypeAlias = Callable[[Hold], float]
"""What is worth most goes first."""


def _per_byte(hold: Hold) -> float:
    return hold.saved / hold.bytes


def _per_byte_and_operator(hold: Hold) -> float:
    return hold.saved / (hold.bytes * hold.length)


def _in_all(hold: Hold) -> float:
    return hold.saved


_WORTHS: tuple[Worth, ...] = (_per_byte, _per_byte_and_operator, _in_all)


def choose_greedily(
    candidates: Sequence[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
) -> tuple[Hold, ...]:
    """Holds that fit together and save much.

    Candidates are taken in three orders: by bytes saved per byte held, the same per operator, and
    bytes saved. In each order, those that were left out get a turn to be taken first, the one that
    saves most before the others, and stay there if that saves more (after Sahni, "Approximate
    algorithms for the 0/1 knapsack problem", Journal of the ACM 22, 1975). The best of the three
    is the answer. There are as many turns as ``turns`` says.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.
    """
    fixed = tuple(fixed)
    possible = may_stay(candidates, limits, length, fixed)

    def filled(holds: Iterable[Hold]) -> Packing:
        packing = Packing(limits, length, fixed)
        packing.fill(holds)
        return packing

    found = [_with_turns(possible, worth, filled) for worth in _WORTHS]
    return max(found, key=lambda packing: packing.saved).holds


def may_stay(
    candidates: Iterable[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
) -> list[Hold]:
    """The candidates that save something and fit alone beside what is decided already.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.
    """
    empty = Packing(limits, length, fixed)
    return [hold for hold in candidates if hold.saved > 0 and empty.takes(hold)]


def turns(count: int) -> int:
    """Most turns to be taken first in each order, of so many candidates; 0 above 10,000."""
    return _WORK // max(1, count)


def _with_turns(
    holds: Sequence[Hold], worth: Worth, filled: Callable[[Iterable[Hold]], Packing]
) -> Packing:
    """What is chosen in one order and by giving turns.

    Args:
        holds: what may stay.
        worth: what decides the order.
        filled: a packing of what still fits, in this order.
    """
    order = _sorted(holds, worth)
    best, first = filled(order), list[Hold]()
    left_out = [hold for hold in _sorted(holds, _in_all) if hold not in best]
    for hold in left_out[: turns(len(holds))]:
        packing = filled([hold, *first, *order])
        if packing.saved > best.saved:
            best, first = packing, [hold, *first]
    return best


def _sorted(holds: Iterable[Hold], worth: Worth) -> list[Hold]:
    return sorted(holds, key=lambda hold: (-worth(hold), hold.first, hold.last, hold.names))
