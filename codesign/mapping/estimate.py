"""How long a placement takes by the estimates of its plans: a yardstick that needs no replay."""

from __future__ import annotations

from codesign.hardware.plan import TilePlan
from codesign.mapping.choice import Choice, budget_of, estimate_s
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.plans import Plans
from codesign.mapping.timeline import Timeline
from codesign.workload.record import Op


def estimated_s(placement: Placement, paths: Paths) -> float:
    """Seconds of one run without the setup, if every operator ran alone.

    An engine that is a process has no plan and counts for nothing.
    """
    return sum(_alone_s(one, paths) * times for one, times in _of_a_run(placement))


def least_s(placement: Placement, plans: Plans) -> float:
    """The same for tiles that had every buffer for themselves, whatever stays there.

    Raises:
        MappingError: an operator that fits no buffer.
    """
    total = 0.0
    for one, times in _of_a_run(placement):
        if one.plan is not None and one.plan.cycles:
            buffer = plans.paths.hardware.engine(one.engine).buffer
            choice = plans.choose(one.op, {}, one.homes, buffer)
            total += _chosen_s(one.op, choice, one.homes, plans.paths) * times
        else:  # what computes nothing is a move that residency needs
            total += _alone_s(one, plans.paths) * times
    return total


def fetching_s(timeline: Timeline, plans: Plans) -> float:
    """The same where nothing stays: every operator fetches its operands and stores its results.

    Raises:
        MappingError: an operator that fits no buffer.
    """
    total = 0.0
    for op, times in zip(timeline.ops, timeline.times, strict=True):
        homes = (plans.paths.home,) * len(op.operands)
        total += _chosen_s(op, plans.choose(op, {}, homes), homes, plans.paths) * times
    return total


def _of_a_run(placement: Placement) -> list[tuple[Assignment, int]]:
    return placement.assignments()[len(placement.setup) :]


def _alone_s(one: Assignment, paths: Paths) -> float:
    return _plan_s(one.plan, one.op, one.engine, one.homes, paths)


def _chosen_s(op: Op, choice: Choice, homes: tuple[str, ...], paths: Paths) -> float:
    return _plan_s(choice.plan, op, choice.engine.name, homes, paths)


def _plan_s(
    plan: TilePlan | None, op: Op, engine: str, homes: tuple[str, ...], paths: Paths
) -> float:
    if plan is None:
        return 0.0
    # the estimate reads the rates of a budget and not its bytes
    return estimate_s(plan, budget_of(paths.hardware.engine(engine), op, paths, {}, homes))
