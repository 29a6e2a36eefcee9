"""What a result says of fixed mappings: each beside the best one found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codesign.errors import MappingError
from codesign.hardware.plan import TilePlan
from codesign.mapping.choice import Choice, budget_of, energy_of, estimate_s
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.plans import Plans

_SHOWN = 3
"""Most operators that have a note of their own."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A fixed mapping beside the best one found in its place.

    Attributes:
        name: of the operator.
        engine: name of the engine that runs it.
        seconds: estimated time of the fixed mapping, alone.
        best: the best choice; None where the search finds nothing that fits.
        best_s: its estimated time, alone.
        joules: energy of the fixed mapping; None where the objective does not weigh it.
        best_j: that of the best choice.
    """

    name: str
    engine: str
    seconds: float
    best: Choice | None
    best_s: float
    joules: float | None = None
    best_j: float | None = None


def compare(one: Assignment, plans: Plans) -> Compared | None:
    """An assignment beside the best in its place; None if its mapping is not fixed."""
    if one.plan is None or plans.fixed.of(one.op) is None:
        return None
    engine = plans.paths.hardware.engine(one.engine)
    seconds, joules = _cost(Choice(engine, one.plan, one.budget_bytes), one.plan, one, plans)
    try:
        best = plans.unfixed(one)
    except MappingError:  # a fixed mapping may cut what the search leaves whole
        best = None
    if best is None or best.plan is None:
        return Compared(one.op.name, one.engine, seconds, None, seconds, joules, joules)
    best_s, best_j = _cost(best, best.plan, one, plans)
    return Compared(one.op.name, one.engine, seconds, best, best_s, joules, best_j)


def _cost(
    choice: Choice, plan: TilePlan, one: Assignment, plans: Plans
) -> tuple[float, float | None]:
    """Seconds of a choice in the place of an assignment; joules if the objective weighs them."""
    # the estimate reads the rates of a budget and not its bytes
    budget = budget_of(choice.engine, one.op, plans.paths, {}, one.homes)
    seconds, objective = estimate_s(plan, budget), plans.paths.objective
    if objective is None or not objective.weighs_energy:
        return seconds, None
    return seconds, energy_of(one.op, choice, plans.paths, one.homes)


def fixed_notes(placement: Placement, plans: Plans) -> tuple[str, ...]:
    """One line for each of a few operators with a fixed mapping; of more, how they compare."""
    ones = [one for one, _ in placement.assignments()]
    found = [compared for one in ones if (compared := compare(one, plans))]
    if len(found) <= _SHOWN:
        return tuple(
            f"{one.name}: fixed mapping {_figures(one.seconds, one.joules)}, {_best(one)}"
            for one in found
        )
    fixed_s, best_s = sum(one.seconds for one in found), sum(one.best_s for one in found)
    fixed_j, best_j = _all(one.joules for one in found), _all(one.best_j for one in found)
    return (
        f"{len(found):,} operators with a fixed mapping take {_figures(fixed_s, fixed_j)} alone, "
        f"the best mappings found {_figures(best_s, best_j)}{_worst(found)}",
    )


def _worst(found: Sequence[Compared]) -> str:
    """The one furthest off; none where no digit that is shown tells it."""
    worst = max(found, key=lambda one: one.seconds - one.best_s)
    ours, best = _figures(worst.seconds), _figures(worst.best_s)
    return "" if ours == best else f"; furthest off is {worst.name} with {ours} instead of {best}"


def _all(joules: Iterable[float | None]) -> float | None:
    found = [one for one in joules if one is not None]
    return sum(found) if found else None


def _figures(seconds: float, joules: float | None = None) -> str:
    time = f"{seconds * 1e3:,.3g} ms"
    return time if joules is None else f"{time} and {joules * 1e6:,.3g} µJ"


def _best(one: Compared) -> str:
    if one.best is None:
        return "and the search finds none that fits"
    where = f" on {one.best.engine.name}" if one.best.engine.name != one.engine else ""
    return f"the best one found {_figures(one.best_s, one.best_j)}{where}"
