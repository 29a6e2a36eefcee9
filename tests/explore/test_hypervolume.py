"""Volumes against closed forms, against inclusion and exclusion in fractions, and against laws."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import StudyError
from codesign.explore.hypervolume import growth, hypervolume
from codesign.explore.pareto import Floats

OBJECTIVES = (1, 2, 3, 4)
EXACT = 1e-12


def clouds(objectives: int, most: int = 30) -> st.SearchStrategy[Floats]:
    """Points of any scale and sign, with many ties."""
    coarse = st.integers(-3, 5).map(float)
    fine = st.floats(-1e3, 1e3).map(lambda value: round(value, 7))
    point = st.lists(coarse | fine, min_size=objectives, max_size=objectives)
    return st.lists(point, min_size=1, max_size=most).map(lambda rows: np.array(rows))


def by_inclusion_and_exclusion(points: Floats, reference: Floats) -> float:
    """Sum over all subsets of the boxes that they share, in fractions: nothing is rounded."""
    limit = [Fraction(number) for number in reference.tolist()]
    boxes = [[Fraction(number) for number in row] for row in points.tolist()]
    boxes = [box for box in boxes if all(p < r for p, r in zip(box, limit, strict=True))]
    total = Fraction(0)
    for size in range(1, len(boxes) + 1):
        for some in itertools.combinations(boxes, size):
            corner = [max(numbers) for numbers in zip(*some, strict=True)]
            sides = (end - start for start, end in zip(corner, limit, strict=True))
            total -= (-1) ** size * math.prod(sides, start=Fraction(1))
    return float(total)


def by_counting(points: Floats, reference: Floats) -> int:
    """Unit cells that some point dominates."""
    cells = itertools.product(*(range(int(limit)) for limit in reference))
    return sum(bool(np.any(np.all(points <= cell, axis=1))) for cell in cells)


@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_volumes_are_those_of_inclusion_and_exclusion(objectives: int) -> None:
    @given(clouds(objectives, most=7), st.sampled_from([0.1, 5.0, 1e3 + 0.3]))
    def check(points: Floats, end: float) -> None:
        reference = np.full(objectives, end)
        exact = by_inclusion_and_exclusion(points, reference)
        # a point that gives a sliver next to boxes of a thousand a side is rounded as those are
        scale = float(np.prod(np.maximum(reference - points.min(axis=0), 0)))
        assert hypervolume(points, reference) == pytest.approx(exact, rel=EXACT, abs=1e-15 * scale)

    check()


@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_a_volume_of_whole_numbers_is_the_number_of_cells(objectives: int) -> None:
    rows = st.lists(
        st.lists(st.integers(0, 6), min_size=objectives, max_size=objectives), max_size=40
    )

    @given(rows)
    def check(given_rows: list[list[int]]) -> None:
        points = np.array(given_rows, dtype=float).reshape(-1, objectives)
        reference = np.full(objectives, 5.0)
        assert hypervolume(points, reference) == by_counting(points, reference)

    check()


@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_order_duplicates_and_dominated_points_change_no_bit(objectives: int) -> None:
    @given(clouds(objectives), st.integers(0, 99))
    def check(points: Floats, seed: int) -> None:
        reference = np.full(objectives, 7.3)
        volume = hypervolume(points, reference)
        shuffled = np.random.default_rng(seed).permutation(points)
        worse = points + 0.25
        for same in (shuffled, np.vstack((points, points)), np.vstack((worse, points))):
            assert hypervolume(same, reference) == volume
        assert hypervolume(points[::-1], reference.tolist()) == volume

    check()


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_order_of_the_objectives_changes_nothing_but_rounding(objectives: int) -> None:
    points = np.random.default_rng(5).random((40, objectives)) ** 2
    reference = np.linspace(0.7, 1.3, objectives)
    volume = hypervolume(points, reference)
    for order in itertools.permutations(range(objectives)):
        turned = hypervolume(points[:, order], reference[list(order)])
        assert turned == pytest.approx(volume, rel=EXACT)


@pytest.mark.parametrize("n", [1, 2, 10, 500])
def test_linear_convex_and_concave_fronts_have_their_closed_forms(n: int) -> None:
    x = np.arange(n + 1) / n
    below = (n - 1) * (2 * n - 1) / (6 * n * n)
    forms = {
        "linear": (1 - x, (n - 1) / (2 * n)),
        "convex": ((1 - x) ** 2, (n - 1) / n - below),
        "concave": (1 - x**2, below),
    }
    for name, (y, area) in forms.items():
        found = hypervolume(np.stack((x, y), axis=1), (1.0, 1.0))
        assert found == pytest.approx(area, rel=EXACT, abs=0), name


@pytest.mark.parametrize("objectives", OBJECTIVES)
@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_plane_of_corners_has_its_closed_form_in_any_units(objectives: int, n: int) -> None:
    corners = itertools.product(range(n), repeat=objectives)
    points = np.array([corner for corner in corners if sum(corner) == n - 1], dtype=float)
    cells = n**objectives - math.comb(n - 2 + objectives, objectives) * (n > 1)
    assert hypervolume(points, np.full(objectives, n)) == cells
    units = np.array([1e-12, 0.1, 3e9, 1 / 7])[:objectives]
    offset = np.array([0.0, -0.7, 1e9, 0.0])[:objectives]
    found = hypervolume(points * units + offset, n * units + offset)
    assert found == pytest.approx(cells * float(np.prod(units)), rel=EXACT)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_degenerate_fronts_have_the_volume_of_one_box(objectives: int) -> None:
    reference = np.full(objectives, 2.0)
    one = np.full((1, objectives), 0.5)
    assert hypervolume(one, reference) == 1.5**objectives
    chain = one + np.arange(4)[:, None] / 4  # each dominated by the one before it
    assert hypervolume(chain, reference) == 1.5**objectives
    flat = np.repeat(one, 3, axis=0)
    flat[:, 0] += [0.0, 0.25, 0.5]  # all but one objective are equal
    assert hypervolume(flat, reference) == 1.5**objectives


def test_a_ball_is_met_from_below_in_three_objectives() -> None:
    count = 40
    angles = (np.arange(count) + 0.5) / count * math.pi / 2
    a, b = (grid.ravel() for grid in np.meshgrid(angles, angles))
    points = 1 - np.stack((np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)), axis=1)
    # corners lie on the eighth of a ball around the reference, so that boxes stay within it
    assert 0.95 * math.pi / 6 < hypervolume(points, np.ones(3)) < math.pi / 6


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_random_darts_meet_the_volume_as_often_as_it_says(objectives: int) -> None:
    random = np.random.default_rng(11)
    points = random.random((25, objectives))
    darts = random.random((20_000, objectives))
    hits = np.any(np.all(points[None] <= darts[:, None], axis=2), axis=1)
    volume = hypervolume(points, np.ones(objectives))
    deviation = math.sqrt(volume * (1 - volume) / len(darts))
    assert abs(hits.mean() - volume) < 5 * deviation


def test_points_that_only_touch_the_reference_add_nothing() -> None:
    inside = [[0.5, 0.5]]
    beyond = [[0.5, 0.5], [0.1, 1.0], [2.0, 0.0], [1.0, -9.0]]
    assert hypervolume(beyond, (1, 1)) == hypervolume(inside, (1, 1)) == 0.25
    assert hypervolume(beyond[1:], (1, 1)) == 0.0


@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_nothing_has_no_volume(objectives: int) -> None:
    reference = [1.0] * objectives
    assert hypervolume([], reference) == 0.0
    assert hypervolume(np.zeros((0, objectives)), reference) == 0.0
    assert growth([], reference).shape == (0,)
    assert growth([], reference, [0, 0]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_growth_is_the_volume_of_every_beginning(objectives: int) -> None:
    @given(clouds(objectives), st.integers(1, 4))
    def check(points: Floats, step: int) -> None:
        reference = np.full(objectives, 4.5)
        counts = range(1, len(points) + 1, step)
        grown = growth(points, reference, counts).tolist()
        assert grown == [hypervolume(points[:count], reference) for count in counts]
        assert grown == pytest.approx(sorted(grown), rel=EXACT)
        assert growth(points, reference)[::step].tolist() == grown

    check()


def test_growth_stands_still_where_a_point_is_dominated() -> None:
    points = [[2.0, 2.0], [3.0, 3.0], [2.0, 2.0], [1.0, 3.0], [0.0, 0.0], [9.0, 0.0]]
    assert growth(points, (4, 4), range(7)).tolist() == [0, 4, 4, 4, 5, 16, 16]


@pytest.mark.parametrize(
    ("scores", "reference", "message"),
    [
        ([[1.0] * 5], [2.0] * 5, r"must have 1 to 4 objectives, got a reference of shape \(5,\)"),
        ([[1.0]], [], r"must have 1 to 4 objectives, got a reference of shape \(0,\)"),
        ([[1.0, 2.0]], [2.0], r"must have shape \(points, 1\) .*, got \(1, 2\)"),
        ([1.0, 2.0], [2.0, 2.0], r"must have shape \(points, 2\) .*, got \(2,\)"),
        ([[math.nan, 1.0]], [2.0, 2.0], "must be finite numbers; leave out points"),
        ([[1.0, -math.inf]], [2.0, 2.0], "must be finite numbers"),
        ([[1.0, 1.0]], [2.0, math.inf], "must be finite numbers"),
    ],
)
def test_what_has_no_volume_is_refused(
    scores: list[list[float]], reference: list[float], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        hypervolume(scores, reference)
    with pytest.raises(StudyError, match=message):
        growth(scores, reference)
