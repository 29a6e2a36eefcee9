"""Exact fast-forward over the steps of a region.

The joint state of the machine, the place in every program and what each job under way waits for
decide everything that follows. When they recur, but for the number of steps that one loop of each
program still has to go, whole periods are skipped: time, bytes and the log of runs are carried on,
and nothing is unrolled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codesign.replay.fabric import Fabric
from codesign.replay.forward import whole_periods
from codesign.replay.lane import Job
from codesign.replay.stream import Stream

PATIENCE = 16
"""Looks in vain after which steps are looked at less and less often (assumed)."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a recurring state does not hold."""

    now: int
    counters: tuple[tuple[int, ...], ...]
    issued: tuple[int, ...]
    logged: tuple[int, ...]
    busy: tuple[int, ...]
    moved: dict[int, int]
    over: int


class Turns:
    """Remembers the states at which a region began a further step."""

    def __init__(self) -> None:
        self._states: dict[object, _Seen] = {}
        self._misses = 0
        self._pause = 0

    def forget(self) -> None:
        """A run of a program began or ended: what was seen is no longer comparable."""
        self._states = {}
        self._misses = self._pause = 0

    def is_due(self, streams: Mapping[str, Stream]) -> bool:
        """Whether a region has begun a further step since the last look, and a look may pay."""
        came_round = [stream for stream in streams.values() if stream.came_round]
        for stream in came_round:
            stream.came_round = False
        if came_round and self._pause:
            self._pause -= 1
            return False
        return bool(came_round)

    def periods(self, state: object, present: _Seen, until: int | None) -> tuple[_Seen, int] | None:
        """When this state was met before, and how many whole periods may be skipped."""
        before = self._states.get(state)
        self._states[state] = present
        times = _periods(before, present, until) if before else 0
        if before is None or times < 1:
            self._misses += 1
            self._pause = self._misses // PATIENCE
            return None
        self._misses = self._pause = 0  # what was seen still holds: a loop around may recur too
        return before, times


def look(fabric: Fabric, streams: Mapping[str, Stream], over: int) -> _Seen:
    """Everything that counts, at present."""
    every = streams.values()
    return _Seen(
        fabric.now,
        tuple([tuple(stream.counters) for stream in every]),
        tuple([stream.issued for stream in every]),
        tuple([len(stream.log.entries) for stream in every]),
        tuple([lane.busy_ticks for lane in fabric.lanes.values()]),
        dict(fabric.flows.moved),
        over,
    )


def skip(
    fabric: Fabric,
    streams: Mapping[str, Stream],
    window: Sequence[Job],
    leap: tuple[_Seen, int],
) -> None:
    """Lets whole periods pass: everything that counts, but not the joint state, which recurs.

    Args:
        fabric: stands at its present state, or is about to be put into it.
        streams: programs by name.
        window: jobs under way.
        leap: when the state was met before, and how many periods pass.
    """
    before, times = leap
    period = fabric.now - before.now
    fabric.shift(times * period)
    for lane, was in zip(fabric.lanes.values(), before.busy, strict=True):
        lane.busy_ticks += times * (lane.busy_ticks - was)
    for number, size in fabric.flows.moved.items():
        fabric.flows.moved[number] = size + times * (size - before.moved.get(number, 0))
    numbers = {}
    for index, (name, stream) in enumerate(streams.items()):
        numbers[name] = times * (stream.issued - before.issued[index])
        stream.log.again(before.logged[index], times, period, stream.issued - before.issued[index])
        stream.issued += numbers[name]
        stream.counters = [
            b - times * (a - b)
            for a, b in zip(before.counters[index], stream.counters, strict=True)
        ]
    for job in window:
        job.number += numbers[job.invocation.stream]
        job.start += times * period if job.start >= 0 else 0


def _periods(before: _Seen, present: _Seen, until: int | None) -> int:
    period = present.now - before.now
    pairs = zip(before.counters, present.counters, strict=True)
    limits = [whole_periods(old, new) for old, new in pairs]
    if not any(limits):
        return 0
    times = min(limit for limit in limits if limit is not None)
    return times if until is None or not period else min(times, (until - present.now) // period)
