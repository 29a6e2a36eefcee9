"""Bytes that tiles touch and that their home moves: equal to one tile at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_tiling import LAW, burst_bytes, contractions, tile_bytes

from codesign.mapping.footprint import footprints
from codesign.testing import matmul


@settings(LAW, max_examples=80)
@given(st.data())
def test_footprints_are_those_of_one_tile_at_a_time(data: st.DataObject) -> None:
    op = data.draw(contractions)
    burst = data.draw(st.sampled_from([2, 32, 64, 100]))
    tiles = [
        [data.draw(st.integers(1, extent)) for extent in op.loops.extents]
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    found = footprints(op, np.array(tiles, dtype=np.int64), burst)
    assert len(found) == len(op.operands)
    for operand, footprint in enumerate(found):
        assert footprint.bytes.tolist() == [tile_bytes(op, operand, tile) for tile in tiles]
        assert footprint.moved.tolist() == [burst_bytes(op, operand, tile, burst) for tile in tiles]


def test_a_burst_of_one_byte_moves_what_is_touched() -> None:
    op = matmul(8, 8, 8)
    found = footprints(op, np.array([[1, 3, 5, 7]]), 1)
    assert [one.moved.tolist() for one in found] == [one.bytes.tolist() for one in found]


def test_narrow_tiles_move_more_than_wide_ones_of_the_same_size() -> None:
    op = matmul(64, 64, 64)
    assert op.loops.dims == ("b", "m", "n", "k")
    first = footprints(op, np.array([[1, 16, 1, 4], [1, 1, 1, 64]]), 64)[0]
    assert first.bytes.tolist() == [64, 64]
    assert first.moved.tolist() == [16 * 64, 64]
