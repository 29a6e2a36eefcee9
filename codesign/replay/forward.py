"""Exact fast-forward inside long loops of tiles.

While no operator ends and nobody outside interferes, the future of the Fabric depends on its
present joint state alone: what each pipeline holds, where it stands in its loops, how much work is
left of each transfer. When that state recurs, but for the number of repeats that one loop of each
pipeline still has to go, the time in between is a period. Whole periods are then skipped: as many
as the least remaining count allows, and none past the next event of anyone outside. Equal states
have equal futures, so nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from codesign.replay.lane import Job, Lane

if TYPE_CHECKING:
    from codesign.replay.fabric import Fabric

PATIENCE = 32
"""Looks in vain after which the Fabric is looked at less and less often (measured)."""

Counts: TypeAlias = "tuple[int, ...]"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a joint state does not hold: absolute time and everything that only counts."""

    now: int
    remaining: tuple[Counts, ...]
    unfinished: Counts
    busy: Counts
    moved: dict[int, int]


class Forward:
    """Remembers the joint states since the last operator ended."""

    def __init__(self) -> None:
        self._states: dict[object, _Seen] = {}
        self._misses = 0
        self._pause = 0

    def forget(self) -> None:
        """What was seen is no longer comparable: an operator ended or someone interfered."""
        if self._states:
            self._states = {}
        self._misses = self._pause = 0

    def leap(self, fabric: Fabric, until: int | None) -> bool:
        """Skips whole periods if the present state has been seen before.

        Args:
            fabric: between two events.
            until: tick that may not be passed, or None.

        Returns:
            Whether time has moved.
        """
        if self._pause:
            self._pause -= 1
            return False
        lanes = tuple(fabric.lanes.values())
        state = _state(fabric, lanes)
        present = _present(fabric, lanes)
        before = self._states.get(state)
        self._states[state] = present
        times = _periods(before, present, until) if before else 0
        if before is None or times < 1:
            self._misses += 1
            self._pause = self._misses // PATIENCE
            return False
        _skip(fabric, lanes, before, present, times)
        self._misses = self._pause = 0  # what was seen still holds: a loop around may recur too
        return True


def _state(fabric: Fabric, lanes: tuple[Lane, ...]) -> object:
    """The joint state without absolute time and without counts of repeats."""
    now = fabric.now
    flows = tuple(
        (f.number, f.lane, f.is_load, f.work - f.rate * max(0, now - f.mark), max(0, f.mark - now))
        for f in fabric.flows.sharing
    )
    ahead = tuple((f.number, f.lane, f.is_load, f.work, f.mark - now) for f in fabric.flows.ahead)
    return flows, ahead, tuple([_pipeline(lane, now) for lane in lanes])


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
        tuple(lane.loaded),
        lane.computing,
        lane.compute_end - now if lane.compute_end >= 0 else -1,
        tuple(lane.to_store),
        lane.storing,
        lane.store_parts,
    )


def _present(fabric: Fabric, lanes: tuple[Lane, ...]) -> _Seen:
    heads = [lane.queue[0] if lane.queue else None for lane in lanes]
    for head in heads:
        if head is not None:
            head.came_round = False
    return _Seen(
        fabric.now,
        tuple([_remaining(head) if head else () for head in heads]),
        tuple([head.unfinished if head else 0 for head in heads]),
        tuple([lane.busy_ticks for lane in lanes]),
        dict(fabric.flows.moved),
    )


def _remaining(job: Job) -> Counts:
    """Repeats to go of the run of tiles that is being loaded and of every loop."""
    return (job.left, *job.counters)


def _periods(before: _Seen, present: _Seen, until: int | None) -> int:
    """Whole periods that may be skipped; 0 if the two moments are not a period apart."""
    period = present.now - before.now
    pairs = zip(before.remaining, present.remaining, strict=True)
    limits = [whole_periods(old, new) for old, new in pairs]
    if period < 1 or not any(limits):
        return 0
    times = min(limit for limit in limits if limit is not None)
    return times if until is None else min(times, (until - present.now) // period)


def whole_periods(before: Counts, present: Counts) -> int | None:
    """How often the change between two sets of counters may happen again.

    Args:
        before: repeats that the loops around one place still had to go.
        present: the same one period later.

    Returns:
        None if nothing changed; 0 unless exactly one loop went on. The last repeat of a loop does
        not count: it ends unlike the others.
    """
    changed = [(old - new, new) for old, new in zip(before, present, strict=True) if old != new]
    if not changed:
        return None
    (gone, left), *others = changed
    return 0 if others or gone < 0 else max(0, (left - 1) // gone)


def _skip(
    fabric: Fabric, lanes: tuple[Lane, ...], before: _Seen, present: _Seen, times: int
) -> None:
    fabric.shift(times * (present.now - before.now))
    for number, size in present.moved.items():
        fabric.flows.moved[number] += times * (size - before.moved.get(number, 0))
    for index, lane in enumerate(lanes):
        lane.busy_ticks += times * (present.busy[index] - before.busy[index])
        if lane.queue:
            job = lane.queue[0]
            job.unfinished -= times * (before.unfinished[index] - present.unfinished[index])
            rest = [
                b - times * (a - b)
                for a, b in zip(before.remaining[index], present.remaining[index], strict=True)
            ]
            job.left, job.counters = rest[0], rest[1:]
