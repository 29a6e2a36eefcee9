"""Density models in which blocks or whole channels are kept or dropped as one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density import (
    Density,
    Shape,
    Tile,
    as_matrix,
    check_share,
    rows_of_axis,
)
from codesign.workload.distributions import Pmf, binomial, certain, spread, total


class Grouped(Density):
    """Groups of elements, each kept whole or dropped whole, whatever the others are."""

    __slots__ = ()

    @abstractmethod
    def groups(self, tile: Tile) -> list[tuple[int, int]]:
        """How many elements of a group lie in a tile, each with how many such groups there are."""

    def pmf(self, tile: Tile) -> Pmf:
        """A sum over the groups of the tile."""
        parts = [
            (spread(binomial(count, self.share), elements), 1)
            for elements, count in self._inside(tile)
        ]
        return total(parts) if parts else certain(0, 0)

    def prob_empty(self, tile: Tile) -> float:
        """``(1 - share)`` to the number of groups in the tile."""
        return float((1 - self.share) ** sum(count for _, count in self._inside(tile)))

    def _inside(self, tile: Tile) -> list[tuple[int, int]]:
        return [group for group in self.groups(tile) if all(group)]


@dataclass(frozen=True, slots=True)
class Block(Grouped):
    """Blocks of the matrix, in which no element is zero or all are.

    Attributes:
        rows: rows of a block, at least 1.
        columns: columns of a block, at least 1.
        share: blocks that are kept, 0 to 1.
    """

    rows: int
    columns: int
    share: float

    def __post_init__(self) -> None:
        check_share(self.share)
        if self.rows < 1 or self.columns < 1:
            raise TraceError(
                f"a block must have at least 1 row and 1 column, got {self.rows}x{self.columns}; "
                f"write for example 'block 4x4 0.25'"
            )

    def groups(self, tile: Tile) -> list[tuple[int, int]]:
        """Whole blocks, then those that the edges of the tile cut."""
        down, rows = divmod(tile[0], self.rows)
        across, columns = divmod(tile[1], self.columns)
        return [
            (self.rows * self.columns, down * across),
            (rows * self.columns, across),
            (self.rows * columns, down),
            (rows * columns, 1),
        ]

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """Every block drawn by itself."""
        rows, columns = as_matrix(shape)
        kept = rng.random((-(-rows // self.rows), -(-columns // self.columns))) < self.share
        wide = kept.repeat(self.rows, axis=0).repeat(self.columns, axis=1)
        return np.asarray(wide[:rows, :columns].reshape(shape))

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Compares the block with the matrix."""
        rows, columns = as_matrix(shape)
        if self.rows > rows or self.columns > columns:
            raise TraceError(
                f"{place} has blocks larger than the tensor {list(shape)}, which is a matrix of "
                f"{rows} x {columns}; take blocks of at most that"
            )
        return self


@dataclass(frozen=True, slots=True)
class Channels(Grouped):
    """Whole channels: slices across an axis, in which no element is zero or all are.

    Attributes:
        share: channels that are kept, 0 to 1.
        stride: rows of the matrix in a row that belong to one channel; 0 if columns are channels.
        extent: channels, unless they are the columns; 0 for no end.
    """

    share: float
    stride: int = 0
    extent: int = 0

    def __post_init__(self) -> None:
        check_share(self.share)

    def groups(self, tile: Tile) -> list[tuple[int, int]]:
        """Channels of which the tile holds more rows, then fewer."""
        rows, columns = tile
        if not self.stride:
            return [(rows, columns)]
        whole, rest = divmod(rows, self.stride)
        if not self.extent:
            return [(self.stride * columns, whole), (rest * columns, 1)]
        laps, left = divmod(whole, self.extent)
        lap = laps * self.stride
        return [
            ((lap + self.stride) * columns, left),
            ((lap + rest) * columns, 1),
            (lap * columns, self.extent - left - 1),
        ]

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """Every channel drawn by itself."""
        rows, columns = as_matrix(shape)
        if not self.stride:
            kept = (rng.random(columns) < self.share)[None, :]
        else:
            extent = self.extent or -(-rows // self.stride)
            channel = np.arange(rows) // self.stride % extent
            kept = (rng.random(extent) < self.share)[channel, None]
        return np.array(np.broadcast_to(kept, (rows, columns)).reshape(shape))

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Finds the rows of the axis."""
        stride, extent = rows_of_axis(shape, axis)
        return replace(self, stride=stride, extent=extent)
