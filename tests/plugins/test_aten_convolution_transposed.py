"""Transposed convolutions: a product that makes columns, then one sum that writes each output."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten_case import counted, lowered, meta
from torch import nn

import codesign
from codesign.workload.capture import trace
from codesign.workload.record import Op

KINDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "plain": (lambda: nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1), (2, 6, 5, 4)),
    "grouped": (
        lambda: nn.ConvTranspose2d(6, 4, 3, stride=2, output_padding=1, groups=2),
        (2, 6, 5, 4),
    ),
    "depthwise": (lambda: nn.ConvTranspose2d(6, 6, (3, 5), groups=6), (2, 6, 5, 4)),
    "1d": (lambda: nn.ConvTranspose1d(6, 4, 4, 2, dilation=3), (2, 6, 9)),
    "3d": (lambda: nn.ConvTranspose3d(2, 4, 3, stride=(1, 2, 2)), (1, 2, 5, 6, 7)),
    "no batch": (lambda: nn.ConvTranspose2d(6, 4, 3), (6, 5, 4)),
    "no bias": (lambda: nn.ConvTranspose2d(6, 4, 3, bias=False), (2, 6, 5, 4)),
    "one tap": (lambda: nn.ConvTranspose2d(6, 4, 1, stride=3), (2, 6, 5, 4)),
}


def pair(kind: str) -> tuple[Any, Any, Op, Op]:
    """The module, its input, the product and the sum."""
    build, shape = KINDS[kind]
    with torch.device("meta"):
        module = build()
    product, sums = lowered(module, meta(*shape))
    return module, meta(*shape), product, sums


@pytest.mark.parametrize("kind", KINDS)
def test_macs_equal_what_torch_counts(kind: str) -> None:
    module, x, product, sums = pair(kind)
    assert product.macs + sums.macs == counted(module, x) > 0
    assert product.inputs[0].elements == x.numel()
    assert product.inputs[1].elements == module.weight.numel()


@pytest.mark.parametrize("kind", KINDS)
def test_each_column_is_an_input_pixel_at_one_tap_of_one_output_channel(kind: str) -> None:
    module, x, product, sums = pair(kind)
    pixels, taps = x.numel() // module.in_channels, module.weight[0, 0].numel()
    columns = product.outputs[0].tensor
    assert columns.elements == pixels * module.out_channels * taps
    assert columns.role == "activation"
    assert sums.inputs[0].tensor == columns
    assert sums.attribute("taps") == tuple(module.weight.shape[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_starts_from_the_bias_and_writes_the_result(kind: str) -> None:
    module, x, _, sums = pair(kind)
    assert (sums.kind, sums.functions) == ("reduce", ("sum",))
    vectors = [] if module.bias is None else [module.bias.numel()]
    assert [access.elements for access in sums.inputs[1:]] == vectors
    assert sums.outputs[0].shape == tuple(module(x).shape)
    assert sums.outputs[0].tensor.role == "output"


def test_the_product_is_a_matrix_product_for_each_group() -> None:
    _, _, product, _ = pair("grouped")
    assert product.gemm == (2, 2 * 20, 3, 2 * 9)


def test_the_form_before_specialisation_is_the_same() -> None:
    def general(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.convolution(x, weight, bias, [2, 2], [1, 1], [1, 1], True, [0, 0], 2)

    args = meta(2, 6, 5, 4), meta(6, 2, 3, 3), meta(4)
    product, sums = lowered(general, *args)
    assert product.macs == counted(general, *args)
    assert sums.outputs[0].shape == (2, 4, 9, 7)


@pytest.mark.parametrize("size", ["1 MiB", "16 KiB"])
def test_each_output_byte_is_stored_exactly_once(size: str) -> None:
    with torch.device("meta"):
        made = trace(nn.ConvTranspose2d(16, 16, 4, 2, 1), (torch.zeros(1, 16, 32, 32),))
    result = codesign.simulate(made, "edge-npu", settings={"sram.size": size})
    plans = [assignment.plan for assignment, _ in result.placement.assignments()]
    stored = [sum(plan.stored.values()) for plan in plans if plan]
    assert stored == [16 * 16 * 32 * 32, 16 * 64 * 64]
    assert result.offchip_bytes["output"] == 16 * 64 * 64
    assert result.macs == made.macs == 16 * 16 * 16 * 32 * 32
