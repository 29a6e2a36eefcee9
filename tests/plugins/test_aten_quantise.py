"""Conversions of integers of few bits, one cast an element, with the scales they read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchao.quantization.quant_primitives  # noqa: F401  # registers the operators
from aten_case import Called, lowered, meta, only

from codesign.workload.capture import trace
from codesign.workload.record import Op

QD: Any = torch.ops.quantized_decomposed
AO: Any = torch.ops.torchao
I8 = torch.int8


def shapes(op: Op) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(access.shape, access.strides) for access in op.inputs]


def test_a_conversion_with_a_number_as_scale_reads_only_its_operand() -> None:
    there, back = lowered(
        lambda x: QD.dequantize_per_tensor(
            QD.quantize_per_tensor(x, 0.1, 3, -128, 127, I8), 0.1, 3, -128, 127, I8
        ),
        meta(4, 8),
    )
    assert [op.functions for op in (there, back)] == [("cast",)] * 2
    assert (str(there.outputs[0].tensor.dtype), len(there.inputs)) == ("int8", 1)
    assert (str(back.outputs[0].tensor.dtype), len(back.inputs)) == ("fp32", 1)


def test_a_scale_in_a_tensor_is_repeated_over_what_shares_it() -> None:
    op = only(
        lambda x, s, z: QD.quantize_per_tensor(x, s, z, -128, 127, I8),
        meta(4, 8),
        meta(1),
        meta(1, dtype=torch.int64),
    )
    assert shapes(op) == [((4, 8), (8, 1)), ((4, 8), (0, 0)), ((4, 8), (0, 0))]


@pytest.mark.parametrize(("axis", "strides"), [(0, (1, 0)), (1, (0, 1))])
def test_a_channel_has_one_scale(axis: int, strides: tuple[int, ...]) -> None:
    count = (4, 8)[axis]
    op = only(
        lambda x, s, z: QD.quantize_per_channel(x, s, z, axis, -128, 127, I8),
        meta(4, 8),
        meta(count),
        meta(count, dtype=torch.int64),
    )
    assert shapes(op)[1] == ((4, 8), strides)
    assert op.inputs[1].tensor.shape == (count,)


def test_a_token_has_one_scale() -> None:
    op = only(
        lambda x, s, z: QD.quantize_per_token(x, s, z, -128, 127, I8),
        meta(2, 3, 8),
        meta(2, 3, 1, dtype=torch.float64),
        meta(2, 3, 1, dtype=torch.int64),
    )
    assert shapes(op)[1] == ((2, 3, 8), (3, 1, 0))


def test_a_block_is_an_axis_of_its_own() -> None:
    op = only(
        lambda x, s, z: AO.quantize_affine(x, [2, 4], s, z, I8, -8, 7),
        meta(4, 8),
        meta(2, 2),
        meta(2, 2, dtype=I8),
    )
    blocks = (2, 2, 2, 4), (2, 0, 1, 0)
    assert shapes(op) == [((2, 2, 2, 4), (16, 8, 4, 1)), blocks, blocks]
    assert op.outputs[0].shape == (2, 2, 2, 4)
    assert op.outputs[0].tensor.shape == (4, 8)


def test_8_bit_floats_have_a_scale_and_no_range() -> None:
    there = only(
        lambda x, s: AO.quantize_affine_float8_non_decomposed(x, s), meta(4, 8), meta(4, 1)
    )
    assert str(there.outputs[0].tensor.dtype) == "fp8"
    assert shapes(there)[1] == ((4, 8), (1, 0))


@pytest.mark.parametrize(
    ("choose", "blocks"),
    [
        (lambda x: QD.choose_qparams(x, -128, 127, 1e-5, I8), 1),
        (lambda x: QD.choose_qparams_symmetric(x, -128, 127, 1e-5, I8), 1),
        (lambda x: QD.choose_qparams_per_token(x, I8), 4),
        (lambda x: QD.choose_qparams_per_token_asymmetric(x, I8), 4),
        (lambda x: AO.choose_qparams_affine(x, "SYMMETRIC", [2, 4], I8), 4),
    ],
)
def test_choosing_scales_looks_at_every_element_once(choose: Any, blocks: int) -> None:
    limits, scales = lowered(choose, meta(4, 8))
    assert (limits.kind, limits.functions) == ("reduce", ("max", "min"))
    assert limits.attribute("width") == 32 // blocks
    assert limits.outputs[0].shape == (2, blocks)
    assert [access.elements for access in scales.outputs] == [blocks, blocks]


def test_scales_that_nobody_uses_are_not_written() -> None:
    limits, scales = lowered(lambda x: QD.choose_qparams(x, -128, 127, 1e-5, I8)[0], meta(4, 8))
    assert (limits.kind, len(scales.outputs)) == ("reduce", 1)


def test_a_change_of_format_alone_is_a_cast() -> None:
    op = only(lambda x: QD.convert_element_type.no_fuse(x, torch.bfloat16), meta(4, 8))
    assert (op.functions, str(op.outputs[0].tensor.dtype)) == (("cast",), "bf16")


def test_a_conversion_of_a_view_reads_the_view() -> None:
    module = Called(lambda x: QD.quantize_per_tensor(x.t(), 0.1, 0, -128, 127, I8))
    found = trace(module, (meta(4, 8),), fuse=False)
    (op,) = [op for op, _ in found.ops()]
    assert op.inputs[0].strides == (1, 8)
