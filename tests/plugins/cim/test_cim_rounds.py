"""Weight rounds: every tile once, as full as the cells allow, and exactly the weights' bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from codesign_plugins.cim.layout import Layout, Tiles, lay
from codesign_plugins.cim.rounds import Round, weight_rounds
from hypothesis import given
from hypothesis import strategies as st
from macros import contractions

from codesign.testing import matmul
from codesign.workload.record import Op

SIDES = st.sampled_from([4, 8, 16, 128])
PACKS = st.sampled_from(["none", "group", "diagonal"])
MOST = st.integers(1, 40)


def layout(*tiles: tuple[int, int, int, bool]) -> Layout:
    """A layout of tiles as (count, rows, columns, last), in two rows of tiles."""
    found = tuple(Tiles(*one) for one in tiles)
    return Layout(found, 1, sum(one.count for one in found), 1)


def test_one_round_holds_everything_that_fits() -> None:
    tiles = layout((3, 8, 8, False), (1, 4, 8, True))
    assert weight_rounds(tiles, 4, 224) == (Round(4, 224, 8, 0, 28),)
    assert weight_rounds(tiles, 99, 224) == (Round(4, 224, 8, 0, 28),)


def test_a_round_that_ends_within_a_column_spills_its_sums() -> None:
    tiles = layout((3, 8, 8, False), (1, 4, 8, True))
    assert weight_rounds(tiles, 3, 224) == (
        Round(3, 192, 0, 8, 24),
        Round(1, 32, 8, 0, 4),
    )
    assert weight_rounds(tiles, 2, 224) == (
        Round(2, 128, 0, 8, 16),
        Round(2, 96, 8, 0, 12),
    )


def test_rounds_of_a_product_by_hand() -> None:
    # 20 x 20 weights on 8 x 8: rows 8, 8, 4 and columns 8, 8, 4, column by column
    found = weight_rounds(lay(matmul(1, 20, 20), 8, 8), 4, 400)
    assert [one.tiles for one in found] == [4, 4, 1]
    assert [one.finished for one in found] == [8, 8, 4]
    assert [one.spilled for one in found] == [8, 4, 0]
    assert [one.weight_bytes for one in found] == [160 + 64, 64 + 32 + 32 + 32, 16]


@given(contractions(), SIDES, SIDES, PACKS, MOST)
def test_rounds_hold_every_tile_once_and_are_full_but_the_last(
    op: Op, rows: int, columns: int, pack: Any, most: int
) -> None:
    found = weight_rounds(lay(op, rows, columns, "linear", pack), most, op.inputs[1].bytes)
    count = lay(op, rows, columns, "linear", pack).count
    assert sum(one.tiles for one in found) == count
    assert [one.tiles for one in found[:-1]] == [most] * (len(found) - 1)
    assert 1 <= found[-1].tiles <= most


@given(contractions(), SIDES, SIDES, PACKS, MOST, st.integers(0, 10**9))
def test_all_rounds_together_have_exactly_the_bytes_of_the_weights(
    op: Op, rows: int, columns: int, pack: Any, most: int, size: int
) -> None:
    tiles = lay(op, rows, columns, "linear", pack)
    for bytes_ in (op.inputs[1].bytes, size):
        found = weight_rounds(tiles, most, bytes_)
        assert sum(one.weight_bytes for one in found) == bytes_
        assert min(one.weight_bytes for one in found) >= 0


@given(contractions(), SIDES, SIDES, PACKS, MOST)
def test_every_column_is_finished_once_and_nothing_is_left_over(
    op: Op, rows: int, columns: int, pack: Any, most: int
) -> None:
    tiles = lay(op, rows, columns, "linear", pack)
    found = weight_rounds(tiles, most, op.inputs[1].bytes)
    assert sum(one.finished for one in found) == sum(
        one.count * one.columns for one in tiles.tiles if one.last
    )
    assert found[-1].spilled == 0
    assert all(0 <= one.spilled <= columns for one in found)


@given(contractions(), SIDES, SIDES)
def test_nothing_is_spilled_where_one_row_of_tiles_is_enough(
    op: Op, rows: int, columns: int
) -> None:
    tiles = lay(op, max(rows, op.gemm[2]), columns)
    assert all(one.spilled == 0 for one in weight_rounds(tiles, 1, op.inputs[1].bytes))


@pytest.mark.parametrize("most", [1, 2, 3, 7, 32])
def test_cutting_tiles_into_alike_ones_changes_no_round(most: int) -> None:
    tiles = lay(matmul(1, 70, 50), 16, 8)
    apart = replace(
        tiles,
        tiles=tuple(replace(one, count=1) for one in tiles.tiles for _ in range(one.count)),
    )
    assert weight_rounds(apart, most, 3500) == weight_rounds(tiles, most, 3500)
