"""Figures and errors as people read them, in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable

from codesign.validation.contract import Case, NotRun
from codesign.validation.summary import EXACT, ITSELF, Summary, is_exact

SUMMARY_HEADS = (
    "family",
    "quantity",
    "calibrated",
    "cases",
    "exact",
    "mean error",
    "bias",
    "worst",
    "within 10 %",
    "worst case",
)
CASE_HEADS = ("case", "quantity", "ours", "theirs", "error", "calibrated", "note")
LEGEND = (
    "errors: ours / theirs - 1; mean error: of magnitudes; bias: with sign; exact: equal but for "
    "rounding; calibrated: whether a constant of ours was fitted to these cases; a quantity in % "
    "is an error itself: its mean error is the mean of ours, bias and worst are ours less theirs"
)


def summary_cells(family: str, summary: Summary) -> tuple[str, ...]:
    """A line of the table of families, below ``SUMMARY_HEADS``."""
    worst = summary.worst
    is_error = summary.unit == ITSELF
    return (
        family,
        quantity(summary),
        yes(summary.calibrated),
        f"{summary.cases:,}",
        f"{summary.exact:,}",
        percent(summary.ours / 100 if is_error else summary.mean_absolute_error, sign=""),
        points(summary) if is_error else percent(summary.bias),
        points(worst) if is_error else percent(worst.error),
        "" if is_error else f"{100 * summary.within_10_percent:.1f} %",
        "" if is_exact(worst) else worst.name,
    )


def case_cells(case: Case) -> tuple[str, ...]:
    """A line of the table of cases, below ``CASE_HEADS``."""
    difference = points(case) if case.unit == ITSELF else percent(case.error)
    error = "exact" if is_exact(case) else difference
    figures = number(case.ours), number(case.theirs)
    return (case.name, quantity(case), *figures, error, yes(case.calibrated), case.note)


def quantity(of: Case | Summary) -> str:
    """What is compared, with its unit if it has one."""
    return f"{of.quantity} ({of.unit})" if of.unit else of.quantity


def number(value: float) -> str:
    """A whole number up to 10^15 in full, any other in six digits."""
    if float(value).is_integer() and value < 1e15:
        return f"{int(value):,}"
    return f"{value:.6g}"


def percent(share: float, sign: str = "+") -> str:
    """A relative error in percent; one that would round to 0 without being 0 in one digit."""
    if abs(share) <= EXACT:
        return "0 %"
    value = 100 * share
    return f"{value:{sign}.0e} %" if abs(value) < 0.0005 else f"{value:{sign}.3f} %"


def points(of: Case | Summary) -> str:
    """How far an error is from theirs, in points of a hundred."""
    return f"{of.ours - of.theirs:+.3f} points"


def yes(flag: bool) -> str:
    """``yes`` or ``no``."""
    return "yes" if flag else "no"


def not_run_lines(not_run: Iterable[NotRun], names: int | None = None) -> list[str]:
    """What was not compared: a line for each reason.

    Args:
        not_run: of one family.
        names: how many cases a line names before it counts the others; all by default.
    """
    reasons: dict[str, list[str]] = {}
    for one in not_run:
        reasons.setdefault(one.reason, []).append(one.name)
    lines = []
    for reason, cases in reasons.items():
        named = cases if names is None or len(cases) <= names else cases[:names]
        more = f" and {len(cases) - len(named):,} more" if len(named) < len(cases) else ""
        lines.append(f"{', '.join(named)}{more}: {reason}")
    return lines
