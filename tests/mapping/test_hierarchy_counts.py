"""How often and how much: tables of loop orders equal to running the loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_hierarchy import OPS, array, fills
from slow_tiling import LAW

from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.choose import _problems
from codesign.mapping.hierarchy.homes import tiles
from codesign.mapping.hierarchy.orders import TILE, over_tiles, within
from codesign.mapping.hierarchy.problem import Problem
from codesign.mapping.hierarchy.spec import RESULT, USES, Axis, Stage, steps
from codesign.mapping.hierarchy.spread import spreads
from codesign.mapping.hierarchy.states import cuts
from codesign.mapping.hierarchy.walk import Walk, pick, whole
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

SMALL = matmul(3, 16, 8, 2)


def problem(op: Op = SMALL) -> Problem:
    return next(_problems(op, array(), frozenset()))


def test_fills_are_those_of_the_loops_step_by_step() -> None:
    found = problem()
    batch = Batch((found,))
    orders = within(batch, over_tiles(batch))
    walk = Walk(orders)
    draw = np.random.default_rng(7)
    for row in draw.choice(len(orders.steps), 60, replace=False):
        for operand in range(3):
            often, unlike = walk.fills(operand)
            for place in range(walk.places):
                want = fills(orders.steps[row], orders.loops[row], operand, place)
                assert (often[row, place], unlike[row, place]) == want


@settings(LAW, max_examples=30)
@given(OPS)
def test_every_order_runs_all_steps_and_ends_with_everything(op: Op) -> None:
    found = problem(op)
    states = found.states
    batch = Batch((found,))
    orders = within(batch, over_tiles(batch))
    turns = math.prod(states.turns)
    assert (np.prod(orders.steps, axis=1) >= turns).all()
    even = [
        all(
            states.turns[d] % t == 0
            for dims, own, n in zip(states.classes, states.tiles, cut, strict=True)
            for d, t in zip(dims, own[n], strict=True)
        )
        for cut in orders.cut
    ]
    assert (np.prod(orders.steps[even], axis=1) == turns).all()
    for operand in range(3):
        table = states.table(operand)
        number = operand if operand < RESULT else len(op.inputs)
        elements = Walk(orders).look(operand, table)
        last = op.loops.footprint(number, op.loops.extents, op.operands[number].shape)
        assert set(elements[:, -1].tolist()) == {last}
        assert (np.diff(elements, axis=1) >= 0).all()


@settings(LAW, max_examples=30)
@given(OPS, st.data())
def test_tables_are_footprints_of_blocks(op: Op, data: st.DataObject) -> None:
    states = problem(op).states
    operand = data.draw(st.integers(0, 2))
    number = operand if operand < RESULT else len(op.inputs)
    picks = [data.draw(st.integers(0, len(states.tiles[c]) + 1)) for c in USES[operand]]
    extents = [1] * len(op.loops.dims)
    for c, state in zip(USES[operand], picks, strict=True):
        dims = states.classes[c]
        own = [tuple(1 for _ in dims), *states.tiles[c], tuple(states.turns[d] for d in dims)]
        for d, turns in zip(dims, own[state], strict=True):
            extents[d] = min(op.loops.extents[d], turns * states.beside[d])
    want = op.loops.footprint(number, extents, op.operands[number].shape)
    assert states.table(operand)[tuple(picks)] == want


def test_orders_that_only_move_loops_of_one_step_are_scored_once() -> None:
    found = problem(matmul(1, 16, 8))
    orders = over_tiles(Batch((found,)))
    keys = {
        (tuple(cut), tuple(n for n, s in zip(loops, steps, strict=True) if s > 1))
        for cut, loops, steps in zip(orders.cut, orders.loops, orders.steps, strict=True)
    }
    assert len(keys) == len(orders.cut)
    assert orders.states.shape == (len(orders.cut), 4, 5)


def test_a_result_stays_until_it_is_complete_and_nothing_exceeds_its_stage() -> None:
    found = problem(matmul(8, 64, 16))
    batch = Batch((found,))
    walk = Walk(over_tiles(batch))
    homes = tiles(batch, walk)
    often, unlike = walk.fills(RESULT)
    place = homes.places[:, RESULT]
    assert (pick(often, place) == pick(unlike, place))[homes.fits].all()
    assert homes.fits.any()
    compulsory = [8 * 8 * 64, 8 * 64 * 16, 8 * 8 * 16]
    assert (homes.moved[homes.fits] >= compulsory).all()
    assert (homes.moved[homes.fits] == compulsory).all(axis=1).any()


def test_residents_neither_move_nor_take_room() -> None:
    small = array(stages=(Stage((0, 1, 2), 8 * 200, 0.0, 0.0, 8),))
    (free, *_), (bound, *_) = (
        list(_problems(matmul(8, 16, 8), small, resident))
        for resident in (frozenset({1}), frozenset())
    )
    with_it, without = (
        tiles(one, Walk(over_tiles(one))) for one in (Batch((free,)), Batch((bound,)))
    )
    assert (with_it.moved[:, 1] == 0).all()
    assert with_it.fits.sum() > without.fits.sum()


def test_loops_are_laid_along_the_axes_that_take_them() -> None:
    op = convolution(3, 64, 14, 7, 2, 3)
    groups, rows, inner, columns = op.loops.classes(2)
    classes = (rows, inner, columns, groups)
    wide = array(axes=(Axis("x", 32, (2, 3)), Axis("y", 32, (1,))))
    best = spreads(op.loops, classes, wide)[0]
    beside = steps(best, len(op.loops.dims))
    assert beside[op.loops.dims.index("co")] == 32
    # seven taps of a column and four of a row share the other axis: 3 x 2 steps for 147 taps
    assert sorted(size for _, size in best[1]) == [4, 7]
    turns = zip(op.loops.extents, beside, strict=True)
    assert math.prod(-(-extent // side) for extent, side in turns) == 2 * 6 * 49


def test_groups_take_an_axis_where_there_are_no_columns() -> None:
    op = convolution(8, 8, 6, 3, 1, 1, groups=8)
    groups, rows, inner, columns = op.loops.classes(2)
    (best, *_) = spreads(op.loops, (rows, inner, columns, groups), array())
    assert [op.loops.dims[loop] for loop, _ in best[0]] == ["g"]


@pytest.mark.parametrize("limit", [2, 3, 6, 20])
def test_cuts_keep_the_smallest_and_the_whole_and_prefer_even_ones(limit: int) -> None:
    nest = convolution(12, 8, 10, 3).loops
    dims = nest.classes(2)[2]
    found = cuts(nest, dims, [1] * 7, limit)
    assert len(found) <= limit
    assert found[0] == (1, 1, 1)
    assert found[-1] == (12, 3, 3)
    assert len(set(found)) == len(found)


def test_whole_accesses_round_up() -> None:
    assert whole(np.array([0, 1, 64, 65]), 64).tolist() == [0, 64, 64, 128]
    assert TILE == 4
