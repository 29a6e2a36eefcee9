"""Density models that know where the non-zeros are: a band along the diagonal, and a mask.

Tiles lie side by side from the first element on. Those at the far edges may hang over; what lies
beyond the matrix holds no non-zeros. So the mean over all tiles, times their number, is exact.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density import Density, Shape, Tile, as_matrix
from codesign.workload.distributions import Pmf
from codesign.workload.mask import Mask

Places = NDArray[np.int64]


class Placed(Density):
    """A matrix of which any part can be counted at once."""

    __slots__ = ()

    @abstractmethod
    def matrix(self) -> Tile:
        """Its rows and columns."""

    @abstractmethod
    def before(self, rows: Places, columns: Places) -> Places:
        """Non-zeros of the first so many rows and columns; the arguments broadcast."""

    @property
    def share(self) -> float:
        """Non-zeros per element."""
        rows, columns = self.matrix()
        return int(self.before(np.array(rows), np.array(columns))) / (rows * columns)

    def counts(self, tile: Tile) -> Places:
        """Non-zeros of every tile: one row for each row of tiles."""
        edges = [
            np.minimum(np.arange(0, extent + step, step), extent)
            for extent, step in zip(self.matrix(), tile, strict=True)
        ]
        sums = self.before(edges[0][:, None], edges[1][None, :])
        return np.asarray(np.diff(np.diff(sums, axis=0), axis=1))

    def expected(self, tile: Tile) -> float:
        """All non-zeros over the number of tiles."""
        rows, columns = self.matrix()
        tiles = -(-rows // tile[0]) * -(-columns // tile[1])
        return self.share * rows * columns / tiles

    def pmf(self, tile: Tile) -> Pmf:
        """How many of the tiles hold each number."""
        counts = self.counts(tile).reshape(-1)
        return np.asarray(np.bincount(counts, minlength=math.prod(tile) + 1) / len(counts))

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """A part of the matrix, from any place that has room; a larger one begins anew."""
        start = [
            int(rng.integers(max(1, have - want + 1)))
            for have, want in zip(self.matrix(), as_matrix(shape), strict=True)
        ]
        rows, columns = (
            (first + np.arange(want)) % have
            for first, want, have in zip(start, as_matrix(shape), self.matrix(), strict=True)
        )
        down, across = rows[:, None], columns[None, :]
        upto = self.before(down + 1, across + 1) - self.before(down, across + 1)
        kept = upto - self.before(down + 1, across) + self.before(down, across)
        return np.asarray(kept.reshape(shape) != 0)


@dataclass(frozen=True, slots=True)
class Banded(Placed):
    """All elements at most so far from the diagonal of a matrix, and no others.

    Attributes:
        half_width: largest distance of column and row, at least 0.
        rows: rows of the matrix; 0 until it is known.
        columns: columns of the matrix; 0 until it is known.
    """

    half_width: int
    rows: int = 0
    columns: int = 0

    def __post_init__(self) -> None:
        if self.half_width < 0:
            raise TraceError(
                f"a band must reach at least 0 elements from the diagonal, got {self.half_width}; "
                f"write for example 'band 8'"
            )

    def matrix(self) -> Tile:
        """Its rows and columns, once they are known."""
        if not self.rows:
            raise TraceError(
                f"a band of {self.half_width} has a density only on a matrix, whose shape is not "
                f"known yet; call Sparsity.on first"
            )
        return self.rows, self.columns

    def before(self, rows: Places, columns: Places) -> Places:
        """In closed form."""
        # row r has columns up to r + half_width, less those up to r - half_width - 1
        far = _ramp(rows, self.half_width + 1) - _ramp(rows, self.half_width + 1 - columns)
        near = _ramp(rows, -self.half_width) - _ramp(rows, -self.half_width - columns)
        return np.asarray(far - near)

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Takes the matrix, off which the band must not reach."""
        rows, columns = as_matrix(shape)
        if self.half_width >= max(rows, columns):
            raise TraceError(
                f"{place} reaches off the tensor {list(shape)}, which is a matrix of {rows} x "
                f"{columns}; take a band of less than {max(rows, columns)}"
            )
        return replace(self, rows=rows, columns=columns)


def _ramp(rows: Places, shift: int | Places) -> Places:
    """The sum of ``max(0, row + shift)`` over the first so many rows."""

    def triangle(end: int | Places) -> Places:
        top = np.maximum(end, 0)
        return np.asarray(top * (top - 1) // 2)

    return triangle(rows + shift) - triangle(shift)


@dataclass(frozen=True, slots=True)
class Actual(Placed):
    """The zeros that a tensor really has.

    Attributes:
        mask: where they are.
    """

    mask: Mask

    def matrix(self) -> Tile:
        """That of the mask."""
        return as_matrix(self.mask.shape)

    def before(self, rows: Places, columns: Places) -> Places:
        """From the table of the mask."""
        return np.asarray(self.mask.table()[rows, columns].astype(np.int64))

    @property
    def share(self) -> float:
        """Non-zeros per element."""
        return self.mask.share

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Compares the shapes."""
        if shape != self.mask.shape:
            raise TraceError(
                f"{place} is one of {list(self.mask.shape)}, but the tensor is {list(shape)}; "
                f"take the mask of that tensor, or a density"
            )
        return self
