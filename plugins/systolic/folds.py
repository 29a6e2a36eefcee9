"""Cycles of a tile: its folds, dealt to the arrays and paced by the convention of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from codesign.mapping.tiling import Array, Sizes

from .layout import Block, Layout
from .pace import Ends, Fold, ends, skew, steady

if TYPE_CHECKING:
    from .engine import Systolic

Cost: TypeAlias = "Callable[[Systolic, Fold], Array]"
Division: TypeAlias = list[tuple[Array, Fold]]
"""How often each fold comes on the array that has most of them."""


class Parts(NamedTuple):
    """Steady cycles of one tile by what the array with most folds does.

    Attributes:
        stream: operands enter.
        skew: the array fills and empties.
        shift: stationary operands are loaded, or sums shifted out.
    """

    stream: int
    skew: int
    shift: int


@dataclass(frozen=True, slots=True)
class Folds:
    """What the folds of a tile take.

    Attributes:
        engine: the arrays.
        layout: of the operator on them.
        load: cells along a column that the deepest fold of one group loads.
        whole: cycles to stream all of the reduction.
    """

    engine: Systolic
    layout: Layout
    load: int
    whole: int

    @classmethod
    def of(cls, layout: Layout) -> Folds:
        """The folds of an operator that lies so on the arrays."""
        reduction = np.array(layout.reduction)
        deepest = layout.cells(np.minimum(layout.taps(reduction)[1], layout.depth))
        return cls(layout.engine, layout, int(deepest), int(layout.stream_cycles(reduction)))

    def cycles(self, sizes: Sizes) -> Array:
        """Steady cycles of a tile: its folds back to back, without fill and drain."""
        dealt, shared = self._divisions(sizes)
        cycles = self._cost(dealt, steady)
        return cycles if dealt is shared else np.minimum(cycles, self._cost(shared, steady))

    def parts(self, sizes: Sizes) -> Parts:
        """Steady cycles of one tile by cause."""
        divisions = self._divisions(sizes)
        dealt, shared = (int(self._cost(division, steady)[0]) for division in divisions)
        best = divisions[0 if dealt <= shared else 1]
        stream = int(self._cost(best, lambda _, fold: fold.stream)[0])
        idle = int(self._cost(best, skew)[0])
        return Parts(stream, idle, min(dealt, shared) - stream - idle)

    def ends(self, first: Sizes, last: Sizes) -> Ends:
        """Cycles before the first fold of the first tile and after the last of the last tile."""
        depth = next(depth for count, depth, _ in self.layout.blocks(first) if count[0])
        opening = self._fold(depth, np.minimum(depth, self.layout.depth), depth)
        arrays = self.engine.arrays
        if arrays > 1:
            dealt, shared = (self._cost(division, steady) for division in self._divisions(last))
            arrays = arrays if dealt <= shared else 1
        depth, width = self._last_block(last, arrays)
        stream = self._stream(last, self.engine.arrays // arrays)
        final = self._fold(stream, (depth - 1) % self.layout.depth + 1, width)
        return ends(self.engine, int(opening.down[0]), final)

    def _divisions(self, sizes: Sizes) -> tuple[Division, Division]:
        """The folds where arrays take blocks in turn, and where they share what streams."""
        blocks, passes = self.layout.blocks(sizes), self.layout.role(sizes).passes
        arrays = self.engine.arrays
        dealt = self._dealt(blocks, self._stream(sizes, 1), arrays, passes)
        if arrays == 1 or self.engine.dataflow == "os":
            return dealt, dealt
        return dealt, self._dealt(blocks, self._stream(sizes, arrays), 1, passes)

    def _dealt(self, blocks: list[Block], stream: Array, arrays: int, passes: Array) -> Division:
        """Folds of the first array, which gets the most and largest blocks of those dealt."""
        found: Division = []
        seen = before = np.zeros_like(stream)
        for count, depth, width in blocks:
            seen = seen + count
            share = -(-seen // arrays)
            times = passes * (share - before)
            before = share
            whole, rest = depth // self.layout.depth, depth % self.layout.depth
            full = self._fold(stream, np.full_like(depth, self.layout.depth), width)
            found.append((times * whole, full))
            found.append((times * (rest > 0), self._fold(stream, rest, width)))
        return [(times, fold) for times, fold in found if times.any()]

    def _cost(self, division: Division, cost: Cost) -> Array:
        total = np.zeros(1, dtype=np.int64)
        for times, fold in division:
            total = total + times * cost(self.engine, fold)
        return total

    def _fold(self, stream: Array, depth: Array, width: Array) -> Fold:
        """A fold of so many steps along the rows of cells, and so many cells along the columns."""
        down, across = self.layout.cells(depth), width
        if self.engine.edge_tiles == "full":
            down = np.full_like(down, self.engine.rows)
            across = np.full_like(width, self.engine.cols)
        return Fold(stream, down, across, np.maximum(down, self.load), self.whole)

    def _stream(self, sizes: Sizes, sharers: int) -> Array:
        """Cycles to stream through a fold what one of so many arrays gets."""
        return self.layout.stream_cycles(-(-self.layout.role(sizes).stream // sharers))

    def _last_block(self, sizes: Sizes, arrays: int) -> tuple[Array, Array]:
        """Depth and width of the last block that the first array works on."""
        blocks = [block for block in self.layout.blocks(sizes) if block[0][0]]
        place = (sum(int(count[0]) for count, _, _ in blocks) - 1) // arrays * arrays
        for count, depth, width in blocks[:-1]:
            if place < count[0]:
                return depth, width
            place -= int(count[0])
        return blocks[-1][1:]
