"""Convolutions of any rank and grouping as loop nests, without an im2col copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access


@dataclass(frozen=True)
class _Window:
    """How taps and pixels meet: the wider image is at ``stride * pixel + dilation * tap - pad``.

    The wider image is the input, or for a transposed convolution the output.
    """

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    transposed: bool = False


def _convolution(node: Node, builder: Builder, *, rank: int) -> None:
    """conv1d to conv3d: ``(input, weight, bias, stride, padding, dilation, groups)``."""
    stride = _spread(node.argument(3, "stride", 1), rank)
    dilation = _spread(node.argument(5, "dilation", 1), rank)
    padding = _padding(node, dilation, rank)
    groups = node.argument(6, "groups", 1)
    _emit(node, builder, _Window(stride, padding, dilation, groups))


def _transposed(node: Node, builder: Builder, *, rank: int) -> None:
    """``(input, weight, bias, stride, padding, output_padding, groups, dilation)``."""
    stride = _spread(node.argument(3, "stride", 1), rank)
    padding = _spread(node.argument(4, "padding", 0), rank)
    dilation = _spread(node.argument(7, "dilation", 1), rank)
    groups = node.argument(6, "groups", 1)
    _emit(node, builder, _Window(stride, padding, dilation, groups, True))


def _general(node: Node, builder: Builder) -> None:
    """``convolution(..., stride, padding, dilation, transposed, output_padding, groups)``."""
    rank = len(node.args[1].shape) - 2
    stride, padding, dilation = (_spread(value, rank) for value in node.args[3:6])
    _emit(node, builder, _Window(stride, padding, dilation, node.args[8], bool(node.args[6])))


def _spread(value: Any, rank: int) -> tuple[int, ...]:
    numbers = [value] if isinstance(value, int) else list(value)
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def _padding(node: Node, dilation: Sequence[int], rank: int) -> tuple[int, ...]:
    padding = node.argument(4, "padding", 0)
    if padding == "same":
        kernel = node.args[1].shape[2:]
        return tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
    return _spread(0 if padding == "valid" else padding, rank)


def _emit(node: Node, builder: Builder, window: _Window) -> None:
    rank, groups = len(window.stride), window.groups
    output = builder.new(node.outputs[0])
    source, weight = builder.access(node.args[0]), builder.access(node.args[1])
    if len(source.shape) == rank + 1:
        source, output = view.unsqueeze(source, 0), view.unsqueeze(output, 0)
    loops = _loops(source, weight, output, window)
    taps = _names("k", rank)
    pixels = [name for name in loops if name[0] in "oi" and name != "ci"]
    plain, wide = _axes(loops, pixels), _window_axes(loops, pixels, taps, window)
    images = (plain, wide) if window.transposed else (wide, plain)
    lead = ["g"] if groups > 1 else []
    channels = ["ci", "co"] if window.transposed else ["co", "ci"]
    factors = [
        (_split(source, 1, groups), (*_axes(loops, ["b", *lead, "ci"]), *images[0])),
        (_split(weight, 0, groups), _axes(loops, [*lead, *channels, *taps])),
    ]
    bias = node.argument(2, "bias")
    if isinstance(bias, Value):
        factors.append((_split(builder.access(bias), 0, groups), _axes(loops, [*lead, "co"])))
    result = _split(output, 1, groups), (*_axes(loops, ["b", *lead, "co"]), *images[1])
    nest = LoopNest(
        tuple(loops), tuple(loops.values()), tuple(axes for _, axes in [*factors, result])
    )
    functions = ("add",) if isinstance(bias, Value) else ()
    builder.emit(
        "contraction", [a for a, _ in factors], [result[0]], nest=nest, functions=functions
    )


def _names(letter: str, rank: int) -> list[str]:
    return [f"{letter}{axis}" for axis in "zyx"[3 - rank :]]


def _loops(source: Access, weight: Access, output: Access, window: _Window) -> dict[str, int]:
    """Extents: batch, group, output channel, pixels, then input channel and taps."""
    rank, groups = len(window.stride), window.groups
    narrow, letter = (source, "i") if window.transposed else (output, "o")
    loops = {"b": source.shape[0]} | ({"g": groups} if groups > 1 else {})
    loops["co"] = output.shape[1] // groups
    loops |= dict(zip(_names(letter, rank), narrow.shape[2:], strict=True))
    loops["ci"] = source.shape[1] // groups
    return loops | dict(zip(_names("k", rank), weight.shape[2:], strict=True))


def _axes(loops: Mapping[str, int], names: Sequence[str]) -> tuple[Axis, ...]:
    order = list(loops)
    return tuple(Axis(((order.index(name), 1),)) for name in names)


def _window_axes(
    loops: Mapping[str, int], pixels: Sequence[str], taps: Sequence[str], window: _Window
) -> tuple[Axis, ...]:
    order = list(loops)
    steps = zip(window.stride, window.dilation, window.padding, strict=True)
    return tuple(
        Axis(((order.index(pixel), stride), (order.index(tap), dilation)), -padding)
        for pixel, tap, (stride, dilation, padding) in zip(pixels, taps, steps, strict=True)
    )


def _split(access: Access, axis: int, groups: int) -> Access:
    """Splits a channel axis into groups and channels per group."""
    if groups == 1:
        return access
    return view.split_axis(access, axis, groups)


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Convolutions of aten."""
    found: dict[str, Lowering] = {"aten.convolution": _general}
    for rank in (1, 2, 3):
        found[f"aten.conv{rank}d"] = partial(_convolution, rank=rank)
        found[f"aten.conv_transpose{rank}d"] = partial(_transposed, rank=rank)
    return found
