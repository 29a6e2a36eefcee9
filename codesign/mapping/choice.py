"""Which engine runs an operator: the one on which it would finish first alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from codesign.errors import CodesignError, MappingError, PluginError, one_line
from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.paths import Paths
from codesign.workload.record import Op

T = TypeVar("T")


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


def refusals(op: Op, engines: Sequence[Engine]) -> dict[str, str]:
    """Engines that refuse an operator, with their reasons."""
    answers = {e.name: _ask(e, op, "supports", partial(e.supports, op)) for e in engines}
    return {name: reason for name, reason in answers.items() if reason is not None}


def choose(
    op: Op, paths: Paths, taken: Mapping[str, int], homes: Sequence[str], buffer: str = ""
) -> Choice:
    """The engine on which the operator alone would finish first.

    An engine that is a process cannot be estimated: it is chosen where no plan is possible.

    Args:
        op: the operator.
        paths: routes and budgets of the hardware.
        taken: by buffer, the bytes that other tensors hold.
        homes: for each operand, the memory that holds it.
        buffer: where the engine must work; anywhere if empty.

    Raises:
        MappingError: no engine that takes the operator finds tiles that fit.
        PluginError: an engine fails instead of answering.
    """
    best: tuple[float, Choice] | None = None
    trouble: list[str] = []
    refused = refusals(op, paths.hardware.engines)
    for engine in paths.hardware.engines:
        if engine.name in refused or buffer not in ("", engine.buffer):
            continue
        budget = budget_of(engine, op, paths, taken.get(engine.buffer, 0), homes)
        try:
            plan = None if engine.process else plan_of(engine, op, budget)
        except MappingError as error:
            trouble.append(f"{engine.name}: {error}")
            continue
        estimate = estimate_s(plan, budget) if plan else float("inf")
        if best is None or estimate < best[0]:
            best = estimate, Choice(engine, plan, budget.buffer_bytes)
    if best is None:
        raise MappingError(" | ".join(trouble))
    return best[1]


def budget_of(engine: Engine, op: Op, paths: Paths, taken: int, homes: Sequence[str]) -> Budget:
    """What an engine may use for an operator; arguments as for ``Paths.budget``."""
    stages = [engine.stage(op, operand) for operand in range(len(homes))]
    return paths.budget(engine, taken, homes, len(op.inputs), stages)


def plan_of(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """An engine's plan.

    Raises:
        MappingError: no tile fits the budget.
        PluginError: the engine fails, or returns something else.
    """
    plan = _ask(engine, op, "plan", partial(engine.plan, op, budget))
    if not isinstance(plan, TilePlan):
        raise PluginError(
            f"{engine.name} ({engine.kind}): plan of {op.name!r} must be a TilePlan, "
            f"got {type(plan).__name__}; run codesign.testing.check_engine on it"
        )
    return plan


def _ask(engine: Engine, op: Op, question: str, answer: Callable[[], T]) -> T:
    """An answer of a plugin, whose own failures are told as such."""
    try:
        return answer()
    except CodesignError as error:
        if isinstance(error, MappingError):
            raise
        raise PluginError(_failed(engine, op, question, error)) from error
    except Exception as error:  # a plugin may fail in any way; name it and say where
        raise PluginError(_failed(engine, op, question, error)) from error


def _failed(engine: Engine, op: Op, question: str, error: Exception) -> str:
    return (
        f"{engine.name} ({engine.kind}): {question}() of {op.name!r} raised {one_line(error)}; "
        "run codesign.testing.check_engine on it"
    )


def estimate_s(plan: TilePlan, budget: Budget) -> float:
    """Seconds of an operator alone: its link time or its compute, whichever is longer."""
    load = sum(plan.loaded.values()) / budget.load_bytes_per_s
    load += sum(bool(tile.loads) * n for tile, n in plan.counts) * budget.setup_s
    store = sum(plan.stored.values()) / budget.store_bytes_per_s
    store += sum(bool(tile.stores) * n for tile, n in plan.counts) * budget.setup_s
    link = load + store if budget.shared_link else max(load, store)
    return max(link, plan.cycles / plan.clock_hz)
