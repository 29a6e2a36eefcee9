"""Every value of a study by itself: one that no other values can mend is refused.

Whatever the size of a study, each value has to be one that its field, its option or its model can
have: that takes as many checks as there are values. One that its field can have, and that breaks a
rule in the hardware as the study has it, is tried again in every combination of the other
parameters of the hardware. Only what breaks the same rule, in the same words, in all of these is
refused, before any work. A value that others can mend is a matter of its points, which fail and are
recorded; so is one beside which the others have more than 256 combinations, since not all of them
are tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.errors import CodesignError, StudyError
from codesign.explore.grammar import Constraint
from codesign.explore.space import Parameter, Space
from codesign.hardware.objective import as_objective
from codesign.mapping.assign.ask import as_engines
from codesign.mapping.residency import as_residency
from codesign.workload.annotate import find_format
from codesign.workload.as_run import check_dtype
from codesign.workload.schedule_text import check_schedule

if TYPE_CHECKING:
    from codesign.explore.evaluate import How
    from codesign.explore.study import Study
    from codesign.hardware.machine import Hardware

Trial: TypeAlias = "Callable[[Mapping[str, Any]], object]"
"""Raises a CodesignError for values that break a rule."""

_MOST = 256
"""Most combinations of other parameters that a broken value is tried in (assumed): some tenths of a
second of checks."""


class AxisError(StudyError):
    """A value of a parameter that no point can have.

    Attributes:
        parameter: name of the parameter.
        place: of the value among its values, from 0.
    """

    def __init__(self, message: str, parameter: str, place: int) -> None:
        """Keeps where it stands, beside the message."""
        super().__init__(message)
        self.parameter, self.place = parameter, place


def check_values(study: Study, early: Sequence[Constraint]) -> None:
    """Checks every value of a study that can be checked without a model.

    Args:
        study: what is measured.
        early: constraints on parameters alone; a value that one of them leaves out is not looked
            at.

    Raises:
        AxisError: a value that breaks a rule by itself, or in every combination; the message names
            it and its parameter.
    """
    spaces = study.spaces
    for name in spaces.model:
        _check(study.space, early, name, (), study.source.check_values)
    for name in spaces.hardware:
        _check(study.space, early, name, (), _Fields(study.machine))
        _check(study.space, early, name, tuple(spaces.hardware), study.machine.with_all)
    for (
        name
    ) in spaces.schedule:  # what is said of one thing is checked without what is said of others
        _check(study.space, early, name, (), _Schedules(study))


class _Fields:
    """Tries values of the hardware, each by its field alone."""

    def __init__(self, machine: Hardware) -> None:
        self._machine = machine

    def __call__(self, values: Mapping[str, Any]) -> None:
        for path, value in values.items():
            self._machine.check_value(path, value)


class _Schedules:
    """Tries values of the schedule."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __call__(self, values: Mapping[str, Any]) -> None:
        study = self._study
        how = study.spaces.how(dict(values), study.base)
        as_residency(how.residency)
        as_engines(how.engines)
        as_objective(how.objective)
        check_form(how)
        for said in how.form.said:
            if said.codec is not None:
                find_format(said.codec, study.plugins)


def check_form(how: How) -> None:
    """Checks the number format and the schedule of a run without a model.

    Raises:
        TraceError: a text that means neither.
    """
    if how.form.dtype is not None:
        check_dtype(how.form.dtype)
    if how.form.schedule is not None:
        check_schedule(how.form.schedule)


def _check(
    space: Space, early: Sequence[Constraint], name: str, beside: Sequence[str], trial: Trial
) -> None:
    """Tries the values of one parameter, alone and beside those of others."""
    (own,) = (one for one in space.parameters if one.name == name)
    alone = [one for one in early if set(one.names) == {name}]
    for place, value in enumerate(own.values):
        tried = {name: value}
        if not all(one.holds(tried) for one in alone):
            continue
        fault = _fault(trial, tried)
        if not fault:
            continue
        around = _surroundings(space, name, place, beside)
        if around is not None and all(fault == _fault(trial, values) for values in around):
            told = f"{name}: its value {repr(value)[:60]} breaks a rule at each of its points"
            raise AxisError(f"{told}: {fault}", name, place)


def _surroundings(
    space: Space, name: str, place: int, beside: Sequence[str]
) -> Iterator[dict[str, Any]] | None:
    """A value of a parameter in all combinations of others; None where there are too many."""
    own = next(group for group in space.groups if any(one.name == name for one in group))
    # what is checked without others stands by itself
    fixed = {one.name: one.values[place] for one in own if one.name in {*beside, name}}
    groups = [[one for one in group if one.name in beside] for group in space.groups]
    choices = [
        _choices(group)
        for group, whole in zip(groups, space.groups, strict=True)
        if group and whole is not own
    ]
    if math.prod(map(len, choices)) > _MOST:
        return None
    return (
        {name: value for part in (*parts, fixed) for name, value in part.items()}
        for parts in product(*choices)
    )


def _choices(group: Sequence[Parameter]) -> list[dict[str, Any]]:
    """What parameters that go together may be; one with a condition may also not be there."""
    found = [
        {one.name: one.values[digit] for one in group} for digit in range(len(group[0].values))
    ]
    if any(one.when for one in group):
        found += [
            {one.name: one.values[digit] for one in group if one.when is None}
            for digit in range(len(group[0].values))
        ]
    return found


def _fault(trial: Trial, values: Mapping[str, Any]) -> str:
    """Why some values break a rule; empty if they do not."""
    try:
        trial(values)
    except CodesignError as error:
        return " ".join(str(error).split())
    return ""
