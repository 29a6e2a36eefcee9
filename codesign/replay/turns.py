"""Exact fast-forward over the steps of a region.

The joint state of the machine, the place in every program and what each job under way waits for
decide everything that follows. When they recur, but for the number of steps that one loop of each
program still has to go, whole periods are skipped: time, bytes and the log of runs are carried on,
and nothing is unrolled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.replay.fabric import Fabric
from codesign.replay.job import Job
from codesign.replay.recurrence import Leap, Moment, Recurrence, moment
from codesign.replay.stream import Stream

PATIENCE = 16
"""Looks in vain after which steps are looked at less and less often (assumed)."""


class Turns:
    """Remembers the states at which a region began a further step."""

    def __init__(self) -> None:
        self._seen = Recurrence(PATIENCE)

    def forget(self) -> None:
        """A run of a program began or ended: what was seen is no longer comparable."""
        self._seen.forget()

    def is_due(self, streams: Mapping[str, Stream]) -> bool:
        """Whether a region has begun a further step since the last look, and a look may pay."""
        came_round = [stream for stream in streams.values() if stream.came_round]
        for stream in came_round:
            stream.came_round = False
        return bool(came_round) and self._seen.is_due()

    def leap(self, state: object, present: Moment, until: int | None) -> Leap | None:
        """The whole periods that may be skipped now; see ``Recurrence.leap``."""
        return self._seen.leap(state, present, until)


def look(fabric: Fabric, streams: Mapping[str, Stream], over: int) -> Moment:
    """The present moment, at which ``over`` runs of operators have ended."""
    every = streams.values()
    tallies = [tally for stream in every for tally in (stream.issued, len(stream.log.entries))]
    counters = tuple([tuple(stream.counters) for stream in every])
    record = fabric.recorder.table if fabric.recorder is not None else None
    return moment(fabric, counters, (over, *tallies), record)


def _issued(index: int) -> int:
    """Where the tallies of a look hold how many runs a program has issued."""
    return 1 + 2 * index


def _logged(index: int) -> int:
    """Where they hold how many entries its log has."""
    return 2 + 2 * index


def skip(fabric: Fabric, streams: Mapping[str, Stream], window: Sequence[Job], leap: Leap) -> int:
    """Lets whole periods pass: everything that counts, but not the joint state, which recurs.

    Args:
        fabric: stands at its present state, or is about to be put into it.
        streams: programs by name.
        window: jobs under way.
        leap: how many periods pass.

    Returns:
        How many runs of operators ended meanwhile.
    """
    leap.land(fabric)
    if fabric.recorder is not None:
        fabric.recorder.skip(leap.before.record, leap.present.record, leap.times)
    numbers = {}
    for index, (name, stream) in enumerate(streams.items()):
        numbers[name] = leap.growth(_issued(index))
        period = numbers[name] // leap.times
        ticks = leap.ticks // leap.times
        stream.log.again(leap.before.tallies[_logged(index)], leap.times, ticks, period)
        stream.issued += numbers[name]
        stream.counters = leap.counters(index)
    for job in window:
        job.number += numbers[job.invocation.stream]
        job.start += leap.ticks if job.start >= 0 else 0
    return leap.growth(0)
