"""Objectives that are functions of parameters: asked once, before anything is replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from study_parts import RATES, study

from codesign.errors import StudyError
from codesign.explore.journal import read_journal
from codesign.explore.known import takes


def accuracy(width: int) -> float:
    return width / 64


def test_a_function_of_parameters_is_told_from_one_of_a_point_and_its_result() -> None:
    names = ("width", "dram.bandwidth", "bits")
    assert takes(accuracy, names) == ("width",)
    assert takes(lambda point, result: 1.0, names) == ()
    assert takes(lambda width, height: 1.0, names) == ()
    assert takes(lambda width, bits=8, seed=0: 1.0, names) == ("width", "bits")
    assert takes(lambda **anything: 1.0, names) == ()
    assert takes(lambda: 1.0, names) == ()
    assert takes(max, names) == ()


def test_it_is_called_once_for_each_value_and_stands_in_every_row(tmp_path: Path) -> None:
    asked = []

    def quality(width: int) -> float:
        asked.append(width)
        return accuracy(width)

    found = study(objectives=["energy_j", ("max:quality", quality)]).run(tmp_path, exhaustive=True)
    assert asked == [16, 32]
    assert len(found.done) == 12
    assert all(row["quality"] == row["width"] / 64 for row in found.table())


def test_a_journal_remembers_what_took_long(tmp_path: Path) -> None:
    asked = []

    def quality(width: int) -> float:
        asked.append(width)
        return accuracy(width)

    def made() -> Any:
        return study(objectives=["energy_j", ("max:quality", quality)])

    first = made().run(tmp_path)
    again = made().run(tmp_path, resume=True)
    assert again.digest == first.digest
    assert asked == [16, 32]
    events = [record for record in read_journal(tmp_path / "journal.jsonl") if "values" in record]
    assert [record["values"] for record in events] == [{"width": 16}, {"width": 32}]


def test_it_prunes_like_any_bound(tmp_path: Path) -> None:
    made = study(objectives=["energy_j", ("max:accuracy", accuracy)])
    pruned, whole = made.run(tmp_path / "a"), made.run(tmp_path / "b", exhaustive=True)
    assert pruned.pareto() == whole.pareto()


def test_a_constraint_on_it_leaves_points_out_before_a_replay(tmp_path: Path) -> None:
    made = study(
        objectives=["energy_j", ("max:accuracy", accuracy)], constraints=["accuracy >= 0.4"]
    )
    found = made.run(tmp_path, exhaustive=True)
    assert {row["width"] for row in found.table()} == {32}
    assert found.left_out == len(RATES)


@pytest.mark.parametrize(
    ("answer", "message"),
    [(float("nan"), "must be a finite number, got nan"), ("1", "must be a finite number, got '1'")],
)
def test_an_answer_that_is_no_number_fails_its_points(
    answer: Any, message: str, tmp_path: Path
) -> None:
    def quality(width: int) -> Any:
        return answer if width == 16 else 1.0

    found = study(objectives=["energy_j", quality]).run(tmp_path, exhaustive=True)
    assert len(found.failed) == 6
    assert message in found.failed[0]["message"]
    assert len(found.done) == 6


def test_one_that_raises_is_asked_once(tmp_path: Path) -> None:
    asked = []

    def quality(width: int) -> float:
        asked.append(width)
        raise StudyError("no data")

    found = study(objectives=["energy_j", quality]).run(tmp_path)
    assert asked == [16, 32]
    assert {row["message"] for row in found.failed} == {"no data"}
