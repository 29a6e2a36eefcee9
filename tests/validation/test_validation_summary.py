"""Laws of the statistics: what they bound, what they do not depend on, and how they add up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_validation import case

from codesign.validation import Case, Summary, summaries
from codesign.validation.summary import EXACT, is_exact

FIGURES = st.one_of(st.integers(1, 10**9), st.floats(min_value=1e-9, max_value=1e12))


@st.composite
def some_cases(draw: st.DrawFn) -> list[Case]:
    """Cases of one quantity with names of their own; some of them are exact."""
    pairs = draw(st.lists(st.tuples(FIGURES, FIGURES, st.booleans()), min_size=1, max_size=20))
    return [
        case(theirs if same else ours, theirs, name=f"run {place}")
        for place, (ours, theirs, same) in enumerate(pairs)
    ]


def one(cases: list[Case]) -> Summary:
    """The summary of cases of one quantity."""
    (found,) = summaries(cases)
    return found


def test_the_figures_of_three_cases_are_those_of_a_hand_calculation() -> None:
    found = one([case(110, name="a"), case(80, name="b"), case(100, name="c")])
    assert (found.cases, found.exact) == (3, 1)
    assert found.mean_absolute_error == pytest.approx(0.1)
    assert found.bias == pytest.approx(-0.1 / 3)
    assert found.worst.name == "b"
    assert found.within_10_percent == pytest.approx(2 / 3)


@given(some_cases())
def test_the_bias_is_within_the_mean_and_the_mean_within_the_worst(cases: list[Case]) -> None:
    found, rounding = one(cases), 1 + 1e-12
    assert abs(found.bias) <= found.mean_absolute_error * rounding
    assert found.mean_absolute_error <= abs(found.worst.error) * rounding
    assert found.worst in cases


@given(some_cases())
def test_shares_and_counts_are_within_the_number_of_cases(cases: list[Case]) -> None:
    found = one(cases)
    assert found.cases == len(cases)
    assert 0 <= found.exact <= found.within_10_percent * found.cases + 1e-9
    assert found.within_10_percent <= 1


@given(some_cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_cases_does_not_matter(cases: list[Case], dice: random.Random) -> None:
    shuffled = list(cases)
    dice.shuffle(shuffled)
    assert one(shuffled) == one(cases)


@given(some_cases(), st.integers(-20, 20))
def test_the_unit_of_the_figures_does_not_matter(cases: list[Case], power: int) -> None:
    scale = 2.0**power
    scaled = [case(c.ours * scale, c.theirs * scale, c.name) for c in cases]
    first, second = one(cases), one(scaled)
    for field in ("cases", "exact", "mean_absolute_error", "bias", "within_10_percent"):
        assert getattr(first, field) == getattr(second, field)
    assert first.worst.name == second.worst.name


@given(some_cases(), some_cases())
def test_means_of_two_halves_are_weighted_by_their_cases(
    left: list[Case], right: list[Case]
) -> None:
    total, parts = one([*left, *right]), (one(left), one(right))
    for field in ("mean_absolute_error", "bias", "within_10_percent"):
        weighted = sum(part.cases * getattr(part, field) for part in parts)
        assert getattr(total, field) * total.cases == pytest.approx(weighted, rel=1e-9, abs=1e-9)
    assert total.exact == sum(part.exact for part in parts)
    assert abs(total.worst.error) == max(abs(part.worst.error) for part in parts)


@given(some_cases())
def test_cases_that_are_all_exact_have_no_error(cases: list[Case]) -> None:
    found = one([case(c.theirs, c.theirs, c.name) for c in cases])
    assert (found.mean_absolute_error, found.bias, found.within_10_percent) == (0, 0, 1)
    assert found.exact == found.cases


@pytest.mark.parametrize(("ours", "within"), [(110, 1), (111, 0), (90, 1), (89, 0), (100, 1)])
def test_ten_per_cent_is_still_within_ten_per_cent(ours: int, within: int) -> None:
    assert one([case(ours, 100)]).within_10_percent == within


def test_of_equally_bad_cases_the_last_by_name_is_the_worst() -> None:
    first, second = case(150, name="a"), case(50, name="b")
    assert one([first, second]).worst == one([second, first]).worst == second


@pytest.mark.parametrize(("error", "exact"), [(0.0, True), (EXACT / 2, True), (1e-9, False)])
def test_exact_allows_for_rounding_and_for_nothing_else(error: float, exact: bool) -> None:
    assert is_exact(case(1 + error, 1.0)) is exact


def test_a_whole_count_that_is_one_off_is_not_exact() -> None:
    assert not is_exact(case(10**9 + 1, 10**9))


def test_quantities_units_and_calibration_are_kept_apart_in_order_of_appearance() -> None:
    cases = [
        case(100, quantity="energy"),
        case(120, quantity="cycles"),
        case(100, quantity="energy", name="again", calibrated=True),
        case(100, quantity="cycles", name="again"),
        Case(name="other", quantity="cycles", unit="ns", ours=1, theirs=1),
    ]
    found = summaries(cases)
    assert [(s.quantity, s.unit, s.calibrated, s.cases) for s in found] == [
        ("energy", "", False, 1),
        ("cycles", "", False, 2),
        ("energy", "", True, 1),
        ("cycles", "ns", False, 1),
    ]


def test_no_cases_have_no_summary() -> None:
    assert summaries([]) == ()
