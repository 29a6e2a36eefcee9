"""Bytes of the buffer that tiles take, for many blocks at once."""

from __future__ import annotations

import numpy as np

from codesign import Budget, Op
from codesign.mapping.tiling import Array

from .blocks import Blocks
from .core import SUBKERNEL
from .layer import Layer, Window
from .parts import WEIGHTS


def needs(op: Op, budget: Budget, layer: Layer, blocks: Blocks, *, holds: bool) -> Array:
    """Bytes of the inputs and results of two tiles, and of held weights; never too few.

    Args:
        op: a contraction or a pooling.
        budget: which of its operands lie in the buffer already.
        layer: the operator as the core sees it.
        blocks: the blocks.
        holds: whether weights stay in the buffer.
    """
    height = np.minimum(blocks.height, layer.height.pixels)
    width = np.minimum(blocks.width, layer.width.pixels)
    depth = np.minimum(blocks.depth, layer.depth)
    taps = min(layer.height.taps, SUBKERNEL) * min(layer.width.taps, SUBKERNEL)
    image = _touched(layer.height, height) * _touched(layer.width, width)
    inputs = image * (depth if layer.is_flat else blocks.inner)
    weights = taps * blocks.inner * depth
    results = height * width * depth
    total = np.zeros_like(depth)
    for operand, access in enumerate(op.operands):
        elements = results
        if operand == 0:
            elements = inputs
        elif operand == WEIGHTS and op.kind == "contraction":
            elements = np.zeros_like(depth) if holds else weights
        if not budget.is_resident(operand):
            total = total + 2 * access.tensor.dtype.storage_bytes(elements)
    if holds:
        whole = layer.height.taps * layer.width.taps * layer.inner * layer.depth
        total = total + op.inputs[WEIGHTS].tensor.dtype.storage_bytes(whole)
    return total


def _touched(axis: Window, results: Array) -> Array:
    """Inputs along an axis for so many results, in one pass over the taps."""
    reach = (min(axis.taps, SUBKERNEL) - 1) * axis.dilation + 1
    inputs: Array = (results - 1) * axis.stride + reach
    return inputs
