"""What the timeline shows: slices of engines and of the critical path, and rates of all else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.report.rates import Rate, rate_of
from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_component

MOST_ITEMS = 20_000
"""Slices of all tracks together that a page holds (assumed): some 700 kB."""
MOST_STEPS = 1_000
"""Steps of a rate (assumed): half as many as a wide screen has pixels."""


@dataclass(frozen=True)
class Slices:
    """What one engine did, one thing after the other.

    Attributes:
        name: of the engine.
        starts: picoseconds, rising.
        ends: picoseconds; none is later than the next start.
        labels: what each slice is called; of folded ones how many they are.
        sorts: what the colour of each says, such as the kind of the operator; "" for folded ones.
    """

    name: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    labels: tuple[str, ...]
    sorts: tuple[str, ...]

    def folded(self, most: int) -> Slices:
        """At most so many slices: short neighbours become one, the longest stay as they are."""
        if len(self.starts) <= most:
            return self
        span = int(self.ends[-1] - self.starts[0])
        quantum = max(1, -(-2 * span // most))
        is_long = self.ends - self.starts >= quantum
        bins = np.where(is_long, -1, self.starts // quantum)
        fresh = np.concatenate(([True], (bins[1:] != bins[:-1]) | is_long[1:]))
        firsts = np.flatnonzero(fresh)
        lasts = np.append(firsts[1:], len(bins)) - 1
        pairs = list(zip(firsts.tolist(), lasts.tolist(), strict=True))
        return Slices(
            self.name,
            self.starts[firsts],
            self.ends[lasts],
            tuple(self.labels[a] if a == b else f"{b - a + 1:,} short ones" for a, b in pairs),
            tuple(self.sorts[a] if a == b else "" for a, b in pairs),
        )


@dataclass(frozen=True)
class Flow:
    """The rate of a memory or link, and the most that it could be; 0 where nobody knows."""

    name: str
    rate: Rate
    peak: float


@dataclass(frozen=True)
class Items:
    """All tracks.

    Attributes:
        makespan: picoseconds.
        slices: of engines, and of the critical path if it is known.
        flows: of memories and links.
        total: slices before any were folded.
    """

    makespan: int
    slices: tuple[Slices, ...]
    flows: tuple[Flow, ...]
    total: int

    @property
    def drawn(self) -> int:
        """Slices that are there."""
        return sum(len(one.starts) for one in self.slices)


def find_items(saved: Saved, most: int = MOST_ITEMS, steps: int = MOST_STEPS) -> Items:
    """Tracks of a result.

    Args:
        saved: the result.
        most: slices of all tracks together.
        steps: of each rate.
    """
    tracks = [*_engines(saved), *_path(saved)]
    total = sum(len(track.starts) for track in tracks)
    each = most // max(1, len(tracks))
    if total > most:
        tracks = [track.folded(each) for track in tracks]
    moved = bytes_by_component(saved).rows
    known = saved.by_name
    flows = tuple(
        Flow(name, rate_of(saved, name, _peak(saved, name)).resampled(steps), _peak(saved, name))
        for name in dict.fromkeys((*known, *moved))
        if name in moved
    )
    return Items(saved.makespan, tuple(tracks), flows, total)


def _peak(saved: Saved, name: str) -> float:
    part = saved.by_name.get(name)
    return (part.bytes_per_s or 0.0) if part else 0.0


def _engines(saved: Saved) -> list[Slices]:
    """A slice begins with the first transfer, but not before the one before it on its engine."""
    spans = saved.spans
    kinds = dict(zip(saved.operators["name"], saved.operators["kind"], strict=True))
    found = []
    for engine in saved.engines:
        mine = [place for place, name in enumerate(spans.engines) if name == engine]
        mine.sort(key=lambda place: (int(spans.ends[place]), int(spans.starts[place])))
        starts, ends = spans.starts[mine], spans.ends[mine]
        before = np.concatenate(([0], np.maximum.accumulate(ends)[:-1])) if mine else ends
        names = tuple(spans.ops[place] for place in mine)
        sorts = tuple(kinds.get(name, "") for name in names)
        found.append(Slices(engine, np.maximum(starts, before), ends, names, sorts))
    return found


def _path(saved: Saved) -> list[Slices]:
    """The critical path as a track."""
    if saved.why is None or not saved.why.segments:
        return []
    parts = sorted(saved.why.segments, key=lambda one: (one.start_ps, one.end_ps))
    return [
        Slices(
            "critical path",
            np.array([one.start_ps for one in parts], dtype=np.int64),
            np.array([one.end_ps for one in parts], dtype=np.int64),
            tuple(_words((one.cause, one.component, one.op, one.role)) for one in parts),
            tuple(one.cause for one in parts),
        )
    ]


def _words(parts: Sequence[str]) -> str:
    return " · ".join(part for part in parts if part)
