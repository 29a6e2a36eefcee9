"""Spatial unrolling: what lies along the axes of an array."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from slow_hierarchy import OPS, array
from test_hierarchy_choice import TPU_LIKE

from codesign.mapping.hierarchy.spec import Axis, Spread, steps
from codesign.mapping.hierarchy.spread import spreads
from codesign.testing import convolution, matmul
from codesign.workload.record import Op


def laid(op: Op, *axes: Axis) -> list[Spread]:
    groups, rows, inner, columns = op.loops.classes(len(op.inputs))
    on = replace(TPU_LIKE, axes=axes) if axes else TPU_LIKE
    return spreads(op.loops, (rows, inner, columns, groups), on)


def cycles(op: Op, spread: Spread) -> int:
    beside = steps(spread, len(op.loops.dims))
    return math.prod(-(-e // s) for e, s in zip(op.loops.extents, beside, strict=True))


def named(op: Op, spread: Spread) -> list[list[tuple[str, int]]]:
    return [[(op.loops.dims[loop], size) for loop, size in axis] for axis in spread]


def test_a_product_that_fills_the_array_has_one_spread() -> None:
    op = matmul(64, 64, 64)
    (found,) = laid(op)
    assert [size for axis in found for _, size in axis] == [32, 32]


def test_taps_are_packed_beside_channels_where_channels_leave_cells_idle() -> None:
    op = convolution(3, 64, 112, 7, 2, 3)
    fastest = laid(op)[0]
    assert math.prod(size for _, size in fastest[1]) == 28  # of 32 cells, not 3 of channels alone
    assert cycles(op, fastest) < cycles(op, laid(op, Axis("D1", 32, (2,)), Axis("D2", 3, (1,)))[0])


def test_spreads_that_differ_in_equally_long_taps_count_once() -> None:
    op = convolution(3, 64, 112, 7, 2, 3)
    found = laid(op)
    sizes = [
        [sorted((op.loops.extents[loop], size) for loop, size in axis) for axis in spread]
        for spread in found
    ]
    assert len(found) == 2
    assert sizes[0] != sizes[1]


def test_the_fastest_spread_comes_first() -> None:
    for op in (convolution(3, 64, 112, 7, 2, 3), convolution(64, 64, 56, 3, 1, 1)):
        found = [cycles(op, spread) for spread in laid(op)]
        assert found == sorted(found)


def test_an_axis_without_loops_of_its_classes_stays_empty() -> None:
    op = matmul(1, 64, 1)
    assert [named(op, spread) for spread in laid(op)] == [[[], [("k", 32)]]]


@pytest.mark.parametrize("op", [matmul(7, 30, 50), convolution(6, 10, 9, 3, 1, 1)])
def test_nothing_lies_along_an_axis_twice_or_beyond_its_cells(op: Op) -> None:
    for spread in laid(op):
        for axis, part in zip(TPU_LIKE.axes, spread, strict=True):
            assert math.prod(size for _, size in part) <= axis.size
            loops = [loop for loop, _ in part]
            assert len(loops) == len(set(loops))
        assert named(op, spread)


@given(op=OPS)
def test_spreads_stay_within_any_small_array(op: Op) -> None:
    small = array()
    groups, rows, inner, columns = op.loops.classes(len(op.inputs))
    found = spreads(op.loops, (rows, inner, columns, groups), small)
    assert 1 <= len(found) <= 2
    for spread in found:
        for axis, part in zip(small.axes, spread, strict=True):
            assert math.prod(size for _, size in part) <= axis.size
