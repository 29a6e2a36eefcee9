"""Number formats: names, and storage counted in bits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.dtype import DType, Kind

LAW = settings(max_examples=100, deadline=None, derandomize=True)


@st.composite
def dtypes(draw: st.DrawFn) -> DType:
    kind: Kind = draw(st.sampled_from(["int", "uint", "fp", "bf", "bool"]))
    if draw(st.booleans()):
        return DType(kind, draw(st.integers(1, 128)))
    block, scale = draw(st.integers(1, 99999)), draw(st.integers(1, 99))
    return DType(kind, draw(st.integers(1, 128)), block, scale)


@LAW
@given(dtypes())
def test_every_format_is_read_back_from_its_name(dtype: DType) -> None:
    assert DType.parse(str(dtype)) == dtype


@LAW
@given(dtypes(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_storage_of_a_whole_is_at_most_that_of_its_parts(dtype: DType, one: int, two: int) -> None:
    assert dtype.storage_bits(one + two) <= dtype.storage_bits(one) + dtype.storage_bits(two)
    assert dtype.storage_bytes(one + two) <= dtype.storage_bytes(one) + dtype.storage_bytes(two)


@LAW
@given(dtypes(), st.integers(0, 10**9))
def test_bytes_are_the_bits_rounded_up_once(dtype: DType, elements: int) -> None:
    bits, whole = dtype.storage_bits(elements), dtype.storage_bytes(elements)
    assert 8 * whole - 8 < bits <= 8 * whole


@pytest.mark.parametrize(
    ("name", "elements", "bits"),
    [
        ("int8", 5, 40),
        ("int4", 5, 20),
        ("bf16", 3, 48),
        ("bool", 3, 24),
        ("bool1", 9, 9),
        ("fp4[16x8]", 16, 16 * 4 + 8),
        ("fp4[16x8]", 17, 17 * 4 + 16),
        ("fp8[32x8]", 64, 64 * 8 + 16),
        ("int8", 0, 0),
    ],
)
def test_storage_counts_elements_and_shared_scales(name: str, elements: int, bits: int) -> None:
    assert DType.parse(name).storage_bits(elements) == bits


def test_an_odd_number_of_nibbles_ends_in_half_a_byte() -> None:
    assert DType.parse("int4").storage_bytes(5) == 3


@pytest.mark.parametrize(("name", "is_float"), [("fp32", 1), ("bf16", 1), ("int8", 0), ("bool", 0)])
def test_floating_point_formats_know_it(name: str, is_float: bool) -> None:
    assert DType.parse(name).is_float == is_float


@pytest.mark.parametrize(
    "name",
    ["", "int", "float32", "int8 ", "int8[32]", "INT8", "fp4[16x8", "int8888", "8int", None, 8],
)
def test_another_name_is_refused_with_examples(name: object) -> None:
    with pytest.raises(TraceError, match=r"unknown dtype .*; write for example int8, bf16 or fp4"):
        DType.parse(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [0, -8, 129])
def test_a_width_outside_1_to_128_bits_is_refused(bits: int) -> None:
    with pytest.raises(TraceError, match=f"1 to 128 bits, got {bits}"):
        DType("int", bits)


@pytest.mark.parametrize(("block", "scale"), [(16, 0), (0, 8), (-1, -1), (16, -8)])
def test_a_block_and_its_scale_come_together(block: int, scale: int) -> None:
    with pytest.raises(TraceError, match="block and scale_bits must both be set or both be 0"):
        DType("fp", 4, block, scale)
