"""What the parts of a layer touch: bytes of every operand, in which runs, and at which cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from codesign import Budget, Op
from codesign.hardware.plan import Move

from .core import BURST, DOT, SPLIT
from .cycles import Pace

WEIGHTS = 1
"""Number of the operand that weights are."""
STORED = ("weight", "constant")
"""Roles of what is known before the run."""


class Part(NamedTuple):
    """What a tile does.

    Attributes:
        results: height, width and channels of its block.
        taps: of the kernel along each axis.
        inner: input channels.
        is_last: whether the sums of its block are whole after it.
    """

    results: tuple[int, int, int]
    taps: tuple[int, int]
    inner: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """Operands of the parts of one layer.

    Attributes:
        op: a contraction or a pooling.
        budget: what it is granted.
        pace: of the core on it.
        holds: whether weights stay in the buffer once they are loaded.
    """

    op: Op
    budget: Budget
    pace: Pace
    holds: bool

    def loads(self, part: Part) -> tuple[Move, ...]:
        """What a part fetches, but for weights that are held."""
        kept = (WEIGHTS,) if self.holds else ()
        away = [x for x in self._inputs(part) if x not in kept and not self.budget.is_resident(x)]
        return tuple(self._move(operand, part) for operand in away)

    def stores(self, part: Part) -> tuple[Move, ...]:
        """What leaves after it."""
        away = [operand for operand in self._outputs(part) if not self.budget.is_resident(operand)]
        return tuple(self._move(operand, part) for operand in away)

    def read(self, part: Part) -> int:
        """Bytes that the port of the buffer carries to the core, short bursts counted whole.

        Weights that stream go past the buffer.
        """
        return sum(self._carried(x, part) for x in self._inputs(part) if self._is_there(x))

    def written(self, part: Part) -> int:
        """Bytes that it carries back."""
        return sum(self._carried(operand, part) for operand in self._outputs(part))

    def size(self, operand: int, part: Part) -> int:
        """Bytes of an operand that a part touches."""
        access, axes = self.op.operands[operand], self.op.loops.operands[operand]
        extents = self._extents(part)
        elements = 1
        for axis, extent, stride in zip(axes, access.shape, access.strides, strict=True):
            elements *= axis.touched(extents, extent) if stride else 1
        return access.tensor.dtype.storage_bytes(elements)

    def weights(self, depth: int) -> int:
        """Bytes of all weights of so many channels."""
        layer = self.pace.layer
        return self.size(
            WEIGHTS,
            Part((1, 1, depth), (layer.height.taps, layer.width.taps), layer.inner, is_last=False),
        )

    def _inputs(self, part: Part) -> Iterator[int]:
        """Operands that a part reads: those of functions when its sums are whole."""
        factors = 1 if self.op.kind == "reduce" else 2
        for operand in self.op.distinct_inputs:
            if operand < factors or part.is_last:
                yield operand

    def _outputs(self, part: Part) -> range:
        first = len(self.op.inputs)
        return range(first, len(self.op.operands) if part.is_last else first)

    def _is_image(self, operand: int) -> bool:
        return self.op.operands[operand].tensor.role not in STORED

    def _is_there(self, operand: int) -> bool:
        """Whether the core takes an operand from the buffer."""
        is_held = self.holds and operand == WEIGHTS
        return is_held or self._is_image(operand) or self.budget.is_resident(operand)

    def _carried(self, operand: int, part: Part) -> int:
        size = self.size(operand, part)
        run = self._run(operand, part) if self._is_image(operand) else size
        return -int(-size * max(Fraction(1), Fraction(BURST, max(1, run))) // 1)

    def _move(self, operand: int, part: Part) -> Move:
        size = self.size(operand, part)
        if not self._is_image(operand):
            return Move(operand, size)
        run, layer = self._run(operand, part), self.pace.layer
        rows = max(1, -(-size // run))
        if self._is_brick(operand):
            pitch = SPLIT * layer.width.pixels
        else:
            pitch = layer.depth if operand >= len(self.op.inputs) else layer.input_depth
        return Move(operand, size, rows, max(pitch, run) if rows > 1 else 0)

    def _run(self, operand: int, part: Part) -> int:
        """Adjacent bytes of an image that the core asks for at once.

        An image that comes from or goes to others lies pixel by pixel: a run is what one pixel has
        of the channels. One between two operators lies in bricks of 16 channels: a run is a row of
        bricks. Results leave by bricks.
        """
        is_output = operand >= len(self.op.inputs)
        layer = self.pace.layer
        _, width, depth = part.results
        channels = depth if is_output or layer.is_flat else part.inner
        brick = SPLIT * (self.pace.core.cores if is_output else 1)
        if self._is_brick(operand):
            return brick * width
        return min(brick, channels) if is_output else max(DOT, channels)

    def _is_brick(self, operand: int) -> bool:
        return self.op.operands[operand].tensor.role == "activation"

    def _extents(self, part: Part) -> list[int]:
        """Extent of every loop in a part."""
        layer = self.pace.layer
        (height, width, depth), (down, along) = part.results, part.taps
        extents = [1] * len(self.op.loops.dims)
        for dim, extent in (
            (layer.height.dim, height),
            (layer.width.dim, width),
            (layer.depth_dim, depth),
            (layer.inner_dim, part.inner),
            (layer.height.tap_dim, down),
            (layer.width.tap_dim, along),
        ):
            if dim is not None:
                extents[dim] = extent
        return extents
