"""The density model of n:m: so many non-zeros in every group of neighbours along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density import Density, Shape, Tile, as_matrix, rows_of_axis
from codesign.workload.distributions import Pmf, certain, hypergeometric, total


@dataclass(frozen=True, slots=True)
class Fixed(Density):
    """Exactly n non-zeros in every group of m neighbours along an axis, any n of them.

    A group at the end of the axis may be cut short.

    Attributes:
        n: non-zeros of a group, 1 to ``m``.
        m: elements of a group.
        stride: rows of the matrix between neighbours; 0 if they lie along the columns.
        extent: elements of the axis, unless it is the columns; 0 for no end.
    """

    n: int
    m: int
    stride: int = 0
    extent: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n <= self.m:
            raise TraceError(
                f"n:m must keep at least 1 and at most m of m, got {self.n}:{self.m}; write for "
                f"example 2:4"
            )

    @property
    def share(self) -> float:
        """``n / m``."""
        return self.n / self.m

    def _runs(self, tile: Tile) -> list[tuple[int, int]]:
        """Lengths of the runs along the axis, each with how many there are."""
        rows, columns = tile
        if not self.stride:
            return [(columns, rows)]
        laps, rest = divmod(rows, self.extent * self.stride) if self.extent else (0, rows)
        length, longer = divmod(rest, self.stride)
        counts = laps * self.stride, longer, self.stride - longer
        lengths = self.extent, length + 1, length
        return [(a, b * columns) for a, b in zip(lengths, counts, strict=True) if a and b]

    def _cut(self, tile: Tile) -> list[tuple[Pmf, int]]:
        """Non-zeros of the groups that are cut short, each with how many there are."""
        rests = [(length % self.m, count) for length, count in self._runs(tile)]
        return [(hypergeometric(self.m, self.n, rest), count) for rest, count in rests if rest]

    def _whole(self, tile: Tile) -> int:
        """Non-zeros of the whole groups."""
        return sum(length // self.m * self.n * count for length, count in self._runs(tile))

    def pmf(self, tile: Tile) -> Pmf:
        """Whole groups hold n each; what is cut short is drawn from a group."""
        found = np.zeros(math.prod(tile) + 1)
        cut = self._cut(tile)
        random = total(cut) if cut else certain(0, 0)
        whole = self._whole(tile)
        found[whole : whole + len(random)] = random
        return found

    def prob_empty(self, tile: Tile) -> float:
        """0 from one whole group on."""
        if self._whole(tile):
            return 0.0
        return math.prod(float(pmf[0]) ** count for pmf, count in self._cut(tile))

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """Any n of each group."""
        rows, columns = as_matrix(shape)
        extent = self.extent or -(-rows // (self.stride or 1))
        outer, length, inner = (
            (-(-rows // (extent * self.stride)), extent, self.stride * columns)
            if self.stride
            else (rows, columns, 1)
        )
        groups = outer, -(-length // self.m), self.m, inner
        kept = rng.random(groups).argsort(axis=2) < self.n
        kept = kept.reshape(outer, -1, inner)[:, :length]
        return np.asarray(kept.reshape(-1, columns)[:rows].reshape(shape))

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Finds the rows of the axis."""
        stride, extent = rows_of_axis(shape, axis)
        return replace(self, stride=stride, extent=extent)
