"""Figures that are errors themselves: what the summary and the cases say of them."""

from __future__ import annotations

import pytest
from toy_validation import case

from codesign.validation import Case, summaries
from codesign.validation.wording import CASE_HEADS, SUMMARY_HEADS, case_cells, summary_cells


def error(ours: float, theirs: float, name: str = "set") -> Case:
    """A mean error over a set, in percent."""
    return Case(name=name, quantity="mean error", unit="%", ours=ours, theirs=theirs)


def summary(*cases: Case) -> dict[str, str]:
    (found,) = summaries(cases)
    return dict(zip(SUMMARY_HEADS, summary_cells("family", found), strict=True))


def test_the_summary_of_errors_is_their_mean_and_not_an_error_of_errors() -> None:
    found = summary(error(4.0, 5.0, "a"), error(6.0, 6.5, "b"))
    assert found["mean error"] == "5.000 %"
    assert found["bias"] == "-0.750 points"
    assert (found["worst"], found["worst case"]) == ("-1.000 points", "a")
    assert found["within 10 %"] == ""


def test_a_case_that_is_an_error_is_so_many_points_off() -> None:
    cells = dict(zip(CASE_HEADS, case_cells(error(7.5, 5.0)), strict=True))
    assert (cells["ours"], cells["theirs"], cells["error"]) == ("7.5", "5", "+2.500 points")
    exact = dict(zip(CASE_HEADS, case_cells(error(5.0, 5.0)), strict=True))
    assert exact["error"] == "exact"


@pytest.mark.parametrize("unit", ["", "us", "GB/s"])
def test_all_other_figures_have_relative_errors(unit: str) -> None:
    one = Case(name="a", quantity="time", unit=unit, ours=110, theirs=100)
    found = summary(one)
    assert (found["mean error"], found["bias"], found["worst"]) == (
        "10.000 %",
        "+10.000 %",
        "+10.000 %",
    )
    assert case_cells(one)[CASE_HEADS.index("error")] == "+10.000 %"


def test_means_of_both_sides_are_kept() -> None:
    (found,) = summaries([case(110, name="a"), case(90, name="b")])
    assert (found.ours, found.theirs) == (100, 100)
