"""Graph targets that turn numbers into integers of few bits and back, and what they say of them.

The targets are those of PyTorch's quantised export (``quantized_decomposed``) and of torchao.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from codesign.workload.dtype import DType
from codesign.workload.graph import Node, Value
from codesign.workload.liveness import base_name

Spread: TypeAlias = Literal["tensor", "channel", "group", "token", "block"]


@dataclass(frozen=True, slots=True)
class _Form:
    """How far one scale reaches, and at which positions a target takes its arguments."""

    spread: Spread
    scale: int = 1
    zero: int = 2
    low: int = 3
    extent: int = 3


_FORMS: Mapping[str, _Form] = {
    "quantized_decomposed.{}_per_tensor": _Form("tensor"),
    "quantized_decomposed.{}_per_channel": _Form("channel", low=4, extent=3),
    "quantized_decomposed.{}_per_channel_group": _Form("group", extent=6),
    "quantized_decomposed.{}_per_token": _Form("token"),
    "torchao.{}_affine": _Form("block", scale=2, zero=3, low=5, extent=1),
}
# a scale alone: a floating-point format of 8 bits has no zero point and no range
_FLOAT = "torchao.{}_affine_float8_non_decomposed"
_BACK, _THERE = (
    {form.format(verb): shape for form, shape in _FORMS.items()}
    for verb in ("dequantize", "quantize")
)
FLOAT8 = (_FLOAT.format("quantize"), _FLOAT.format("dequantize"))
QUANTISE = (*_THERE, FLOAT8[0])
"""Targets that turn floating-point numbers into a format of few bits."""
DEQUANTISE = (*_BACK, FLOAT8[1])
"""Targets that turn them back."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a node says of the numbers that it turns into few bits, or back.

    Attributes:
        source: what it reads.
        scale: the factors, or one number.
        zero: what stands for zero in each block; None if that is 0.
        low: least integer in use; None if the target does not say.
        high: greatest integer in use.
        block: extents of the part of ``source`` that shares a scale.
    """

    source: Value
    scale: Value | float
    zero: Value | int | None
    low: int | None
    high: int | None
    block: tuple[int, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for conversions that undo each other."""
        return self.scale, self.zero, self.low, self.high, self.block

    def stored(self, data: DType, *, is_known: bool = False) -> DType:
        """The format of the integers, with what the elements of a block share.

        A range of n numbers takes log2 n bits: -8 to 7 is 4. Scale and zero point of a block are
        counted with it as the bits that its elements share; numbers of the graph are free.

        Args:
            data: format in which the graph holds them.
            is_known: whether ``data`` is their true format, whatever the range.
        """
        found = data
        low, high = self.low, self.high
        if low is not None and high is not None and not is_known and not data.is_float:
            bits = min(data.bits, max(1, (high - low).bit_length()))
            found = DType("uint" if low >= 0 else "int", bits)
        return with_scales(found, math.prod(self.source.shape), self.scale, self.zero)


def with_scales(data: DType, elements: int, scale: Any, zero: Any) -> DType:
    """A format whose elements share the stored ones among ``scale`` and ``zero``, block by block.

    Args:
        data: format of an element.
        elements: how many there are.
        scale: the scales, or a number of the graph.
        zero: the zero points; None or a number of the graph for none.
    """
    parts = [part for part in (scale, zero) if isinstance(part, Value)]
    blocks = max((math.prod(part.shape) for part in parts), default=0)
    if not blocks or not elements:
        return data
    bits = sum(math.prod(part.shape) * part.dtype.bits for part in parts)
    return DType(data.kind, data.bits, -(-elements // blocks), -(-bits // blocks))


def conversion(node: Node) -> Conversion | None:
    """What a quantise or dequantise node says; None for any other node."""
    name = base_name(node.target)
    source = node.args[0] if node.args else None
    if not isinstance(source, Value):
        return None
    if name in FLOAT8:
        scale = node.argument(1, "scale")
        return Conversion(source, scale, None, None, None, _blocks_of(source, scale))
    form = _BACK.get(name) or _THERE.get(name)
    if form is None:
        return None
    scale, zero = node.argument(form.scale, "scales"), node.argument(form.zero, "zero_points")
    low = _number(node.argument(form.low, "quant_min"))
    high = _number(node.argument(form.low + 1, "quant_max"))
    return Conversion(source, scale, zero, low, high, _block(form, node, source.shape))


def is_float_cast(node: Node) -> bool:
    """Whether a node turns stored numbers into floating-point ones as they are."""
    names = ("aten._to_copy", "aten.to", "quantized_decomposed.convert_element_type")
    return base_name(node.target) in names and node.outputs[0].dtype.is_float


def _number(argument: Any) -> int | None:
    return argument if isinstance(argument, int) else None


def _block(form: _Form, node: Node, shape: tuple[int, ...]) -> tuple[int, ...]:
    extent = node.argument(form.extent, "group_size")
    if form.spread == "channel":
        axis = extent % len(shape)
        return (*shape[:axis], 1, *shape[axis + 1 :])
    if form.spread == "block":
        return tuple(n if size == -1 else size for n, size in zip(shape, extent, strict=True))
    if form.spread == "tensor" or not shape:
        return shape
    last = extent if form.spread == "group" else shape[-1]
    return (*(1 for _ in shape[1:]), last)


def _blocks_of(source: Value, scale: Any) -> tuple[int, ...]:
    """Blocks of a tensor whose scales have as many axes as it has, or are one."""
    parts = scale.shape if isinstance(scale, Value) else ()
    if len(parts) != len(source.shape):
        return source.shape
    return tuple(n // max(1, part) for n, part in zip(source.shape, parts, strict=True))
