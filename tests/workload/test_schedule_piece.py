"""How an axis of a view runs over time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.workload.dtype import DType
from codesign.workload.record import Access, Tensor
from codesign.workload.schedule_piece import Piece, find_piece


@given(
    count=st.integers(1, 6),
    steps=st.integers(1, 5),
    rows=st.integers(1, 3),
    stride=st.integers(1, 4),
)
def test_the_pieces_of_an_axis_cover_it_once(
    count: int, steps: int, rows: int, stride: int
) -> None:
    extent, span = rows * count * steps, count * steps * stride
    piece = find_piece(extent, stride, count, span)
    assert piece == Piece(rows, steps, count)
    tensor = Tensor("t", (extent * stride,), DType.parse("int8"), "input")
    access = Access(tensor, (extent,), (stride,))
    first, moved = piece.cut(access, 0)
    places = np.add.outer(
        np.arange(count) * moved,
        sum(
            np.arange(n).reshape([-1 if m == axis else 1 for m in range(len(first.shape))]) * s
            for axis, (n, s) in enumerate(zip(first.shape, first.strides, strict=True))
        ),
    )
    assert sorted(places.flatten().tolist()) == [n * stride for n in range(extent)]


@pytest.mark.parametrize(
    ("extent", "step", "count", "span"),
    [
        (12, 4, 5, 48),
        (12, 4, 3, None),
        (12, -4, 3, 48),
        (12, 5, 3, 48),
        (6, 4, 3, 48),
        (12, 0, 3, 48),
    ],
)
def test_an_axis_that_does_not_run_over_time_has_no_pieces(
    extent: int, step: int, count: int, span: int | None
) -> None:
    assert find_piece(extent, step, count, span) is None
