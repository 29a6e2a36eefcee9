"""Results as plain data: everything that the table shows, whatever kind of number it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_validation import case, result

from codesign.validation import NotRun
from codesign.validation.document import document

FIGURES = st.floats(min_value=1e-9, max_value=1e15)


def through_json(found: Any) -> dict[str, Any]:
    """What a program reads."""
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float64, np.int32])
def test_figures_of_arrays_are_plain_numbers(kind: Any) -> None:
    found = through_json(document(result(case(kind(3), kind(4)))))
    (only,) = found["cases"]
    assert (only["ours"], only["theirs"], only["error"]) == (3, 4, -0.25)


@given(FIGURES, FIGURES)
def test_figures_survive_json_to_the_last_bit(ours: float, theirs: float) -> None:
    (only,) = through_json(document(result(case(ours, theirs))))["cases"]
    assert (only["ours"], only["theirs"]) == (ours, theirs)
    assert only["error"] == case(ours, theirs).error


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=10))
def test_the_summary_can_be_made_again_from_the_cases(pairs: list[tuple[float, float]]) -> None:
    cases = [case(*pair, name=str(place)) for place, pair in enumerate(pairs)]
    found = through_json(document(result(*cases)))
    errors = [one["error"] for one in found["cases"]]
    (summary,) = found["summaries"]
    assert summary["cases"] == len(errors)
    assert summary["bias"] == pytest.approx(np.mean(errors), rel=1e-9, abs=1e-9)
    mean = np.mean(np.abs(errors))
    assert summary["mean_absolute_error"] == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert abs(summary["worst_error"]) == max(map(abs, errors))


def test_calibrated_cases_are_marked_and_summed_up_apart() -> None:
    found = document(result(case(90, name="a"), case(99, name="b", calibrated=True)))
    assert [one["calibrated"] for one in found["cases"]] == [False, True]
    assert [(one["calibrated"], one["cases"]) for one in found["summaries"]] == [
        (False, 1),
        (True, 1),
    ]


def test_what_was_not_run_is_there_with_its_reason() -> None:
    found = document(result(NotRun(name="runs.csv", reason="not in the data folder")))
    assert found["not_run"] == [{"name": "runs.csv", "reason": "not in the data folder"}]
    assert (found["cases"], found["summaries"]) == ([], [])
