"""From a timeline to the engine, or engines, of each operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codesign.hardware.objective import Objective
from codesign.mapping.answers import content_of, refusals
from codesign.mapping.assign.ask import Engines, find_ruled
from codesign.mapping.assign.finish import Task, Turn, find_earliest, finish
from codesign.mapping.assign.order import find_before
from codesign.mapping.assign.ways import Cost, Way, find_ways
from codesign.mapping.plans import Plans
from codesign.mapping.timeline import Timeline

_WORTH = 0.99
"""Share of the time that makes ``earliest`` leave what is plain: estimates are rough (assumed)."""

_NOTHING_SPLIT = "no operator is split: one engine only takes each"

Costs: TypeAlias = "list[tuple[Cost, ...]]"


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who runs what.

    Attributes:
        ways: for each operator where it runs. Empty where there is nothing to decide: each
            operator then runs where it finishes first by itself.
        note: what a result says of it; "" if there was nothing to decide.
        has_choice: whether some operator could have run in another way.
    """

    ways: tuple[Way, ...] = ()
    note: str = ""
    has_choice: bool = False


def assign(
    timeline: Timeline,
    where: Callable[[str], str],
    plans: Plans,
    asked: Engines,
    whole: Collection[str] = (),
) -> Assigned:
    """Decides which engine runs which operator, before anything stays on chip.

    An objective that weighs energy lets every operator run where its own score is least: when all
    ends says nothing of what it costs.

    Args:
        timeline: the operators, each of which some engine takes.
        where: the memory that holds a tensor, by its name.
        plans: plans of operators.
        asked: what the user wants.
        whole: names of tensors whose operators are not split, since part of them may stay on chip.

    Raises:
        MappingError: a rule that means nothing or cannot be kept, an operator that fits no buffer,
            or a program that is too long for the policy ``optimal``.
    """
    engines, objective = plans.paths.hardware.engines, plans.paths.objective
    ruled = find_ruled(asked.rules, timeline.ops, [engine.name for engine in engines])
    weighs_energy = objective is not None and objective.weighs_energy
    is_plain = asked.policy == "alone" and not weighs_energy
    if not asked.rules and (is_plain or _is_settled(timeline, plans)):
        return Assigned(note=_NOTHING_SPLIT if asked.split else "")
    # what changes hands from step to step has one name in the replay: pieces would go in turn
    carried = (t for c in timeline.carries for t in (c.initial, c.state, c.update) if t)
    kept = {*whole, *(tensor.name for tensor in carried)}
    found: list[Costs] = []
    known: dict[object, Costs] = {}
    for op, engine in zip(timeline.ops, ruled, strict=True):
        homes = tuple(where(access.tensor.name) for access in op.operands)
        split = asked.split and kept.isdisjoint(a.tensor.name for a in op.operands)
        key = (content_of(op), homes, engine, plans.fixed.of(op), split)
        if key not in known:
            known[key] = find_ways(op, homes, plans, engine, split=split, judged=not is_plain)
        found.append(known[key])
    alone = [_fastest(costs) for costs in found]
    has_choice = any(len(costs) > 1 for costs in found)
    if objective is not None and objective.weighs_energy:
        ways = _sites(found, [_frugal(costs, objective) for costs in found])
        counts = f"operators run {_counts(ways)}, each where its own score is least"
        return Assigned(ways, f"engines by objective {objective}: {counts}", has_choice)
    if asked.policy == "alone":
        return Assigned(_sites(found, alone), has_choice=has_choice)
    tasks, machines = _tasks(timeline, found, [engine.name for engine in engines])
    by_itself = finish(tasks, machines, alone)
    best, seconds = find_earliest(tasks, machines, exact=asked.policy == "optimal")
    worth = 1.0 if asked.policy == "optimal" else _WORTH
    if worth * by_itself <= seconds:
        best, seconds = tuple(alone), by_itself
    ways = _sites(found, best)
    return Assigned(ways, _note(ways, asked.policy, seconds, by_itself), has_choice)


def _is_settled(timeline: Timeline, plans: Plans) -> bool:
    """Whether one engine only takes each of the operators."""
    engines = plans.paths.hardware.engines
    if len(engines) == 1:
        return True
    contents = {content_of(op): op for op in timeline.ops}
    return all(len(refusals(op, engines)) == len(engines) - 1 for op in contents.values())


def _fastest(costs: Costs) -> int:
    """The way on one engine that takes least time by itself; a process only where there is none."""
    single = [number for number, parts in enumerate(costs) if len(parts) == 1]
    return min(single, key=lambda number: costs[number][0].steady or float("inf"))


def _frugal(costs: Costs, objective: Objective) -> int:
    """The way with the least score, several engines at once among them.

    A process, which tells its figures to nobody, only where there is no other way.
    """

    def score(number: int) -> float:
        seconds = max(cost.seconds for cost in costs[number])
        joules = sum(cost.joules for cost in costs[number])
        return float(objective.score(seconds, joules)) if seconds else float("inf")

    return min(range(len(costs)), key=score)


def _sites(found: Sequence[Costs], ways: Sequence[int]) -> tuple[Way, ...]:
    return tuple(
        tuple(cost.site for cost in costs[way]) for costs, way in zip(found, ways, strict=True)
    )


def _tasks(
    timeline: Timeline, found: Sequence[Costs], engines: Sequence[str]
) -> tuple[list[Task], int]:
    """The operators as tasks, with all the times that they run, and the number of machines."""
    # in order of appearance: names must decide nothing
    every = (cost for costs in found for parts in costs for cost in parts)
    channels = dict.fromkeys(name for cost in every for name, _ in cost.busy)
    loaders = [f"{engine} loads" for engine in engines]
    numbers = {name: n for n, name in enumerate([*engines, *loaders, *channels])}

    def turn(cost: Cost, times: int) -> Turn:
        shared = tuple((numbers[name], seconds * times) for name, seconds in cost.busy)
        engine = cost.site.engine
        return Turn(
            numbers[engine],
            numbers[f"{engine} loads"],
            cost.seconds * times,
            cost.early,  # of the first step: the next ones load beside it
            cost.loads * times,
            shared,
        )

    tasks = [
        Task(before, tuple(tuple(turn(cost, times) for cost in parts) for parts in costs))
        for before, costs, times in zip(find_before(timeline), found, timeline.times, strict=True)
    ]
    return tasks, len(numbers)


def _note(ways: Sequence[Way], policy: str, seconds: float, by_itself: float) -> str:
    return (
        f"engines {policy!r}: operators run {_counts(ways)}; by the plans' own estimates all "
        f"ends after {seconds * 1e3:,.4g} ms, after {by_itself * 1e3:,.4g} ms if each ran where it "
        "finishes first by itself"
    )


def _counts(ways: Sequence[Way]) -> str:
    counts = Counter("several at once" if len(way) > 1 else way[0].engine for way in ways)
    return ", ".join(f"{count:,} on {name}" for name, count in counts.items())
