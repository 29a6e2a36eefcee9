"""What every validation promises: references with a source, and the same answer every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from codesign.testing.rules import expect
from codesign.validation.contract import Case, NotRun, Outcome, Validation


def check_validation(validation: Validation[Any], data: Path | None = None) -> tuple[Outcome, ...]:
    """Checks a family of references: it reads, and compares every row, twice.

    Args:
        validation: what a plugin returns from ``codesign_validations``.
        data: the data folder; without it only the rows that need no file are compared.

    Returns:
        What came out, for further checks.

    Raises:
        AssertionError: says which promise is broken, and what to write.
    """
    for field in ("title", "source", "note"):
        _one_line(field, getattr(validation, field))
    for file in validation.files:
        path = PurePosixPath(file)
        expect(
            not path.is_absolute() and ".." not in path.parts and "\\" not in file,
            f"files: {file!r} must be a path below the data folder with / between its parts",
        )
    found = _outcomes(validation, data)
    expect(
        found == _outcomes(validation, data),
        "two runs of the same rows differ; let compare depend on its row alone",
    )
    cases = [one for one in found if isinstance(one, Case)]
    times = Counter((case.name, case.quantity) for case in cases)
    twice = [key for key, number in times.items() if number > 1]
    expect(not twice, f"{twice[:3]} come twice; give every case a name of its own")
    return found


def _outcomes(validation: Validation[Any], data: Path | None) -> tuple[Outcome, ...]:
    found: list[Outcome] = []
    for place, row in enumerate(validation.rows(data), 1):
        outcomes = list(validation.compare(row))
        expect(outcomes, f"row {place} gives nothing; give NotRun with the reason")
        for outcome in outcomes:
            expect(
                isinstance(outcome, Case | NotRun),
                f"row {place}: compare must give Case or NotRun objects, got {outcome!r}",
            )
            _check_words(outcome)
        found += outcomes
    return tuple(found)


def _check_words(outcome: Outcome) -> None:
    fields = ("quantity", "unit", "note") if isinstance(outcome, Case) else ("reason",)
    for field in ("name", *fields):
        _one_line(f"{field} of {outcome.name[:60]!r}", getattr(outcome, field))
    needed = "quantity" if isinstance(outcome, Case) else "reason"
    expect(outcome.name, "a case has no name; say what was run")
    expect(getattr(outcome, needed), f"{outcome.name!r} has no {needed}; write it")


def _one_line(what: str, text: str) -> None:
    expect(
        text == " ".join(text.split()), f"{what} must be one line without extra blanks: {text!r}"
    )
