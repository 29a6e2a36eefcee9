"""Counters of a timeline: what is spread over spans of time, summed tick by tick."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codesign.result.timeline.costs import Cost
from codesign.result.timeline.runs import Part, Run, Stayed
from codesign.units import PS_PER_S

POWER = ""
"""Key of the dynamic energy among the bytes of components."""

Points = list[tuple[int, float]]
"""Ticks from which on a counter has a value, in order."""


@dataclass(frozen=True)
class Load:
    """Amounts that flow evenly from one tick to another.

    Attributes:
        start: first tick.
        end: tick after the last; what takes no time is given one tick.
        amounts: how much in all, by counter.
    """

    start: int
    end: int
    amounts: Mapping[str, float]


def run_loads(runs: Iterable[Run], costs: Sequence[Mapping[int, Cost]]) -> list[Load]:
    """Joules and bytes of every run, spread over the time that it was at work."""
    found = []
    for run in runs:
        cost = costs[run.part].get(id(run.assignment))
        if cost is not None:
            found.append(Load(run.begin, run.end, _amounts(cost, 1)))
    return found


def folded_loads(
    parts: Sequence[Part], runs: Sequence[Run], costs: Sequence[Mapping[int, Cost]]
) -> list[Load]:
    """Joules and bytes of the runs that are not drawn, as a mean over the time after the others."""
    drawn: dict[tuple[int, int], int] = {}
    for run in runs:
        which = run.part, id(run.assignment)
        drawn[which] = drawn.get(which, 0) + 1
    cut = max((run.end for run in runs), default=0)
    found = []
    for place, part in enumerate(parts):
        left: dict[int, int] = {}
        last = 0
        for assignment, total in part.replay.totals:
            left[id(assignment)] = left.get(id(assignment), 0) + total.runs
            last = max(last, total.last)
        for key, runs_in_all in left.items():
            rest, cost = runs_in_all - drawn.get((place, key), 0), costs[place].get(key)
            if rest and cost is not None:
                found.append(Load(cut, last, _amounts(cost, rest)))
    return found


def _amounts(cost: Cost, times: int) -> dict[str, float]:
    amounts = {POWER: cost.energy_j * times}
    return amounts | {name: size * times for name, size in cost.bytes_by_component.items()}


def rates(loads: Iterable[Load]) -> dict[str, Points]:
    """What flows per second, by counter, from each tick at which that changes.

    The integral of a counter over time is the sum of its amounts, to rounding: every value is
    summed anew from what flows at that time, so nothing adds up along the way.
    """
    edges: list[tuple[int, int, str, float]] = []
    for number, load in enumerate(loads):
        end = max(load.end, load.start + 1)
        for key, amount in load.amounts.items():
            rate = amount * PS_PER_S / (end - load.start)
            edges += [(load.start, number, key, rate), (end, ~number, key, 0.0)]
    return _summed(edges)


def occupancy(stays: Iterable[Stayed], memories: Iterable[str]) -> dict[str, Points]:
    """Bytes that stay in each memory, from each tick at which that changes."""
    edges: list[tuple[int, int, str, float]] = []
    for number, stay in enumerate(stays):
        edges += [
            (stay.start, number, stay.memory, stay.bytes),
            (stay.end, ~number, stay.memory, 0),
        ]
    found = _summed(edges)
    return {name: found.get(name) or [(0, 0)] for name in memories}


def _summed(edges: list[tuple[int, int, str, float]]) -> dict[str, Points]:
    """Values of counters whose parts begin (number n) and end (number ~n) at some ticks."""
    edges.sort(key=lambda edge: (edge[0], edge[2]))
    active: dict[str, dict[int, float]] = {}
    points: dict[str, Points] = {}
    for place, (tick, number, key, value) in enumerate(edges):
        here = active.setdefault(key, {})
        if number >= 0:
            here[number] = value
        else:
            here.pop(~number, None)
        following = edges[place + 1] if place + 1 < len(edges) else None
        if following is None or (following[0], following[2]) != (tick, key):
            _append(points.setdefault(key, []), tick, math.fsum(here.values()))
    return points


def _append(points: Points, tick: int, value: float) -> None:
    if not points or points[-1][1] != value:
        points.append((tick, value))
