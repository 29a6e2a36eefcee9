"""Cuts of one class of loops: they cover it exactly, and the extremes are always offered."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_tiling import LAW, extents_of

from codesign.mapping.splits import splits

LOOPS = st.lists(st.integers(1, 40), max_size=3)
GRAINS = st.sampled_from([1, 3, 8, 64])
LIMITS = st.integers(2, 12)


@LAW
@given(LOOPS, GRAINS, LIMITS)
def test_the_tiles_of_every_cut_cover_the_class_exactly(
    extents: list[int], grain: int, limit: int
) -> None:
    for split in splits(extents, range(len(extents)), grain, limit):
        assert sum(math.prod(tile) for tile in extents_of(split)) == math.prod(extents)
        assert split.full_count * split.size + split.edge_count * split.edge_size == math.prod(
            extents
        )


@LAW
@given(LOOPS, GRAINS, LIMITS)
def test_the_smallest_tile_and_the_whole_class_are_always_offered(
    extents: list[int], grain: int, limit: int
) -> None:
    sizes = [split.size for split in splits(extents, range(len(extents)), grain, limit)]
    assert sizes[0] == 1
    assert sizes[-1] == math.prod(extents)


@LAW
@given(LOOPS, GRAINS, LIMITS)
def test_no_more_cuts_than_the_limit_and_no_size_twice(
    extents: list[int], grain: int, limit: int
) -> None:
    sizes = [split.size for split in splits(extents, range(len(extents)), grain, limit)]
    assert len(sizes) <= limit
    assert all(a < b for a, b in itertools.pairwise(sizes))


@LAW
@given(LOOPS, GRAINS)
def test_a_split_counts_the_tiles_it_lists(extents: list[int], grain: int) -> None:
    for split in splits(extents, range(len(extents)), grain, 100):
        assert split.count == len(extents_of(split))
        assert sum(times for _, times in split.sweep()) * split.outer == split.count


def test_a_class_without_loops_is_one_tile() -> None:
    (only,) = splits((5, 7), (), 8, 4)
    assert (only.tile, only.edge, only.count, only.size, only.edge_size) == ((), (), 1, 1, 0)


def test_a_cut_leaves_inner_loops_whole_and_walks_outer_loops_one_by_one() -> None:
    cut = next(split for split in splits((4, 10, 3), (0, 1, 2), 1, 100) if split.size == 12)
    assert (cut.tile, cut.edge, cut.full, cut.outer) == ((1, 4, 3), (1, 2, 3), 2, 4)


@pytest.mark.parametrize("grain", [8, 16, 64])
def test_multiples_of_the_array_are_offered(grain: int) -> None:
    sizes = {split.size for split in splits((1000,), (0,), grain, 100)}
    assert {grain, 2 * grain, 4 * grain} <= sizes


def test_only_the_named_loops_are_cut() -> None:
    whole = splits((9, 5, 9), (1,), 1, 10)[-1]
    assert whole.tile == (5,)
