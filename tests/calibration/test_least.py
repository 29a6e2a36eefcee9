"""Least deviations: exact where an answer is known, along ridges, at edges and around outliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.calibration import least_deviations
from codesign.calibration.least import Vector

UNIT = np.zeros(2), np.ones(2)
SEEDS = st.integers(0, 10_000)


def ridge(seed: int, axes: int, steepness: float) -> tuple[Vector, Vector]:
    """Rows of a linear problem whose columns are nearly one, and a place inside the unit cube."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(60, 1))
    rows = common + steepness * random.normal(size=(60, axes))
    return rows, random.uniform(0.2, 0.8, axes)


@settings(max_examples=30)
@given(seed=SEEDS, axes=st.integers(1, 5), steepness=st.sampled_from([1.0, 0.1, 0.01]))
def test_the_foot_of_a_ridge_is_found_however_narrow_it_is(
    seed: int, axes: int, steepness: float
) -> None:
    rows, foot = ridge(seed, axes, steepness)
    start = np.full(axes, 0.5)
    found = least_deviations(lambda x: rows @ (x - foot), np.zeros(axes), np.ones(axes), [start])
    assert found == pytest.approx(foot, abs=1e-6)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_outliers_in_a_fifth_of_the_residuals_do_not_move_it(seed: int) -> None:
    """The least sum of magnitudes passes through the exact ones; that of squares does not."""
    rows, foot = ridge(seed, 3, 1.0)
    wrong = np.where(np.arange(60) % 5 == 0, 10.0, 0.0)
    found = least_deviations(
        lambda x: rows @ (x - foot) + wrong, np.zeros(3), np.ones(3), [np.full(3, 0.5)]
    )
    assert found == pytest.approx(foot, abs=1e-3)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_no_place_around_what_is_found_is_better(seed: int) -> None:
    """With noise the answer is a corner of edges: a finer step to any side goes up."""
    rows, foot = ridge(seed, 2, 0.1)
    random = np.random.default_rng(seed)
    noise = random.normal(0, 0.05, 60)

    def mean(place: Vector) -> float:
        return float(np.abs(rows @ (place - foot) + noise).mean())

    found = least_deviations(lambda x: rows @ (x - foot) + noise, *UNIT, [np.full(2, 0.5)])
    tried = np.clip(
        found + random.normal(0, 1, (2000, 2)) * 10 ** random.uniform(-5, 0, (2000, 1)), 0, 1
    )
    assert mean(found) <= min(map(mean, tried)) * (1 + 1e-3)


def test_it_stays_in_the_box_and_slides_along_its_edge() -> None:
    found = least_deviations(
        lambda x: np.array([x[0] + 3.0, x[1] - 0.25]), *UNIT, [np.full(2, 0.9)]
    )
    assert found == pytest.approx([0.0, 0.25], abs=1e-9)
    found = least_deviations(lambda x: x - 7, *UNIT, [np.full(2, 0.5)])
    assert found.tolist() == [1.0, 1.0]


def test_an_axis_that_nothing_hangs_on_stays_where_it_starts() -> None:
    found = least_deviations(lambda x: x[:1] - 0.5, *UNIT, [np.array([0.9, 0.3])])
    assert found == pytest.approx([0.5, 0.3])


def test_a_box_without_width_has_one_place() -> None:
    low = np.array([0.2, 0.4])
    found = least_deviations(lambda x: x - 1, low, np.array([0.2, 0.9]), [low])
    assert found == pytest.approx([0.2, 0.9])


def test_the_best_of_several_starts_counts() -> None:
    """A valley beside a deeper one."""

    def valleys(place: Vector) -> Vector:
        return np.minimum(np.abs(place - 0.2) + 0.1, np.abs(place - 0.8))

    box = np.zeros(1), np.ones(1)
    assert least_deviations(valleys, *box, [np.array([0.1])]) == pytest.approx([0.2], abs=1e-6)
    starts = [np.array([0.1]), np.array([0.9])]
    assert least_deviations(valleys, *box, starts) == pytest.approx([0.8], abs=1e-6)


def test_calls_are_few() -> None:
    rows, foot = ridge(7, 3, 0.01)
    calls = 0

    def residuals(place: Vector) -> Vector:
        nonlocal calls
        calls += 1
        return rows @ (place - foot)

    least_deviations(residuals, np.zeros(3), np.ones(3), [np.full(3, 0.5)])
    assert calls < 400
