"""What a codec makes of the bytes of a tensor."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_traces import packed, tensor

from codesign import Stored, load_trace, save_trace
from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.precision import with_precision

BITS = st.fractions(Fraction(1, 16), 32, max_denominator=64)


@given(st.integers(0, 10**9), BITS, BITS)
def test_whole_bytes_hold_all_bits_and_less_than_one_more(
    n: int, data: Fraction, meta: Fraction
) -> None:
    stored = Stored("c", data, meta)
    assert 0 <= 8 * stored.bytes(n) - n * (data + meta) < 8


def test_many_sizes_are_counted_at_once() -> None:
    stored = Stored("c", Fraction(5, 2), Fraction(1))
    sizes = np.array([0, 1, 7, 8, 1000])
    assert stored.bytes(sizes).tolist() == [stored.bytes(int(size)) for size in sizes]


@pytest.mark.parametrize(("data", "meta"), [(-1, 2), (2, -1), (0, 0)])
def test_bits_below_nothing_are_refused(data: int, meta: int) -> None:
    with pytest.raises(TraceError, match="codec 'c' must store some bits of data or metadata"):
        Stored("c", Fraction(data), Fraction(meta))


def test_a_tensor_has_its_codec_at_home_and_plain_elements_in_a_buffer() -> None:
    plain = tensor("w", (64, 64), "weight")
    small = replace(plain, stored=Stored("bitmap", Fraction(3), Fraction(1)))
    assert (plain.bytes, plain.plain_bytes) == (4096, 4096)
    assert (small.bytes, small.plain_bytes) == (2048, 4096)
    assert small.access().bytes == 4096
    assert small.access().home_bytes == small.home_bytes(4096) == small.stored_bytes(4096) == 2048
    assert small.home_share == Fraction(1, 2)
    assert small.elements_in(100) == 100
    assert small.content != plain.content


def test_a_block_format_has_its_scales_in_the_share() -> None:
    plain = tensor("w", (64, 64), "weight", "int4[32x16]")
    assert plain.elements_in(plain.bytes) == 4096
    stored = replace(plain, stored=Stored("c", Fraction(9, 4), Fraction(0)))
    assert stored.home_share == Fraction(1, 2)
    assert stored.bytes == plain.bytes // 2


def test_another_format_changes_values_and_no_marks() -> None:
    stored = Stored("2:4", Fraction(16), Fraction(1))
    assert stored.in_format(DType.parse("fp32"), DType.parse("int8")) == Stored(
        "2:4", Fraction(4), Fraction(1)
    )
    op = next(op for op, _ in packed().ops())
    assert with_precision(packed(), "bf16") == packed()  # whole numbers keep their format
    assert op.inputs[1].tensor.stored == Stored("2:4", Fraction(4), Fraction(3, 2))


@pytest.mark.parametrize("bits", ["", "-1", "1/0", "0.5", "1e3", "9" * 13])
def test_bits_of_a_file_are_fractions(bits: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("file") / "t.json"
    save_trace(packed(), path)
    path.write_text(path.read_text().replace('"data": "4"', f'"data": "{bits}"'))
    with pytest.raises(TraceError, match=r"tensors\[1\]\.stored\.data: must be bits of an element"):
        load_trace(path)


def test_zeros_of_a_file_fit_their_tensor(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("file") / "t.json"
    save_trace(packed(), path)
    path.write_text(path.read_text().replace("2:4 axis 0", "2:4 axis 7"))
    with pytest.raises(TraceError, match=r"tensors\[1\]\.sparsity.*axis 7"):
        load_trace(path)
