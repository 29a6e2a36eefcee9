"""The whole document: slices, arrows, residents, counters and starts, in named groups of tracks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count as counting
from typing import Any

from codesign import __version__
from codesign.errors import CodesignError
from codesign.hardware.spec import Hardware
from codesign.result.timeline.arrows import arrows
from codesign.result.timeline.costs import Cost, run_costs
from codesign.result.timeline.counters import POWER, folded_loads, occupancy, rates, run_loads
from codesign.result.timeline.events import (
    Event,
    counter,
    instant,
    length,
    microseconds,
    process_name,
    thread_name,
)
from codesign.result.timeline.runs import Part, Run, Stayed, drawn_runs, issued_runs, stayed

LIMIT = 100_000
"""Slices that are drawn unless another limit is given."""

ENGINES, MEMORIES, LINKS, RESIDENCY, POWERS, STARTS = range(1, 7)
"""Groups of tracks, in the order in which they are shown."""


def chrome_trace(parts: Sequence[Part], hardware: Hardware, limit: int = LIMIT) -> dict[str, Any]:
    """A document of the Chrome trace-event format.

    A complete event ("X") is a run of an operator on the track of its engine. It begins with its
    first transfer or compute, but not before the one before it on the engine ended: prefetched
    loads overlap, slices of one track do not. All other kinds of events are beside these: flows
    from who wrote a tensor to who read it, counters, residents and starts of runs. Times are in
    microseconds; ``args`` hold the exact picoseconds.

    Args:
        parts: what ran in one session.
        hardware: on which machine.
        limit: slices that are drawn at most. ``otherData`` says how many runs there were and how
            many of them are drawn: the first. Joules and bytes of the others are in the counters,
            as a mean over the time after the last one drawn.

    Raises:
        CodesignError: a limit below 1.
    """
    if limit < 1:
        raise CodesignError(
            f"a timeline must have a limit of at least 1 slice, got {limit}; give for example "
            f"{LIMIT}"
        )
    return _Document(parts, hardware, limit).made()


class _Document:
    """One document under construction."""

    def __init__(self, parts: Sequence[Part], hardware: Hardware, limit: int) -> None:
        self.parts, self.hardware, self.limit = parts, hardware, limit
        tids = counting(1)
        self.engines = {engine.name: next(tids) for engine in hardware.engines}
        stay = {stay.memory for part in parts for stay in part.placement.stays}
        here = [m.name for m in hardware.memories if not m.off_chip or m.name in stay]
        self.memories = {name: next(tids) for name in here}
        self.streams = [next(tids) for _ in parts]
        self.runs = drawn_runs(parts, limit)
        self.costs = [run_costs(part, hardware) for part in parts]
        self.of_part: list[dict[int, Run]] = [{} for _ in parts]
        for run in self.runs:
            self.of_part[run.part][run.number] = run
        self.issued = [
            list(issued_runs(part.placement, max(drawn, default=-1) + 1))
            for part, drawn in zip(parts, self.of_part, strict=True)
        ]

    def made(self) -> dict[str, Any]:
        """The document; events with a time are in order of time."""
        joined, left_out = arrows(self.runs, self.of_part, self.issued, self.engines, ENGINES)
        timed = [*self._slices(), *joined, *self._residents(), *self._counters(), *self._starts()]
        timed.sort(key=lambda event: float(event["ts"]))
        return {
            "displayTimeUnit": "ns",
            "traceEvents": [*self._names(), *timed],
            "otherData": {
                "hardware": self.hardware.name,
                "models": [part.placement.trace.name for part in self.parts],
                "runs": len(self.runs) + self._folded,
                "runs_drawn": len(self.runs),
                "runs_folded": self._folded,
                "limit": self.limit,
                "drawn_until_ps": self._cut,
                "arrows_left_out": left_out,
                "version": __version__,
            },
        }

    @cached_property
    def _folded(self) -> int:
        total = sum(t.runs for part in self.parts for _, t in part.replay.totals)
        return total - len(self.runs)

    @property
    def _cut(self) -> int:
        return max((run.end for run in self.runs), default=0)

    def _names(self) -> Iterator[Event]:
        groups = {
            ENGINES: self.hardware.name,
            MEMORIES: "memories",
            LINKS: "links",
            RESIDENCY: "residency",
            POWERS: "power",
            STARTS: "runs",
        }
        for pid, name in groups.items():
            yield from process_name(pid, name)
        for name, tid in self.engines.items():
            yield thread_name(ENGINES, tid, name)
        for name, tid in self.memories.items():
            yield thread_name(RESIDENCY, tid, name)
        for part, tid in zip(self.parts, self.streams, strict=True):
            yield thread_name(STARTS, tid, part.name or part.placement.trace.name)

    def _slices(self) -> Iterator[Event]:
        for run in self.runs:
            op, issued = run.assignment.op, self.issued[run.part][run.number]
            cost = self.costs[run.part].get(id(run.assignment), Cost(0.0, {}, {}))
            plan = run.assignment.plan
            args = {
                "module": op.module,
                "macs": op.macs,
                "first_transfer_ps": run.begin,
                "start_ps": run.start,
                "dur_ps": run.end - run.start,
                "engine": run.assignment.engine,
                "tiles": plan.tiles if plan else None,
                "bytes": dict(cost.bytes_by_role),
                "energy_j": cost.energy_j,
                "run": max(issued.invocation, 0),
            }
            name = self.parts[run.part].name
            yield {
                "ph": "X",
                "pid": ENGINES,
                "tid": self.engines[run.assignment.engine],
                "name": op.name,
                "cat": op.kind,
                "ts": microseconds(run.start),
                "dur": length(run.start, run.end),
                "args": args | ({"stream": name} if name else {}),
            }

    @cached_property
    def _stays(self) -> list[Stayed]:
        found: list[Stayed] = []
        for part, issued, runs in zip(self.parts, self.issued, self.of_part, strict=True):
            found += stayed(part.placement, issued, runs, part.replay.makespan)
        return found

    def _residents(self) -> Iterator[Event]:
        for number, stay in enumerate(self._stays):
            shared = {
                "cat": "residency",
                "id": number,
                "pid": RESIDENCY,
                "tid": self.memories[stay.memory],
                "name": f"{stay.memory}: {stay.tensor}",
            }
            args = {"bytes": stay.bytes, "start_ps": stay.start, "end_ps": stay.end}
            yield {"ph": "b", **shared, "ts": microseconds(stay.start), "args": args}
            yield {"ph": "e", **shared, "ts": microseconds(stay.end), "args": {}}

    def _counters(self) -> Iterator[Event]:
        loads = run_loads(self.runs, self.costs)
        flowing = rates([*loads, *folded_loads(self.parts, self.runs, self.costs)])
        for pid, carriers in ((MEMORIES, self.hardware.memories), (LINKS, self.hardware.links)):
            for carrier in carriers:
                for tick, value in flowing.get(carrier.name) or [(0, 0.0)]:
                    yield counter(pid, f"{carrier.name} bandwidth", "B/s", tick, value)
        for memory, points in occupancy(self._stays, self.memories).items():
            for tick, value in points:
                yield counter(MEMORIES, f"{memory} residents", "B", tick, value)
        for tick, value in flowing.get(POWER) or [(0, 0.0)]:
            yield counter(POWERS, "dynamic power", "W", tick, value)

    def _starts(self) -> Iterator[Event]:
        for part, tid in zip(self.parts, self.streams, strict=True):
            for one in part.replay.invocations:
                if 0 <= one.start <= self._cut:
                    args = {"asked_ps": one.asked, "start_ps": one.start, "end_ps": one.end}
                    yield instant(STARTS, tid, f"run {one.number}", one.start, args)
        if self._folded:
            name = f"from here on {self._folded:,} more runs of operators are not drawn"
            yield instant(STARTS, self.streams[0], name, self._cut, {})
