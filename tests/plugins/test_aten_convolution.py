"""Convolutions: MACs as torch counts them, and input axes that follow stride, dilation, padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten_case import counted, meta, only
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codesign.workload.nest import Axis

KINDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "dense": (lambda: nn.Conv2d(6, 4, 3, stride=2, padding=1), (2, 6, 9, 8)),
    "grouped": (lambda: nn.Conv2d(6, 4, 3, groups=2, dilation=2), (2, 6, 9, 8)),
    "depthwise": (lambda: nn.Conv2d(6, 6, (3, 5), groups=6, padding=(1, 2)), (2, 6, 9, 8)),
    "same": (lambda: nn.Conv2d(6, 4, 3, padding="same"), (2, 6, 9, 8)),
    "1d": (lambda: nn.Conv1d(6, 4, 3, dilation=2), (2, 6, 20)),
    "3d": (lambda: nn.Conv3d(2, 4, 3, stride=(1, 2, 2)), (1, 2, 5, 6, 7)),
    "no batch": (lambda: nn.Conv2d(6, 4, 3), (6, 9, 8)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_macs_equal_what_torch_counts(kind: str) -> None:
    build, shape = KINDS[kind]
    with torch.device("meta"):
        module = build()
    op = only(module, meta(*shape))
    assert op.macs == counted(module, meta(*shape)) > 0
    assert op.inputs[0].elements == meta(*shape).numel()
    assert op.inputs[1].elements == module.weight.numel()
    assert op.inputs[2].elements == module.bias.numel() == 4 or kind == "depthwise"
    assert op.outputs[0].elements == module(meta(*shape)).numel()


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 4))
def test_the_window_stays_within_the_padded_input(
    stride: int, dilation: int, padding: int, kernel: int
) -> None:
    size = 14
    with torch.device("meta"):
        module = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    op = only(module, meta(1, 1, size))
    window = op.loops.operands[0][-1]
    last = window.offset + sum(c * (op.loops.extents[d] - 1) for d, c in window.terms)
    assert window.offset == -padding
    assert size + padding - stride <= last < size + padding


def test_the_input_axis_is_stride_times_pixel_plus_dilation_times_tap() -> None:
    with torch.device("meta"):
        op = only(nn.Conv2d(3, 8, 3, stride=2, padding=1, dilation=4), meta(1, 3, 32, 32))
    loops = op.loops.dims
    assert loops == ("b", "co", "oy", "ox", "ci", "ky", "kx")
    assert op.loops.operands[0][2] == Axis(((loops.index("oy"), 2), (loops.index("ky"), 4)), -1)


def test_groups_are_a_loop_of_their_own_in_every_operand() -> None:
    with torch.device("meta"):
        op = only(nn.Conv2d(8, 4, 1, groups=4), meta(1, 8, 5, 5))
    group = op.loops.dims.index("g")
    assert op.loops.extents[group] == 4
    assert all(group in op.loops.uses(i) for i in range(len(op.operands)))
