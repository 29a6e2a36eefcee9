"""The joint state of the Fabric as a value: what its future depends on, with nothing absolute.

Jobs are named by their place among those under way, times are relative to the present. Two equal
values have equal futures, on any engine count and however the links are shared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.replay.flows import Flow
from codesign.replay.job import Job
from codesign.replay.lane import Lane

if TYPE_CHECKING:
    from codesign.replay.fabric import Fabric

State: TypeAlias = "tuple[Any, ...]"


def capture(fabric: Fabric, window: Sequence[Job]) -> State:
    """The state of a fabric between two events.

    Args:
        fabric: nobody outside may be transferring.
        window: the jobs under way, in the order in which they were issued.
    """
    fabric.next()  # so that every rate and end is up to date
    fabric.flows.count(fabric.now)
    for place, job in enumerate(window):
        job.place = place
    now = fabric.now
    return (
        tuple([_job(job) for job in window]),
        tuple([_lane(lane, now) for lane in fabric.lanes.values()]),
        tuple([_flow(flow, now) for flow in fabric.flows.sharing]),
        tuple([_flow(flow, now) for flow in fabric.flows.ahead]),
        fabric.flows.ages(now),
    )


def restore(fabric: Fabric, window: Sequence[Job], state: State) -> None:
    """Puts a fabric into a state at its present tick.

    Args:
        fabric: its lanes and transfers are replaced.
        window: the jobs that are meant, as many as in the state.
        state: from ``capture``.
    """
    jobs, lanes, sharing, ahead, ages = state
    now = fabric.now
    for job in window:
        job.followers.clear()
    for job, content in zip(window, jobs, strict=True):
        _set_job(job, content, window)
    pipelines = tuple(fabric.lanes.values())
    for lane, content in zip(pipelines, lanes, strict=True):
        _set_lane(lane, content, window, now)
    fabric.flows.replace(
        [_new_flow(content, pipelines, now) for content in sharing],
        [_new_flow(content, pipelines, now) for content in ahead],
        {name for lane in pipelines if lane.computing for name in lane.occupies},
        ages,
        now,
    )


def _job(job: Job) -> State:
    waits = tuple(sorted([earlier.place for earlier in job.waits]))
    return (
        job.template.number,
        job.lane.index,
        waits,
        bool(waits) and job.barrier,
        job.start >= 0,
        job.unfinished,
        job.in_flight,
        job.out_flight,
        job.pc,
        job.left,
        tuple(job.counters),
    )


def _set_job(job: Job, content: State, window: Sequence[Job]) -> None:
    _, _, waits, job.barrier, _, job.unfinished, job.in_flight, job.out_flight = content[:8]
    job.pc, job.left = content[8:10]
    job.counters = list(content[10])
    job.ahead = job.template.code[job.pc - 1][0] if job.left else None
    job.waits = [window[place] for place in waits]
    for earlier in job.waits:
        earlier.followers.append(job)


def _tiles(entries: Sequence[Any]) -> State:
    return tuple([(job.place, step) for job, step in entries])


def _lane(lane: Lane, now: int) -> State:
    return (
        tuple([job.place for job in lane.queue if job.unfinished]),
        tuple([job.place for job in lane.draining]),
        _tiles([entry for entry in (lane.loading,) if entry]),
        lane.load_busy,
        lane.load_parts,
        lane.load_late,
        lane.load_alone,
        _tiles(lane.loaded),
        _tiles([entry for entry in (lane.computing,) if entry]),
        lane.compute_end - now if lane.compute_end >= 0 else -1,
        _tiles(lane.to_store),
        _tiles([entry for entry in (lane.storing,) if entry]),
        lane.store_parts,
    )


def _set_lane(lane: Lane, content: State, window: Sequence[Job], now: int) -> None:
    def tiles(entries: State) -> list[Any]:
        return [(window[place], step) for place, step in entries]

    queue, draining, loading, lane.load_busy, *parts, loaded, computing, end = content[:10]
    to_store, storing, lane.store_parts = content[10:]
    lane.queue = deque(window[place] for place in queue)
    lane.draining = deque(window[place] for place in draining)
    lane.loading = next(iter(tiles(loading)), None)
    lane.load_parts, lane.load_late, lane.load_alone = parts
    lane.loaded = deque(tiles(loaded))
    lane.computing = next(iter(tiles(computing)), None)
    lane.compute_end = now + end if end >= 0 else -1
    lane.to_store = deque(tiles(to_store))
    lane.storing = next(iter(tiles(storing)), None)


def _flow(flow: Flow, now: int) -> State:
    done = flow.rate * max(0, now - flow.mark)
    lane = flow.lane.index if flow.lane else -1
    return flow.number, flow.work - done, max(0, flow.mark - now), lane, flow.is_load


def _new_flow(content: State, lanes: Sequence[Lane], now: int) -> Flow:
    number, work, wait, lane, is_load = content
    return Flow(number, work, now + wait, lanes[lane], is_load)
