"""Weight tiles: every weight lies on one, none is larger than a macro, packing never costs more."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest
from codesign_plugins.cim.layout import PACKS, ROW_SPLITS, Layout, Pack, RowSplit, cut_weights, lay
from hypothesis import given
from hypothesis import strategies as st

from codesign import Op
from codesign.errors import HardwareError
from codesign.testing import convolution, matmul
from codesign.workload.nest import LoopNest

DEPTHWISE = convolution(384, 384, 14, 3, padding=1, groups=384)
POINTWISE = convolution(64, 384, 14, 1)
WIDE = convolution(64, 64, 56, 3, padding=1)
STEM = convolution(3, 64, 224, 7, 2, 3)
PLAIN: Pack = "none"


def products(layout: Layout) -> int:
    found: int = layout.pixels * layout.count
    return found


def unfolded(layout: Layout) -> list[tuple[int, int, bool]]:
    return [(t.rows, t.columns, t.last) for t in layout.tiles for _ in range(t.count)]


matmuls = st.builds(
    matmul, st.integers(1, 9), st.integers(1, 700), st.integers(1, 300), st.integers(1, 5)
)
convolutions = st.builds(
    lambda groups, channels, filters, kernel, stride, size: convolution(
        groups * channels, groups * filters, size, kernel, stride, kernel // 2, groups
    ),
    *(st.integers(1, 6), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5)),
    *(st.integers(1, 3), st.integers(5, 20)),
)
operators = st.one_of(matmuls, convolutions)
sides = st.integers(1, 200)


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS))
def test_every_weight_lies_on_one_tile(op: Op, rows: int, columns: int, split: RowSplit) -> None:
    groups, pixels, inner, outer = op.gemm
    layout = lay(op, rows, columns, split, "none")
    assert layout.pixels == pixels
    assert sum(t.count * t.rows * t.columns for t in layout.tiles) == groups * inner * outer
    assert sum(t.count * t.columns for t in layout.tiles if t.last) == groups * outer


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS), st.sampled_from(PACKS))
def test_no_tile_is_larger_than_a_macro(
    op: Op, rows: int, columns: int, split: RowSplit, pack: Pack
) -> None:
    layout = lay(op, rows, columns, split, pack)
    assert all(1 <= t.rows <= rows and 1 <= t.columns <= columns for t in layout.tiles)
    assert all(t.count >= 1 for t in layout.tiles)
    assert sum(t.count for t in layout.tiles) == layout.count
    assert layout.count == layout.row_tiles * layout.column_tiles


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS), st.sampled_from(PACKS))
def test_tiles_come_column_after_column_and_the_last_row_tile_ends_it(
    op: Op, rows: int, columns: int, split: RowSplit, pack: Pack
) -> None:
    layout = lay(op, rows, columns, split, pack)
    tiles = unfolded(layout)
    for start in range(0, len(tiles), layout.row_tiles):
        strip = tiles[start : start + layout.row_tiles]
        assert [last for _, _, last in strip] == [False] * (layout.row_tiles - 1) + [True]
        assert len({width for _, width, _ in strip}) == 1


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS), st.sampled_from(PACKS))
def test_runs_of_alike_tiles_are_as_long_as_they_can_be(
    op: Op, rows: int, columns: int, split: RowSplit, pack: Pack
) -> None:
    layout = lay(op, rows, columns, split, pack)
    assert len(layout.tiles) == len(list(groupby(unfolded(layout))))
    assert all(
        replace(before, count=after.count) != after
        for before, after in zip(layout.tiles, layout.tiles[1:], strict=False)
    )


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS), st.sampled_from(PACKS))
def test_alike_tiles_are_those_of_the_layout(
    op: Op, rows: int, columns: int, split: RowSplit, pack: Pack
) -> None:
    counted: dict[tuple[int, int], int] = {}
    for count, height, width in cut_weights(op, rows, columns, split, pack).alike():
        counted[height, width] = counted.get((height, width), 0) + count
    ordered: dict[tuple[int, int], int] = {}
    for tiles in lay(op, rows, columns, split, pack).tiles:
        key = tiles.rows, tiles.columns
        ordered[key] = ordered.get(key, 0) + tiles.count
    assert counted == ordered


@given(operators, sides, sides, st.sampled_from(ROW_SPLITS))
def test_packing_never_takes_more_products(
    op: Op, rows: int, columns: int, split: RowSplit
) -> None:
    none, group, diagonal = (products(lay(op, rows, columns, split, pack)) for pack in PACKS)
    assert diagonal <= group <= none


@given(operators, sides, sides)
def test_rows_in_whole_loop_factors_never_take_fewer_tiles(op: Op, rows: int, columns: int) -> None:
    linear, factors = (lay(op, rows, columns, split, "none") for split in ROW_SPLITS)
    assert factors.count >= linear.count
    assert factors.column_tiles == linear.column_tiles


@given(operators, sides, sides, st.sampled_from(PACKS))
def test_a_larger_macro_never_takes_more_products(
    op: Op, rows: int, columns: int, pack: Pack
) -> None:
    small = lay(op, rows, columns, "linear", pack)
    large = lay(op, 2 * rows, columns + 7, "linear", pack)
    assert products(large) <= products(small)


def test_a_window_of_64_channels_takes_six_tiles_by_factors_and_five_filled() -> None:
    factors = lay(WIDE, 128, 128, "loop_factors", PLAIN)
    assert unfolded(factors) == [(96, 64, False)] * 5 + [(96, 64, True)]
    linear = lay(WIDE, 128, 128, "linear", PLAIN)
    assert unfolded(linear) == [(128, 64, False)] * 4 + [(64, 64, True)]
    assert (8 * products(factors), 8 * products(linear)) == (150_528, 125_440)


def test_a_stem_keeps_its_window_whole() -> None:
    layout = lay(STEM, 128, 128, "loop_factors", PLAIN)
    assert unfolded(layout) == [(49, 64, False)] * 2 + [(49, 64, True)]


def test_one_loop_is_cut_evenly_by_factors() -> None:
    assert unfolded(lay(matmul(1, 192, 8), 128, 128, "loop_factors", PLAIN)) == [
        (96, 8, False),
        (96, 8, True),
    ]
    assert [rows for rows, _, _ in unfolded(lay(matmul(1, 131, 8), 50, 8, "loop_factors"))] == [
        *(44, 44, 43)
    ]


def test_columns_fill_up() -> None:
    layout = lay(matmul(1, 512, 1000), 128, 128, "loop_factors", PLAIN)
    assert (layout.row_tiles, layout.column_tiles) == (4, 8)
    assert [width for _, width, last in unfolded(layout) if last] == [128] * 7 + [104]


def test_a_depthwise_layer_takes_128_times_the_products_of_its_pointwise_neighbour() -> None:
    depthwise, pointwise = (lay(op, 128, 128, pack="none") for op in (DEPTHWISE, POINTWISE))
    assert 8 * products(depthwise) == 602_112
    assert 8 * products(pointwise) == 4_704
    assert DEPTHWISE.macs * 64 == POINTWISE.macs * 9


def test_groups_on_the_diagonal_of_a_macro_recover_a_factor_of_14() -> None:
    layout = lay(DEPTHWISE, 128, 128, pack="group")
    assert 8 * products(layout) == 43_904
    assert unfolded(layout) == [(14 * 9, 14, True)] * 27 + [(6 * 9, 6, True)]


def test_pixels_that_share_a_macro_recover_a_factor_of_28() -> None:
    layout = lay(DEPTHWISE, 128, 128, pack="diagonal")
    assert 8 * products(layout) == 21_504
    # five pixels of a row read 3 x 7 inputs, and six groups of them fit
    assert unfolded(layout) == [(6 * 21, 6 * 5, True)] * 64
    assert layout.pixels == 14 * 3


@pytest.mark.parametrize(("stride", "rows"), [(1, 3 * 5), (2, 3 * 7), (3, 3 * 9), (4, 3 * 9)])
def test_windows_of_neighbouring_pixels_overlap_as_far_as_their_stride_lets_them(
    stride: int, rows: int
) -> None:
    size = 2 * stride + 3  # three pixels a side
    layout = lay(convolution(1, 1, size, 3, stride), rows, 3, pack="diagonal")
    assert unfolded(layout) == [(rows, 3, True)]
    assert layout.pixels == 3
    assert lay(convolution(1, 1, size, 3, stride), rows - 1, 3, pack="diagonal").pixels > 3


def test_a_dilated_window_covers_only_the_inputs_that_it_reads() -> None:
    op = convolution(1, 1, 8, 3, dilation=2)  # four pixels a side
    layout = lay(op, 3 * 4, 2, pack="diagonal")
    # two pixels that are next to each other read six columns of inputs, not twelve
    assert layout.pixels == 16
    assert lay(op, 3 * 6, 2, pack="diagonal").pixels == 8


def test_pixels_without_a_window_share_a_macro_too() -> None:
    layout = lay(matmul(10, 20, 8), 128, 128, pack="diagonal")
    assert layout.pixels == 2
    assert unfolded(layout) == [(5 * 20, 5 * 8, True)]
    assert lay(matmul(10, 20, 8), 128, 128, pack="group").pixels == 10


def test_the_fewest_tiles_do_among_equal_products() -> None:
    layout = lay(matmul(4, 8, 8, batch=4), 32, 32, pack="diagonal")
    # 4 groups or 4 pixels on a macro: 4 products either way, of one tile or of four
    assert (layout.count, layout.pixels) == (1, 4)


def test_what_fills_a_macro_is_not_packed() -> None:
    for pack in PACKS:
        assert lay(WIDE, 128, 128, pack=pack) == lay(WIDE, 128, 128, pack="none")


def test_each_group_has_tiles_of_its_own() -> None:
    layout = lay(matmul(3, 200, 10, batch=4), 128, 128, pack="none")
    assert unfolded(layout) == [(128, 10, False), (72, 10, True)] * 4
    assert (layout.row_tiles, layout.column_tiles, layout.pixels) == (2, 4, 3)


def test_a_product_without_a_reduction_takes_one_row() -> None:
    nest = matmul(4, 1, 6).loops
    assert isinstance(nest, LoopNest)
    for split in ROW_SPLITS:
        assert unfolded(lay(matmul(4, 1, 6), 16, 16, split, "none")) == [(1, 6, True)]


@pytest.mark.parametrize(
    ("given_words", "message"),
    [
        (("loops", "none"), "unknown row_split 'loops'"),
        (("liner", "none"), "unknown row_split 'liner'; did you mean 'linear'?"),
        (("linear", "groups"), "unknown pack 'groups'; did you mean 'group'?"),
    ],
)
def test_an_unknown_word_is_one_line_with_the_known_ones(
    given_words: tuple[RowSplit, Pack], message: str
) -> None:
    with pytest.raises(HardwareError) as caught:
        lay(WIDE, 128, 128, *given_words)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
