"""The affine loop nest against enumeration of its points."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.testing import convolution, matmul
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.record import Op

LAW = settings(max_examples=80, deadline=None, derandomize=True)


def positions(axis: Axis, tile: tuple[int, ...]) -> set[int]:
    """Where an axis is touched, point by point."""
    found = set()
    for point in itertools.product(*(range(extent) for extent in tile)):
        found.add(axis.offset + sum(c * point[dim] for dim, c in axis.terms))
    return found


def window(stride: int, dilation: int, padding: int = 0) -> Axis:
    return Axis(((0, stride), (1, dilation)), -padding)


@LAW
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=1, max_size=3),
    st.integers(-3, 3),
)
def test_an_injective_axis_has_an_element_for_each_point(
    loops: list[tuple[int, int]], offset: int
) -> None:
    axis = Axis(tuple((dim, c) for dim, (c, _) in enumerate(loops)), offset)
    extents = tuple(extent for _, extent in loops)
    if axis.is_injective(extents):
        assert len(positions(axis, extents)) == math.prod(extents)


@pytest.mark.parametrize(
    ("coefficients", "extents", "is_injective"),
    [
        ((1,), (9,), True),
        ((7,), (9,), True),
        ((4, 1), (9, 4), True),
        ((1, 4), (4, 9), True),
        ((4, 1), (9, 5), False),
        ((2, 1), (5, 4), False),
        ((1, 1), (5, 1), True),
        ((1, 1), (5, 2), False),
        ((12, 4, 1), (2, 3, 4), True),
        ((11, 4, 1), (2, 3, 4), False),
        ((), (3,), True),
    ],
)
def test_only_a_mixed_radix_number_is_injective(
    coefficients: tuple[int, ...], extents: tuple[int, ...], is_injective: bool
) -> None:
    assert Axis(tuple(enumerate(coefficients))).is_injective(extents) == is_injective


@LAW
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 12), st.integers(1, 5))
def test_a_window_that_steps_or_spreads_by_one_is_counted_exactly(
    pixels: int, taps: int, coefficient: int, other: int
) -> None:
    for axis in (window(coefficient, 1), window(1, coefficient), window(other, other)):
        found = positions(axis, (pixels, taps))
        assert axis.touched((pixels, taps), 10**6) == len(found)


@LAW
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=3),
    st.lists(st.integers(1, 5), min_size=3, max_size=3),
)
def test_no_axis_is_counted_under_what_it_touches_or_over_its_hull(
    coefficients: list[int], extents: list[int]
) -> None:
    axis, tile = Axis(tuple(enumerate(coefficients))), tuple(extents)
    found = positions(axis, tile)
    assert len(found) <= axis.touched(tile, 10**6) <= max(found) - min(found) + 1


@LAW
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3), st.integers(1, 40))
def test_no_more_is_touched_than_the_axis_has(
    pixels: int, taps: int, stride: int, extent: int
) -> None:
    assert window(stride, 1, 1).touched((pixels, taps), extent) <= extent


@LAW
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 3))
def test_a_larger_tile_touches_no_less(pixels: int, taps: int, stride: int, dilation: int) -> None:
    axis = window(stride, dilation)
    here = axis.touched((pixels, taps), 1000)
    assert axis.touched((pixels + 1, taps), 1000) >= here
    assert axis.touched((pixels, taps + 1), 1000) >= here


@pytest.mark.parametrize(
    ("stride", "dilation", "pixels", "taps", "touched"),
    [
        (1, 1, 8, 3, 10),
        (2, 1, 8, 3, 17),
        (2, 1, 8, 1, 8),  # a gap between pixels is not touched
        (3, 1, 4, 2, 8),
        (1, 2, 1, 3, 3),  # a gap between taps is not touched
        (1, 2, 2, 3, 6),
        (2, 2, 10, 3, 12),  # only even positions
    ],
)
def test_halos_and_gaps(stride: int, dilation: int, pixels: int, taps: int, touched: int) -> None:
    assert window(stride, dilation).touched((pixels, taps), 1000) == touched


def test_an_axis_without_loops_is_one_element() -> None:
    assert Axis(()).touched((4, 4), 10) == 1


OPERATORS = (
    matmul(6, 5, 4),
    matmul(6, 5, 4, batch=3, bias=True),
    convolution(4, 6, 7, 3, padding=1),
    convolution(4, 4, 7, 3, stride=2, groups=4),
    convolution(3, 2, 9, 2, stride=3),
    convolution(2, 2, 9, 3, stride=2, dilation=2),
)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_the_footprint_of_the_whole_nest_is_what_its_points_touch(op: Op) -> None:
    nest = op.loops
    for operand, access in enumerate(op.operands):
        touched = set()
        for point in itertools.product(*(range(extent) for extent in nest.extents)):
            where = tuple(
                axis.offset + sum(c * point[dim] for dim, c in axis.terms)
                for axis in nest.operands[operand]
            )
            if all(0 <= p < extent for p, extent in zip(where, access.shape, strict=True)):
                touched.add(where)
        assert nest.footprint(operand, nest.extents, access.shape) == len(touched)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_points_are_the_product_of_the_extents(op: Op) -> None:
    assert op.loops.points == math.prod(op.loops.extents) == op.macs


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_the_classes_sort_every_loop_once(op: Op) -> None:
    classes = op.loops.classes(len(op.inputs))
    assert sorted(itertools.chain(*classes)) == list(range(len(op.loops.dims)))


def _named(nest: LoopNest, output: int) -> list[str]:
    return ["".join(nest.dims[dim] for dim in dims) for dims in nest.classes(output)]


def test_a_matrix_product_has_its_textbook_classes() -> None:
    assert _named(matmul_nest(4, 2, 3, 5), 2) == ["b", "m", "k", "n"]
    # a batch of one belongs to no operand and so to no output: it is of extent 1 anyway
    assert _named(matmul_nest(1, 2, 3, 5), 2) == ["", "m", "bk", "n"]
    assert matmul(2, 5, 3).gemm == (1, 2, 5, 3)


def test_a_convolution_sees_pixels_as_rows_and_taps_as_reduction() -> None:
    op = convolution(4, 8, 6, 3, groups=2)
    assert _named(op.loops, 2) == ["g", "oyox", "cikykx", "co"]
    assert op.gemm == (2, 16, 18, 4)


def test_further_inputs_do_not_change_the_classes() -> None:
    assert matmul(6, 5, 4, bias=True).gemm == matmul(6, 5, 4).gemm


def test_uses_names_the_loops_of_an_operand() -> None:
    nest = matmul_nest(2, 3, 4, 5, ["n", "bmn"])
    assert [nest.uses(operand) for operand in range(5)] == [
        {0, 1, 3},
        {0, 2, 3},
        {2},
        {0, 1, 2},
        {0, 1, 2},
    ]
