"""What the timeline shows: slices of engines and of the critical path, and rates of all else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.report.rates import Rate, rate_of
from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_component
from codesign.result.forms import Segment

MOST_ITEMS = 20_000
"""Slices of all tracks together that a page holds (assumed): some 700 kB."""
MOST_STEPS = 1_000
"""Steps of a rate (assumed): half as many as a wide screen has pixels."""


Shares: TypeAlias = "tuple[tuple[str, int], ...]"
"""Picoseconds by cause."""


@dataclass(frozen=True)
class Slices:
    """What one engine did, one thing after the other.

    Attributes:
        name: of the engine.
        starts: picoseconds, rising.
        ends: picoseconds; none is later than the next start.
        labels: what each slice is called; of folded ones how many they are.
        sorts: the kind of each operator, or the cause of a part of the path; "" for folded ones.
        lengths: picoseconds that each lasts, without the gaps between folded ones.
        busy: picoseconds of them in which the engine computed, as far as the mean of the runs of an
            operator tells; the rest waits, for transfers above all.
        used: share of the run that the engine computed; None for what is no engine, or unknown.
        is_path: whether it is the critical path.
        shares: on the critical path, the causes of each slice; those of a folded one took turns.
    """

    name: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    labels: tuple[str, ...]
    sorts: tuple[str, ...]
    lengths: NDArray[np.int64]
    busy: NDArray[np.int64]
    used: float | None = None
    is_path: bool = False
    shares: tuple[Shares, ...] = ()

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
            np.add.reduceat(self.lengths, firsts),
            np.add.reduceat(self.busy, firsts),
            self.used,
            self.is_path,
            tuple(_sum_of(self.shares[a : b + 1]) for a, b in pairs) if self.shares else (),
        )


@dataclass(frozen=True)
class Flow:
    """The rate of a memory or link, and the most that it could be; 0 where nobody knows."""

    name: str
    rate: Rate
    peak: float

    @property
    def full(self) -> float:
        """What a row of full height stands for: the peak, or the most that flowed."""
        return self.peak or float(self.rate.values.max(initial=0.0)) or 1.0


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
        Flow(name, rate_of(saved, name, saved.peak(name)).resampled(steps), saved.peak(name))
        for name in dict.fromkeys((*known, *moved))
        if name in moved
    )
    return Items(saved.makespan, tuple(tracks), flows, total)


def _engines(saved: Saved) -> list[Slices]:
    """A slice begins with the first transfer, but not before the one before it on its engine."""
    spans, rows = saved.spans, saved.operators
    kinds = dict(zip(rows["name"], rows["kind"], strict=True))
    computing = _computing(saved)
    found = []
    for engine in saved.engines:
        mine = [place for place, name in enumerate(spans.engines) if name == engine]
        mine.sort(key=lambda place: (int(spans.ends[place]), int(spans.starts[place])))
        starts, ends = spans.starts[mine], spans.ends[mine]
        before = np.concatenate(([0], np.maximum.accumulate(ends)[:-1])) if mine else ends
        names = tuple(spans.ops[place] for place in mine)
        sorts = tuple(kinds.get(name, "") for name in names)
        starts = np.maximum(starts, before)
        lengths = ends - starts
        # a file of a stranger may hold more than the run is long
        most = [min(saved.makespan, computing.get((name, engine), 0)) for name in names]
        spent = np.array(most, dtype=np.int64)
        used = saved.summary.utilization.get(engine)
        # an engine that is a process of its own says how long it was busy, but not in what
        busy = np.minimum(lengths, spent) if spent.any() or not used else lengths
        found.append(Slices(engine, starts, ends, names, sorts, lengths, busy, used))
    return found


def _computing(saved: Saved) -> dict[tuple[str, str], int]:
    """Picoseconds that a run of an operator computes on an engine, in the mean of all its runs."""
    names = ("name", "engine", "compute_s", "runs")
    return {
        (name, engine): round(seconds / runs * 1e12)
        for name, engine, seconds, runs in zip(*(saved.operators[n] for n in names), strict=True)
    }


def _path(saved: Saved) -> list[Slices]:
    """The critical path as a track."""
    if saved.why is None or not saved.why.segments:
        return []
    parts = sorted(saved.why.segments, key=lambda one: (one.start_ps, one.end_ps))
    boxes = [list(found) for _, found in groupby(enumerate(parts), key=_box)]
    found = [[one for _, one in box] for box in boxes]
    starts = np.array([box[0].start_ps for box in found], dtype=np.int64)
    ends = np.array([box[-1].end_ps for box in found], dtype=np.int64)
    lengths = ends - starts
    labels = tuple(map(_path_words, found))
    sorts = tuple(box[0].cause if len(box) == 1 else "" for box in found)
    shares = tuple(
        _sum_of([((one.cause, one.end_ps - one.start_ps),) for one in box]) for box in found
    )
    name = "critical path"
    return [
        Slices(name, starts, ends, labels, sorts, lengths, lengths, is_path=True, shares=shares)
    ]


def _box(place: tuple[int, Segment]) -> tuple[int, int]:
    """What is drawn as one: the segments of a folded stretch, which took turns."""
    number, one = place
    return (0, number) if one.stretch is None else (1, one.stretch)


def _path_words(box: Sequence[Segment]) -> str:
    if len(box) > 1:
        return f"folded: {max(one.times for one in box):,} parts in turns"
    (one,) = box
    again = f" ({one.times:,} times)" if one.times > 1 else ""
    return _words((one.cause, one.component, one.op, one.role)) + again


def _sum_of(shares: Iterable[Shares]) -> Shares:
    found: dict[str, int] = {}
    for cause, ticks in (pair for some in shares for pair in some):
        found[cause] = found.get(cause, 0) + ticks
    return tuple(found.items())


def _words(parts: Sequence[str]) -> str:
    return " · ".join(part for part in parts if part)
