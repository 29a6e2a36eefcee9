"""Conversions between floating-point numbers and integers of few bits, and their scales.

What PyTorch's quantised export (``quantized_decomposed``) and torchao write into a graph. A scale
that the graph reads from a tensor is an operand, once for each block of elements that share it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from codesign.hookspecs import hookimpl
from codesign.workload import view
from codesign.workload.builder import Builder
from codesign.workload.graph import Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.quantised_targets import DEQUANTISE, QUANTISE, conversion
from codesign.workload.record import Access

_SCALES = (
    "quantized_decomposed.choose_qparams",
    "quantized_decomposed.choose_qparams_symmetric",
    "quantized_decomposed.choose_qparams_per_token",
    "quantized_decomposed.choose_qparams_per_token_asymmetric",
    "quantized_decomposed._choose_qparams_per_token_asymmetric_impl",
    "torchao.choose_qparams_affine",
    "torchao.choose_scale_float8",
)


@hookimpl
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Quantise, dequantise and the choice of scales."""
    found: dict[str, Lowering] = dict.fromkeys((*QUANTISE, *DEQUANTISE), _convert)
    found |= dict.fromkeys(_SCALES, _choose)
    found["quantized_decomposed.convert_element_type"] = _cast
    return found


def _convert(node: Node, builder: Builder) -> None:
    """One cast for each element: it is scaled, shifted, rounded and cut to the range."""
    found = conversion(node)
    if found is None:
        return
    source, output = builder.access(found.source), builder.new(node.outputs[0])
    parts = [part for part in (found.scale, found.zero) if isinstance(part, Value)]
    inputs = [_in_blocks(source, found.block)]
    target = _in_blocks(output, found.block)
    inputs += [_spread(builder.access(part), source.shape, found.block) for part in parts]
    builder.emit("elementwise", inputs, [target], functions=("cast",))


def _cast(node: Node, builder: Builder) -> None:
    source, output = builder.access(node.args[0]), builder.new(node.outputs[0])
    builder.emit("elementwise", [source], [output], functions=("cast",))


def _choose(node: Node, builder: Builder) -> None:
    """The range of each block, and from it a scale and a zero point."""
    source = builder.access(node.args[0])
    blocks = math.prod(node.outputs[0].shape)
    limits = builder.tensor("limits", (2, blocks), source.tensor.dtype).access()
    width = source.elements // max(1, blocks)
    builder.emit("reduce", [source], [limits], what="range", functions=("max", "min"), width=width)
    outputs = [builder.new(value) for value in node.outputs if builder.is_used(value)]
    if outputs:
        builder.emit("elementwise", [limits], outputs, functions=("sub", "div"))


def _in_blocks(access: Access, block: Sequence[int]) -> Access:
    """The view with an axis of blocks in front of every axis that they cut."""
    axis = 0
    for extent, size in zip(access.shape, block, strict=True):
        if _is_cut(extent, size):
            access = view.split_axis(access, axis, extent // size)
            axis += 1
        axis += 1
    return access


def _spread(access: Access, shape: Sequence[int], block: Sequence[int]) -> Access:
    """A tensor with a number for each block as a view that repeats it over the block."""
    pairs = list(zip(shape, block, strict=True))
    found = view.reshape(access, [extent // size for extent, size in pairs])
    if found is None or access.elements == 1:
        found = view.reshape(access, [1] * len(shape)) or access
    axis = 0
    for extent, size in pairs:
        if _is_cut(extent, size):
            found = view.unsqueeze(found, axis + 1)
            axis += 1
        axis += 1
    whole = [
        part
        for extent, size in pairs
        for part in ((extent // size, size) if _is_cut(extent, size) else (extent,))
    ]
    return view.expand(found, whole)


def _is_cut(extent: int, size: int) -> bool:
    return 1 < size < extent
