"""How an operator may run: whole on one engine, or by columns on several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TypeAlias

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.answers import refusals
from codesign.mapping.choice import (
    budget_of,
    end_to_end_s,
    energy_of,
    estimate_s,
    transfers_s,
)
from codesign.mapping.cut import find_grain, piece
from codesign.mapping.paths import NOMINAL, Paths
from codesign.mapping.plans import Plans
from codesign.workload.record import Op


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operator, or a range of its output columns, runs.

    Attributes:
        engine: name of the engine.
        first: first column.
        end: column after the last one; 0 for all of the operator.
    """

    engine: str
    first: int = 0
    end: int = 0


Way: TypeAlias = "tuple[Site, ...]"
"""The sites of one operator, side by side; one site for all of it, or its columns in order."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operator takes on one engine by the estimate of its plan.

    Attributes:
        site: where it runs.
        seconds: time alone.
        early: seconds of it that load weights and constants ahead of all else.
        loads: seconds of it that load.
        busy: by memory or link on its way from and to the homes of its operands, the seconds of
            its bytes there, and those for which its engine has a memory for itself.
        steady: time by which an operator by itself is judged: without what its first loads and
            its last stores add.
        joules: energy of its actions and moves; 0 where the objective does not weigh it.
    """

    site: Site
    seconds: float
    early: float
    loads: float
    busy: tuple[tuple[str, float], ...]
    steady: float = 0.0
    joules: float = 0.0


def run_by(op: Op, way: Way) -> list[tuple[Op, str]]:
    """The operator, or its pieces, each with the engine that runs it; "" for any."""
    grain = find_grain(op) if len(way) > 1 else None
    if grain is None:
        return [(op, way[0].engine if way else "")]
    return [(piece(grain, site.first, site.end), site.engine) for site in way]


def find_ways(
    op: Op,
    homes: Sequence[str],
    plans: Plans,
    engine: str = "",
    *,
    split: bool = False,
    judged: bool = True,
) -> list[tuple[Cost, ...]]:
    """The ways to run an operator: first those on one engine, in order of the hardware.

    An engine that is a process cannot be estimated: it is a way where no plan is possible.

    Args:
        op: the operator.
        homes: for each operand the memory that holds it.
        plans: plans of operators.
        engine: where it must run; any if empty.
        split: whether several engines may share it.
        judged: whether anybody reads what the only way costs; else nothing is planned for it.

    Raises:
        MappingError: no engine that takes it finds tiles that fit, or the one that it must run on
            does not take it.
    """
    engines = plans.paths.hardware.engines
    refused = refusals(op, engines)
    if not engine:
        plans.check_fixed(op, {}, homes)
    if engine in refused:
        raise MappingError(
            f"{op.name} must run on {engine} by a rule, which does not take it: {refused[engine]}; "
            "change the rule"
        )
    taking = [e for e in engines if e.name not in refused and engine in ("", e.name)]
    taking.sort(key=lambda e: e.process is not None)
    if len(taking) == 1 and not judged:
        return [(Cost(Site(taking[0].name), 0.0, 0.0, 0.0, ()),)]
    whole = _fitting(op, homes, plans, taking)
    ways: list[tuple[Cost, ...]] = [(cost,) for cost in whole]
    if split and len(whole) > 1:
        ways += _split(op, homes, plans, whole)
    return ways


def _fitting(op: Op, homes: Sequence[str], plans: Plans, taking: Sequence[Engine]) -> list[Cost]:
    found: list[Cost] = []
    trouble: list[str] = []
    for engine in taking:
        if engine.process is not None and found:
            break
        try:
            found.append(_cost(op, homes, plans, Site(engine.name)))
        except MappingError as error:
            trouble.append(str(error))
    if not found:
        raise MappingError(" | ".join(dict.fromkeys(trouble)))
    return found


def _split(
    op: Op, homes: Sequence[str], plans: Plans, whole: Sequence[Cost]
) -> Iterator[tuple[Cost, ...]]:
    """Shares of the columns for two or more engines, larger for those that are faster alone."""
    grain = find_grain(op)
    if grain is None or not all(cost.seconds > 0 for cost in whole):
        return
    for count in range(2, len(whole) + 1):
        for group in combinations(whole, count):
            marks = _marks(grain.columns, [1 / cost.seconds for cost in group])
            if len(set(marks)) < len(marks):
                continue  # too few columns for so many
            try:
                yield tuple(
                    _cost(piece(grain, *ends), homes, plans, Site(cost.site.engine, *ends))
                    for cost, ends in zip(group, pairwise(marks), strict=True)
                )
            except MappingError:
                continue  # a share may need more of a buffer than an engine has: that way is none


def _marks(columns: int, speeds: Sequence[float]) -> list[int]:
    """Ends of ranges of columns in proportion to speeds."""
    total, reached, marks = sum(speeds), 0.0, [0]
    for speed in speeds:
        reached += speed
        marks.append(round(columns * reached / total))
    return marks


def _cost(op: Op, homes: Sequence[str], plans: Plans, site: Site) -> Cost:
    choice = plans.choose(op, {}, homes, engine=site.engine)
    if choice.plan is None:  # a process tells its time to nobody
        return Cost(site, 0.0, 0.0, 0.0, ())
    budget = budget_of(choice.engine, op, plans.paths, {}, homes)
    seconds = end_to_end_s(choice.plan, budget)
    busy = _busy(op, choice.plan, choice.engine, homes, plans.paths)
    early, loads = _loading_s(op, choice.plan, budget)
    objective = plans.paths.objective
    is_weighed = objective is not None and objective.weighs_energy
    joules = energy_of(op, choice, plans.paths, homes) if is_weighed else 0.0
    steady = estimate_s(choice.plan, budget)
    return Cost(site, seconds, early, loads, busy, steady, joules)


def _loading_s(op: Op, plan: TilePlan, budget: Budget) -> tuple[float, float]:
    """Seconds of the loads that may go ahead of what is written before, and of all loads."""
    first = plan.first
    at_rest = [n for n, a in enumerate(op.inputs) if a.tensor.role in ("weight", "constant")]
    resting = [move for move in first.loads if move.operand in at_rest]
    ahead = sum(move.bytes * budget.share(move.operand) for move in resting)
    most = sum(plan.loaded.get(n, 0) * budget.share(n) for n in at_rest)
    slots = min(plan.slots_in, plan.tiles) if ahead else 0
    early = min(ahead * slots, most) / budget.load_bytes_per_s + budget.setup_s * slots
    loads, _ = transfers_s(plan, budget)
    return min(early, loads), loads


def _busy(
    op: Op, plan: TilePlan, engine: Engine, homes: Sequence[str], paths: Paths
) -> tuple[tuple[str, float], ...]:
    """Seconds of the bytes of a plan in each memory and link between homes and the engine.

    A memory that the engine has for itself is busy while it computes, too.
    """
    found = dict.fromkeys(engine.occupies, plan.cycles / plan.clock_hz)
    for moved in (plan.loaded, plan.stored):
        for operand, size in moved.items():
            home, stage = homes[operand], engine.stage(op, operand)
            sends = op.operands[operand].tensor.home_bytes
            if home == stage:
                continue
            rate, sent = paths.memory(home).service(NOMINAL).bytes_per_s, sends(size)
            found[home] = found.get(home, 0.0) + sent / rate
            for link in paths.route(home, stage):
                way = f"{link.name} {operand < len(op.inputs)}" if link.separate else link.name
                found[way] = found.get(way, 0.0) + sent / link.bytes_per_s
    return tuple(found.items())
