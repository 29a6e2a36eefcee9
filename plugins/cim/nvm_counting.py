"""How MNSIM 2.0 counts what a layer does on its chip, so that its prices can be told from counts.

Read from the sources of ca39ccb, written anew. It differs from a chip of its own description in
that all tiles of a layer are counted as the fullest one, that a layer of at most as many columns as
converters pays for half of its conversions, and that all buffers of a tile pay while one moves a
word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .nvm_alexnet import ACTIVATION_BITS, WEIGHT_BITS, Layer
from .nvm_buffers import Buffers
from .nvm_physics import GUARD_BITS, NvmArray

TILES = 2
"""Tiles of four arrays that make one of our macros of eight."""
POOL_W, POOL_S, POOL_CHANNELS = 3.082e-3, 100e-9, 64
"""A pooling unit: watts, seconds for a window, channels at once."""


@dataclass(frozen=True)
class Counted:
    """A layer with weights, on macros that are all as full as the fullest.

    Attributes:
        layer: a convolution or a product.
        array: a macro.
        buffers: of a macro.
    """

    layer: Layer
    array: NvmArray
    buffers: Buffers

    @property
    def channels(self) -> int:
        """Inputs of a tile, each with all its taps."""
        return min(int(self.array.rows) // self.layer.taps, self.layer.channels)

    @property
    def rows(self) -> int:
        """Rows of the fullest tile."""
        return self.channels * self.layer.taps

    @property
    def columns(self) -> int:
        """Columns of the fullest tile."""
        return min(self.layer.filters, int(self.array.columns))

    @property
    def macros(self) -> int:
        """Macros that the layer takes."""
        down = math.ceil(self.layer.channels / self.channels)
        return down * math.ceil(self.layer.filters / int(self.array.columns))

    @property
    def steps(self) -> int:
        """Steps of one product."""
        planes = math.ceil(ACTIVATION_BITS / int(self.array.dac_bits))
        return planes * self._groups * self._rounds

    def joules(self) -> dict[str, float]:
        """Joules of the layer by part."""
        prices = self.array.prices()
        products = self.layer.pixels * self.macros
        return {
            action: float(products * count * prices[action])
            for action, count in self._counts().items()
        } | {name: products * joules for name, joules in self._buffers().items()}

    @property
    def _groups(self) -> int:
        return math.ceil(self.rows / int(self.array.rows_read))

    @property
    def _rounds(self) -> int:
        """Columns that follow each other at a converter."""
        converters = int(self.array.columns) // int(self.array.columns_per_adc)
        return math.ceil(self.columns / converters)

    def _counts(self) -> dict[str, float]:
        array = self.array
        ours = array.counts(self.rows, self.columns, ACTIVATION_BITS, WEIGHT_BITS)
        idle = self._rounds / float(array.columns_per_adc)
        driven = idle * self._groups * float(array.rows_read) / float(array.rows)
        arrays = float(array.arrays)
        # the sums of an array are added within its tile, not between tiles
        added = (arrays - TILES) / (arrays - 1)
        shares = {"dac": driven, "cell read": driven, "adc": idle, "shift adder": idle}
        return {
            action: float(ours[action]) * share
            for action, share in (shares | {"slice adder": added}).items()
        }

    def _buffers(self) -> dict[str, float]:
        """Joules of the buffers of a macro for one product, on the average of the image."""
        buffers = self.buffers
        every = float(buffers.inputs + buffers.outputs)
        fed, held = (self._mean(kind) for kind in ("read", "written"))
        sums = self.columns * float(self.array.arrays) / TILES
        given = _words(sums * ACTIVATION_BITS, buffers)
        kept = _words(sums * (float(self.array.adc_bits) + GUARD_BITS), buffers)
        return {
            "buffer read": every * (fed + given) * float(buffers.read_j),
            "buffer write": every * (held + kept) * float(buffers.write_j),
        }

    def _mean(self, kind: str) -> float:
        """Words of inputs that are read or written for a product, on the average of the image."""
        moved = sum(
            pixels * _words(self.channels * ACTIVATION_BITS * positions[kind], self.buffers)
            for pixels, positions in windows(self.layer)
        )
        return moved / self.layer.pixels


def pooling(layer: Layer, buffers: Buffers) -> dict[str, float]:
    """Joules of a layer of windows by part.

    Args:
        layer: of windows.
        buffers: of a macro, one of which feeds the unit and takes what it gives.
    """
    units = math.ceil(layer.channels / POOL_CHANNELS)
    given = _words(layer.channels * ACTIVATION_BITS, buffers)
    joules = {"pooling": layer.pixels * units * POOL_W * POOL_S}
    prices = {"read": buffers.read_j, "written": buffers.write_j}
    for (kind, price), name in zip(prices.items(), ("buffer read", "buffer write"), strict=True):
        fed = sum(
            pixels * _words(layer.channels * ACTIVATION_BITS * positions[kind], buffers)
            for pixels, positions in windows(layer)
        )
        joules[name] = (fed + layer.pixels * given) * float(price)
    return joules


def windows(layer: Layer) -> Iterator[tuple[int, dict[str, int]]]:
    """Pixels of an image, each with the positions of its window that are read and written anew.

    The first window of a row is read whole, the others as far as they are new. Written is what no
    window before had: a line buffer holds the rows above.
    """
    kernel, stride, across = layer.kernel, layer.stride, layer.results - 1
    shown = kernel - layer.padding
    fresh = stride * kernel
    yield 1, {"read": kernel**2, "written": shown**2}
    yield across, {"read": kernel**2, "written": stride * shown}
    yield across, {"read": fresh, "written": fresh}
    yield across**2, {"read": fresh, "written": stride**2}


def _words(bits: float, buffers: Buffers) -> int:
    return math.ceil(bits / float(buffers.word_bits))
