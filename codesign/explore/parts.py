"""The three spaces of a study as one, and which part of a point changes what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codesign.errors import StudyError, did_you_mean
from codesign.explore.evaluate import How
from codesign.explore.grammar import Constraint
from codesign.explore.objectives import FACTS, FIGURES, Goal
from codesign.explore.space import Parameter, Point, Space
from codesign.hardware.build import check_field
from codesign.hardware.machine import Hardware
from codesign.workload.annotate import KEYS, Annotation

RUN_KEYS = ("schedule", "residency", "engines", "dtype", "objective")
"""Keys of a schedule space beside those of annotations."""
_TAKEN = ("index", "feasible", "violated", "message", "trace", "hardware", "version")
"""Columns of a table that no parameter may be called."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Spaces:
    """What varies, by what it changes: each a mapping from a name to its values."""

    model: Values
    hardware: Values
    schedule: Values

    def space(
        self,
        zipped: Sequence[Sequence[str]],
        conditions: Mapping[str, str],
        constraints: Sequence[Constraint],
    ) -> Space:
        """All of it in one: the model varies slowest, the schedule fastest.

        Raises:
            StudyError: a value of another type, a name that is taken, or as ``Space``.
        """
        named = [
            pair for part in (self.model, self.hardware, self.schedule) for pair in part.items()
        ]
        for name in conditions:
            if name not in dict(named):
                hint = did_you_mean(name, dict(named))
                raise StudyError(f"conditions: unknown parameter {name!r}{hint}")
        for group in zipped:
            if not isinstance(group, (list, tuple)) or not all(isinstance(n, str) for n in group):
                raise StudyError(
                    f"zipped must be a list of lists of parameters, got {repr(group)[:60]} in it; "
                    "write for example [[npu.rows, npu.cols]]"
                )
        found = tuple(_parameter(name, values, conditions.get(name)) for name, values in named)
        return Space(found, tuple(map(tuple, zipped)), tuple(constraints))

    def check_hardware(self, machine: Hardware) -> None:
        """Checks the paths of hardware values.

        Raises:
            StudyError: no such component.
            HardwareError: no such field.
        """
        for path in self.hardware:
            name, _, rest = path.partition(".")
            part = machine.components.get(name)
            if part is None:
                raise StudyError(
                    f"hardware_space: unknown component {name[:60]!r} in {path[:80]!r}"
                    f"{did_you_mean(name[:60], machine.components)}"
                )
            check_field(
                rest.partition(".")[0], name, type(part), f"hardware_space: {path[:80]!r}: "
            )

    def check_schedule(self) -> None:
        """Checks the keys of the schedule space.

        Raises:
            StudyError: an unknown key.
        """
        for name in self.schedule:
            pattern, _, key = name.rpartition(":")
            known = KEYS if pattern else (*RUN_KEYS, *KEYS)
            if key not in known:
                hint = did_you_mean(key, known)
                raise StudyError(f"schedule_space: unknown key {key!r}{hint}")

    def model_part(self, point: Point) -> Point:
        """Values of a point that the model takes."""
        return {name: value for name, value in point.items() if name in self.model}

    def settings(self, point: Point) -> Point:
        """Hardware values of a point."""
        return {name: value for name, value in point.items() if name in self.hardware}

    def how(self, point: Point, base: How) -> How:
        """How a point runs: as the study says, but for what the point says.

        Raises:
            TraceError: an annotation that means nothing.
        """
        mine = {name: value for name, value in point.items() if name in self.schedule}
        run = {name: mine.pop(name) for name in RUN_KEYS if mine.get(name) is not None}
        said = (*base.form.said, *_annotations(mine))
        form = {name: run.pop(name) for name in ("dtype", "schedule") if name in run}
        return replace(base, form=replace(base.form, said=said, **form), **run)


def sort_constraints(
    constraints: Sequence[Constraint], names: Sequence[str], goals: Sequence[Goal]
) -> tuple[list[Constraint], list[Constraint], list[Constraint]]:
    """Constraints on parameters alone, on facts of the model too, and on results too.

    Raises:
        StudyError: a name that is none of these.
    """
    known = {*names, *FACTS, *FIGURES, *(goal.name for goal in goals)}
    for constraint in constraints:
        for name in constraint.names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise StudyError(f"constraint {constraint.text!r}: unknown name {name!r}{hint}")
    early, facts, late = list[Constraint](), list[Constraint](), list[Constraint]()
    before = {*FACTS, *(goal.name for goal in goals if goal.takes)}
    for constraint in constraints:
        asked = set(constraint.names) - set(names)
        (late if asked - before else facts if asked else early).append(constraint)
    return early, facts, late


def _annotations(values: Mapping[str, Any]) -> list[Annotation]:
    """Annotations of a point: what is said of one pattern is said at once."""
    said: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        pattern, _, key = name.rpartition(":")
        if value is not None and key in KEYS:
            said.setdefault(pattern or "*", {})[key] = value
    return [Annotation(pattern, **given) for pattern, given in said.items()]


def _parameter(name: str, values: Any, when: str | None) -> Parameter:
    if name in (*_TAKEN, *FACTS, *FIGURES):
        raise StudyError(
            f"no parameter can be called {name!r}, which is a figure; call it otherwise"
        )
    found = Parameter.of(name, values, when)
    plain = tuple(value.item() if hasattr(value, "item") else value for value in found.values)
    for value in plain:
        is_plain = value is None or isinstance(value, (bool, int, float, str))
        if not is_plain or (isinstance(value, float) and not math.isfinite(value)):
            raise StudyError(
                f"{name}: values must be finite numbers, text, true, false or None, got "
                f"{repr(value)[:60]}; give names, and what they stand for in a function"
            )
    return replace(found, values=plain)
