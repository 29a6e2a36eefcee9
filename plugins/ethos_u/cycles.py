"""Cycles of a block: of the cells that multiply, and of the stage that results leave through.

The mechanism of Arm's estimator (``npu_performance.py`` of ethos-u-vela 5.2.0). Each pass of the
cells over a microblock takes four cycles for 32 input channels, for four taps of eight channels,
or for four taps of a depthwise kernel; fewer than enough microblocks wait for their weights.
Results leave while the next block is computed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .blocks import Block, microblock
from .core import DOT, NOISE, RECORD, RECORDS, STEP, TAPS, Core
from .layer import Layer


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a core works on one layer.

    Attributes:
        core: the configuration.
        layer: what it runs.
        block: the blocks that it is cut into.
        per_result: cycles of the output stage for a result.
        latency: cycles from asking for records of channels to their first byte; 0 if it has none.
    """

    core: Core
    layer: Layer
    block: Block
    per_result: float
    latency: int

    def multiply(self, results: tuple[int, int, int], taps: tuple[int, int], inner: int) -> int:
        """Cycles of the cells for one part of a block.

        Args:
            results: height, width and channels of it.
            taps: of the kernel along each axis, at most ``SUBKERNEL``.
            inner: input channels that are added up, at most those of the block.
        """
        height, width, depth = microblock(self.core, self.layer)
        rows, columns, channels = results
        image = -(-rows // height) * -(-columns // width)
        parts = -(-channels // depth)
        count = taps[0] * taps[1]
        if self.layer.form == "pooling":
            return -(-max(STEP, count) * image * parts // self.core.cores)
        if self.layer.form == "depthwise":
            steps = -(-count // TAPS)
        elif self.block.by_taps:
            steps = -(-count // TAPS) * -(-inner // DOT)
        else:
            steps = count
        weights = STEP * depth  # cycles to unpack those of one pass
        return -(-max(weights, STEP * image) * steps * parts // self.core.cores)

    def output(self, results: tuple[int, int, int]) -> int:
        """Cycles of the output stage for a block: of its results, or of its channels' records."""
        rows, columns, channels = results
        stage = rows * columns * channels * self.per_result
        return math.ceil(max(stage, channels * RECORD * self.latency / RECORDS) - NOISE)
