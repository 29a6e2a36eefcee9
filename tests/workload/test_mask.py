"""Masks: counts of any tile, what makes two of them one, and the text of a trace file."""

from __future__ import annotations

import base64
import pickle
import zlib
from typing import Any

import numpy as np
import pytest
from density_case import masks, shapes
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import as_matrix
from codesign.workload.mask import MAX_ELEMENTS, Mask, _table

ANY = shapes(least=0).flatmap(masks)


@given(ANY, st.data())
def test_a_count_is_the_sum_of_the_tile(mask: Mask, data: st.DataObject) -> None:
    matrix = mask.array().reshape(as_matrix(mask.shape))
    row, column = (data.draw(st.integers(0, extent + 2)) for extent in matrix.shape)
    height, width = (data.draw(st.integers(0, extent + 2)) for extent in matrix.shape)
    expected = int(matrix[row : row + height, column : column + width].sum())
    assert mask.count((row, column), (height, width)) == expected


@given(ANY)
def test_the_whole_holds_all_non_zeros(mask: Mask) -> None:
    assert mask.count((0, 0), as_matrix(mask.shape)) == mask.nonzeros == mask.array().sum()
    assert mask.share == mask.array().mean()


@given(ANY)
def test_a_mask_is_read_back_from_its_text(mask: Mask) -> None:
    again = Mask.from_json(mask.to_json())
    assert again == mask
    assert again.bits == mask.bits
    assert again.digest == mask.digest


@given(ANY)
def test_a_mask_is_that_of_its_own_array(mask: Mask) -> None:
    assert Mask.of(mask.array()) == mask
    assert Mask.of(np.where(mask.array(), -3.5, 0.0)) == mask


@given(ANY)
def test_equal_masks_are_one_key(mask: Mask) -> None:
    assert {mask: 1}[Mask.of(mask.array())] == 1


@given(ANY, st.data())
def test_one_other_bit_makes_another_mask(mask: Mask, data: st.DataObject) -> None:
    kept = mask.array().reshape(-1)
    place = data.draw(st.integers(0, kept.size - 1))
    kept[place] = not kept[place]
    assert Mask.of(kept.reshape(mask.shape)) != mask


def test_the_same_bits_in_another_shape_are_another_mask() -> None:
    assert Mask.of(np.ones((2, 8))) != Mask.of(np.ones((8, 2)))
    assert Mask.of(np.ones((1, 16))) != Mask.of(np.ones(16))


def test_a_mask_takes_a_bit_an_element_in_any_process() -> None:
    mask = Mask.of(np.ones((3, 5)))
    assert len(mask.bits) == 2
    assert mask.count((0, 0), (2, 2)) == 4
    assert pickle.loads(pickle.dumps(mask)) == mask


def test_a_value_that_is_no_number_is_not_zero() -> None:
    assert Mask.of(np.array([0.0, -0.0, np.nan, np.inf, 1e-300])).array().tolist() == [
        *(False, False),
        *(True, True, True),
    ]


def test_the_table_of_sums_is_made_once_and_cannot_be_written() -> None:
    mask = Mask.of(np.ones((4, 4)))
    assert mask.table() is Mask.of(np.ones((4, 4))).table()
    with pytest.raises(ValueError, match="read-only"):
        mask.table()[0, 0] = 1


def test_a_query_reads_four_sums_whatever_the_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    class Table:
        reads = 0

        def __getitem__(self, place: tuple[int, int]) -> int:
            Table.reads += 1
            return int(table[place])

    mask = Mask.of(np.random.default_rng(0).random((256, 256)) < 0.5)
    table = mask.table()
    monkeypatch.setattr(Mask, "table", lambda self: Table())
    for tile in ((1, 1), (16, 16), (256, 256)):
        Table.reads = 0
        assert mask.count((0, 0), tile) == mask.array()[: tile[0], : tile[1]].sum()
        assert Table.reads == 4


def test_few_tables_are_kept() -> None:
    for seed in range(20):
        Mask.of(np.random.default_rng(seed).random((8, 8)) < 0.5).count((0, 0), (1, 1))
    assert _table.cache_info().currsize <= 8


def test_counts_do_not_overflow_a_byte_or_a_short() -> None:
    mask = Mask.of(np.ones((300, 300), dtype=np.int8))
    assert mask.count((0, 0), (300, 300)) == 90_000


def test_a_mask_of_zeros_is_small_in_a_file() -> None:
    text = Mask.of(np.zeros((1024, 1024))).to_json()["bits"]
    assert len(text) < 1000


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, r"a mask must have 'shape' and 'bits', got \[\]"),
        ({"shape": [8], "bits": 3}, "a mask must have 'shape' and 'bits'"),
        ({"shape": [8], "bits": _packed(b"a"), "more": 1}, "a mask must have 'shape' and 'bits'"),
        ({"shape": 8, "bits": _packed(b"a")}, "must be a list of integers, got 8"),
        ({"shape": [8.0], "bits": _packed(b"a")}, r"must be a list of integers, got \[8.0\]"),
        ({"shape": [True], "bits": _packed(b"a")}, r"must be a list of integers, got \[True\]"),
        ({"shape": [0], "bits": _packed(b"")}, r"a mask must have 1 to .* elements, got \[0\]"),
        ({"shape": [-8, -1], "bits": _packed(b"a")}, r"1 to .* elements, got \[-8, -1\]"),
        ({"shape": [2**16, 2**16], "bits": _packed(b"a")}, "1 to 1,073,741,824 elements"),
        ({"shape": [16], "bits": _packed(b"a")}, r"a mask of \[16\] must hold 2 bytes, .* got 1"),
        ({"shape": [8], "bits": _packed(b"ab")}, r"a mask of \[8\] must hold 1 bytes, .* got 2"),
        ({"shape": [7], "bits": _packed(b"\x01")}, "and zeros after its last element"),
        ({"shape": [8], "bits": "not base64!"}, "must be base64 of zlib, got 'not base64!'"),
        ({"shape": [8], "bits": "é"}, "must be base64 of zlib"),
        ({"shape": [8], "bits": base64.b64encode(b"abc").decode()}, "must be base64 of zlib"),
        ({"shape": [8], "bits": ""}, r"must hold 1 bytes, .* got 0"),
    ],
)
def test_what_is_no_mask_is_refused_in_one_line(data: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError, match=message) as refused:
        Mask.from_json(data)
    assert "\n" not in str(refused.value)


def test_bits_that_swell_are_cut_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lengths: list[int] = []
    check = Mask.__post_init__

    def watched(self: Mask) -> None:
        lengths.append(len(self.bits))
        check(self)

    monkeypatch.setattr(Mask, "__post_init__", watched)
    with pytest.raises(TraceError, match="must hold 1 bytes"):
        Mask.from_json({"shape": [8], "bits": _packed(bytes(10_000_000))})
    assert lengths == [2]


def test_a_tensor_of_no_elements_has_no_mask() -> None:
    with pytest.raises(TraceError, match=r"1 to .* elements, got \[0, 4\]; give a density"):
        Mask.of(np.ones((0, 4)))


def test_the_largest_mask_is_larger_than_the_embedding_of_a_large_model() -> None:
    assert MAX_ELEMENTS > 128_256 * 4096
