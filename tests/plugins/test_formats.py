"""The codecs that ship: what they take, what they refuse, and the door that they come through."""

from __future__ import annotations

import importlib
import re
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from codesign_plugins.formats.composites import FORMATS
from codesign_plugins.formats.slots import CodeBook, Slots

from codesign.errors import TraceError
from codesign.plugins import Registry, registry
from codesign.workload.density_places import Actual
from codesign.workload.dtype import DType
from codesign.workload.formats import Format
from codesign.workload.mask import Mask
from codesign.workload.sparsity import Sparsity
from codesign.workload.stored import Stored

SHAPE = (1000, 800)
HOOK = "codesign_formats"
LOSSLESS = ("dense", "bitmap", "csr", "coo", "rle4", "rle5")
"""Codecs that take a tensor without zeros."""


def size(name: str, zeros: str | None = None, dtype: str = "int8") -> Stored:
    sparsity = None if zeros is None else Sparsity.parse(zeros)
    codec: Format = FORMATS[name]
    return codec.stored(SHAPE, DType.parse(dtype), sparsity)


def share(name: str, zeros: str | None = None) -> float:
    """Bits of an int8 element over 8."""
    return float(size(name, zeros).bits / 8)


def test_the_shipped_codecs_come_through_the_door_of_any_other() -> None:
    offers = registry().offers(HOOK)
    assert {name for name, offer in offers.items() if offer.owner == "formats"} == set(FORMATS)
    assert {offers[name].origin for name in FORMATS} == {"codesign_plugins.formats"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_codec_says_what_it_is(name: str) -> None:
    codec = FORMATS[name]
    assert isinstance(codec, Format)
    assert codec.name in (name, "bitmap")
    assert codec.description == " ".join(codec.description.split())
    assert hash(codec) == hash(FORMATS[name])


def test_the_bitmap_has_two_names_and_one_codec() -> None:
    assert FORMATS["bitmask"] is FORMATS["bitmap"]
    assert size("bitmask", "0.5").codec == "bitmap"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_stored_names_its_codec(name: str) -> None:
    zeros = {"n:m": "2:4", "2:4": "2:4", "bsr": "block 4x4 0.5"}.get(name, "0.5")
    assert size(name, zeros, "fp32").codec == FORMATS[name].name


@pytest.mark.parametrize(
    ("codec", "shares"),
    [("bitmap", (0.625, 0.425, 0.225)), ("rle4", (0.75, 0.4515, 0.1841))],
)
def test_random_zeros_of_half_seven_and_nine_tenths(codec: str, shares: tuple[float, ...]) -> None:
    for zeros, expected in zip(("0.5", "0.3", "0.1"), shares, strict=True):
        assert share(codec, zeros) == pytest.approx(expected, abs=2e-5)


def test_blocks_of_eight_rows_cost_an_eighth_of_a_bit() -> None:
    for density in (0.5, 0.3, 0.1):
        assert share("bitmap-8x1", f"block 8x1 {density}") == density + 1 / 64
        kept = 1 - (1 - density) ** 8
        assert share("bitmap-8x1", f"{density}") == pytest.approx(kept + 1 / 64, abs=1e-5)


def test_a_bitmap_of_bytes_pays_from_an_eighth_of_zeros() -> None:
    assert size("bitmap", "0.875").bits == 8
    assert size("bitmap", "0.874").bits < 8 < size("bitmap", "0.876").bits


def test_a_bitmap_beats_columns_of_ten_bits_from_one_in_ten() -> None:
    assert size("csr", "0.09").bits < size("bitmap", "0.09").bits
    assert size("csr", "0.11").bits > size("bitmap", "0.11").bits


def test_groups_of_an_axis_shorter_than_they_are_cannot_be_stored() -> None:
    shape = (64, 64, 3, 3)
    kept = np.zeros(shape, dtype=bool)
    kept[:, :, 0, 0] = True
    known = Sparsity("element", Actual(Mask.of(kept)))
    for zeros in (known, Sparsity.parse("1:2")):
        with pytest.raises(TraceError, match=r"its groups of 4 do not fit along axis 3 of \[64, "):
            FORMATS["2:4"].stored(shape, DType("int", 8), zeros)
    along = Sparsity.parse("1:2 axis 1")
    assert FORMATS["2:4"].stored(shape, DType("int", 8), along).bits == 5


def test_offsets_beat_run_lengths_where_few_elements_are_kept() -> None:
    def best(density: str) -> str:
        sizes = {name: FORMATS[name].stored((4096, 4096), DType("int", 8), Sparsity.parse(density))
                 for name in LOSSLESS}  # fmt: skip
        return min(sizes, key=lambda name: sizes[name].bits)

    assert [best(density) for density in ("0.5", "0.3", "0.1", "0.05", "0.03", "0.01")] == [
        "bitmap", "bitmap", "rle5", "rle5", "csr", "csr"
    ]  # fmt: skip


def test_run_lengths_beat_a_bitmap_of_bytes_below_a_quarter() -> None:
    assert size("rle4", "0.24").bits < size("bitmap", "0.24").bits
    assert size("rle4", "0.26").bits > size("bitmap", "0.26").bits


def test_no_zeros_make_every_codec_but_dense_larger() -> None:
    assert size("dense").bits == 8
    for name in LOSSLESS[1:]:
        assert size(name).bits > 8
        assert size(name).data == 8
        assert size(name) == size(name, "dense")


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("zeros", ["0.4", "2:4", "2:4 axis 0", "channel 0.5", "band 40"])
def test_every_pattern_keeps_all_its_non_zeros(name: str, zeros: str) -> None:
    stored, found = size(name, zeros), Sparsity.parse(zeros).on(SHAPE, "w").share
    assert stored.data >= Fraction(found).limit_denominator(800_000) * 8 - Fraction(1, 1000)
    assert stored.data <= 8


def test_an_actual_mask_takes_its_own_non_zeros() -> None:
    kept = np.random.default_rng(3).random(SHAPE) < 0.3
    zeros = Sparsity.of(kept)
    stored = FORMATS["bitmap"].stored(SHAPE, DType("int", 8), zeros)
    assert stored.data * 800_000 == 8 * int(kept.sum())


@pytest.mark.parametrize(("dtype", "bits"), [("fp16", 9), ("int8", 5), ("int4", 3)])
def test_two_of_four_store_half_the_values_and_a_bit(dtype: str, bits: int) -> None:
    assert size("2:4", "2:4", dtype) == Stored("2:4", Fraction(bits - 1), Fraction(1))
    assert size("n:m", "2:4", dtype) == Stored("n:m", Fraction(bits - 1), Fraction(1))


@pytest.mark.parametrize(("dtype", "most"), [("fp16", 1.78), ("int8", 1.6), ("int4", 1.33)])
def test_two_of_four_never_halve_what_is_read(dtype: str, most: float) -> None:
    gain = DType.parse(dtype).bits / size("2:4", "2:4", dtype).bits
    assert float(gain) == pytest.approx(most, abs=0.005)


@pytest.mark.parametrize(
    ("zeros", "data", "meta"),
    [
        ("1:4", 2, Fraction(1, 2)),
        ("4:8", 4, Fraction(3, 2)),
        ("2:5", Fraction(16, 5), Fraction(6, 5)),
    ],
)
def test_n_of_m_store_n_values_with_their_places(
    zeros: str, data: Fraction, meta: Fraction
) -> None:
    assert size("n:m", zeros) == Stored("n:m", Fraction(data), Fraction(meta))


@pytest.mark.parametrize("zeros", ["1:4", "1:2", "2:8", "1:16"])
def test_slots_of_two_in_four_hold_what_implies_it_and_stay_two(zeros: str) -> None:
    assert size("2:4", zeros) == size("2:4", "2:4")


def test_a_mask_that_follows_two_of_four_is_stored_in_slots() -> None:
    random = np.random.default_rng(2).random((1000, 200, 4)).argsort(axis=2) < 2
    channels = np.tile([True, False, True, False, False, False, False, True], (1000, 100))
    for kept, kind in ((random.reshape(SHAPE), "n:m"), (channels, "channel")):
        zeros = Sparsity.of(kept)
        assert zeros.granularity == kind
        assert FORMATS["2:4"].stored(SHAPE, DType("int", 8), zeros) == size("2:4", "2:4")


@pytest.mark.parametrize(
    ("axis", "slots"), [(0, 2 * 2 * 5 * 7), (1, 6 * 2 * 2 * 7), (2, 6 * 5 * 4)]
)
def test_a_group_that_hangs_over_the_axis_is_stored_whole(axis: int, slots: int) -> None:
    zeros = Sparsity.parse(f"2:4 axis {axis}")
    stored = FORMATS["2:4"].stored((6, 5, 7), DType("int", 8), zeros)
    assert stored.data * 210 == 8 * slots
    assert stored.meta * 210 == 2 * slots


@pytest.mark.parametrize(
    ("codec", "zeros", "message"),
    [
        ("2:4", None, "its zeros must be 2:4, none are declared; prune so, or take bitmap"),
        ("2:4", "0.5", "its zeros must be 2:4, they are '0.5'; prune so, or take bitmap"),
        ("2:4", "3:4", "its zeros must be 2:4, they are '3:4'; prune so, or take bitmap"),
        ("2:4", "4:8", "its zeros must be 2:4, they are '4:8'; prune so, or take bitmap"),
        ("2:4", "1:3", "its zeros must be 2:4, they are '1:3'; prune so, or take bitmap"),
        ("n:m", "block 2x2 0.5", "its zeros must be n:m, they are 'block 2x2 0.5'; prune so, or"),
        ("bsr", "0.5", "its blocks are those of the zeros, which are '0.5'; declare for"),
        ("bsr", None, "its blocks are those of the zeros, which are not declared; declare for"),
        ("codebook8", "0.5", "its numbers of 8 bits must be narrower than the values, which are"),
    ],
)
def test_zeros_that_a_codec_cannot_hold_are_one_line(
    codec: str, zeros: str | None, message: str
) -> None:
    with pytest.raises(TraceError) as caught:
        size(codec, zeros)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_half_dense_random_weights_are_told_how_many_groups_comply() -> None:
    kept = np.random.default_rng(1).random((512, 512)) < 0.5
    with pytest.raises(TraceError) as caught:
        FORMATS["2:4"].stored(kept.shape, DType("int", 8), Sparsity.of(kept))
    found = re.fullmatch(
        r"its zeros must be 2:4, only (\S+) % of the groups of 4 along axis 1 hold at most 2 "
        "non-zeros; prune so, or take bitmap",
        str(caught.value),
    )
    assert found
    assert float(found[1]) == pytest.approx(68.75, abs=0.5)  # P(Binomial(4, 1/2) <= 2) = 11/16


def test_a_group_in_a_thousand_that_does_not_comply_is_not_rounded_away() -> None:
    kept = np.tile([True, False, False, True], (100, 1000))
    kept[17, 40:44] = True
    with pytest.raises(TraceError, match=r"only 99\.9 % of the groups"):
        FORMATS["2:4"].stored(kept.shape, DType("int", 8), Sparsity.of(kept))


@pytest.mark.parametrize("bits", range(1, 9))
def test_a_code_book_takes_its_numbers_and_its_entries(bits: int) -> None:
    stored = size(f"codebook{bits}", dtype="fp16")
    assert stored.meta == bits
    assert stored.data * 800_000 == 16 * 2**bits
    assert stored == size(f"codebook{bits}", "0.5", "fp16")


@pytest.mark.parametrize("name", ["codebook4", "bitmap", "csr", "rle4", "2:4"])
def test_a_narrower_number_format_narrows_values_and_no_marks(name: str) -> None:
    wide, narrow = (size(name, "2:4", dtype) for dtype in ("fp32", "int8"))
    assert wide.in_format(DType.parse("fp32"), DType.parse("int8")) == narrow


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("int4[32x16]", 4.5),
        ("fp8[32x8]", 8.25),
        ("fp6[32x8]", 6.25),
        ("fp4[32x8]", 4.25),
        ("fp4[16x8]", 4.5),
    ],
)
def test_scales_of_blocks_count_as_metadata(dtype: str, bits: float) -> None:
    stored = size("dense", dtype=dtype)
    assert stored.bits == Fraction(bits)
    assert stored.data == DType.parse(dtype).bits
    assert size("codebook2", dtype=dtype).meta == stored.meta + 2


def test_pruned_groups_keep_all_their_scales() -> None:
    assert size("2:4", "2:4", "int4[64x16]").bits == Fraction(13, 4)


def test_blocks_are_those_that_the_zeros_come_in() -> None:
    large, small = (size("bsr", f"block {side}x{side} 0.25") for side in (8, 2))
    assert large.data == small.data == 2
    assert large.meta < small.meta


def test_a_copy_of_the_package_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign.plugins.entry_points", lambda group: [])
    installed = importlib.import_module("codesign_plugins.formats").__file__
    shutil.copytree(Path(str(installed)).parent, tmp_path / "formats")
    found = Registry((tmp_path,))
    assert set(found.get(HOOK)) == set(FORMATS)
    assert set(found.get("codesign_validations")) == {"sparse-storage"}


THIRD = """
from dataclasses import dataclass
from fractions import Fraction
from codesign import hookimpl
from codesign.workload.formats import Format
from codesign.workload.ranks import B, U
from codesign.workload.stack import Rank, Stack
from codesign.workload.stored import Stored

@dataclass(frozen=True, kw_only=True)
class Halved(Format):
    def stored(self, shape, dtype, sparsity):
        return Stored(self.name, Fraction(dtype.bits, 2))

@hookimpl
def codesign_formats():
    tall = Stack(name="tall", description="16 rows", ranks=(Rank(B(), (16, 1)), Rank(U())))
    return {"halved": Halved(name="halved", description="half"), "tall": tall}
"""


def test_a_third_party_writes_a_codec_in_a_dozen_lines(tmp_path: Path) -> None:
    (tmp_path / "third.py").write_text(THIRD)
    found = registry((tmp_path,)).get(HOOK)
    zeros = Sparsity.parse("block 16x1 0.25")
    int8 = DType("int", 8)
    assert found["halved"].stored(SHAPE, int8, zeros) == Stored("halved", Fraction(4))
    assert found["tall"].stored((64, 8), int8, zeros) == Stored(
        "tall", Fraction(2), Fraction(1, 16)
    )
    assert set(FORMATS) < set(found)


def test_slots_and_books_are_for_others_to_size() -> None:
    wide = Slots(name="4:16", description="4 of 16", n=4, m=16)
    stored = wide.stored((8, 64), DType("int", 8), Sparsity.parse("4:16"))
    assert stored == Stored("4:16", Fraction(2), Fraction(1))
    book = CodeBook(name="book10", description="1024 entries", index_bits=10)
    assert book.stored((64, 64), DType("fp", 32), None) == Stored(
        "book10", Fraction(8), Fraction(10)
    )
