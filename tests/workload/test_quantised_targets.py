"""What conversions say of the integers that they read."""

from __future__ import annotations

from typing import Any

import pytest
from hand_graph import node, value
from hypothesis import given
from hypothesis import strategies as st

from codesign.workload.dtype import DType
from codesign.workload.graph import Node, Value
from codesign.workload.quantised_targets import (
    DEQUANTISE,
    QUANTISE,
    Conversion,
    conversion,
    is_float_cast,
    with_scales,
)

INT8, FP32, INT64 = DType("int", 8), DType("fp", 32), DType("int", 64)
DATA = value("w", 8, 64, dtype=INT8)


def read(target: str, *args: Any) -> Conversion:
    found = conversion(node(target, value("y", 8, 64), *args))
    assert found is not None
    return found


def scales(*shape: int, dtype: DType = FP32) -> Value:
    return value("s", *shape, dtype=dtype)


def points(*shape: int, dtype: DType = INT8) -> Value:
    return value("z", *shape, dtype=dtype)


def affine(block: list[int], low: int | None = -8, high: int | None = 7) -> Conversion:
    blocks = [n // (size if size > 0 else n) for n, size in zip((8, 64), block, strict=True)]
    args = (DATA, block, scales(*blocks), points(*blocks), "int8", low, high)
    return read("torchao.dequantize_affine.default", *args)


@pytest.mark.parametrize(
    ("low", "high", "format"),
    [
        (-8, 7, "int4"),
        (-7, 7, "int4"),
        (-2, 1, "int2"),
        (-1, 0, "int1"),
        (0, 15, "uint4"),
        (0, 1, "uint1"),
        (-128, 127, "int8"),
        (-127, 127, "int8"),
        (-32768, 32767, "int8"),
        (None, None, "int8"),
        (-8, None, "int8"),
    ],
)
def test_the_range_of_the_integers_is_their_width(
    low: int | None, high: int | None, format: str
) -> None:
    found = read("quantized_decomposed.dequantize_per_tensor.default", DATA, 0.5, 3, low, high)
    assert str(found.stored(INT8)) == format


@given(bits=st.integers(1, 8), is_signed=st.booleans())
def test_a_full_range_of_any_width_is_read_back(bits: int, is_signed: bool) -> None:
    low = -(2 ** (bits - 1)) if is_signed else 0
    found = read(
        "quantized_decomposed.dequantize_per_tensor.default", DATA, 1.0, 0, low, low + 2**bits - 1
    )
    assert found.stored(INT8) == DType("int" if is_signed else "uint", bits)


@pytest.mark.parametrize(
    ("block", "format"),
    [
        ([1, 64], "int4[64x40]"),
        ([1, 16], "int4[16x40]"),
        ([8, 64], "int4[512x40]"),
        ([4, 8], "int4[32x40]"),
        ([1, -1], "int4[64x40]"),
    ],
)
def test_a_block_shares_its_scale_and_its_zero_point(block: list[int], format: str) -> None:
    assert str(affine(block).stored(INT8)) == format


@pytest.mark.parametrize(
    ("target", "args", "block"),
    [
        ("dequantize_per_tensor.default", (1.0, 0, -128, 127), (8, 64)),
        ("dequantize_per_tensor.tensor", (scales(1), points(1), -128, 127), (8, 64)),
        ("dequantize_per_channel.default", (scales(8), points(8), 0, -128, 127), (1, 64)),
        ("dequantize_per_channel.default", (scales(64), points(64), -1, -128, 127), (8, 1)),
        ("dequantize_per_token.default", (scales(8, 1), points(8, 1), -128, 127), (1, 64)),
        (
            "dequantize_per_channel_group.default",
            (scales(8, 2), points(8, 2), -8, 7, "int8", 32),
            (1, 32),
        ),
    ],
)
def test_every_form_says_how_far_a_scale_reaches(
    target: str, args: tuple[Any, ...], block: tuple[int, ...]
) -> None:
    found = read(f"quantized_decomposed.{target}", DATA, *args)
    assert found.block == block
    assert (found.low, found.high) == (-8 if block == (1, 32) else -128, found.high)
    there = conversion(
        node(f"quantized_decomposed.{target.replace('de', '', 1)}", value("q", 8, 64), DATA, *args)
    )
    assert there is not None
    assert there.key == found.key


def test_scales_of_8_bit_floats_tell_their_blocks_by_their_shape() -> None:
    name = "torchao.dequantize_affine_float8_non_decomposed.default"
    data = value("w", 8, 64, dtype=DType("fp", 8))
    assert read(name, data, scales(8, 2)).block == (1, 32)
    assert read(name, data, scales(8, 2)).stored(data.dtype) == DType("fp", 8, 32, 32)
    assert read(name, data, scales()).block == (8, 64)


def test_a_symmetric_conversion_has_no_zero_point_to_store() -> None:
    args = (DATA, scales(8), None, 0, -128, 127)
    found = read("quantized_decomposed.dequantize_per_channel.default", *args)
    assert found.zero is None
    assert str(found.stored(INT8)) == "int8[64x32]"


def test_other_nodes_are_no_conversions() -> None:
    assert conversion(node("aten.mul.Tensor", value("y", 8, 64), DATA, 2.0)) is None
    assert conversion(node("quantized_decomposed.quantize_per_tensor.default", DATA, 1.0)) is None


def test_there_and_back_are_as_many() -> None:
    assert len(QUANTISE) == len(DEQUANTISE) == len({*QUANTISE, *DEQUANTISE}) // 2


def test_a_cast_to_floats_is_told_from_other_casts() -> None:
    to_float = Node("aten._to_copy.default", (DATA,), {}, (value("y", 8, 64),))
    to_int = Node("aten._to_copy.default", (DATA,), {}, (value("y", 8, 64, dtype=INT64),))
    assert is_float_cast(to_float)
    assert not is_float_cast(to_int)


@given(
    blocks=st.integers(1, 40),
    size=st.integers(1, 64),
    bits=st.integers(1, 8),
    scale_bits=st.sampled_from([16, 32]),
)
def test_stored_bits_are_those_of_values_and_scales(
    blocks: int, size: int, bits: int, scale_bits: int
) -> None:
    scale = scales(blocks, dtype=DType("fp", scale_bits))
    found = with_scales(DType("int", bits), blocks * size, scale, points(blocks))
    assert found.storage_bits(blocks * size) == blocks * (size * bits + scale_bits + 8)
