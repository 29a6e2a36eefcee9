"""Optimal residency of small programs: the yardstick of the greedy one.

Holds are decided in the order in which they begin. Of two partial choices that leave the same room
from there on, the one that saves more is kept; one that cannot beat the best known choice, even if
it may buy the rest of the room at Lagrange prices, is dropped (Geoffrion, "Lagrangean relaxation
for integer programming", Mathematical Programming Study 2, 1974). Both rules are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from codesign.errors import MappingError
from codesign.mapping.greedy import choose_greedily
from codesign.mapping.hold import Hold
from codesign.mapping.packing import Packing
from codesign.mapping.room_price import price_room

MOST = 20_000
"""Most partial choices that are kept at once; what needs more is too large for an exact search."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A choice among the holds that have begun.

    Attributes:
        active: chosen holds that have not ended, as a set of bits.
        saved: bytes that all chosen holds save.
        last: index of the last chosen hold; -1 for none.
        before: the choice without that one.
    """

    active: int = 0
    saved: int = 0
    last: int = -1
    before: _Choice | None = None


def choose_optimally(
    candidates: Sequence[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
) -> tuple[Hold, ...]:
    """The holds that fit together and save most.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.

    Raises:
        MappingError: more than ``MOST`` partial choices.
    """
    fixed = tuple(fixed)
    room = Packing(limits, length, fixed)
    possible = [hold for hold in candidates if hold.saved > 0 and room.takes(hold)]
    known = choose_greedily(possible, limits, length, fixed)
    search = _Search(sorted(possible, key=lambda h: (h.first, h.last, h.names)), room)
    found = search.run(sum(hold.saved for hold in known))
    return known if found is None else tuple(found)


class _Search:
    """Partial choices, hold by hold."""

    def __init__(self, holds: list[Hold], room: Packing) -> None:
        self.holds = holds
        self.free = room.free
        self.clashes = [_bits(n for n, o in enumerate(holds) if o.clashes(h)) for h in holds]
        self.bound = _Bound(holds, self.free)

    def run(self, known: int) -> list[Hold] | None:
        """The best choice that saves more than ``known``, or None.

        Raises:
            MappingError: more than ``MOST`` partial choices.
        """
        choices = [_Choice()]
        for number, hold in enumerate(self.holds):
            lasting = _bits(n for n, o in enumerate(self.holds[:number]) if o.last >= hold.first)
            rest = self.bound.rest(number + 1)
            kept: dict[object, _Choice] = {}
            for choice in choices:
                for further in self._further(number, choice, choice.active & lasting):
                    if further.saved + rest(further.active) > known + 0.5:
                        key = self._key(number, further.active)
                        if key not in kept or kept[key].saved < further.saved:
                            kept[key] = further
            choices = list(kept.values())
            if len(choices) > MOST:
                raise MappingError(
                    f"residency 'optimal' keeps at most {MOST:,} partial choices and this trace "
                    "needs more; take the policy 'greedy'"
                )
        best = max(choices, key=lambda choice: choice.saved, default=None)
        return None if best is None or best.saved <= known else self._chosen(best)

    def _further(self, number: int, choice: _Choice, active: int) -> Iterator[_Choice]:
        """The choice without and, where it fits, with hold ``number``."""
        yield _Choice(active, choice.saved, choice.last, choice.before)
        if not active & self.clashes[number] and self._fits(self.holds[number], active):
            saved = choice.saved + self.holds[number].saved
            yield _Choice(active | 1 << number, saved, number, choice)

    def _fits(self, hold: Hold, active: int) -> bool:
        """Whether a hold fits beside others that are active when it begins."""
        others = [self.holds[a] for a in _members(active)]
        rivals = [(other.last, other.bytes) for other in others if other.memory == hold.memory]
        free = self.free[hold.memory][hold.first : hold.last + 1]
        if sum(size for _, size in rivals) + hold.bytes <= min(free):
            return True
        return all(
            sum(size for last, size in rivals if last >= place) + hold.bytes <= there
            for place, there in enumerate(free, hold.first)
        )

    def _key(self, number: int, active: int) -> object:
        """What the future can tell apart."""
        taken: dict[tuple[str, int], int] = {}
        for a in _members(active):
            end = self.holds[a].memory, self.holds[a].last
            taken[end] = taken.get(end, 0) + self.holds[a].bytes
        rivals = _bits(a for a in _members(active) if self.clashes[a] >> number + 1)
        return tuple(sorted(taken.items())), rivals

    def _chosen(self, choice: _Choice | None) -> list[Hold]:
        found = []
        while choice is not None and choice.last >= 0:
            found.append(self.holds[choice.last])
            choice = choice.before
        return found


def _bits(members: Iterable[int]) -> int:
    return sum(1 << member for member in members)


def _members(bits: int) -> Iterator[int]:
    while bits:
        least = bits & -bits
        yield least.bit_length() - 1
        bits ^= least


class _Bound:
    """The most that undecided holds can save, if room is bought at a price for each operator."""

    def __init__(self, holds: Sequence[Hold], free: Mapping[str, Sequence[int]]) -> None:
        self.holds = holds
        prices = price_room(holds, free)
        self.paid = {memory: np.concatenate(([0.0], np.cumsum(p))) for memory, p in prices.items()}
        gains = [max(0.0, hold.saved - self._price(hold, hold.first)) for hold in holds]
        self.gains = np.concatenate((np.cumsum(gains[::-1])[::-1], [0.0]))
        worth = {memory: np.array(free[memory]) * p for memory, p in prices.items()}
        self.worth = {memory: np.cumsum(w[::-1])[::-1] for memory, w in worth.items()}

    def rest(self, number: int) -> Callable[[int], float]:
        """Bound on what the holds from ``number`` on save, given those that are active."""
        if number == len(self.holds):
            return lambda _: 0.0
        begin = self.holds[number].first
        most = float(self.gains[number]) + sum(float(w[begin]) for w in self.worth.values())
        prices = [
            self._price(hold, begin) if hold.last >= begin else 0.0 for hold in self.holds[:number]
        ]
        return lambda active: most - sum(prices[a] for a in _members(active))

    def _price(self, hold: Hold, begin: int) -> float:
        """Price of a hold's bytes from an operator on."""
        paid = self.paid[hold.memory]
        return hold.bytes * float(paid[hold.last + 1] - paid[begin])
