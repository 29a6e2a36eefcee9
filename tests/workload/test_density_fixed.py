"""n:m along any axis of a tensor, against every group counted by itself."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from density_case import as_array, drawn, groups_of_tile, shapes, summed, tiles
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import Tile
from codesign.workload.density_fixed import Fixed
from codesign.workload.zeros import compliance


@st.composite
def along(draw: st.DrawFn) -> tuple[Fixed, tuple[int, ...], int]:
    """n:m, a shape, and one of its axes."""
    m = draw(st.integers(1, 5))
    shape = draw(shapes())
    return Fixed(draw(st.integers(1, m)), m), shape, draw(st.integers(0, len(shape) - 1))


@given(along(), st.data())
def test_a_tile_holds_what_its_groups_hold(
    case: tuple[Fixed, tuple[int, ...], int], data: st.DataObject
) -> None:
    pattern, shape, axis = case
    tile = data.draw(tiles(shape))

    def group(place: tuple[int, ...], _: Tile) -> object:
        return *place[:axis], place[axis] // pattern.m, *place[axis + 1 :]

    held = groups_of_tile(shape, tile, group)
    exact = summed(drawn(pattern.m, pattern.n, elements) for elements in held)
    bound = pattern.on(shape, axis, "here")
    assert bound.pmf(tile) == pytest.approx(as_array(exact, math.prod(tile)), abs=1e-12)


@given(along(), st.integers(0, 2**32))
def test_a_sample_holds_its_pattern(case: tuple[Fixed, tuple[int, ...], int], seed: int) -> None:
    pattern, shape, axis = case
    sample = pattern.on(shape, axis, "here").sample(shape, np.random.default_rng(seed))
    assert compliance(sample, pattern.n, pattern.m, axis) == 1


@given(along(), st.integers(0, 2**32))
def test_a_whole_group_of_a_sample_holds_exactly_n(
    case: tuple[Fixed, tuple[int, ...], int], seed: int
) -> None:
    pattern, shape, axis = case
    sample = pattern.on(shape, axis, "here").sample(shape, np.random.default_rng(seed))
    lines = np.moveaxis(sample, axis, -1).reshape(-1, shape[axis])
    whole = shape[axis] // pattern.m * pattern.m
    for line, first in itertools.product(lines, range(0, whole, pattern.m)):
        assert line[first : first + pattern.m].sum() == pattern.n


def test_every_place_of_a_group_is_kept_equally_often() -> None:
    sample = Fixed(2, 4).sample((4000, 4), np.random.default_rng(1))
    # 5 deviations of a share of 0.5 in 4,000 groups
    assert sample.mean(axis=0) == pytest.approx([0.5] * 4, abs=5 * 0.5 / math.sqrt(4000))


def test_whole_groups_vary_not_at_all() -> None:
    pmf = Fixed(2, 4).pmf((16, 64))
    assert np.flatnonzero(pmf).tolist() == [512]
    assert Fixed(2, 4).quantile((16, 64), 0.01) == 512
    assert Fixed(2, 4).prob_empty((1, 4)) == 0


def test_part_of_a_group_is_drawn_from_it() -> None:
    assert Fixed(2, 4).pmf((1, 1)) == pytest.approx([0.5, 0.5])
    assert Fixed(2, 4).pmf((1, 2)) == pytest.approx([1 / 6, 4 / 6, 1 / 6])
    assert Fixed(1, 8).prob_empty((1, 6)) == pytest.approx(0.25)
    assert Fixed(2, 4).prob_empty((3, 1)) == pytest.approx(1 / 8)


def test_groups_along_the_rows_are_cut_by_short_tiles_and_not_by_narrow_ones() -> None:
    rows = Fixed(2, 4).on((64, 64), 0, "here")
    assert np.flatnonzero(rows.pmf((4, 1))).tolist() == [2]
    assert rows.pmf((1, 1)) == pytest.approx([0.5, 0.5])
    assert rows.prob_empty((1, 4)) == pytest.approx(1 / 16)


def test_groups_of_input_channels_of_a_convolution_lie_a_kernel_row_apart() -> None:
    shape = (8, 16, 3, 3)
    channels = Fixed(2, 4).on(shape, 1, "here")
    assert channels == Fixed(2, 4, stride=3, extent=16)
    # 3 rows of the matrix are the kernel rows of one channel, 12 those of one group
    assert channels.prob_empty((3, 1)) == pytest.approx(1 / 8)
    assert np.flatnonzero(channels.pmf((12, 3))).tolist() == [18]


def test_groups_begin_anew_with_every_line_of_an_axis() -> None:
    # each output channel has 6 input channels: one whole group, and half of another
    bound = Fixed(2, 4).on((5, 6, 1, 1), 1, "here")
    assert bound.prob_empty((6, 1)) == 0
    exact = summed([drawn(4, 2, 2), {2: Fraction(1)}] * 5)
    assert bound.pmf((30, 1)) == pytest.approx(as_array(exact, 30), abs=1e-12)


def test_a_large_tile_of_cut_groups_is_answered_at_once() -> None:
    pmf = Fixed(2, 4).pmf((4096, 63))
    assert len(pmf) == 4096 * 63 + 1
    assert float(pmf @ np.arange(len(pmf))) == pytest.approx(4096 * 63 / 2, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(4, 2), (0, 4), (-1, 4), (1, 0), (5, 4)])
def test_more_than_m_of_m_are_refused_in_one_line(n: int, m: int) -> None:
    with pytest.raises(TraceError) as refused:
        Fixed(n, m)
    assert str(refused.value) == (
        f"n:m must keep at least 1 and at most m of m, got {n}:{m}; write for example 2:4"
    )


def test_all_of_a_group_is_dense() -> None:
    assert Fixed(4, 4).share == 1
    assert np.flatnonzero(Fixed(4, 4).pmf((3, 7))).tolist() == [21]
