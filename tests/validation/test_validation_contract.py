"""A case has two figures that can be compared, and a validation says where its own come from."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_validation import case, validation

from codesign.errors import ValidationError
from codesign.validation import Case, NotRun, Validation

FIGURES = st.floats(min_value=1e-12, max_value=1e15)


@pytest.mark.parametrize(
    ("ours", "theirs", "error"),
    [(110, 100, 0.1), (90, 100, -0.1), (100, 100, 0.0), (0, 7, -1.0), (30, 10, 2.0)],
)
def test_the_error_is_above_zero_where_ours_is_larger(
    ours: float, theirs: float, error: float
) -> None:
    assert case(ours, theirs).error == pytest.approx(error, abs=1e-15)


@given(FIGURES)
def test_equal_figures_have_no_error_at_all(figure: float) -> None:
    assert case(figure, figure).error == 0


@given(FIGURES, FIGURES, st.integers(-20, 20))
def test_the_unit_of_the_figures_does_not_reach_the_error(
    ours: float, theirs: float, power: int
) -> None:
    scale = 2.0**power
    assert case(ours * scale, theirs * scale).error == case(ours, theirs).error


@given(FIGURES, FIGURES)
def test_the_sign_of_the_error_says_which_figure_is_larger(ours: float, theirs: float) -> None:
    error = case(ours, theirs).error
    assert (error > 0, error < 0) == (ours > theirs, ours < theirs)
    assert error >= -1


@pytest.mark.parametrize("theirs", [0, -1.0, math.nan, math.inf])
def test_a_reference_that_nothing_can_be_compared_with_is_refused(theirs: float) -> None:
    with pytest.raises(ValidationError) as caught:
        case(1.0, theirs, "fast run")
    assert str(caught.value) == (
        f"cycles of case 'fast run': theirs must be finite and above 0, got {theirs}; "
        "leave it out as NotRun with the reason"
    )


@pytest.mark.parametrize("ours", [-1e-9, math.nan, math.inf])
def test_a_figure_of_ours_that_means_nothing_is_refused(ours: float) -> None:
    with pytest.raises(ValidationError, match="ours must be finite and at least 0, got"):
        case(ours)


@pytest.mark.parametrize("field", ["title", "source"])
@pytest.mark.parametrize("text", ["", "  "])
def test_a_validation_without_words_for_it_is_refused(field: str, text: str) -> None:
    words = {"title": "a title", "source": "a source", field: text}
    with pytest.raises(ValidationError, match=f"a Validation needs a {field}, got an empty one"):
        Validation(rows=lambda data: [], compare=lambda row: [], **words)  # type: ignore[arg-type]


@pytest.mark.parametrize("thing", [case(1), NotRun(name="a", reason="b"), validation()])
def test_nothing_of_the_contract_can_be_changed(thing: object) -> None:
    field = dataclasses.fields(thing)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, field, "other")


def test_a_case_says_what_it_is_unless_it_is_plain() -> None:
    plain = Case(name="a", quantity="bytes", ours=1, theirs=1)
    assert (plain.unit, plain.calibrated, plain.note) == ("", False, "")
    assert validation().files == ()
