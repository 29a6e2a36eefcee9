"""What an annotation reaches: factors but not their scales, an axis that holds its groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torchao.quantization as ao
from quantised_case import checked, formats, with_torchao
from strategies import Sketch
from torch import nn

from codesign import Trace, annotate, simulate
from codesign.errors import TraceError
from codesign.testing import gather
from codesign.workload.dtype import DType
from codesign.workload.retensor import with_tensors
from codesign.workload.sparsity import Sparsity


def convolution(channels: int, kernel: int) -> Trace:
    """A convolution with weights of 8 bits, as many filters as channels."""
    module = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
    return annotate(checked(module, torch.zeros(1, channels, 8, 8)), "*", weight_bits=8)


@pytest.mark.parametrize(("kernel", "plain", "packed"), [(1, 4096, 2560), (3, 36864, 23040)])
def test_groups_of_a_convolution_lie_along_its_input_channels_if_that_is_said(
    kernel: int, plain: int, packed: int
) -> None:
    trace = convolution(64, kernel)
    assert trace.parameter_bytes == plain
    assert annotate(trace, "*", sparsity="2:4 axis 1", codec="2:4").parameter_bytes == packed


@pytest.mark.parametrize("kernel", [1, 3])
def test_groups_that_are_longer_than_the_kernel_is_wide_are_refused(kernel: int) -> None:
    message = (
        rf"sparsity '2:4' lies along axis 3 of \[64, 64, {kernel}, {kernel}\], which is shorter "
        r"than a group of 4; name the axis, e\.g\. '2:4 axis 1'$"
    )
    for codec in (None, "2:4"):
        with pytest.raises(TraceError, match=message):
            annotate(convolution(64, kernel), "*", sparsity="2:4", codec=codec)


def test_groups_that_no_axis_holds_can_only_be_a_density() -> None:
    with pytest.raises(TraceError, match="shorter than a group of 4; declare its density"):
        annotate(convolution(3, 3), "*", sparsity="2:4")
    with pytest.raises(TraceError, match=r"e\.g\. '2:4 axis 0'"):
        Sparsity.parse("2:4").on((8, 3), "w")


def dynamic() -> Trace:
    """A layer with weights of 4 bits, whose activations are quantised row by row as it runs."""
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 32))
    config = ao.Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int4)
    return checked(with_torchao(model, config), torch.zeros(3, 64))


@pytest.mark.parametrize("pattern", ["*", "0.*", "*.linear"])
def test_scales_that_are_worked_out_as_the_model_runs_stay_as_wide_as_they_are(
    pattern: str,
) -> None:
    before, after = dynamic(), annotate(dynamic(), pattern, activation_bits=4)
    by = {op.name: formats(op)[0] for op, _ in after.ops()}
    assert by["0.linear"] == ["int4", "int4[32x40]", "fp32", "int8", "fp32"]
    for name in ("0.choose_qparams_affine", "0.limits"):
        (one,), (other,) = (
            [t for t in found.tensors if t.name == name] for found in (before, after)
        )
        assert one == other


def test_a_shortcut_that_a_layer_adds_is_one_of_its_activations() -> None:
    class Adds(nn.Module):  # type: ignore[misc]  # torch is untyped
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Any) -> Any:
            y = self.one(x)
            return y + self.two(torch.relu(y))

    found = annotate(checked(Adds(), torch.zeros(2, 8)), "two*", activation_bits=8)
    (last,) = [op for op, _ in found.ops() if op.name == "two.linear"]
    assert formats(last)[0] == ["int8", "fp32", "fp32", "int8"]


def test_each_side_must_find_something_to_change() -> None:
    lookup = gather(100, 7, 16)
    table = Trace("t", (lookup,), tuple(access.tensor for access in lookup.operands))
    with pytest.raises(TraceError, match="1 operators without activations of floating point"):
        annotate(table, "*", activation_bits=8)
    norm = checked(nn.LayerNorm(8), torch.zeros(2, 8))
    with pytest.raises(TraceError, match="1 operators without weights of two axes"):
        annotate(norm, "*", weight_bits=4, activation_bits=8)


def net() -> Trace:
    s = Sketch("net", DType.parse("fp32"))
    s.matmul("head", s.pointwise("relu", s.matmul("body", s.input("x", 4, 64), 64)), 32)
    return s.trace()


def test_operators_that_change_are_counted_and_no_others() -> None:
    assert "for 2 operators matching *" in annotate(net(), "*", weight_bits=4).notes[-1]
    assert "for 3 operators matching *" in annotate(net(), "*", activation_bits=4).notes[-1]


def weight(trace: Trace, name: str) -> Any:
    (op,) = [op for op, _ in trace.ops() if op.name == name]
    return op.inputs[1].tensor


def test_zeros_that_were_read_and_are_overruled_are_told() -> None:
    kept = np.random.default_rng(0).random((64, 64)) < 0.5
    one = weight(net(), "body")
    known = with_tensors(net(), {one.name: replace(one, sparsity=Sparsity.of(kept))})
    note = annotate(known, "body", sparsity="0.9").notes[-1]
    assert note.endswith(
        f"; the zeros that were read ({kept.mean():.3g} not zero) of {one.name} no longer count"
    )
    assert "no longer" not in annotate(known, "head", sparsity="0.9").notes[-1]


def test_scales_that_a_format_without_blocks_takes_away_are_told() -> None:
    grouped = annotate(net(), "*", weight_dtype="int4[64x40]")
    note = annotate(grouped, "*", weight_bits=4).notes[-1]
    first = weight(net(), "body").name
    assert note.endswith(f"; the scales of int4[64x40] of {first} and 1 more no longer count")
    assert "no longer" not in annotate(grouped, "*", weight_dtype="int8[64x40]").notes[-1]


def test_an_empty_map_of_annotations_is_refused_as_an_empty_file_is() -> None:
    with pytest.raises(TraceError, match="annotations must say something"):
        simulate(net(), "edge-npu", annotations={})


def test_a_codec_that_stores_nothing_of_a_tensor_of_zeros_names_one_that_does() -> None:
    with pytest.raises(
        TraceError, match=r"codec 'rle4' must .* take a codec that marks them, e\.g"
    ):
        annotate(net(), "head", sparsity="0.0", codec="rle4")
    assert annotate(net(), "head", sparsity="0.0", codec="bitmap").parameter_bytes
