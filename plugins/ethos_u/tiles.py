"""The tiles of a layer: one for each part of the sums of each block."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from codesign.hardware.plan import Loop, Move, Tile

from .core import SUBKERNEL
from .parts import WEIGHTS, Part, Parts

Results: TypeAlias = "tuple[int, int, int]"
"""Height, width and channels of a block."""


class Pass(NamedTuple):
    """What a block takes.

    Attributes:
        multiply: cycles of the cells.
        output: cycles of the output stage.
        port: cycles of the port of the buffer.
        read: bytes that the port carries to the core.
        written: bytes that it carries back.
    """

    multiply: int
    output: int
    port: int
    read: int
    written: int

    @property
    def cycles(self) -> int:
        """Those of the slowest of the three."""
        return max(self.multiply, self.output, self.port)


@dataclass(frozen=True, slots=True)
class Tiles:
    """Loops of tiles, and what they add up to.

    Attributes:
        parts: what the parts of the layer touch.
        clock_hz: clock of the core.
    """

    parts: Parts
    clock_hz: float

    def loop(self) -> Loop:
        """All tiles in order: along a row of blocks, down the image, along the channels.

        Passes with the same weights follow each other; the first of them loads what is held.
        """
        layer, block = self.parts.pace.layer, self.parts.pace.block
        slices = _pieces(layer.depth, block.depth)
        plain = tuple(Loop((self._image(depth, 0),), count) for depth, count in slices)
        if not self.parts.holds:
            return Loop(plain, layer.passes)
        first = self._holding([depth for depth, count in slices for _ in range(count)])
        again = [Loop(plain, layer.repeats - 1)] if layer.repeats > 1 else []
        return Loop((*first, *again), layer.passes // layer.repeats)

    def spent(self) -> Counter[str]:
        """What all blocks add up to.

        Bytes ``read`` and ``written`` at the port of the buffer, and cycles in which the cells
        wait for the ``output stage`` and, when it is done, for the ``buffer port``.
        """
        layer, block = self.parts.pace.layer, self.parts.pace.block
        found: Counter[str] = Counter()
        for (height, down), (width, along), (depth, deep) in itertools.product(
            _pieces(layer.height.pixels, block.height),
            _pieces(layer.width.pixels, block.width),
            _pieces(layer.depth, block.depth),
        ):
            one, times = self._pass((height, width, depth)), layer.passes * down * along * deep
            inside = max(one.multiply, one.output)
            found["read"] += times * one.read
            found["written"] += times * one.written
            found["output stage"] += times * (inside - one.multiply)
            found["buffer port"] += times * (one.cycles - inside)
        return found

    def fill(self) -> int:
        """Cycles before the first multiplication: its inputs cross the port of the buffer."""
        first = self._sums(self._first())[0][0]
        return self.parts.budget.port_cycles(self.parts.read(first), self.clock_hz)

    def drain(self) -> int:
        """Cycles after the last block: the shorter of its multiplications and its output."""
        layer, block = self.parts.pace.layer, self.parts.pace.block
        last = (
            _pieces(layer.height.pixels, block.height)[-1][0],
            _pieces(layer.width.pixels, block.width)[-1][0],
            _pieces(layer.depth, block.depth)[-1][0],
        )
        return min(self._multiply(last), self.parts.pace.output(last))

    def slots(self) -> tuple[int, int]:
        """Bytes of the inputs and of the outputs of the largest tile, but for held weights."""
        sums = self._sums(self._first())
        loads = max(sum(move.bytes for move in self.parts.loads(part)) for part, _ in sums)
        return loads, sum(move.bytes for move in self.parts.stores(sums[-1][0]))

    def _first(self) -> Results:
        """The first block, which is as large as any."""
        layer, block = self.parts.pace.layer, self.parts.pace.block
        return (
            min(block.height, layer.height.pixels),
            min(block.width, layer.width.pixels),
            min(block.depth, layer.depth),
        )

    def _holding(self, depths: list[int]) -> list[Loop]:
        """Images of all channels; during each of them the weights of the next one arrive."""
        layer, block = self.parts.pace.layer, self.parts.pace.block
        blocks = -(-layer.height.pixels // block.height) * -(-layer.width.pixels // block.width)
        found, there = [], 0
        for depth, after in zip(depths, [*depths[1:], 0], strict=True):
            ahead = self.parts.weights(after) // blocks if after else 0
            image, missing = self._image(depth, ahead), self.parts.weights(depth) - there
            found.append(_with_load(image, Move(WEIGHTS, missing)) if missing else image)
            there = ahead * blocks
        return found

    def _image(self, depth: int, ahead: int) -> Loop:
        """Blocks of so many channels; each loads ``ahead`` bytes of weights for later."""
        layer, block = self.parts.pace.layer, self.parts.pace.block
        rows = []
        for height, down in _pieces(layer.height.pixels, block.height):
            row = [
                Loop(self._block((height, width, depth), ahead), along)
                for width, along in _pieces(layer.width.pixels, block.width)
            ]
            rows.append(Loop(tuple(row), down))
        return Loop(tuple(rows))

    def _pass(self, results: Results) -> Pass:
        sums = self._sums(results)
        read = sum(count * self.parts.read(part) for part, count in sums)
        written = self.parts.written(sums[-1][0])
        port = self.parts.budget.port_cycles(read + written, self.clock_hz)
        output = self.parts.pace.output(results)
        return Pass(self._multiply(results), output, port, read, written)

    def _block(self, results: Results, ahead: int) -> tuple[Tile | Loop, ...]:
        """Tiles of one block: one for each part of its sums, if these load anything."""
        sums, one = self._sums(results), self._pass(results)
        last = sums[-1][0]
        loads = self.parts.loads(last) + ((Move(WEIGHTS, ahead),) if ahead else ())
        before = [(part, self.parts.loads(part), count) for part, count in sums[:-1]]
        if not any(moves for _, moves, _ in before):
            return (Tile(one.cycles, loads, self.parts.stores(last)),)
        tiles: list[Tile | Loop] = [
            Loop((Tile(self._cycles(part), moves),), count) for part, moves, count in before
        ]
        cycles = self._cycles(last) + one.cycles - one.multiply
        return (*tiles, Tile(cycles, loads, self.parts.stores(last)))

    def _sums(self, results: Results) -> list[tuple[Part, int]]:
        """The parts of the sums of a block, each with its number; the last one is by itself."""
        layer, block = self.parts.pace.layer, self.parts.pace.block
        found = [
            (Part(results, (down, along), inner, is_last=False), count * rows * columns)
            for down, rows in _pieces(layer.height.taps, SUBKERNEL)
            for along, columns in _pieces(layer.width.taps, SUBKERNEL)
            for inner, count in _pieces(layer.inner, block.inner)
        ]
        last, count = found.pop()
        if count > 1:
            found.append((last, count - 1))
        return [*found, (last._replace(is_last=True), 1)]

    def _multiply(self, results: Results) -> int:
        """Cycles of the cells for one block."""
        return sum(count * self._cycles(part) for part, count in self._sums(results))

    def _cycles(self, part: Part) -> int:
        return self.parts.pace.multiply(part.results, part.taps, part.inner)


def _pieces(size: int, most: int) -> list[tuple[int, int]]:
    """A length in equal pieces and what is left, each with its number."""
    whole, rest = divmod(size, most)
    return [(most, whole)] * bool(whole) + [(rest, 1)] * bool(rest)


def _with_load(loop: Loop, move: Move) -> Loop:
    """The loop with one more load of its first tile, which is peeled off."""
    first = loop.body[0]
    new: Tile | Loop
    if isinstance(first, Tile):
        new = Tile(first.cycles, (*first.loads, move), first.stores)
    else:
        new = _with_load(first, move)
    once = new, *loop.body[1:]
    return Loop(once if loop.repeats == 1 else (*once, Loop(loop.body, loop.repeats - 1)))
