"""How far ours is from theirs, over the cases of a family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from codesign.validation.contract import Case

ITSELF = "%"
"""Unit of a figure that is an error itself, such as a mean over thousands of points."""
EXACT = 1e-12
"""Magnitude of a relative error up to which two figures are equal but for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Errors of one quantity over the cases of a family, calibrated or not.

    Attributes:
        quantity: what is compared.
        unit: its unit.
        calibrated: whether constants of ours were fitted to these cases.
        cases: number of them, at least 1.
        exact: how many of them are equal but for rounding.
        mean_absolute_error: mean magnitude of the relative errors.
        bias: mean of the relative errors with their signs.
        ours: mean of our figures.
        theirs: mean of the references.
        worst: the case with the largest magnitude; the last by name where several have it.
        within_10_percent: share of the cases with a magnitude of at most 0.10.
    """

    quantity: str
    unit: str
    calibrated: bool
    cases: int
    exact: int
    mean_absolute_error: float
    bias: float
    ours: float
    theirs: float
    worst: Case
    within_10_percent: float


def summaries(cases: Iterable[Case]) -> tuple[Summary, ...]:
    """A summary for each quantity, calibrated cases apart from others, in order of appearance."""
    groups: dict[tuple[str, str, bool], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.quantity, case.unit, case.calibrated), []).append(case)
    return tuple(_summary(*kind, group) for kind, group in groups.items())


def is_exact(case: Case) -> bool:
    """Whether both figures are equal but for rounding."""
    return abs(case.error) <= EXACT


def _summary(quantity: str, unit: str, calibrated: bool, cases: Sequence[Case]) -> Summary:
    # whole figures are compared as such: 110 is within 10 % of 100
    within = [10 * abs(case.ours - case.theirs) <= case.theirs for case in cases]
    return Summary(
        quantity=quantity,
        unit=unit,
        calibrated=calibrated,
        cases=len(cases),
        exact=sum(map(is_exact, cases)),
        mean_absolute_error=fsum(abs(case.error) for case in cases) / len(cases),
        bias=fsum(case.error for case in cases) / len(cases),
        ours=fsum(case.ours for case in cases) / len(cases),
        theirs=fsum(case.theirs for case in cases) / len(cases),
        worst=max(cases, key=lambda case: (abs(case.error), case.name)),
        within_10_percent=sum(within) / len(cases),
    )
