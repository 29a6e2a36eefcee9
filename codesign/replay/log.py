"""When each operator ran: one row a run, with whole periods of a loop kept as one entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Row:
    """One run: its number in program order, its operator, its first and last tick."""

    number: int
    op: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Again:
    """Entries that occurred ``times`` more times, each ``ticks`` and ``numbers`` further on."""

    entries: tuple[Entry, ...]
    times: int
    ticks: int
    numbers: int


Entry: TypeAlias = "Row | Again"


@dataclass(frozen=True, slots=True)
class Totals:
    """All runs of one operator together, in ticks.

    Attributes:
        runs: how many.
        first: first tick of the earliest.
        last: last tick of the latest.
        starts: sum of first ticks.
        ends: sum of last ticks.
    """

    runs: int
    first: int
    last: int
    starts: int
    ends: int

    def later(self, ticks: int, times: int) -> Totals:
        """These runs repeated ``times`` times, the i-th of them ``i * ticks`` later."""
        delay = self.runs * ticks * times * (times + 1) // 2
        return Totals(
            self.runs * times,
            self.first + ticks,
            self.last + ticks * times,
            self.starts * times + delay,
            self.ends * times + delay,
        )

    def plus(self, other: Totals) -> Totals:
        """These and other runs together."""
        return Totals(
            self.runs + other.runs,
            min(self.first, other.first),
            max(self.last, other.last),
            self.starts + other.starts,
            self.ends + other.ends,
        )


@dataclass
class Log:
    """Runs in the order in which they ended."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, number: int, op: int, start: int, end: int) -> None:
        """Notes a run that has ended."""
        self.entries.append(Row(number, op, start, end))

    def again(self, first: int, times: int, ticks: int, numbers: int) -> None:
        """Notes that all entries from index ``first`` on occurred ``times`` more times."""
        if len(self.entries) > first:
            self.entries.append(Again(tuple(self.entries[first:]), times, ticks, numbers))

    def rows(self) -> list[Row]:
        """Every run, in program order."""
        return sorted(self.in_time(), key=lambda row: row.number)

    def in_time(self) -> Iterator[Row]:
        """Every run, in the order in which they ended; none is listed before it is asked for."""
        return _rows(self.entries, 0, 0)

    def totals(self) -> dict[int, Totals]:
        """All runs of each operator together, without listing them."""
        return dict(sorted(_totals(self.entries).items()))

    def added(self) -> dict[int, int]:
        """Ticks that each operator adds, without listing runs.

        A run adds what passes from the end of the run that ended last before it to its own end, so
        all of them together are the last tick.
        """
        found: Counter[int] = Counter()
        _add(self.entries, 0, 1, found)
        return dict(sorted(found.items()))


def _rows(entries: list[Entry] | tuple[Entry, ...], ticks: int, numbers: int) -> Iterator[Row]:
    for entry in entries:
        if isinstance(entry, Row):
            start, end = entry.start + ticks, entry.end + ticks
            yield Row(entry.number + numbers, entry.op, start, end)
        else:
            for turn in range(1, entry.times + 1):
                later, further = ticks + turn * entry.ticks, numbers + turn * entry.numbers
                yield from _rows(entry.entries, later, further)


def _totals(entries: list[Entry] | tuple[Entry, ...]) -> dict[int, Totals]:
    found: dict[int, Totals] = {}
    for entry in entries:
        if isinstance(entry, Row):
            parts = {entry.op: Totals(1, entry.start, entry.end, entry.start, entry.end)}
        else:
            inner = _totals(entry.entries).items()
            parts = {op: total.later(entry.ticks, entry.times) for op, total in inner}
        for op, total in parts.items():
            found[op] = found[op].plus(total) if op in found else total
    return found


def _add(
    entries: list[Entry] | tuple[Entry, ...], before: int, times: int, found: Counter[int]
) -> None:
    """Notes what runs add, each counted ``times`` times.

    Args:
        entries: runs in the order in which they ended.
        before: last tick of the run before them.
        times: how often they occurred alike.
        found: what operators add.
    """
    for entry in entries:
        if isinstance(entry, Row):
            found[entry.op] += (entry.end - before) * times
        else:  # what occurred again stands right before, so the first turn follows as all others do
            _add(entry.entries, before - entry.ticks, times * entry.times, found)
        before = _end(entry)


def _end(entry: Entry) -> int:
    """Last tick of the last run of an entry."""
    if isinstance(entry, Row):
        return entry.end
    return _end(entry.entries[-1]) + entry.ticks * entry.times
