"""What a choice of holds means for each operator and each level of a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codesign.mapping.addresses import assign, find_neighbours
from codesign.mapping.hold import Hold, peak
from codesign.mapping.timeline import Level, Timeline
from codesign.workload.record import Region


class Layout:
    """Where every tensor is at every operator, and how much of each buffer is left for tiles.

    A region with holds of its own is fenced: nothing of other items is under way when it begins or
    ends, so that its tiles get what its own holds leave. All other items share a reservation with
    the level around them, as large as their holds take at most at once.

    Attributes:
        timeline: the operators and levels.
        holds: what stays.
        homes: by tensor name, the memory it lives in where that is not ``home``.
        home: memory where all other tensors live.
    """

    def __init__(
        self,
        timeline: Timeline,
        holds: Sequence[Hold],
        homes: Mapping[str, str],
        home: str,
        *,
        fences: bool,
    ) -> None:
        """Works out addresses.

        Args:
            timeline: the operators and levels.
            holds: what stays.
            homes: by tensor name, the memory it lives in where that is not ``home``.
            home: memory where all other tensors live.
            fences: whether regions with holds of their own are fenced.
        """
        self.timeline, self.holds, self.homes, self.home = timeline, holds, homes, home
        self._by_name: dict[str, list[Hold]] = {}
        self._starts: dict[tuple[int, int], list[Hold]] = {}
        self._stops: dict[tuple[int, int], list[Hold]] = {}
        self._owners: dict[int, list[Hold]] = {}
        for hold in holds:
            for name in hold.names:
                self._by_name.setdefault(name, []).append(hold)
            self._starts.setdefault((hold.level, hold.start), []).append(hold)
            self._stops.setdefault((hold.level, hold.stop), []).append(hold)
        self._fences = {(h.level, h.start) for h in holds if fences and self._fills_region(h)}
        for hold in holds:
            self._owners.setdefault(self._owner(hold), []).append(hold)
        self._taken = {level.number: self._taken_at(level) for level in timeline.levels}
        self._neighbours = self._find_neighbours()

    def hold(self, name: str, leaf: int) -> Hold | None:
        """What keeps a tensor on chip during an operator."""
        for hold in self._by_name.get(name, ()):
            if hold.first <= leaf <= hold.last:
                return hold
        return None

    def where(self, name: str, leaf: int) -> str:
        """The memory that holds a tensor during an operator."""
        hold = self.hold(name, leaf)
        return hold.memory if hold and hold.is_whole else self.homes.get(name, self.home)

    def starting(self, level: Level, place: int) -> list[Hold]:
        """Holds that begin with an item of a level."""
        return self._starts.get((level.number, place), [])

    def stopping(self, level: Level, place: int) -> list[Hold]:
        """Holds that end with an item of a level."""
        return self._stops.get((level.number, place), [])

    def own(self, level: Level, place: int) -> list[Hold]:
        """Holds for which the region at a place of a level is fenced."""
        if (level.number, place) not in self._fences:
            return []
        return [hold for hold in self.starting(level, place) if self._fills_region(hold)]

    def is_fenced(self, level: Level) -> bool:
        """Whether a level lies in a fenced region."""
        return self._zone(level).parent >= 0

    def taken(self, level: Level) -> Mapping[str, int]:
        """By memory, bytes that are not there for the tiles of a level."""
        return self._taken[level.number]

    def neighbours(self, hold: Hold) -> tuple[str, ...]:
        """Tensors that lie on bytes of a hold at another time."""
        return self._neighbours.get(id(hold), ())

    def _fills_region(self, hold: Hold) -> bool:
        """Whether a hold lasts exactly as long as a region."""
        span = self.timeline.levels[hold.level].spans[hold.start]
        fills = (hold.first, hold.last) == (span.first, span.last) and hold.start == hold.stop
        return fills and isinstance(span.item, Region) and not hold.is_for_ever

    def _zone(self, level: Level) -> Level:
        """The level whose reservation a level uses: that of the nearest fence around it."""
        while level.parent >= 0 and (level.parent, level.place) not in self._fences:
            level = self.timeline.levels[level.parent]
        return level

    def _owner(self, hold: Hold) -> int:
        """Number of the level in whose reservation a hold lies."""
        if (hold.level, hold.start) in self._fences and self._fills_region(hold):
            return self.timeline.bodies[hold.level, hold.start].number
        return self._zone(self.timeline.levels[hold.level]).number

    def _taken_at(self, level: Level) -> dict[str, int]:
        """Bytes of the reservation, and of what stays all around the fence."""
        zone = self._zone(level)
        own = self._owners.get(zone.number, [])
        around = list(self._around(zone))
        return {
            memory: peak(own, memory) + sum(h.bytes for h in around if h.memory == memory)
            for memory in dict.fromkeys(hold.memory for hold in [*own, *around])
        }

    def _around(self, zone: Level) -> Iterator[Hold]:
        """Holds of the levels around a fence that last while the region runs."""
        while zone.parent >= 0:
            span = self.timeline.levels[zone.parent].spans[zone.place]
            zone = self._zone(self.timeline.levels[zone.parent])
            for hold in self._owners.get(zone.number, ()):
                if hold.first <= span.first and span.last <= hold.last:
                    yield hold

    def _find_neighbours(self) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        for holds in self._owners.values():
            for memory in {hold.memory for hold in holds}:
                found |= find_neighbours(assign(holds, memory))
        return found
