"""How far ahead tiles may load: while those before them run that share what was loaded last."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from codesign.hardware.plan import Loop, Room, Tile, TilePlan


@dataclass(frozen=True, slots=True)
class _Spacing:
    """Where tiles that load stand among others.

    Attributes:
        length: tiles.
        head: tiles before the first one that loads; endless if none does.
        tail: tiles behind the last one.
        least: least distance from one that loads to the next.
    """

    length: int
    head: float = math.inf
    tail: float = math.inf
    least: float = math.inf

    def then(self, other: _Spacing) -> _Spacing:
        """Of these tiles followed by others."""
        return _Spacing(
            self.length + other.length,
            min(self.head, self.length + other.head),
            min(other.tail, other.length + self.tail),
            min(self.least, other.least, self.tail + 1 + other.head),
        )


def load_ahead(plan: TilePlan) -> TilePlan:
    """Lets a tile load while all tiles that share the load before it still run.

    With two slots it would wait for the last but one of them. The buffer holds the same bytes: two
    loads, one in use and one that arrives.

    Args:
        plan: with two input slots.
    """
    apart = _of((plan.loop,)).least
    if not 1 < apart < math.inf:
        return plan
    rooms = tuple(
        Room(r.memory, r.granted_bytes, r.held_bytes + 2 * r.slot_in_bytes, 0) for r in plan.rooms
    )
    return replace(
        plan,
        held_bytes=plan.held_bytes + 2 * plan.slot_in_bytes,
        slot_in_bytes=0,
        slots_in=int(apart) + 1,
        rooms=rooms,
    )


def _of(parts: Iterable[Tile | Loop]) -> _Spacing:
    found = _Spacing(0)
    for part in parts:
        found = found.then(_tile(part) if isinstance(part, Tile) else _loop(part))
    return found


def _tile(tile: Tile) -> _Spacing:
    return _Spacing(1, 0, 0) if tile.loads else _Spacing(1)


def _loop(loop: Loop) -> _Spacing:
    once = _of(loop.body)
    if loop.repeats == 1:
        return once
    twice = once.then(once)  # further turns add no other distance
    length = once.length * loop.repeats
    return _Spacing(length, once.head, once.tail, twice.least)
