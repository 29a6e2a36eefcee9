"""Stacks of ranks: what they count is what an encoder writes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from encoders import Matrix, bitmap, coo, csr, run_length, run_length_words
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density_places import Actual
from codesign.workload.dtype import DType
from codesign.workload.mask import Mask
from codesign.workload.ranks import CP, UOP, B, Fibers, U
from codesign.workload.run_length import RLE
from codesign.workload.sparsity import Sparsity
from codesign.workload.stack import ALL, BLOCK, Rank, Stack
from codesign.workload.stored import Stored

INT8 = DType("int", 8)


def stack(*ranks: Rank) -> Stack:
    return Stack(name="s", description="of a test", ranks=ranks)


BITMAP = stack(Rank(B()))
TALL = stack(Rank(B(), (8, 1)), Rank(U()))
CSR = stack(Rank(UOP(32), (1, ALL)), Rank(CP()))
BSR = stack(Rank(UOP(32), (4, ALL)), Rank(CP(), (4, 4)), Rank(U()))
COO = stack(Rank(CP()))
ENCODERS: dict[str, tuple[Stack, Callable[[Matrix], tuple[int, int]]]] = {
    "bitmap": (BITMAP, bitmap),
    "bitmap of 8 x 1": (TALL, lambda kept: bitmap(kept, 8, 1)),
    "csr": (CSR, csr),
    "blocks of 4 x 4": (BSR, lambda kept: csr(kept, 4, 4)),
    "coo": (COO, coo),
    "runs of 2 bits": (stack(Rank(RLE(2))), lambda kept: run_length(kept, 2)),
    "runs of 4 bits": (stack(Rank(RLE(4))), lambda kept: run_length(kept, 4)),
}


PATTERNS = (
    *("0.3", "0.02", "600000 of 1000000", "dense"),
    *("block 8x2 0.2", "block 4x4 0.3", "2:4", "2:4 axis 0", "1:32", "3:40", "20:100"),
)


def counted(stored: Stored, elements: int, bits: int = 8) -> tuple[int, int]:
    """Values and bits of metadata of the whole tensor, which are whole."""
    values, marks = stored.data * elements / bits, stored.meta * elements
    assert values.denominator == marks.denominator == 1
    return int(values), int(marks)


def of(codec: Stack, shape: tuple[int, ...], zeros: str, dtype: DType = INT8) -> Stored:
    return codec.stored(shape, dtype, Sparsity.parse(zeros))


@pytest.mark.parametrize("name", ENCODERS)
@given(
    rows=st.integers(8, 40),
    columns=st.integers(4, 40),
    share=st.floats(0.02, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_mask_takes_what_an_encoder_writes(
    name: str, rows: int, columns: int, share: float, seed: int
) -> None:
    kept = np.random.default_rng(seed).random((rows, columns)) < share
    kept[rows // 2, columns // 2] = True
    codec, encode = ENCODERS[name]
    stored = codec.stored(kept.shape, INT8, Sparsity("element", Actual(Mask.of(kept))))
    assert counted(stored, kept.size) == encode(kept)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("zeros", PATTERNS)
def test_a_density_takes_what_masks_of_it_take(name: str, zeros: str) -> None:
    codec, encode = ENCODERS[name]
    shape, rng = (1000, 1000), np.random.default_rng(7)
    drawn = Sparsity.parse(zeros).on(shape, "w").density.sample(shape, rng)
    kept, bits = counted(of(codec, shape, zeros), drawn.size)
    values, marks = encode(drawn)
    assert float(kept) == pytest.approx(values, rel=0.02)
    assert float(bits) == pytest.approx(marks, rel=0.02)


@given(kept=st.lists(st.booleans(), min_size=1, max_size=200).filter(any), width=st.integers(1, 6))
def test_the_words_of_a_run_length_code_give_the_matrix_back(kept: list[bool], width: int) -> None:
    mask = np.array(kept)
    words = run_length_words(mask, width)
    back = [value for run, is_kept in words for value in [*([False] * run), is_kept]]
    assert back == kept[: len(back)]
    assert not any(kept[len(back) :])
    assert run_length(mask, width) == (len(words), len(words) * width)


@pytest.mark.parametrize("zeros", ["channel 0.3 axis 0", "channel 0.3", "channel 0.3 axis 1"])
def test_runs_over_empty_channels_are_those_of_masks(zeros: str) -> None:
    shape, sparsity = (50, 60, 40), Sparsity.parse(zeros)
    density = sparsity.on(shape, "w").density
    drawn = [density.sample(shape, np.random.default_rng(seed)) for seed in range(40)]
    values = sum(run_length(one, 4)[0] for one in drawn)
    stored = stack(Rank(RLE(4))).stored(shape, INT8, sparsity)
    assert float(stored.data / 8) / 0.3 == pytest.approx(values / np.sum(drawn), rel=0.02)


@pytest.mark.parametrize("half_width", [0, 3, 30])
def test_runs_beside_a_band_are_counted(half_width: int) -> None:
    rows, columns = np.ogrid[:120, :90]
    kept = np.asarray(abs(rows - columns) <= half_width)
    stored = of(stack(Rank(RLE(4))), kept.shape, f"band {half_width}")
    assert counted(stored, kept.size) == run_length(kept, 4)


def test_nothing_is_said_of_zeros_and_all_is_kept() -> None:
    for codec, encode in ENCODERS.values():
        full = np.ones((16, 32), dtype=bool)
        assert counted(codec.stored(full.shape, INT8, None), full.size) == encode(full)


def test_all_zeros_take_their_marks_alone() -> None:
    empty = np.zeros((16, 32), dtype=bool)
    for name in ("bitmap", "bitmap of 8 x 1", "csr", "blocks of 4 x 4"):
        codec, encode = ENCODERS[name]
        assert counted(of(codec, empty.shape, "0"), empty.size) == encode(empty)


def test_zeros_without_any_mark_are_no_tensor() -> None:
    with pytest.raises(TraceError, match="codec 's' must store some bits"):
        of(COO, (16, 32), "0")


def test_a_few_elements_that_are_not_all_zeros_keep_one_at_least() -> None:
    assert counted(of(BITMAP, (2, 2), "0.01"), 4) == (1, 4)


def test_a_tensor_is_a_matrix_whose_columns_are_its_last_axis() -> None:
    deep, flat = of(CSR, (4, 5, 6, 64), "0.25"), of(CSR, (120, 64), "0.25")
    assert deep == flat
    assert of(CSR, (64,), "0.25") == of(CSR, (1, 64), "0.25")
    assert BITMAP.stored((), INT8, None).bits == 9


def test_sizes_are_whole_values_and_whole_bits_of_the_tensor() -> None:
    for zeros in ("0.123456789", "block 8x2 0.377", "2:4"):
        for codec, _ in ENCODERS.values():
            kept, bits = counted(of(codec, (96, 72), zeros), 96 * 72)
            assert 0 < kept <= 96 * 72
            assert bits > 0


def test_all_scales_of_blocks_are_kept_as_metadata() -> None:
    plain, scaled = DType("int", 4), DType.parse("int4[64x16]")
    for codec, _ in ENCODERS.values():
        without, with_ = (of(codec, (64, 100), "0.5", dtype) for dtype in (plain, scaled))
        assert with_.data == without.data
        assert (with_.meta - without.meta) * 6400 == 16 * 100


def test_a_block_at_the_end_without_all_elements_has_a_whole_scale() -> None:
    stored = of(BITMAP, (1, 65), "dense", DType.parse("int4[64x16]"))
    assert stored.meta * 65 == 65 + 2 * 16


def test_blocks_of_the_codec_may_be_those_of_the_zeros() -> None:
    same = stack(Rank(UOP(32), (BLOCK, ALL)), Rank(CP(), (BLOCK, BLOCK)), Rank(U()))
    assert of(same, (64, 64), "block 4x4 0.25") == of(BSR, (64, 64), "block 4x4 0.25")
    stored = of(same, (64, 64), "block 16x8 0.25")
    assert counted(stored, 4096) == (1024, 5 * 32 + 8 * 3)


@pytest.mark.parametrize(
    ("zeros", "share"),
    [("block 8x1 0.3", 0.3), ("block 4x1 0.3", 1 - 0.7**2), ("0.3", 1 - 0.7**8)],
)
def test_a_tile_is_empty_as_often_as_the_zeros_say(zeros: str, share: float) -> None:
    kept, bits = counted(of(TALL, (1024, 1000), zeros), 1_024_000)
    assert float(kept) == pytest.approx(share * 1_024_000, abs=8)
    assert bits == 128_000


def test_values_are_kept_once_whatever_their_width() -> None:
    for codec, _ in ENCODERS.values():
        narrow, wide = (of(codec, (64, 64), "0.4", DType("int", bits)) for bits in (4, 16))
        assert wide.data == 4 * narrow.data
        assert wide.meta == narrow.meta


@given(share=st.floats(0.001, 1), more=st.floats(0, 1))
def test_more_non_zeros_never_take_fewer_bits(share: float, more: float) -> None:
    larger = share + more * (1 - share)
    for name in ("bitmap", "bitmap of 8 x 1", "csr", "blocks of 4 x 4", "coo"):
        codec, _ = ENCODERS[name]
        less, greater = (of(codec, (64, 96), str(one)) for one in (share, larger))
        assert less.bits <= greater.bits


def test_wider_runs_need_fewer_fillers() -> None:
    for zeros in ("0.05", "block 2x3 0.1"):
        kept = [of(stack(Rank(RLE(width))), (500, 300), zeros).data for width in range(1, 9)]
        assert kept == sorted(kept, reverse=True)
        assert kept[0] > kept[-1]


def test_groups_that_are_too_short_for_a_filler_have_none() -> None:
    assert of(stack(Rank(RLE(4))), (64, 64), "2:4").data == 4
    assert of(stack(Rank(RLE(4))), (64, 64), "1:8").data == 1
    assert of(stack(Rank(RLE(4))), (64, 64), "1:8 axis 0").data > 1


def test_two_of_four_fill_a_run_of_four_where_two_and_two_zeros_meet() -> None:
    stored = of(stack(Rank(RLE(2))), (1000, 1008), "2:4")
    assert float(stored.data) == pytest.approx(4 * (1 + 1 / 36 / 2), rel=1e-6)


BROKEN = {
    "its blocks are those of the zeros, which are '0.5'; declare for example": (
        stack(Rank(CP(), (BLOCK, BLOCK)), Rank(U())),
        "0.5",
    ),
    "its tiles of 8 x 1 must fit in the 4 x 64 elements above them; take smaller": (TALL, "0.5"),
    "coordinates must have 6 bits for 1 x 64 of them, got 5; take a codec with": (
        stack(Rank(UOP(), (1, ALL)), Rank(CP(5))),
        "0.5",
    ),
}


@pytest.mark.parametrize("message", BROKEN)
def test_what_a_codec_cannot_hold_is_said_in_one_line(message: str) -> None:
    codec, zeros = BROKEN[message]
    with pytest.raises(TraceError) as caught:
        of(codec, (4, 64), zeros)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_blocks_of_zeros_that_nobody_declared_are_refused() -> None:
    with pytest.raises(TraceError, match=r"which are not declared; declare for example"):
        stack(Rank(CP(), (BLOCK, 1)), Rank(U())).stored((8, 8), INT8, None)


@pytest.mark.parametrize("ranks", [(), (Rank(B(), (8, 1)),)])
def test_a_stack_ends_with_elements(ranks: tuple[Rank, ...]) -> None:
    with pytest.raises(TraceError, match="last rank of format 's' must have the tile"):
        stack(*ranks)


@pytest.mark.parametrize("width", [0, 17])
def test_a_run_has_some_bits_and_not_too_many(width: int) -> None:
    with pytest.raises(TraceError, match=f"1 to 16 bits, got {width}"):
        RLE(width)


def test_coordinates_take_the_bits_of_both_sides() -> None:
    for rows, columns, bits in ((1, 1, 0), (1, 2, 1), (3, 4096, 14), (5, 5, 6)):
        assert Fibers(1, rows, columns, 1).coordinate_bits == bits
        assert math.ceil(math.log2(rows)) + math.ceil(math.log2(columns)) == bits


def test_wider_coordinates_than_needed_are_paid_for() -> None:
    wide = of(stack(Rank(CP(24))), (64, 64), "0.5")
    assert wide.meta == 12
    assert of(COO, (64, 64), "0.5").meta == 6
