"""The candidates of a search: all combinations of cuts, and what their tiles add up to."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_tiling import LAW, contractions, extents_of

from codesign.hardware.plan import Budget
from codesign.mapping.footprint import footprints
from codesign.mapping.splits import choices
from codesign.mapping.tile_cost import find_traffic, latency_s
from codesign.mapping.tile_space import Array, Sizes, find_space, sizes_of, sum_tiles
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

GRAIN = (1, 2, 2, 2)
WAYS = tuple(
    (order, frozenset(held))
    for order in ((0, 1, 3, 2), (0, 3, 1, 2))
    for held in ((), (0,), (1,), (0, 1))
)


def test_every_combination_of_cuts_is_a_candidate_once() -> None:
    op = matmul(6, 4, 10)
    space = find_space(op, GRAIN)
    cuts = choices(op.loops.extents, op.loops.classes(2), GRAIN)
    assert [space.splits(row) for row in range(len(space))] == list(itertools.product(*cuts))


@LAW
@given(contractions, st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_tables_tell_what_the_cuts_do(op: Op, seeds: list[int]) -> None:
    space = find_space(op, GRAIN)
    rows = np.array([seed % len(space) for seed in seeds])
    index = space.index(rows)
    tiles, counts = space.tiles(index), space.counts(index)
    for place, row in enumerate(rows):
        splits = space.splits(int(row))
        assert counts[:, place].tolist() == [split.count for split in splits]
        for dims, split in zip(op.loops.classes(len(op.inputs)), splits, strict=True):
            assert tiles[list(dims), place].tolist() == list(split.tile)
        sizes = [int(size[place]) for size in sizes_of(op, tiles)]
        assert sizes == [split.size for split in splits]


def weight(sizes: Sizes) -> Array:
    """A figure in which no two sizes are alike."""
    g, m, k, n = sizes
    found: Array = 1 + g + 7 * m * m + 11 * k * n + m * k * k
    return found


@LAW
@given(contractions, st.integers(0, 10**6))
def test_a_sum_over_tiles_is_that_of_one_tile_after_the_other(op: Op, seed: int) -> None:
    space = find_space(op, GRAIN)
    row = seed % len(space)
    lists = [[math.prod(one) for one in extents_of(split)] for split in space.splits(row)]
    each = (tuple(map(np.array, sizes)) for sizes in itertools.product(*lists))
    one_by_one = sum(int(weight((g, m, k, n))) for g, m, k, n in each)
    rows = np.array([row, 0, row])
    found = sum_tiles(space, rows, weight, np.zeros(3, dtype=np.int64))
    assert found[0] == found[2] == one_by_one
    assert found[1] == sum_tiles(space, rows[1:2], weight, np.zeros(1, dtype=np.int64))[0]


def test_a_sum_of_no_candidates_asks_nothing() -> None:
    space, none = find_space(matmul(4, 4, 4), GRAIN), np.zeros(0, dtype=np.int64)

    def never(_: Sizes) -> Array:
        raise AssertionError("there is nothing to ask")

    assert sum_tiles(space, none, never, none).tolist() == []


def test_a_figure_that_is_the_same_for_all_tiles_may_be_one_number() -> None:
    space = find_space(matmul(4, 4, 4), GRAIN)
    rows = np.arange(len(space))
    found = sum_tiles(space, rows, lambda _: np.array(2), np.zeros_like(rows))
    assert found.tolist() == (2 * space.counts(space.index(rows)).prod(axis=0)).tolist()


@pytest.mark.parametrize(
    "op", [matmul(30, 20, 17), convolution(3, 5, 9, 3)], ids=lambda op: op.name
)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("rate", [3e8, 7.7e9])
def test_no_way_is_faster_than_the_one_that_would_load_least(
    op: Op, shared: bool, rate: float
) -> None:
    """Not even in the last bit: what the search leaves out may rest on it."""
    budget = Budget(1 << 20, rate, 0.7 * rate, setup_s=3.1e-9, shared_link=shared)
    space = find_space(op, GRAIN)
    index = space.index(np.arange(len(space)))
    touched = footprints(op, space.tiles(index).T, 1)
    moved = find_traffic(op, budget, space.counts(index), touched, WAYS)
    compute = np.linspace(0, 1e-5, len(space))
    every = latency_s(budget, moved.common, moved.loads, compute, is_stored=True)
    for known in (compute, 0.5 * compute, 0.0):
        bound = latency_s(budget, moved.common, moved.common.least_loads, known, is_stored=True)
        assert (bound <= every).all()
    assert (moved.common.least_room == moved.room.min(axis=0)).all()


def test_tables_of_large_tensors_are_exact() -> None:
    op = matmul(1 << 16, 1 << 16, 1 << 16)
    space = find_space(op, (1, 1 << 15, 1 << 15, 1 << 15))
    index = space.index(np.arange(len(space)))
    budget = Budget(1 << 40, 1e9, 1e9)
    touched = footprints(op, space.tiles(index).T, 1)
    moved = find_traffic(op, budget, space.counts(index), touched, WAYS[:1])
    assert moved.loads.max() > 2**31
    whole = int(np.flatnonzero(moved.common.tiles == 1)[0])
    assert moved.loads[0, whole] == 2 * (1 << 32)
