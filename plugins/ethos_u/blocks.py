"""Blocks of results: which of them fit the internal RAM, and which one moves least.

A core makes results block by block: 32-bit sums of a block stay in the internal RAM, beside the
inputs that it needs, both twice. Inputs are read again for every block along the channels, weights
for every block along the image. The rule that picks one is that of Arm's compiler
(``architecture_allocator.py`` of ethos-u-vela 5.2.0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.tiling import Array

from .core import (
    BANK,
    DEEP,
    DEEP_BY_TAPS,
    DOT,
    MOST,
    OUTPUT_BANKS,
    SPLIT,
    SUBKERNEL,
    TAPS,
    Core,
)
from .layer import Layer, Window

N = TypeVar("N", int, Array)
_SUM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Block:
    """What one core works on at once.

    Attributes:
        height: rows of results.
        width: results of a row.
        depth: channels of them.
        inner: input channels that are added up at once; 1 where channels do not mix.
        by_taps: whether the taps of the kernel are packed beside channels.
    """

    height: int
    width: int
    depth: int
    inner: int
    by_taps: bool


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that fit the RAM inside, in order of what they read for each result.

    Attributes:
        height: of each.
        width: of each.
        depth: of each.
        inner: as in ``Block``, of all.
        by_taps: the same.
    """

    height: Array
    width: Array
    depth: Array
    inner: int
    by_taps: bool

    def __getitem__(self, place: int) -> Block:
        height, width, depth = (int(a[place]) for a in (self.height, self.width, self.depth))
        return Block(height, width, depth, self.inner, self.by_taps)

    @classmethod
    def of(cls, core: Core, layer: Layer) -> Blocks:
        """The blocks of a layer."""
        by_taps = is_by_taps(layer)
        deepest = min(layer.input_depth, DEEP_BY_TAPS if by_taps else DEEP)
        depth, height, width = _grid(core, layer)
        rows = _inputs(layer.height, height, core.microblock[0])
        columns = _inputs(layer.width, width, core.microblock[1])
        held = depth if layer.is_flat else np.full_like(depth, up(deepest, DOT))
        inputs = _banks(rows * columns * up(held, DOT), core.input_grain)
        sums = _banks(height * width * up(depth, DOT) * _SUM_BYTES, core.sum_grain)
        cost = _fetched(layer, (height, width, depth), rows * columns)
        image = layer.height.inputs * layer.width.inputs
        cost = np.where(image * layer.input_depth < 2 * rows * columns * held, cost / 2, cost)
        fit = np.flatnonzero(inputs + sums <= core.banks - core.end_banks - OUTPUT_BANKS)
        order = fit[np.argsort(cost[fit], kind="stable")]
        inner = 1 if layer.is_flat else deepest
        return cls(height[order], width[order], depth[order], inner, by_taps)


def microblock(core: Core, layer: Layer) -> tuple[int, int, int]:
    """The microblock on a layer: of results in one row it lies flat."""
    height, width, depth = core.microblock
    axes = layer.height, layer.width
    is_row = axes[0].pixels == axes[0].taps == 1 and axes[1].pixels % 2 == 0
    if height == 2 and is_row and layer.form in ("convolution", "vector"):
        return 1, height * width, depth
    return height, width, depth


def is_by_taps(layer: Layer) -> bool:
    """Whether packing taps fills the cells better than packing input channels."""
    if layer.form != "convolution":
        return False
    inner, taps = layer.inner, layer.height.taps * layer.width.taps
    packed = inner * taps / (up(inner, DOT) * up(taps, TAPS))
    return inner <= DOT or packed > inner / up(inner, DEEP)


def _grid(core: Core, layer: Layer) -> tuple[Array, Array, Array]:
    """Channels, rows and columns: whole microblocks, and bricks of channels that are cut."""
    sizes = []
    results = (layer.height.pixels, layer.width.pixels, layer.depth)
    for size, micro, most in zip(results, microblock(core, layer), MOST, strict=True):
        sizes.append(np.arange(micro, up(min(size, most), micro) + 1, micro, dtype=np.int64))
    height, width, depth = sizes
    depth = depth[(depth % SPLIT == 0) | (depth >= layer.depth)]
    grid = np.meshgrid(depth, height, width, indexing="ij")
    first, second, third = (axis.ravel() for axis in grid)
    return first, second, third


def _inputs(axis: Window, results: Array, micro: int) -> Array:
    """Inputs along an axis that so many results need, in one pass over the taps."""
    return up((results - 1) * axis.stride + min(axis.reach, SUBKERNEL), micro)


def _banks(size: Array, grain: int) -> Array:
    """Banks of a room that is there twice."""
    return up(-(-size // BANK) * 2, grain)


def _fetched(layer: Layer, block: tuple[Array, Array, Array], area: Array) -> NDArray[np.float64]:
    """Inputs and weights read for each result."""
    height, width, depth = block
    parts = layer.height.pixels / height, layer.width.pixels / width, layer.depth / depth
    taps = layer.height.taps * layer.width.taps if layer.form in ("convolution", "depthwise") else 0
    weights = taps * layer.input_depth * np.ceil(parts[0]) * np.ceil(parts[1])
    passes = math.prod(-(-axis.reach // SUBKERNEL) for axis in (layer.height, layer.width))
    inputs = area * layer.input_depth * passes * parts[0] * parts[1]
    if not layer.is_flat:
        inputs = inputs * np.ceil(parts[2])
    if layer.form != "depthwise":
        weights = weights * layer.depth
    fetched: NDArray[np.float64] = inputs + weights
    return fetched


def up(value: N, grain: int) -> N:
    """The next whole multiple."""
    return -(-value // grain) * grain
