"""Queueing figures of finished runs, as pure functions of ticks.

A run is asked for, waits for earlier runs of its stream, starts, and ends. Waiting is asked to
start, service is start to end (with what it waits there for engines and links that other streams
use), response is asked to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from codesign.replay.run import Invocation


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the times of runs are distributed.

    Attributes:
        mean_s: arithmetic mean.
        p50_s: median; this and the next two are nearest ranks, so times that occurred.
        p95_s: 95th percentile.
        p99_s: 99th percentile.
        max_s: largest.
    """

    mean_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float


def distribution(durations: Sequence[int]) -> Distribution:
    """The distribution of at least one duration in ticks."""
    ordered = sorted(durations)

    def rank(percent: int) -> float:
        return ordered[-(-percent * len(ordered) // 100) - 1] / PS_PER_S

    mean = sum(ordered) / (len(ordered) * PS_PER_S)
    return Distribution(mean, rank(50), rank(95), rank(99), rank(100))


def waits(runs: Iterable[Invocation]) -> list[int]:
    """Ticks from asked to start."""
    return [run.start - run.asked for run in runs]


def services(runs: Iterable[Invocation]) -> list[int]:
    """Ticks from start to end."""
    return [run.end - run.start for run in runs]


def responses(runs: Iterable[Invocation]) -> list[int]:
    """Ticks from asked to end."""
    return [run.end - run.asked for run in runs]


def busy_ticks(runs: Iterable[Invocation]) -> int:
    """Ticks in which at least one run had been asked for and had not ended: overlaps count once."""
    total = until = 0
    for asked, end in sorted((run.asked, run.end) for run in runs):
        total += max(0, end - max(asked, until))
        until = max(until, end)
    return total


def peak_backlog(runs: Sequence[Invocation]) -> int:
    """Most runs that were asked for and had not ended.

    One that ends in the tick in which another is asked for makes room first.
    """
    changes = sorted([(r.asked, 1) for r in runs] + [(r.end, -1) for r in runs])
    peak = now = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak


def left_at(runs: Iterable[Invocation], tick: int) -> int:
    """Runs asked for by a tick that end after it."""
    return sum(run.asked <= tick < run.end for run in runs)


def overtime(
    outputs: Sequence[Sequence[Sequence[Invocation]]], ends: Sequence[int]
) -> list[int | None]:
    """Ticks from the end of each window to the last end of a run in it.

    0 if that was earlier, and None where no run was asked for.

    Args:
        outputs: runs by window, of each stream that counts.
        ends: last ticks of the windows.
    """
    last = [
        max((run.end for spans in outputs for run in spans[number]), default=None)
        for number in range(len(ends))
    ]
    return [None if run is None else max(0, run - end) for run, end in zip(last, ends, strict=True)]
