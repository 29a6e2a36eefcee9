"""``merge_block``: the trace of a network that was built with dense convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from codesign_plugins.gpu.depthshrinker_networks import KEPT, mobilenet, sums
from rewrite_models import contents, of, ops
from rewrite_models import mobilenet as built
from torch import nn

from codesign.errors import TraceError
from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.record import Op, Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrites import merge_block
from codesign.workload.sparsity import Sparsity
from codesign.zoo.layers import image
from codesign.zoo.mobilenet import InvertedResidual

STAGES = (
    (1, 24, 1, 1),
    (6, 32, 2, 2),
    (6, 48, 3, 2),
    (6, 88, 4, 2),
    (6, 136, 3, 1),
    (6, 224, 3, 2),
    (6, 448, 1, 1),
)
SMALL = ((1, 8, 1, 1), (6, 16, 2, 2), (3, 24, 2, 2))
PUBLISHED = {
    "MBV2-1.4-orig": (582.2, 9.57, 6.060, 53),
    "MBV2-1.4-DS-A": (496.2, 4.93, 5.924, 41),
    "MBV2-1.4-DS-B": (481.9, 4.44, 5.893, 37),
    "MBV2-1.4-DS-C": (474.4, 3.99, 5.883, 35),
    "MBV2-1.4-DS-D": (466.6, 3.91, 5.814, 33),
    "MBV2-1.4-DS-E": (459.1, 3.46, 5.805, 31),
    "MBV2-1.4-DS-F": (407.9, 2.11, 5.437, 21),
}
"""Millions of MACs, of activation elements and of weights, and layers, as published."""


@pytest.fixture(scope="module")
def wide() -> Trace:
    """MobileNetV2-1.4 on images of 224 pixels."""
    return built(STAGES, 48, 1792, size=224)


def paths(kept: str, stages: Any = STAGES) -> list[str]:
    """Modules of the blocks marked 0, but for the first stage."""
    every = [
        f"stage{number}.{block}"
        for number, (_, _, blocks, _) in enumerate(stages, start=1)
        for block in range(blocks)
    ]
    return [path for path, mark in zip(every, kept, strict=True) if mark == "0"]


def counted(found: Trace) -> tuple[int, int, int, int]:
    """MACs, output elements and weights of the contractions, and how many there are."""
    layers = [op for op in ops(found) if op.kind == "contraction"]
    return (
        found.macs,
        sum(op.outputs[0].elements for op in layers),
        sum(op.inputs[1].tensor.elements for op in layers),
        len(layers),
    )


@pytest.mark.parametrize("name", KEPT)
def test_depthshrinker_networks_have_the_published_counts(wide: Trace, name: str) -> None:
    meant = [path for path in paths(KEPT[name]) if not path.startswith("stage1.")]
    made = merge_block(wide, meant) if meant else wide
    check_trace(made)
    macs, activations, weights, layers = counted(made)
    published = PUBLISHED[name]
    assert (round(macs / 1e6, 1), layers) == (published[0], published[3])
    assert round(weights / 1e6, 3) == published[2]
    assert activations / 1e6 == pytest.approx(published[1], abs=0.0051)
    assert list(sums(mobilenet(1.4, KEPT[name])).values()) == [macs, activations, weights, layers]


@pytest.mark.parametrize("kept", ["10111", "11011", "11101", "11110", "10000"])
def test_the_result_is_the_trace_of_the_network_with_dense_convolutions(kept: str) -> None:
    made = merge_block(built(SMALL, 8, 32), paths(kept, SMALL))
    wanted = built(SMALL, 8, 32, kept)
    assert contents(made) == contents(wanted)
    assert made.macs == wanted.macs
    assert made.parameters == wanted.parameters
    assert [t.role for t in made.tensors].count("output") == 1


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (5, 2, 1), (3, 2, 2)])
def test_the_window_is_that_of_the_depthwise_convolution(
    kernel: int, stride: int, dilation: int
) -> None:
    pad = dilation * (kernel // 2)
    block = nn.Sequential(
        nn.Conv2d(4, 12, 1),
        nn.Conv2d(12, 12, kernel, stride, pad, dilation, groups=12),
        nn.Conv2d(12, 6, 1),
    )
    x = torch.zeros(2, 4, 17, 13)
    made = merge_block(of(nn.Sequential(block), x), "0")
    dense = nn.Conv2d(4, 6, kernel, stride, pad, dilation)
    assert contents(made) == contents(of(dense, x))
    assert made.parameters == 4 * 6 * kernel**2 + 6


def test_an_unfused_block_loses_its_normalisations_and_activations_too() -> None:
    module = nn.Sequential(InvertedResidual(8, 8, 6, 1), nn.ReLU6())
    whole = trace(module.eval(), (torch.zeros(1, 8, 6, 6),), fuse=False)
    made = merge_block(whole, "0")
    check_trace(made)
    assert [op.kind for op in ops(made)] == ["contraction", "elementwise"]
    assert made.parameters == 8 * 8 * 9 + 8
    assert [op.module for op in ops(made)] == ["0", "1"]


def test_an_activation_behind_the_block_stays() -> None:
    block = nn.Sequential(
        nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 4, 1), nn.ReLU()
    )
    made = merge_block(of(nn.Sequential(block), torch.zeros(1, 4, 5, 5)), "0")
    (op,) = ops(made)
    assert op.functions == ("add", "relu")


def test_the_note_tells_which_blocks_and_what_it_saves() -> None:
    (note,) = [n for n in merge_block(built(SMALL, 8, 32), "stage[23].0").notes if "merged" in n]
    assert note.startswith(
        "blocks merged into one dense convolution each (stage2.0, stage3.0): parameters "
    )
    assert "FLOPs of matrix work" in note


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("stage9.0", "matches no module of model; did you mean 'stage"),
        ("stage1.0", "stage1.0 must hold three convolutions, holds 2 products"),
        ("stage2", "stage2 must hold three convolutions, holds 6 products"),
        ("classifier", "classifier must hold three convolutions, holds 1 products and "),
        ("stem", "stem must hold three convolutions, holds 1 products"),
    ],
)
def test_what_is_no_inverted_residual_is_refused_in_one_line(pattern: str, message: str) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        merge_block(built(SMALL, 8, 32), pattern)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Conv2d(4, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 4, 1)),
        (nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 4, 1)),
        (nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=4), nn.Conv2d(8, 4, 1)),
        (nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 4, 1, 2)),
    ],
)
def test_three_other_convolutions_are_refused(layers: tuple[Any, ...]) -> None:
    whole = of(nn.Sequential(nn.Sequential(*layers)), torch.zeros(1, 4, 6, 6))
    with pytest.raises(TraceError, match="a 1x1, a depthwise and a 1x1 convolution in a row"):
        merge_block(whole, "0")


def test_declared_zeros_would_be_lost_and_are_refused() -> None:
    whole = built(SMALL, 8, 32)
    weight = weight_of(ops(whole), "stage2.0.residual.expand")
    sparse = with_tensors(whole, {weight: replace(tensor_of(whole)[weight], sparsity=half())})
    with pytest.raises(TraceError, match="declared sparse or compressed"):
        merge_block(sparse, "stage2.0")


def weight_of(found: list[Op], prefix: str) -> str:
    return next(op.inputs[1].tensor.name for op in found if op.name.startswith(prefix))


def tensor_of(found: Trace) -> Mapping[str, Any]:
    return {tensor.name: tensor for tensor in found.tensors}


def half() -> Sparsity:
    return Sparsity.parse("0.5")


def test_images_of_any_batch_merge_alike() -> None:
    module = nn.Sequential(InvertedResidual(8, 8, 6, 1))
    one, four = (
        merge_block(of(module, image(n, 8)[:, :1].repeat(1, 8, 1, 1)), "0") for n in (1, 4)
    )
    assert four.macs == 4 * one.macs
    assert four.parameters == one.parameters
