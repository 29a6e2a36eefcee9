"""Fronts against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.explore import pareto
from codesign.explore.pareto import Floats, dominates, on_front


def clouds(objectives: int) -> st.SearchStrategy[Floats]:
    """Points on a coarse grid, so that ties abound."""
    point = st.lists(st.integers(0, 5), min_size=objectives, max_size=objectives)
    some = st.lists(point, min_size=1, max_size=40)
    return some.map(lambda rows: np.array(rows, dtype=float))


def by_definition(points: Floats) -> list[bool]:
    return [not any(dominates(other, one) for other in points) for one in points]


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
    for objectives in (1, 2, 3):
        assert on_front(np.zeros((0, objectives))).tolist() == []


def test_many_equal_points_are_compared_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    dominated = pareto._dominated

    def counted(one: Floats, by: Floats) -> pareto.Bools:
        compared.append(len(one))
        return dominated(one, by)

    monkeypatch.setattr(pareto, "_dominated", counted)
    points = np.tile([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [3.0, 3.0, 3.0]], (1000, 1))
    assert on_front(points).tolist() == [True, True, False] * 1000
    assert sum(compared) <= 6
