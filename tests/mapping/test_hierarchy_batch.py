"""Several spreads at once: every row costs what it costs under its own spread alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from slow_hierarchy import OPS, array
from slow_tiling import LAW
from test_hierarchy_choice import RATES, TPU_LIKE

from codesign.hardware.objective import Objective
from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.choose import _problems, choose
from codesign.mapping.hierarchy.count import Counter
from codesign.mapping.hierarchy.homes import tiles
from codesign.mapping.hierarchy.orders import Orders, over_tiles, within
from codesign.mapping.hierarchy.problem import Problem
from codesign.mapping.hierarchy.spec import Array
from codesign.mapping.hierarchy.walk import Walk
from codesign.testing import convolution
from codesign.workload.record import Op

STEM = convolution(3, 64, 112, 7, 2, 3)


def problems(op: Op, on: Array) -> tuple[Problem, ...]:
    return tuple(_problems(op, on, frozenset()))


def keys(orders: Orders, cut: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[object]:
    """Rows by what tells them apart."""
    parts = (cut, orders.inside, orders.outside)
    return [(tuple(c), int(i), int(o)) for c, i, o in zip(*parts, strict=True)]


def test_a_layer_with_idle_cells_has_several_spreads() -> None:
    assert len(problems(STEM, TPU_LIKE)) == 2


@pytest.mark.parametrize("operand", [0, 1, 2])
@pytest.mark.parametrize("axes", [None, (), (0,)])
def test_the_table_of_a_spread_is_a_block_of_the_whole(
    operand: int, axes: tuple[int, ...] | None
) -> None:
    every = problems(STEM, TPU_LIKE)
    whole = Batch(every).table(operand, axes)
    blocks = [Batch((one,)).table(operand, axes) for one in every]
    assert sum(block.sum() for block in blocks) == whole.sum()
    assert np.array_equal(whole[tuple(slice(n) for n in blocks[0].shape)], blocks[0])
    assert np.array_equal(whole[tuple(slice(-n, None) for n in blocks[1].shape)], blocks[1])


@settings(LAW, max_examples=20)
@given(OPS)
def test_every_row_costs_what_it_costs_alone(op: Op) -> None:
    every = problems(op, array())
    batch = Batch(every)
    outer = over_tiles(batch)
    homes = tiles(batch, Walk(outer))
    orders = within(batch, outer)
    counted = Counter(batch, Walk(orders)).run()
    rows = 0
    for number, problem in enumerate(every):
        alone = Batch((problem,))
        own_outer = over_tiles(alone)
        mine = batch.spread(outer.cut) == number
        assert np.array_equal(batch.own(outer.cut, number)[mine], own_outer.cut)
        assert np.array_equal(homes.moved[mine], tiles(alone, Walk(own_outer)).moved)
        own = within(alone, own_outer)
        lone = Counter(alone, Walk(own)).run()
        mine = batch.spread(orders.cut) == number
        assert keys(own, own.cut) == [
            key
            for key, is_mine in zip(
                keys(orders, batch.own(orders.cut, number)), mine.tolist(), strict=True
            )
            if is_mine
        ]
        assert np.array_equal(counted.energy_j[mine], lone.energy_j)
        assert np.array_equal(counted.fits[mine], lone.fits)
        rows += int(mine.sum())
    assert rows == len(orders.cut)


@pytest.mark.parametrize("exponents", [(1, 0), (0, 1), (1, 1)])
def test_the_choice_is_the_best_of_the_spreads(exponents: tuple[float, float]) -> None:
    objective = Objective(*exponents)
    found = choose(STEM, TPU_LIKE, RATES, objective)
    scores = []
    for problem in problems(STEM, TPU_LIKE):
        batch = Batch((problem,))
        orders = within(batch, over_tiles(batch))
        counted = Counter(batch, Walk(orders)).run()
        energy = counted.energy_j + STEM.macs * TPU_LIKE.mac_j
        scores.append(np.where(counted.fits, energy, np.inf).min())
    if exponents == (0, 1):
        # survivors are ranked by what leaves the chip, the larger part of the energy
        assert min(scores) <= found.energy_j <= 1.05 * min(scores)
    assert found.problem in problems(STEM, TPU_LIKE)


def test_the_cut_that_is_chosen_is_one_of_its_own_spread() -> None:
    found = choose(STEM, TPU_LIKE, RATES, Objective(0, 1))
    for number, own in enumerate(found.problem.states.tiles):
        assert 0 <= found.orders.cut[found.row, number] < len(own)
