"""A second, slow Ethos-U: every block and every part of its sums one by one, in plain Python.

Written from the description of the mechanism and not from the engine: it shares no code with it
but the figures of the configurations.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass

from codesign_plugins.ethos_u.core import CORES


@dataclass(frozen=True)
class Image:
    """A convolution or a depthwise one of a square image.

    Attributes:
        channels: of the input.
        filters: of the output.
        size: rows and columns of the input.
        kernel: taps along each axis.
        stride: pixels from one output to the next.
        padding: pixels added on every side.
        depthwise: whether every channel has a kernel of its own.
        batch: images, one after the other.
    """

    channels: int
    filters: int
    size: int
    kernel: int
    stride: int
    padding: int
    depthwise: bool
    batch: int = 1

    @property
    def pixels(self) -> int:
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1


def ranges(size: int, most: int) -> list[int]:
    """Lengths of the pieces that a length is cut into."""
    return [min(most, size - start) for start in range(0, size, most)]


def by_taps(image: Image) -> bool:
    """Whether packing taps fills the cells better than packing channels."""
    if image.depthwise:
        return False
    taps, inner = image.kernel**2, image.channels
    in_taps = inner * taps / (8 * math.ceil(inner / 8) * 4 * math.ceil(taps / 4))
    in_channels = inner / (32 * math.ceil(inner / 32))
    return inner <= 8 or in_taps > in_channels


def part_cycles(image: Image, name: str, block: tuple[int, int, int], taps: int, inner: int) -> int:
    """Cycles of the cells for one part of the sums of a block."""
    core = CORES[name]
    height, width, depth = core.microblock
    if height == 2 and image.pixels == 1 == image.kernel:
        raise NotImplementedError("one row of results")
    tiles = math.ceil(block[0] / height) * math.ceil(block[1] / width)
    if image.depthwise:
        steps = math.ceil(taps / 4)
    elif by_taps(image):
        steps = math.ceil(taps / 4) * math.ceil(inner / 8)
    else:
        steps = taps
    busy = max(4 * tiles, 32 * depth // 8) * steps * math.ceil(block[2] / depth)
    return -(-int(busy) // int(core.cores))


def reach(image: Image, results: int, taps: int) -> int:
    """Pixels of the input that so many results need along an axis, at most all."""
    if image.stride > taps:
        return min(image.size, results * taps)
    return min(image.size, (results - 1) * image.stride + taps)


def run(
    image: Image, name: str, block: tuple[int, int, int], port: float, *, holds: bool = False
) -> Counter[str]:
    """Cycles, and bytes at the port and of weights, with images in the buffer.

    Args:
        image: the layer, with images between two operators, and a limit behind it.
        name: of the configuration.
        block: largest block.
        port: bytes per cycle of the port.
        holds: whether weights lie in the buffer.
    """
    core, found = CORES[name], Counter[str]()
    per_result = max(core.output["other"], core.activation["clamp"])
    most = 1 if image.depthwise else min(image.channels, 16 if by_taps(image) else 32)
    inner_total = 1 if image.depthwise else image.channels
    last = 0
    for _, depth, height, width in itertools.product(
        range(image.batch),
        ranges(image.filters, block[2]),
        ranges(image.pixels, block[0]),
        ranges(image.pixels, block[1]),
    ):
        multiply = read = 0
        for down, along, inner in itertools.product(
            ranges(image.kernel, 8), ranges(image.kernel, 8), ranges(inner_total, most)
        ):
            multiply += part_cycles(image, name, (height, width, depth), down * along, inner)
            channels = depth if image.depthwise else inner
            pixels = reach(image, height, down) * reach(image, width, along)
            weights = down * along * inner * depth
            found["weights"] += weights
            part = bursts(pixels * channels, 16 * width)
            part += bursts(weights, weights) if holds else 0
            if not found["fill"]:
                found["fill"] = math.ceil(part / port)
            read += part
        written = bursts(height * width * depth, 16 * core.cores * width)
        output = math.ceil(height * width * depth * per_result - 1e-6)
        found["read"] += read
        found["written"] += written
        found["cycles"] += max(multiply, output, math.ceil((read + written) / port))
        last = min(multiply, output)
    found["cycles"] += last + found["fill"]
    return found


def bursts(size: int, run: int) -> int:
    """Bytes that a transfer costs in runs, of which none costs less than 32 bytes."""
    return math.ceil(size * max(1, 32 / run))
