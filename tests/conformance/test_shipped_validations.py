"""Every shipped validation passes the kit, and the kit catches each fault that it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from toy_plugins import caught
from toy_validation import case, validation

from codesign.testing import check_validation
from codesign.validation import Case, NotRun, Validation, find_validations

FAMILIES = {
    name: offer.value
    for name, offer in find_validations().items()
    if offer.origin.startswith("codesign_plugins.")
}
DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"


@pytest.mark.parametrize("family", FAMILIES)
def test_shipped_validations_keep_their_promises_on_typed_rows(family: str) -> None:
    check_validation(FAMILIES[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_shipped_validations_tell_what_was_fitted_or_that_nothing_was(family: str) -> None:
    said = "fitted" in FAMILIES[family].note
    assert said or any(
        isinstance(one, Case) and one.calibrated for one in check_validation(FAMILIES[family])
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_files_of_a_shipped_validation_lie_in_folders_of_the_data_folder(family: str) -> None:
    for file in FAMILIES[family].files:
        assert file.count("/") == 1
        assert not DATA.exists() or (DATA / file).is_file()


def test_a_validation_of_two_cases_passes() -> None:
    outcomes = (case(1), case(2, name="other"), NotRun(name="third", reason="no record"))
    assert check_validation(validation(outcomes)) == outcomes


FAULTS: dict[str, tuple[Validation[Any], str]] = {
    "a title of two lines": (
        validation([case(1)], title="two\nlines"),
        "title must be one line without extra blanks: 'two\\nlines'",
    ),
    "a file outside": (
        replace(validation([case(1)]), files=("../secret.csv",)),
        "files: '../secret.csv' must be a path below the data folder",
    ),
    "an absolute file": (
        replace(validation([case(1)]), files=("/etc/passwd",)),
        "files: '/etc/passwd' must be a path below the data folder",
    ),
    "a row without an outcome": (validation([]), "row 1 gives nothing; give NotRun with the reas"),
    "something else than a case": (
        validation([3]),  # type: ignore[list-item]
        "row 1: compare must give Case or NotRun objects, got 3",
    ),
    "one case twice": (
        validation([case(1), case(2)]),
        "[('run', 'cycles')] come twice; give every case a name of its own",
    ),
    "no name": (validation([case(1, name="")]), "a case has no name; say what was run"),
    "no quantity": (validation([case(1, quantity="")]), "'run' has no quantity; write it"),
    "no reason": (validation([NotRun(name="a", reason="")]), "'a' has no reason; write it"),
    "a note of two lines": (
        validation([case(1, note="a\nb")]),
        "note of 'run' must be one line without extra blanks",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_kit_catches(fault: str) -> None:
    wrong, message = FAULTS[fault]
    caught(lambda: check_validation(wrong), message)


def test_the_kit_catches_a_comparison_that_remembers() -> None:
    calls = count(1)

    def compare(row: None) -> Iterator[Case]:
        yield case(next(calls))

    drifting = replace(validation(), compare=compare)
    caught(lambda: check_validation(drifting), "two runs of the same rows differ")


def test_the_kit_hands_the_data_folder_to_the_rows(tmp_path: Path) -> None:
    seen: list[Path | None] = []

    def rows(data: Path | None) -> list[None]:
        seen.append(data)
        return [None]

    check_validation(replace(validation([case(1)]), rows=rows), tmp_path)
    assert seen == [tmp_path, tmp_path]
