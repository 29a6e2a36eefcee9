"""Exact fast-forward inside long loops of tiles.

While no operator ends and nobody outside interferes, the future of the Fabric depends on its
present joint state alone: what each pipeline holds, where it stands in its loops, how much work is
left of each transfer. When that state recurs, but for the number of repeats that one loop of each
pipeline still has to go, the time in between is a period. Whole periods are then skipped: as many
as the least remaining count allows, and none past the next event of anyone outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.replay.job import Job
from codesign.replay.lane import Lane
from codesign.replay.recurrence import Counts, Leap, Moment, Recurrence, moment

if TYPE_CHECKING:
    from codesign.replay.fabric import Fabric

PATIENCE = 32
"""Looks in vain after which the Fabric is looked at less and less often (measured)."""


class Forward:
    """Remembers the joint states since the last operator ended."""

    def __init__(self) -> None:
        self._seen = Recurrence(PATIENCE)

    def forget(self) -> None:
        """What was seen is no longer comparable: an operator ended or someone interfered."""
        self._seen.forget()

    def leap(self, fabric: Fabric, until: int | None) -> bool:
        """Skips whole periods if the present state has been seen before.

        Args:
            fabric: between two events.
            until: tick that may not be passed, or None.

        Returns:
            Whether time has moved.
        """
        if not self._seen.is_due():
            return False
        lanes = tuple(fabric.lanes.values())
        state, present = _state(fabric, lanes), _present(fabric, lanes)
        for lane in lanes:
            if lane.queue:
                lane.queue[0].came_round = False
        leap = self._seen.leap(state, present, until)
        if leap is None:
            return False
        _skip(fabric, lanes, leap)
        if fabric.recorder is not None:
            fabric.recorder.jump(fabric, leap.before.record, leap.present.record, leap.times)
        return True


def _state(fabric: Fabric, lanes: tuple[Lane, ...]) -> object:
    """The joint state without absolute time and without counts of repeats."""
    now = fabric.now
    flows = tuple(
        (f.number, f.lane, f.is_load, f.work - f.rate * max(0, now - f.mark), max(0, f.mark - now))
        for f in fabric.flows.sharing
    )
    ahead = tuple((f.number, f.lane, f.is_load, f.work, f.mark - now) for f in fabric.flows.ahead)
    ages = fabric.flows.ages(now)
    return flows, ahead, ages, tuple([_pipeline(lane, now) for lane in lanes])


def _pipeline(lane: Lane, now: int) -> object:
    first = lane.queue[0] if lane.queue else None
    return (
        len(lane.queue),
        (first.pc, first.came_round, first.in_flight, first.out_flight) if first else None,
        tuple([(job.in_flight, job.out_flight) for job in lane.draining]),
        lane.loading,
        lane.load_busy,
        lane.load_parts,
        lane.load_late,
        lane.load_alone,
        tuple(lane.loaded),
        lane.computing,
        lane.compute_end - now if lane.compute_end >= 0 else -1,
        tuple(lane.to_store),
        lane.storing,
        lane.store_parts,
    )


def _present(fabric: Fabric, lanes: tuple[Lane, ...]) -> Moment:
    heads = [lane.queue[0] if lane.queue else None for lane in lanes]
    counters = tuple([_remaining(head) if head else () for head in heads])
    unfinished = tuple([head.unfinished if head else 0 for head in heads])
    record = fabric.recorder.moment(fabric) if fabric.recorder is not None else None
    return moment(fabric, counters, unfinished, record)


def _remaining(job: Job) -> Counts:
    """Repeats to go of the run of tiles that is being loaded and of every loop."""
    return (job.left, *job.counters)


def _skip(fabric: Fabric, lanes: tuple[Lane, ...], leap: Leap) -> None:
    leap.land(fabric)
    for index, lane in enumerate(lanes):
        if lane.queue:
            job = lane.queue[0]
            job.unfinished += leap.growth(index)
            job.left, *job.counters = leap.counters(index)
