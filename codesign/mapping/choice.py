"""Which engine runs an operator: the one on which it finishes first, or scores best, alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.answers import plan_of, refusals
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment
from codesign.mapping.prices import planned_j
from codesign.workload.record import Op


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine for an operator.

    Attributes:
        engine: the engine.
        plan: its tiles; None for an engine that is a process.
        budget_bytes: buffer bytes granted.
    """

    engine: Engine
    plan: TilePlan | None
    budget_bytes: int


def choose(
    op: Op,
    paths: Paths,
    taken: Mapping[str, int],
    homes: Sequence[str],
    buffer: str = "",
    engine: str = "",
    fixed: FixedMapping | None = None,
) -> Choice:
    """The engine on which the operator alone would finish first.

    If the objective of ``paths`` weighs energy, the engine on which its score is least. An engine
    that is a process cannot be estimated: it is chosen where no plan is possible.

    Args:
        op: the operator.
        paths: routes and budgets of the hardware, and the objective.
        taken: by memory, the bytes that other tensors hold.
        homes: for each operand, the memory that holds it.
        buffer: where the engine must work; anywhere if empty.
        engine: the engine that it must be; any if empty.
        fixed: what is decided of its mapping.

    Raises:
        MappingError: no engine that takes the operator finds tiles that fit.
        PluginError: an engine fails instead of answering.
    """
    best: tuple[float, Choice] | None = None
    trouble: list[str] = []
    refused = refusals(op, paths.hardware.engines)
    for one in paths.hardware.engines:
        if one.name in refused or buffer not in ("", one.buffer) or engine not in ("", one.name):
            continue
        budget = budget_of(one, op, paths, taken, homes)
        try:
            budget = _with_fixed(budget, fixed, one) if fixed else budget
            plan = None if one.process else plan_of(one, op, budget)
        except MappingError as error:
            trouble.append(str(error) if fixed else f"{one.name}: {error}")
            continue
        choice = Choice(one, plan, budget.buffer_bytes)
        score = _score(op, choice, budget, paths, homes)
        if best is None or score < best[0]:
            best = score, choice
    if best is None:
        raise MappingError(" | ".join(dict.fromkeys(trouble)))
    return best[1]


def _score(op: Op, choice: Choice, budget: Budget, paths: Paths, homes: Sequence[str]) -> float:
    """What the objective makes of a choice: seconds alone, if it does not weigh energy."""
    if choice.plan is None:
        return float("inf")
    seconds = estimate_s(choice.plan, budget)
    if paths.objective is None or not paths.objective.weighs_energy:
        return seconds
    return float(paths.objective.score(seconds, energy_of(op, choice, paths, homes)))


def energy_of(op: Op, choice: Choice, paths: Paths, homes: Sequence[str]) -> float:
    """Joules of an operator by its plan; 0 for an engine that is a process and has none.

    Raises:
        MappingError: an action without an energy.
    """
    if choice.plan is None:
        return 0.0
    one = Assignment(op, choice.engine.name, choice.plan, tuple(homes), choice.budget_bytes)
    return planned_j(one, choice.plan, paths.hardware)


def _with_fixed(budget: Budget, fixed: FixedMapping, engine: Engine) -> Budget:
    """A budget under which an engine keeps to a mapping.

    Raises:
        MappingError: the engine keeps to none.
    """
    if not engine.takes_mappings:
        raise MappingError(
            f"{fixed.place}: {engine.name} ({engine.kind}) plans by itself and takes no fixed "
            "mapping; name another engine, or remove the entry"
        )
    return replace(budget, fixed=fixed)


def budget_of(
    engine: Engine, op: Op, paths: Paths, taken: Mapping[str, int], homes: Sequence[str]
) -> Budget:
    """What an engine may use for an operator; arguments as for ``Paths.budget``."""
    stages = [engine.stage(op, operand) for operand in range(len(homes))]
    return paths.budget(engine, taken, homes, len(op.inputs), stages, op)


def estimate_s(plan: TilePlan, budget: Budget) -> float:
    """Seconds of an operator alone: its link time or its compute, whichever is longer.

    What it computes and what must load alone follow one another.
    """
    load, store = transfers_s(plan, budget)
    link = load + store if budget.shared_link else max(load, store)
    return max(link, plan.cycles / plan.clock_hz + _alone_s(plan, budget))


def _alone_s(plan: TilePlan, budget: Budget) -> float:
    """Seconds of the loads during which the engine does not compute."""
    if not plan.exclusive:
        return 0.0
    alone = [
        (move.bytes * budget.share(move.operand), times)
        for tile, times in plan.counts
        for move in tile.loads
        if move.operand in plan.exclusive
    ]
    size = sum(moved * times for moved, times in alone)
    return size / budget.load_bytes_per_s + budget.setup_s * sum(times for _, times in alone)


def transfers_s(plan: TilePlan, budget: Budget) -> tuple[float, float]:
    """Seconds of all loads, and of all stores, with what each pays before its first byte."""
    load = _sent(plan.loaded.items(), budget) / budget.load_bytes_per_s
    load += sum(bool(tile.loads) * n for tile, n in plan.counts) * budget.setup_s
    store = sum(plan.stored.values()) / budget.store_bytes_per_s
    store += sum(bool(tile.stores) * n for tile, n in plan.counts) * budget.setup_s
    return load, store


def _sent(loads: Iterable[tuple[int, int]], budget: Budget) -> float:
    """Bytes of operands on their way, as long as they take there."""
    return sum(size * budget.share(operand) for operand, size in loads)


def end_to_end_s(plan: TilePlan, budget: Budget) -> float:
    """Seconds of an operator alone from its first load to its last store, nothing overlapping it.

    No tile computes before its loads, and none stores before it has computed.
    """
    first = ((move.operand, move.bytes) for move in plan.first.loads)
    head = _sent(first, budget) / budget.load_bytes_per_s
    head += budget.setup_s * bool(plan.first.loads)
    tail = sum(move.bytes for move in plan.last.stores) / budget.store_bytes_per_s
    tail += budget.setup_s * bool(plan.last.stores)
    return max(estimate_s(plan, budget), head + plan.cycles / plan.clock_hz + tail)
