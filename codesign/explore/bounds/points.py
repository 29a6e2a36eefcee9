"""Bounds of all points of a grid, from tables of its models and of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from codesign.errors import CodesignError
from codesign.explore.bounds.compute import Charge, Compute, Engines, Work
from codesign.explore.bounds.parts import Places, Variants
from codesign.explore.bounds.traffic import Rule, least_moved
from codesign.explore.forms import Forms
from codesign.explore.grammar import Constraint
from codesign.explore.grid import Bools, Grid, Ints
from codesign.explore.objectives import Goal
from codesign.explore.pareto import Floats
from codesign.explore.space import Point
from codesign.hardware.component import Engine
from codesign.hardware.machine import Hardware
from codesign.mapping.residency import as_residency
from codesign.workload.record import Op, Trace

if TYPE_CHECKING:
    from codesign.explore.study import Study

_BELOW = 1 - 1e-9
"""Part of a bound that is left, so that the rounding of sums never lifts it above a replay."""


@dataclass(frozen=True)
class Bounds:
    """Lower bounds of figures.

    Attributes:
        figures: by name, of shape ``(points,)``; minus infinity where nothing is known.
        exact: names of the figures that are known and no mere bounds.
    """

    figures: Mapping[str, Floats]
    exact: frozenset[str]

    def scores(self, goals: Sequence[Goal]) -> Floats:
        """Bounds of objectives, all of them to be small, of shape ``(points, objectives)``."""
        return np.stack([self._score(goal) for goal in goals], axis=1)

    def only(self, mask: Bools) -> Bounds:
        """Those of some points."""
        return Bounds({name: one[mask] for name, one in self.figures.items()}, self.exact)

    def breaks(self, constraints: Sequence[Constraint]) -> Bools:
        """Points whose bounds say that they break a constraint such as ``latency_s <= 1e-3``."""
        found = np.zeros(len(next(iter(self.figures.values()))), dtype=bool)
        for constraint in constraints:
            limit = constraint.upper_limit
            if limit is not None and limit[0] in self.figures:
                found |= self.figures[limit[0]] > limit[1]
        return found

    def _score(self, goal: Goal) -> Floats:
        count = len(next(iter(self.figures.values())))
        if goal.name not in self.figures or (goal.maximise and goal.name not in self.exact):
            return np.full(count, -np.inf)
        found = self.figures[goal.name]
        return np.where(np.isfinite(found), -found, -np.inf) if goal.maximise else found


@dataclass(frozen=True)
class Reading:
    """What bounds need of one model.

    Attributes:
        compute: what engines cannot do without, for each of their configurations.
        moved: least bytes from and to off-chip memory, of shape ``(rules, capacities)``.
    """

    compute: tuple[Compute, ...]
    moved: Floats


class Bounder:
    """Bounds of the points of a study: first reads its models, then looks up every point."""

    def __init__(self, study: Study, grid: Grid) -> None:
        """Looks at the hardware of all points.

        Args:
            study: what is measured.
            grid: its points.
        """
        self._grid = grid
        paths = tuple(study.spaces.hardware)
        self._places = Places.of(grid, study.machine, paths)
        names = {engine.name for engine in study.machine.engines}
        self._variants = Variants.of(grid, study.machine, names, paths)
        self._engines = Engines([_engines(one) for one in self._variants.machines])
        self._judge = _Judge(study.machine, self._engines.configurations)
        self._capacities, self._capacity_ids = np.unique(self._places.capacity, return_inverse=True)
        self._rules = _Rules.of(grid, study)

    def read(self, trace: Trace) -> Reading:
        """What bounds need of a model as it runs."""
        work = Work.of(trace, self._engines.configurations)
        moved = [
            least_moved(trace.items, self._capacities, rule, self._judge)
            for rule in self._rules.rules
        ]
        return Reading(tuple(self._engines.least(work)), np.array(moved))

    def bounds(self, forms: Forms) -> Bounds:
        """Bounds of every point.

        Args:
            forms: the models, read by ``read``.
        """
        readings = [model.reading or self._nothing for model in forms.models]
        compute = [reading.compute for reading in readings]
        at = forms.ids, self._variants.ids
        places = self._places
        moved = np.array([reading.moved for reading in readings])
        bytes_ = moved[forms.ids, self._rules.ids, self._capacity_ids] * places.is_away
        rated = np.divide(bytes_, places.rate, out=np.zeros(len(self._grid)), where=places.rate > 0)
        latency = np.maximum(_table(compute, attrgetter("seconds"))[at], rated)
        dynamic = _table(compute, attrgetter("engine_j"))[at] + bytes_ * places.moved_j
        for charge in sorted({key for row in compute for one in row for key in one.bytes}):
            if charge in places.buffer_j:
                dynamic += _table(compute, _count_of(charge))[at] * places.buffer_j[charge]
        figures = {
            "latency_s": latency,
            "energy_j": dynamic + latency * places.static_w,
            "dynamic_energy_j": dynamic,
            "leakage_energy_j": latency * places.leakage_w,
            "background_energy_j": latency * (places.static_w - places.leakage_w),
            "offchip_bytes": bytes_,
        }
        figures["edp_js"] = figures["energy_j"] * latency
        known = np.array([model.reading is not None for model in forms.models], dtype=bool)
        is_known = known[forms.ids] & places.is_known & self._variants.is_known
        return _with_exact(
            {name: np.where(is_known, one * _BELOW, -np.inf) for name, one in figures.items()},
            forms,
        )

    @property
    def _nothing(self) -> Reading:
        """Stands for a model that cannot run: its points fail when they are measured."""
        count = len(self._engines.configurations)
        shape = len(self._rules.rules), len(self._capacities)
        return Reading((Compute(0.0, 0.0, {}),) * count, np.zeros(shape))


def _with_exact(figures: dict[str, Floats], forms: Forms) -> Bounds:
    """Bounds, and what is known of the models."""
    names = sorted({name for model in forms.models for name in model.values})
    for name in names:
        values = np.array([model.values.get(name, -np.inf) for model in forms.models])
        figures[name] = values[forms.ids]
    return Bounds(figures, frozenset(names))


def _table(compute: Sequence[Sequence[Compute]], figure: Callable[[Compute], float]) -> Floats:
    """A figure by model and configuration of the engines."""
    return np.array([[figure(one) for one in row] for row in compute], dtype=float)


def _count_of(charge: Charge) -> Callable[[Compute], float]:
    return lambda one: one.bytes.get(charge, 0.0)


@dataclass(frozen=True)
class _Rules:
    """What may stay on chip, of every point.

    Attributes:
        ids: of each point, which rule.
        rules: those that there are.
    """

    ids: Ints
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, grid: Grid, study: Study) -> _Rules:
        column = grid.column({"residency"} & set(study.spaces.schedule))
        return cls(column.ids, tuple(_rule(study, values) for values in column.values))


def _rule(study: Study, values: Point) -> Rule:
    try:
        return Rule.of(as_residency(study.spaces.how(values, study.base).residency))
    except CodesignError:  # points with it fail when they are measured, and say why
        return Rule()


class _Judge:
    """Operators whose operands cross the chip: those that no engine takes beside off-chip cells."""

    def __init__(self, machine: Hardware, configurations: Sequence[Sequence[Engine]]) -> None:
        away = {memory.name for memory in machine.memories if memory.off_chip}
        self._there = [
            engine
            for engines in configurations
            for engine in engines
            if not away.isdisjoint((engine.buffer, *engine.stages, *engine.occupies))
        ]

    def __call__(self, op: Op) -> bool:
        return all(engine.supports(op) is not None for engine in self._there)


def _engines(machine: Hardware | None) -> tuple[Engine, ...]:
    return machine.engines if machine else ()
