"""Where residents lie: bytes are handed on, and who comes next must wait for who was there."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from codesign.mapping.hold import Hold, peak


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes of a reservation that a hold takes.

    Attributes:
        hold: who.
        begin: first byte.
        end: byte after the last.
    """

    hold: Hold
    begin: int
    end: int


def assign(holds: Iterable[Hold], memory: str) -> list[Place]:
    """Addresses of all holds of a memory, within as many bytes as they take at most at once.

    The bytes that have been free for longest go first, so that who begins waits for those who
    ended long ago. A hold may lie in several pieces; so bytes that are free are never too scattered
    to be used.
    """
    mine = sorted((h for h in holds if h.memory == memory and h.bytes), key=_begin)
    free = deque([(0, peak(mine, memory))])
    places: list[Place] = []
    active: list[tuple[int, int, list[tuple[int, int]]]] = []
    for number, hold in enumerate(mine):
        while active and active[0][0] < hold.first:
            free.extend(heapq.heappop(active)[2])
        pieces = _take(free, hold.bytes)
        heapq.heappush(active, (hold.last, number, pieces))
        places += [Place(hold, begin, end) for begin, end in pieces]
    return places


def _begin(hold: Hold) -> tuple[int, int, tuple[str, ...]]:
    return hold.first, hold.last, hold.names


def _take(free: deque[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    pieces = []
    while size:
        begin, end = free.popleft()
        if end - begin > size:
            free.appendleft((begin + size, end))
            end = begin + size
        pieces.append((begin, end))
        size -= end - begin
    return pieces


def find_neighbours(places: Iterable[Place]) -> dict[int, tuple[str, ...]]:
    """For each hold by identity, the names of others that take some of its bytes at another time.

    Later ones count too: in a loop they come before it.
    """
    found: dict[int, dict[str, None]] = {}
    near: list[Place] = []
    for place in sorted(places, key=lambda place: (place.begin, place.end)):
        near = [other for other in near if other.end > place.begin]
        for other in near:
            if other.hold is not place.hold:
                found.setdefault(id(place.hold), {}).update(dict.fromkeys(other.hold.names))
                found.setdefault(id(other.hold), {}).update(dict.fromkeys(place.hold.names))
        near.append(place)
    return {number: tuple(sorted(names)) for number, names in found.items()}
