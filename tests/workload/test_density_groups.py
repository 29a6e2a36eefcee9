"""Blocks and channels, against every one of them counted by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from density_case import SHARES, all_or_none, as_array, groups_of_tile, shapes, summed, tiles
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import Tile, as_matrix
from codesign.workload.density_groups import Block, Channels


@given(shapes(), SHARES, st.data())
def test_a_tile_holds_the_blocks_that_it_covers(
    shape: tuple[int, ...], share: float, data: st.DataObject
) -> None:
    rows, columns = data.draw(tiles(shape))
    tile = data.draw(tiles(shape))

    def block(_: tuple[int, ...], place: Tile) -> object:
        return place[0] // rows, place[1] // columns

    held = groups_of_tile(shape, tile, block)
    exact = summed(all_or_none(elements, share) for elements in held)
    found = Block(rows, columns, share).pmf(tile)
    assert found == pytest.approx(as_array(exact, math.prod(tile)), abs=1e-12)


@given(shapes(), SHARES, st.data())
def test_a_tile_holds_the_channels_that_it_covers(
    shape: tuple[int, ...], share: float, data: st.DataObject
) -> None:
    axis, tile = data.draw(st.integers(0, len(shape) - 1)), data.draw(tiles(shape))

    def channel(place: tuple[int, ...], _: Tile) -> object:
        return place[axis]

    held = groups_of_tile(shape, tile, channel)
    exact = summed(all_or_none(elements, share) for elements in held)
    found = Channels(share).on(shape, axis, "here").pmf(tile)
    assert found == pytest.approx(as_array(exact, math.prod(tile)), abs=1e-12)


@given(shapes(), SHARES, st.data(), st.integers(0, 2**32))
def test_a_block_of_a_sample_is_empty_or_full(
    shape: tuple[int, ...], share: float, data: st.DataObject, seed: int
) -> None:
    rows, columns = data.draw(tiles(shape))
    sample = Block(rows, columns, share).sample(shape, np.random.default_rng(seed))
    matrix = sample.reshape(as_matrix(shape))
    for row in range(0, matrix.shape[0], rows):
        for column in range(0, matrix.shape[1], columns):
            block = matrix[row : row + rows, column : column + columns]
            assert block.all() or not block.any()


@given(shapes(), SHARES, st.data(), st.integers(0, 2**32))
def test_a_channel_of_a_sample_is_empty_or_full(
    shape: tuple[int, ...], share: float, data: st.DataObject, seed: int
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    density = Channels(share).on(shape, axis, "here")
    for channel in np.moveaxis(density.sample(shape, np.random.default_rng(seed)), axis, 0):
        assert channel.all() or not channel.any()


def test_blocks_of_one_element_are_bernoulli() -> None:
    assert Block(1, 1, 0.25).pmf((1, 2)) == pytest.approx([0.5625, 0.375, 0.0625])


def test_a_tile_of_whole_blocks_holds_a_multiple_of_them() -> None:
    pmf = Block(4, 4, 0.25).pmf((8, 8))
    assert np.flatnonzero(pmf).tolist() == [0, 16, 32, 48, 64]
    assert pmf[0] == pytest.approx(0.75**4)
    assert Block(4, 4, 0.25).prob_empty((8, 8)) == pytest.approx(0.75**4)
    assert Block(4, 4, 0.25).expected((8, 8)) == 16


def test_a_tile_within_one_block_is_empty_or_full() -> None:
    assert np.flatnonzero(Block(4, 4, 0.25).pmf((2, 3))).tolist() == [0, 6]
    assert Block(4, 4, 0.25).prob_empty((2, 3)) == 0.75


def test_blocks_leave_more_tiles_empty_than_elements_of_the_same_density() -> None:
    assert Block(4, 4, 0.25).prob_empty((4, 4)) == 0.75
    assert Block(1, 1, 0.25).prob_empty((4, 4)) == pytest.approx(0.75**16)


def test_channels_of_the_last_axis_are_columns() -> None:
    columns = Channels(0.5).on((64, 64), 1, "here")
    assert columns.prob_empty((64, 1)) == 0.5
    assert columns.prob_empty((1, 64)) == 0.5**64
    assert np.flatnonzero(columns.pmf((8, 2))).tolist() == [0, 8, 16]


def test_channels_of_the_first_axis_are_rows() -> None:
    rows = Channels(0.5).on((64, 64), 0, "here")
    assert rows.prob_empty((1, 64)) == 0.5
    assert np.flatnonzero(rows.pmf((2, 8))).tolist() == [0, 8, 16]


def test_an_output_channel_of_a_convolution_is_many_rows() -> None:
    output = Channels(0.5).on((8, 16, 3, 3), 0, "here")
    assert output == Channels(0.5, stride=48, extent=8)
    assert output.prob_empty((48, 3)) == 0.5
    assert output.prob_empty((96, 3)) == 0.25


def test_an_input_channel_of_a_convolution_comes_back_with_every_output_channel() -> None:
    rows = Channels(0.5).on((8, 16, 3, 3), 1, "here")
    # the same 16 channels in each of 8 output channels, so all is empty as often as they are
    assert rows.prob_empty((8 * 48, 3)) == pytest.approx(0.5**16)
    assert np.flatnonzero(rows.pmf((2 * 48, 1))).tolist() == list(range(0, 97, 6))


def test_channels_without_an_end_go_on() -> None:
    assert Channels(0.5, stride=4).prob_empty((9, 1)) == 0.125
    assert Channels(0.5, stride=4).sample((9, 2), np.random.default_rng(0)).shape == (9, 2)


@pytest.mark.parametrize("share", [-1e-9, 1.0000001, math.nan])
def test_a_share_outside_nought_to_one_is_refused(share: float) -> None:
    with pytest.raises(TraceError, match="density must be 0 to 1, got"):
        Block(4, 4, share)
    with pytest.raises(TraceError, match="density must be 0 to 1, got"):
        Channels(share)


@pytest.mark.parametrize(("rows", "columns"), [(0, 4), (4, 0), (-1, 4)])
def test_a_block_of_nothing_is_refused(rows: int, columns: int) -> None:
    with pytest.raises(TraceError, match=rf"at least 1 row and 1 column, got {rows}x{columns}; "):
        Block(rows, columns, 0.5)


@pytest.mark.parametrize("block", [(5, 1), (1, 7), (500, 500)])
def test_a_block_larger_than_the_tensor_is_refused_in_one_line(block: tuple[int, int]) -> None:
    with pytest.raises(TraceError) as refused:
        Block(*block, 0.5).on((2, 2, 6), 2, "tensor 'w'")
    assert str(refused.value) == (
        "tensor 'w' has blocks larger than the tensor [2, 2, 6], which is a matrix of 4 x 6; take "
        "blocks of at most that"
    )


def test_a_block_as_large_as_the_tensor_is_taken() -> None:
    assert Block(4, 6, 0.5).on((2, 2, 6), 2, "tensor 'w'") == Block(4, 6, 0.5)
