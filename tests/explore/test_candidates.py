"""Points that bounds leave on the table: none that belongs on the front is ever dropped."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from codesign.explore.candidates import Candidates
from codesign.explore.pareto import Floats, on_front


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """What points come to, and bounds below it; many of them equal."""
    count, goals = draw(st.integers(0, 30)), draw(st.integers(1, 4))
    whole = st.integers(0, 4)
    row = st.lists(whole, min_size=goals, max_size=goals)
    rows = st.lists(row, min_size=count, max_size=count)
    scores = np.array(draw(rows), dtype=float).reshape(count, goals)
    slack = np.array(draw(rows), dtype=float).reshape(count, goals)
    slack[slack == 4] = np.inf  # nothing is known
    return scores, scores - slack


def hunt(scores: Floats, bounds: Floats, batch: int) -> tuple[list[int], int]:
    left, replayed = Candidates(bounds), list[int]()
    while taken := left.take(batch):
        replayed += taken
        left.learn(scores[taken])
    return replayed, left.pruned


@given(problems(), st.integers(1, 9))
def test_the_front_of_what_was_replayed_is_that_of_all(
    problem: tuple[Floats, Floats], batch: int
) -> None:
    scores, bounds = problem
    replayed, pruned = hunt(scores, bounds, batch)
    assert len(set(replayed)) == len(replayed)
    assert len(replayed) + pruned == len(scores)
    mine = {replayed[n] for n in np.flatnonzero(on_front(scores[replayed]))}
    assert mine == set(np.flatnonzero(on_front(scores)).tolist())


@given(problems())
def test_without_bounds_all_points_are_replayed(problem: tuple[Floats, Floats]) -> None:
    scores, _ = problem
    replayed, pruned = hunt(scores, np.full_like(scores, -np.inf), 5)
    assert sorted(replayed) == list(range(len(scores)))
    assert pruned == 0


def test_exact_bounds_leave_little_beside_the_front() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random((5000, 2))
    replayed, _ = hunt(scores, scores, 1)
    front = np.flatnonzero(on_front(scores))
    assert set(front.tolist()) <= set(replayed)
    assert len(replayed) < 20 * len(front)


def test_an_equal_point_drops_nothing() -> None:
    scores = np.ones((6, 2))
    assert sorted(hunt(scores, scores, 1)[0]) == list(range(6))


def test_what_a_mask_drops_is_not_replayed() -> None:
    left = Candidates(np.zeros((4, 2)))
    left.drop(np.array([True, False, True, False]))
    assert sorted(left.take(9)) == [1, 3]
    assert left.pruned == 2
    assert left.take(1) == []
