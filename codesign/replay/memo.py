"""Exact memo: what the Fabric does from one operator's end to the next, remembered by joint state.

A node is a joint state just after operators ended, an edge what happens until the next one ends
once certain operators have been issued. Both name operators by what they do, not by what they are
called, so that the layers of a network and the invocations of a stream share them. Edges hold for
any number of engines and links, since the state is that of the whole Fabric; they are taken only
while nobody outside transfers, and none that reaches past the next event of anyone outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from codesign.replay.fabric import Fabric
from codesign.replay.job import Job
from codesign.replay.state import State
from codesign.replay.tally import Tally, add, since
from codesign.replay.trail import Ends

MOST_NODES = 10_000
"""States kept; a replay with more hardly ever meets one again (assumed)."""
MOST_EDGES = 100_000
"""Edges kept, likewise (assumed)."""

Signature: TypeAlias = "tuple[tuple[int, int, tuple[int, ...], bool], ...]"
"""Issued jobs: template, lane, places of the jobs that it waits for, whether it is a barrier."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What happened until operators ended.

    Attributes:
        node: the state then.
        elapsed: ticks it took.
        ended: places of the jobs that ended, in the order in which they did.
        started: place and delay of each job that began meanwhile.
        busy: compute ticks by lane.
        grown: what the tally of the transfers grew by.
        frame: what the recorder of the critical path noted; None where there is none.
    """

    node: int
    elapsed: int
    ended: tuple[int, ...]
    started: tuple[tuple[int, int], ...]
    busy: tuple[int, ...]
    grown: Tally
    frame: Ends | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Counters at the beginning of what may become an edge."""

    now: int
    busy: tuple[int, ...]
    tally: Tally
    begun: frozenset[int]


class Memo:
    """Nodes and edges met so far."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.edges: dict[tuple[int, Signature], Edge] = {}
        self._numbers: dict[State, int] = {}

    def node(self, state: State) -> int | None:
        """The number of a state; None if there are too many already."""
        known = self._numbers.get(state)
        if known is None and len(self.states) < MOST_NODES:
            known = self._numbers[state] = len(self.states)
            self.states.append(state)
        return known

    def keep(self, key: tuple[int, Signature], step: Edge) -> None:
        """Remembers an edge, unless there are too many already."""
        if len(self.edges) < MOST_EDGES:
            self.edges[key] = step


def signature(issued: list[Job], window: list[Job]) -> Signature:
    """What the memo knows newly issued jobs by."""
    for place, job in enumerate(window):
        job.place = place
    return tuple(
        [
            (
                job.template.number,
                job.lane.index,
                tuple(sorted([earlier.place for earlier in job.waits])),
                job.barrier and bool(job.waits),
            )
            for job in issued
        ]
    )


def mark(fabric: Fabric, window: list[Job]) -> Mark:
    """Where the counters stand."""
    fabric.flows.count(fabric.now)
    return Mark(
        fabric.now,
        tuple([lane.busy_ticks for lane in fabric.lanes.values()]),
        dict(fabric.flows.tally),
        frozenset([place for place, job in enumerate(window) if job.start >= 0]),
    )


def edge(fabric: Fabric, window: list[Job], before: Mark) -> Edge:
    """What happened since a mark, without its node; the window still holds the jobs that ended."""
    for place, job in enumerate(window):
        job.place = place
    begun = [
        (place, job.start - before.now)
        for place, job in enumerate(window)
        if job.start >= 0 and place not in before.begun
    ]
    lanes = fabric.lanes.values()
    fabric.flows.count(fabric.now)
    return Edge(
        -1,
        fabric.now - before.now,
        tuple([job.place for job in fabric.ended]),
        tuple(begun),
        tuple([lane.busy_ticks - was for lane, was in zip(lanes, before.busy, strict=True)]),
        since(fabric.flows.tally, before.tally),
    )


def take(fabric: Fabric, window: list[Job], step: Edge) -> None:
    """Lets the time of an edge pass: counters and jobs, but not lanes and transfers."""
    now = fabric.now
    for place, delay in step.started:
        window[place].start = now + delay
    fabric.now = now + step.elapsed
    fabric.flows.stands = False
    for lane, ticks in zip(fabric.lanes.values(), step.busy, strict=True):
        lane.busy_ticks += ticks
    add(fabric.flows.tally, step.grown)
    fabric.ended = [window[place] for place in step.ended]
    if fabric.recorder is not None and step.frame is not None:
        fabric.recorder.follow(step.frame, tuple([job.op for job in window]))
