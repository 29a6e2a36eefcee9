"""Convolutions of any rank and grouping as loop nests, without an im2col copy.

A transposed convolution is the standard pair: one matrix product makes the contribution of every
input pixel to every tap of its window, the columns, and col2im sums those that meet in one output
pixel (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.contraction import labelled_nest
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access


@dataclass(frozen=True)
class _Window:
    """How taps and pixels meet: the input is read at ``stride * pixel + dilation * tap - pad``."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def _convolution(node: Node, builder: Builder, *, rank: int) -> None:
    """conv1d to conv3d: ``(input, weight, bias, stride, padding, dilation, groups)``."""
    stride = _spread(node.argument(3, "stride", 1), rank)
    dilation = _spread(node.argument(5, "dilation", 1), rank)
    padding = _padding(node, dilation, rank)
    groups = node.argument(6, "groups", 1)
    _emit(node, builder, _Window(stride, padding, dilation, groups))


def _transposed(node: Node, builder: Builder, *, rank: int) -> None:
    """``(input, weight, bias, stride, padding, output_padding, groups, dilation)``."""
    _emit_transposed(node, builder, rank, node.argument(6, "groups", 1))


def _general(node: Node, builder: Builder) -> None:
    """``convolution(..., stride, padding, dilation, transposed, output_padding, groups)``."""
    rank = len(node.args[1].shape) - 2
    if node.args[6]:
        _emit_transposed(node, builder, rank, node.args[8])
        return
    stride, padding, dilation = (_spread(value, rank) for value in node.args[3:6])
    _emit(node, builder, _Window(stride, padding, dilation, node.args[8]))


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
    pixels, taps = _names("o", rank), _names("k", rank)
    image = _window_axes(loops, pixels, taps, window)
    lead = ["g"] if groups > 1 else []
    factors = [
        (_split(source, 1, groups), (*_axes(loops, ["b", *lead, "ci"]), *image)),
        (_split(weight, 0, groups), _axes(loops, [*lead, "co", "ci", *taps])),
    ]
    bias = node.argument(2, "bias")
    if isinstance(bias, Value):
        factors.append((_split(builder.access(bias), 0, groups), _axes(loops, [*lead, "co"])))
    result = _split(output, 1, groups), _axes(loops, ["b", *lead, "co", *pixels])
    nest = LoopNest(
        tuple(loops), tuple(loops.values()), tuple(axes for _, axes in [*factors, result])
    )
    functions = ("add",) if isinstance(bias, Value) else ()
    builder.emit(
        "contraction", [a for a, _ in factors], [result[0]], nest=nest, functions=functions
    )


def _emit_transposed(node: Node, builder: Builder, rank: int, groups: int) -> None:
    """Columns of input pixels by output channels and taps, then their sum with the bias.

    The sum starts from the bias, so that it adds as often as there are columns. Columns that fall
    into the padding are made and read too, as the matrix product makes them.
    """
    output = builder.new(node.outputs[0])
    source, weight = builder.access(node.args[0]), builder.access(node.args[1])
    if len(source.shape) == rank + 1:
        source = view.unsqueeze(source, 0)
    first, second = view.split_axis(source, 1, groups), view.split_axis(weight, 0, groups)
    rows, columns = [f"m{i}" for i in range(rank)], [f"n{i}" for i in range(rank + 1)]
    shape = (source.shape[0], groups, *second.shape[2:], *source.shape[2:])
    made = builder.tensor("columns", shape, output.tensor.dtype).access()
    extents = dict(zip(["b", "g", *columns, *rows], shape, strict=True)) | {"k": first.shape[2]}
    accesses, nest = labelled_nest(
        [
            (first, ["b", "g", "k", *rows]),
            (second, ["g", "k", *columns]),
            (made, ["b", "g", *columns, *rows]),
        ],
        extents,
    )
    builder.emit("contraction", accesses[:2], accesses[2:], nest=nest)
    bias = node.argument(2, "bias")
    terms = [made, *([builder.access(bias)] if isinstance(bias, Value) else [])]
    taps = tuple(weight.shape[2:])
    builder.emit("reduce", terms, [output], what="col2im", functions=("sum",), taps=taps)


def _names(letter: str, rank: int) -> list[str]:
    return [f"{letter}{axis}" for axis in "zyx"[3 - rank :]]


def _loops(source: Access, weight: Access, output: Access, window: _Window) -> dict[str, int]:
    """Extents: batch, group, output channel, pixels, then input channel and taps."""
    rank, groups = len(window.stride), window.groups
    loops = {"b": source.shape[0]} | ({"g": groups} if groups > 1 else {})
    loops["co"] = output.shape[1] // groups
    loops |= dict(zip(_names("o", rank), output.shape[2:], strict=True))
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
