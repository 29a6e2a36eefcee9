"""Fronts against the definition, and volumes against closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.explore import pareto
from codesign.explore.pareto import Floats, dominates, hypervolume, on_front


def clouds(objectives: int) -> st.SearchStrategy[Floats]:
    """Points on a coarse grid, so that ties abound."""
    point = st.lists(st.integers(0, 5), min_size=objectives, max_size=objectives)
    some = st.lists(point, min_size=1, max_size=40)
    return some.map(lambda rows: np.array(rows, dtype=float))


def by_definition(points: Floats) -> list[bool]:
    return [not any(dominates(other, one) for other in points) for one in points]


def by_counting(points: Floats, reference: Floats) -> int:
    """Unit cells that some point dominates."""
    cells = itertools.product(*(range(int(limit)) for limit in reference))
    return sum(
        any(all(p <= c for p, c in zip(one, cell, strict=True)) for one in points) for cell in cells
    )


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_a_front_is_what_nothing_dominates(objectives: int) -> None:
    @settings(max_examples=60, deadline=None)
    @given(clouds(objectives))
    def check(points: Floats) -> None:
        assert on_front(points).tolist() == by_definition(points)

    check()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).integers(0, 30, (400, 3)).astype(float)
    whole = on_front(points)
    assert 0 < whole.sum() < 400
    for size in (1, 7, 100):
        monkeypatch.setattr(pareto, "_BLOCK", size)
        assert np.array_equal(on_front(points), whole)


def test_equal_points_are_all_on_the_front() -> None:
    for objectives in (1, 2, 3):
        points = np.ones((3, objectives))
        assert on_front(points).tolist() == [True] * 3
        assert not dominates(points[0], points[1])


def test_nothing_has_an_empty_front() -> None:
    assert on_front(np.zeros((0, 2))).tolist() == []
    assert hypervolume(np.zeros((0, 2)), np.ones(2)) == 0.0


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_a_volume_counts_the_cells_below_the_reference(objectives: int) -> None:
    @settings(max_examples=25, deadline=None)
    @given(clouds(objectives))
    def check(points: Floats) -> None:
        reference = np.full(objectives, 5.0)
        assert hypervolume(points, reference) == by_counting(points, reference)

    check()


def test_more_points_never_take_volume_away() -> None:
    points = np.random.default_rng(1).random((30, 3))
    volumes = [hypervolume(points[:count], np.ones(3)) for count in range(31)]
    assert volumes == sorted(volumes)
    assert 0 < volumes[-1] < 1


def test_a_concave_front_has_the_volume_of_its_closed_form() -> None:
    count = 1000
    angles = np.linspace(0, math.pi / 2, count)
    points = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    widths = np.diff(np.append(points[::-1, 0], 1.0))
    steps = sum(w * (1 - y) for w, y in zip(widths, points[::-1, 1], strict=True))
    assert hypervolume(points, np.ones(2)) == pytest.approx(steps, rel=1e-12)
    assert hypervolume(points, np.ones(2)) == pytest.approx(1 - math.pi / 4, abs=2e-3)


def test_a_plane_of_corners_has_the_volume_of_its_steps() -> None:
    n = 6
    rows = [(a, b, n - 1 - a - b) for a in range(n) for b in range(n - a)]
    points = np.array(rows, dtype=float)
    assert on_front(points).all()
    steps = sum(a + b + c >= n - 1 for a, b, c in itertools.product(range(n), repeat=3))
    assert hypervolume(points, np.full(3, float(n))) == steps


def test_points_beyond_the_reference_add_nothing() -> None:
    inside = np.array([[0.5, 0.5]])
    beyond = np.array([[0.5, 0.5], [0.1, 1.0], [2.0, 0.0]])
    assert hypervolume(beyond, np.ones(2)) == hypervolume(inside, np.ones(2)) == 0.25
