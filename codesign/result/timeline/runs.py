"""Which runs a timeline draws, from whom each of them has its inputs, and how long tensors stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from codesign.mapping.placement import Assignment, Placement, Step
from codesign.replay.log import Row
from codesign.replay.run import Replay
from codesign.workload.record import Carry


@dataclass(frozen=True)
class Part:
    """One program of a session.

    Attributes:
        name: of the stream; "" where there is only one program.
        placement: what it runs.
        replay: when.
    """

    name: str
    placement: Placement
    replay: Replay


@dataclass(frozen=True)
class Run:
    """One run of one operator, as it is drawn.

    Attributes:
        part: index of its program.
        number: its place among the runs of the program, in program order.
        assignment: operator and engine.
        begin: tick of its first transfer or compute.
        start: first tick of its slice: not before the slice before it on the engine has ended.
        end: last tick of both.
    """

    part: int
    number: int
    assignment: Assignment
    begin: int
    start: int
    end: int


def drawn_runs(parts: Sequence[Part], limit: int) -> list[Run]:
    """The first runs of all programs in the order in which they ended, at most ``limit``.

    Steps of regions are unrolled no further than that.
    """
    logs = [_in_time(place, part) for place, part in enumerate(parts)]
    first = list(islice(merge(*logs, key=lambda one: (one[0], one[1])), limit))
    first.sort(key=lambda one: (one[0], one[2].start, one[1], one[2].number))
    free: dict[str, int] = {}
    runs = []
    for end, place, row in first:
        assignment = parts[place].replay.program[row.op]
        start = max(row.start, free.get(assignment.engine, 0))
        free[assignment.engine] = end
        runs.append(Run(place, row.number, assignment, row.start, start, end))
    return runs


def _in_time(place: int, part: Part) -> Iterator[tuple[int, int, Row]]:
    """Last tick, program and row of every run of a program, in the order in which they ended."""
    return ((row.end, place, row) for row in part.replay.log.in_time())


@dataclass(frozen=True)
class Issued:
    """One run in program order.

    Attributes:
        number: its place.
        op: name of its operator.
        invocation: number of the run of the whole program; that of the setup is -1.
        sources: numbers of the runs that wrote what it reads, each with a tensor's name.
    """

    number: int
    op: str
    invocation: int
    sources: tuple[tuple[int, str], ...]


def issued_runs(placement: Placement, count: int) -> Iterator[Issued]:
    """The first ``count`` runs of a program, one invocation behind the other."""
    return islice(_Issuing(placement).runs(), count)


class _Issuing:
    """A program as it is issued, and who wrote each tensor last."""

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.number = 0
        self.invocation = -1
        self.writers: dict[str, tuple[int, ...]] = {}

    def runs(self) -> Iterator[Issued]:
        for one in self.placement.setup:
            yield self._issue(one)
        kept = dict(self.writers)
        while self.placement.program:
            self.invocation += 1
            self.writers, before = dict(kept), self.number
            yield from self._steps(self.placement.program)
            if self.number == before:
                return

    def _steps(self, steps: tuple[Step, ...]) -> Iterator[Issued]:
        for step in steps:
            if isinstance(step, Assignment):
                yield self._issue(step)
                continue
            carries = step.region.carries
            self._rename([(c.initial.name if c.initial else "", c.state.name) for c in carries])
            if step.preload:
                yield self._issue(step.preload)
            for _ in range(step.region.steps):
                before = self.number
                yield from self._steps(step.body)
                self._rename(_updates(carries))
                if self.number == before:
                    break
            if step.writeback:
                yield self._issue(step.writeback)

    def _issue(self, one: Assignment) -> Issued:
        sources = {
            writer: access.tensor.name
            for access in one.op.inputs
            for writer in self.writers.get(access.tensor.name, ())
        }
        issued = Issued(self.number, one.op.name, self.invocation, tuple(sources.items()))
        for access in one.op.outputs:
            name = access.tensor.name
            beside = self.writers.get(name, ()) if one.piece[0] else ()
            self.writers[name] = (*beside, self.number)
        self.number += 1
        return issued

    def _rename(self, pairs: list[tuple[str, str]]) -> None:
        """From here on, the second tensor of each pair is what the first one was."""
        values = [(target, self.writers.get(source, ())) for source, target in pairs]
        self.writers.update(values)


def _updates(carries: tuple[Carry, ...]) -> list[tuple[str, str]]:
    return [(carry.update.name, carry.state.name) for carry in carries]


@dataclass(frozen=True)
class Stayed:
    """A tensor, or part of it, that was in an on-chip memory from one tick to another.

    Attributes:
        tensor: its name.
        memory: where.
        bytes: how much of it.
        start: first tick of the first operator during which it was there.
        end: last tick of the last one.
    """

    tensor: str
    memory: str
    bytes: int
    start: int
    end: int


def stayed(
    placement: Placement, issued: Sequence[Issued], runs: Mapping[int, Run], last: int
) -> list[Stayed]:
    """When what a placement keeps on chip was there.

    What stays from the first to the last operator of a region is there through all its steps:
    where nothing runs between the last operator of a stay and its first one, it goes on.

    Args:
        placement: what stays, from which operator to which.
        issued: runs in program order.
        runs: those that are drawn, by number.
        last: tick up to which what stays for ever is there.
    """
    places: dict[str, list[Issued]] = {}
    for one in issued:
        if one.number in runs:
            places.setdefault(one.op, []).append(one)
    found = []
    for stay in placement.stays:
        begins, ends = places.get(stay.first, []), places.get(stay.last, [])
        if stay.is_for_ever and begins:
            spans = [(begins[0].number, begins[0].number)]
        else:
            spans = _spans(begins, ends)
        for first, final in spans:
            end = last if stay.is_for_ever else runs[final].end
            start = runs[first].begin
            found.append(Stayed(stay.tensor.name, stay.memory, stay.bytes, start, max(start, end)))
    return found


def _spans(begins: Sequence[Issued], ends: Sequence[Issued]) -> list[tuple[int, int]]:
    """First and last run of every time that something stayed."""
    marks = sorted(
        [(one.number, 0, one.invocation) for one in begins]
        + [(one.number, 1, one.invocation) for one in ends]
    )
    spans: list[tuple[int, int]] = []
    of = -1
    open_ = False
    for number, is_end, invocation in marks:
        if is_end:
            if spans and of == invocation:
                spans[-1] = (spans[-1][0], number)
                open_ = False
        elif not (spans and of == invocation and (open_ or spans[-1][1] >= number - 1)):
            spans.append((number, number))
            of, open_ = invocation, True
    return spans
