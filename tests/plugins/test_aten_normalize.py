"""Normalisations and softmax: whole, with the width they normalise over."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten_case import lowered, meta, only
from conftest import Codesign
from torch import nn


@pytest.mark.parametrize(
    ("build", "shape", "function", "width"),
    [
        (lambda: nn.LayerNorm(8), (2, 3, 8), "layer_norm", 8),
        (lambda: nn.LayerNorm((3, 8)), (2, 3, 8), "layer_norm", 24),
        (lambda: nn.RMSNorm(8), (2, 3, 8), "rms_norm", 8),
        (lambda: nn.GroupNorm(2, 8), (2, 8, 5), "group_norm", 20),
        (lambda: nn.InstanceNorm1d(8), (2, 8, 5), None, 5),
        (lambda: nn.BatchNorm1d(8, track_running_stats=False), (2, 8, 5), "batch_norm", 10),
    ],
)
def test_a_normalisation_is_one_operator(
    build: Any, shape: tuple[int, ...], function: str | None, width: int
) -> None:
    with torch.device("meta"):
        module = build()
    op = only(module, meta(*shape))
    assert (op.kind, op.attribute("width")) == ("normalize", width)
    assert function is None or op.functions == (function,)
    vectors = list(module.parameters())
    assert [a.elements for a in op.inputs[1:]] == [v.numel() for v in vectors]
    assert op.outputs[0].shape == shape


def test_batch_norm_with_stored_statistics_is_a_scale_and_shift_per_channel() -> None:
    with torch.device("meta"):
        op = only(nn.BatchNorm2d(8), meta(2, 8, 3, 3))
    assert (op.kind, op.functions) == ("elementwise", ("batch_norm",))
    assert [a.tensor.name for a in op.inputs[1:]] == [
        "weight",
        "bias",
        "running_mean",
        "running_var",
    ]
    assert [a.elements for a in op.inputs] == [144, 8, 8, 8, 8]
    assert {a.shape for a in op.inputs} == {(2, 8, 3, 3)}


@pytest.mark.parametrize("call", [torch.softmax, torch.log_softmax])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_axis_of_a_softmax_comes_last(call: Any, axis: int) -> None:
    op = only(lambda x: call(x, axis), meta(2, 3, 4))
    width = (2, 3, 4)[axis]
    assert (op.kind, op.attribute("width")) == ("softmax", width)
    assert op.inputs[0].shape[-1] == op.outputs[0].shape[-1] == width
    assert op.functions == (call.__name__,)


def test_a_weight_norm_scales_the_weight_by_its_length() -> None:
    with torch.device("meta"):
        module = torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 4))
    norm, product = lowered(module, meta(2, 6))
    assert (norm.kind, norm.functions, norm.attribute("width")) == (
        "normalize",
        ("weight_norm",),
        6,
    )
    assert product.inputs[1].tensor == norm.outputs[0].tensor


def test_the_kit_lives_through_the_batch_normalisations_of_torch(codesign: Codesign) -> None:
    ran = codesign("plugins", "check", "aten_normalize")
    assert (ran.code, "33 passed, 0 failed" in ran.out) == (0, True)
