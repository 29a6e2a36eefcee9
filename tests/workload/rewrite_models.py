"""Torch models small enough to capture twice: as they are, and as a rewrite should leave them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from codesign.workload.capture import trace
from codesign.workload.check import check_trace
from codesign.workload.file import load_trace, save_trace
from codesign.workload.record import Op, Trace, all_carries
from codesign.zoo.layers import ConvNorm, chain, classifier
from codesign.zoo.mobilenet import InvertedResidual


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A gated feed-forward part behind a normalisation and beside a shortcut."""

    def __init__(self, width: int, hidden: int, *, post_norm: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, hidden)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width)
        self.post_norm = post_norm

    def forward(self, x: Any) -> Any:
        y = x if self.post_norm else self.norm(x)
        y = x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))
        return self.norm(y) if self.post_norm else y


class Stack(nn.Module):  # type: ignore[misc]  # torch is untyped
    """An embedding, blocks with a hidden width each, and a head."""

    def __init__(self, hidden: list[int], *, width: int = 8, post_norm: bool = False) -> None:
        super().__init__()
        self.tokens = nn.Embedding(20, width)
        self.blocks = nn.ModuleList(Block(width, each, post_norm=post_norm) for each in hidden)
        self.head = nn.Linear(width, 20)

    def forward(self, tokens: Any) -> Any:
        x = self.tokens(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Shortcut(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A linear layer beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        return x + torch.relu(self.layer(x))


def stack(hidden: list[int], **options: Any) -> Trace:
    """The trace of a ``Stack`` that reads 5 tokens."""
    return of(Stack(hidden, **options), torch.zeros(1, 5, dtype=torch.int64))


def mobilenet(
    stages: Any,
    stem: int,
    head: int,
    kept: str = "",
    *,
    expanded: int | None = None,
    size: int = 32,
) -> Trace:
    """MobileNetV2 with some blocks as one dense convolution each, as DepthShrinker deploys it.

    Args:
        stages: expansion, channels, blocks and stride of each stage.
        stem: channels of the first layer.
        head: channels of the last convolution.
        kept: for each block 1, or 0 to build the dense convolution; all are kept by default.
        size: pixels along the sides of the image.
        expanded: hidden channels of the block ``stage2.0`` in the place of its own.
    """
    parts: dict[str, Any] = {"stem": ConvNorm(3, stem, 3, stride=2, activation=nn.ReLU6)}
    channels, marks = stem, iter(kept or "1" * 99)
    for number, (expansion, outputs, blocks, stride) in enumerate(stages, start=1):
        made: list[Any] = []
        for block in range(blocks):
            step = 1 if block else stride
            if next(marks) == "1" or expansion == 1:
                made.append(InvertedResidual(channels, outputs, expansion, step))
            else:
                made.append(nn.Conv2d(channels, outputs, 3, step, 1))
            channels = outputs
        parts[f"stage{number}"] = nn.Sequential(*made)
    if expanded:
        first = parts["stage2"][0].residual
        inputs, outputs = first.expand.conv.in_channels, first.project.conv.out_channels
        first.expand = ConvNorm(inputs, expanded, activation=nn.ReLU6)
        first.convolve = ConvNorm(
            expanded, expanded, 3, stride=2, groups=expanded, activation=nn.ReLU6
        )
        first.project = ConvNorm(expanded, outputs)
    parts["widen"] = ConvNorm(channels, head, activation=nn.ReLU6)
    return of(chain(**parts, classifier=classifier(head)), torch.empty(1, 3, size, size))


def of(module: Any, *args: Any) -> Trace:
    """The fused trace of a module, checked."""
    found = trace(module.eval(), args, name="model")
    check_trace(found)
    return found


def ops(found: Trace) -> list[Op]:
    """Operators in order."""
    return [op for op, _ in found.ops()]


def contents(found: Trace) -> list[object]:
    """What the operators cost, in order, whatever they are called.

    The stride of an axis of extent 1 is left out: it is never stepped.
    """
    return [(op.kind, op.functions, op.attributes, op.nest, _views(op)) for op in ops(found)]


def same_model(made: Trace, built: Trace) -> None:
    """Asserts that two traces are one model: its work, what it stores, what its loops hand on.

    The first is also written to a file and read again, which checks what ``check_trace`` does not.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.json"
        save_trace(made, path)
        assert load_trace(path) == made
    assert contents(made) == contents(built)
    assert _stored(made) == _stored(built)
    assert _carries(made) == _carries(built)
    assert made.parameters == built.parameters
    assert made.parameter_bytes == built.parameter_bytes
    assert made.macs == built.macs


def _stored(found: Trace) -> list[tuple[str, tuple[int, ...], str]]:
    kept = [tensor for tensor in found.tensors if tensor.role != "activation"]
    return sorted((tensor.role, tensor.shape, str(tensor.dtype)) for tensor in kept)


def _carries(found: Trace) -> list[list[object]]:
    held = [(c.state, c.update, c.initial) for c in all_carries(found.items)]
    return [[tensor and (tensor.shape, tensor.dtype) for tensor in every] for every in held]


def _views(op: Op) -> list[object]:
    return [
        (
            access.shape,
            [step for step, extent in zip(access.strides, access.shape, strict=True) if extent > 1],
            access.offset,
            access.tensor.content,
        )
        for access in op.operands
    ]


def linear(inputs: int, *widths: int) -> Any:
    """Linear layers in a row; only the last has a bias."""
    layers = [
        nn.Linear(a, b, bias=n == len(widths))
        for n, (a, b) in enumerate(zip((inputs, *widths), widths, strict=False), start=1)
    ]
    return nn.Sequential(OrderedDict((f"layer{n}", layer) for n, layer in enumerate(layers)))
