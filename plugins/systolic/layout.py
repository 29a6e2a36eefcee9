"""How the tiles of a contraction lie on the cells: what streams, what is cut into blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign import Op
from codesign.mapping.nest import Lane
from codesign.mapping.tiling import COLUMN, INNER, ROW, Array, Sizes, whole_cycles
from codesign.workload.work import format_pair

if TYPE_CHECKING:
    from .engine import Systolic

Block: TypeAlias = tuple[Array, Array, Array]
"""So many blocks, their depth along the rows of cells, their width along the columns."""


class Role(NamedTuple):
    """A tile by the part that its sizes play in the array.

    Attributes:
        stream: steps that enter a fold.
        down: along the rows of cells.
        across: along the columns of cells.
        passes: how often the folds of a block come: once for each tap of a kernel that has folds
            of its own.
    """

    stream: Array
    down: Array
    across: Array
    passes: Array


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tiles of one operator lie on the arrays of an engine.

    Attributes:
        engine: the arrays.
        rate: multiply-accumulates per cell and cycle.
        inner: loops of the reduction from the outermost, each by its extent and whether it is over
            the taps of a kernel.
    """

    engine: Systolic
    rate: float
    inner: tuple[tuple[int, bool], ...]

    @classmethod
    def of(cls, engine: Systolic, op: Op) -> Layout:
        """The layout of a contraction that the engine supports."""
        classes = op.loops.classes(len(op.inputs))
        # a tap moves along the image as an output pixel does
        windows = [{dim for dim, _ in axis.terms} for axis in op.loops.operands[0]]
        moving = set[int]().union(*(window for window in windows if window & set(classes[ROW])))
        inner = tuple((op.loops.extents[dim], dim in moving) for dim in classes[INNER])
        return cls(engine, engine.macs_per_cell[format_pair(op)], inner)

    @property
    def reduction(self) -> int:
        """Steps K of the whole operator."""
        return math.prod(extent for extent, _ in self.inner)

    @property
    def depth(self) -> int:
        """Steps along the rows of one fold: a format at twice the rate packs two into a cell."""
        return self.engine.rows * self._per_cell

    @property
    def grain(self) -> tuple[int, int, int, int]:
        """Natural multiples of tile sizes (g, m, k, n)."""
        across = self.engine.cols
        return {
            "ws": (1, 1, self.depth, across),
            "is": (1, across, self.depth, 1),
            "os": (1, self.depth, 1, across),
        }[self.engine.dataflow]

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """What lies along the columns and the rows of cells, for people."""
        down, across = {"ws": (INNER, COLUMN), "is": (INNER, ROW), "os": (ROW, COLUMN)}[
            self.engine.dataflow
        ]
        return (across, "columns", self.engine.cols), (down, "rows", self.depth)

    def role(self, sizes: Sizes) -> Role:
        """What streams, and what lies along the rows and the columns of cells."""
        _, m, k, n = sizes
        if self.engine.dataflow == "os":
            return Role(k, m, n, np.ones_like(k))
        passes, depth = self.taps(k)
        across, stream = (n, m) if self.engine.dataflow == "ws" else (m, n)
        return Role(stream, depth, across, passes)

    def taps(self, k: Array) -> tuple[Array, Array]:
        """Taps of a kernel that have folds of their own, and the steps of each."""
        passes, depth = np.ones_like(k), np.ones_like(k)
        if self.engine.row_merge:
            return passes, k
        for extent, is_tap in reversed(self.inner):
            # a tile is whole in the loops inside the one that is cut
            taken = np.minimum(k, extent)
            k = k // taken
            if is_tap:
                passes = passes * taken
            else:
                depth = depth * taken
        return passes, depth

    def packed(self, sizes: Sizes) -> Array:
        """Groups that share a fold, laid block-diagonally."""
        if not self.engine.pack_groups:
            return np.ones_like(sizes[0])
        role = self.role(sizes)
        most = np.minimum(self.depth // role.down, self.engine.cols // role.across)
        packed: Array = np.clip(most, 1, sizes[0])
        return packed

    def blocks(self, sizes: Sizes) -> list[Block]:
        """Blocks that the arrays take in turn, the largest first.

        They are blocks of columns of full width, those at the edge of the columns, and the last
        groups; of ``os`` they are cut along the rows of cells too, since their sums are apart.
        """
        g, packed, role = sizes[0], self.packed(sizes), self.role(sizes)
        groups, rest = g // packed, g % packed
        depth, width = role.down * packed, role.across * packed
        cols = self.engine.cols
        found = [
            (groups * (width // cols), depth, np.full_like(width, cols)),
            (groups * (width % cols > 0), depth, width % cols),
            ((rest > 0).astype(np.int64), role.down * rest, role.across * rest),
        ]
        return self._apart(found) if self.engine.dataflow == "os" else found

    def fits(self, sizes: Sizes) -> NDArray[np.bool_]:
        """Whether the partial sums of a tile have room.

        Groups follow one another, so only those of one fold have sums at a time, unless each
        waits for further tiles of the reduction. The sums of ``os`` stay in the cells until they
        are whole, so a tile with a part of the reduction has at most one fold on each array.
        """
        g, m, k, n = sizes
        whole = k == self.reduction
        fits: NDArray[np.bool_]
        if self.engine.dataflow == "os":
            folds = sum((count for count, _, _ in self.blocks(sizes)), np.zeros_like(g))
            fits = whole | (folds <= self.engine.arrays)
        else:
            sums = np.where(whole, self.packed(sizes), g) * m * n
            fits = sums * self.engine.accumulator_bits <= 8 * self.engine.accumulator
        return fits

    def overflow(self, sizes: Sizes) -> str:
        """Why a tile that does not fit has no room, for people."""
        g, m, k, n = (int(size[0]) for size in sizes)
        part = f"{k:,} of {self.reduction:,} steps of the reduction"
        if self.engine.dataflow == "os":
            return (
                f"a tile with {part} has one fold of sums in the cells of each of "
                f"{self.engine.arrays} arrays, and its {m:,} x {n:,} results are more"
            )
        groups = g if k < self.reduction else int(self.packed(sizes)[0])
        taken = -(-groups * m * n * self.engine.accumulator_bits // 8)
        return (
            f"its {groups * m * n:,} partial sums take {taken:,} B of the "
            f"{self.engine.accumulator:,} B of accumulator of {self.engine.name}"
        )

    def cells(self, depth: Array) -> Array:
        """Rows of cells that so many steps take."""
        return -(-depth // self._per_cell)

    def stream_cycles(self, steps: Array | int) -> Array:
        """Cycles in which so many steps enter a fold."""
        rate = self.rate if self.engine.dataflow == "os" else min(1.0, self.rate)
        return whole_cycles(np.asarray(steps / rate))

    @property
    def _per_cell(self) -> int:
        """Steps of the reduction that a cell holds; those of ``os`` follow one another."""
        return 1 if self.engine.dataflow == "os" else max(1, int(self.rate))

    def _apart(self, blocks: list[Block]) -> list[Block]:
        full = np.full_like(blocks[0][0], self.depth)
        whole = [(count * (depth // self.depth), full, width) for count, depth, width in blocks]
        edge = [
            (count * (depth % self.depth > 0), depth % self.depth, width)
            for count, depth, width in blocks
        ]
        return whole + edge


def one(sizes: tuple[int, ...]) -> Sizes:
    """Sizes (g, m, k, n) of a single tile."""
    g, m, k, n = (np.array([size], dtype=np.int64) for size in sizes)
    return g, m, k, n
