"""How many non-zeros a tile of a tensor holds, where elements or groups of them are alike.

Every model sees a tensor as a matrix: the last axis is the columns, all others together the rows.
A tile is ``(rows, columns)`` of that matrix and starts at a whole number of groups and blocks.
The queries are those of the density models of Sparseloop (Wu et al., MICRO 2022, section V-B).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.distributions import Pmf, binomial, certain, hypergeometric

Tile: TypeAlias = tuple[int, int]
Shape: TypeAlias = tuple[int, ...]

_ROUNDING = 1e-12


def as_matrix(shape: Shape) -> Tile:
    """Rows and columns of the matrix as which a tensor is seen; a scalar is 1 x 1."""
    return math.prod(shape[:-1]), shape[-1] if shape else 1


def rows_of_axis(shape: Shape, axis: int) -> tuple[int, int]:
    """Where an axis lies in the matrix of a tensor.

    Args:
        shape: of the tensor.
        axis: 0 up to its last axis.

    Returns:
        ``(stride, extent)``: row r of the matrix is at ``r // stride % extent`` of the axis. Both
        are 0 for the last axis, which is the columns.
    """
    if axis == len(shape) - 1:
        return 0, 0
    return math.prod(shape[axis + 1 : -1]), shape[axis]


def check_share(share: float) -> None:
    """Refuses a density outside 0 to 1.

    Raises:
        TraceError: it is, or it is no number.
    """
    if not 0 <= share <= 1:
        raise TraceError(
            f"density must be 0 to 1, got {share}; write the share that is not zero, such as 0.3, "
            f"and a pattern such as '2:4' in quotes"
        )


class Density(ABC):
    """Where the non-zeros of a tensor are: as much as a tile of it has to know.

    Attributes:
        share: non-zeros per element of the whole tensor, 0 to 1.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # at run time a dataclass would take it for the default of its own field

        @property
        def share(self) -> float:
            """Non-zeros per element of the whole tensor, 0 to 1."""

    def expected(self, tile: Tile) -> float:
        """Mean number of non-zeros of a tile."""
        return self.share * tile[0] * tile[1]

    @abstractmethod
    def pmf(self, tile: Tile) -> Pmf:
        """Probability of each number of non-zeros of a tile, from 0 to all its elements."""

    def quantile(self, tile: Tile, p: float) -> int:
        """The least number of non-zeros that a share ``p`` of the tiles does not exceed.

        Args:
            tile: rows and columns.
            p: 0 to 1; 0 gives the least number that occurs, 1 the largest.
        """
        pmf = self.pmf(tile)
        occurring = np.flatnonzero(pmf)
        if p >= 1:
            return int(occurring[-1])
        place = np.searchsorted(np.cumsum(pmf[occurring]), p - _ROUNDING)
        return int(occurring[min(int(place), len(occurring) - 1)])

    def prob_empty(self, tile: Tile) -> float:
        """Probability that a tile holds zeros only."""
        return float(self.pmf(tile)[0])

    @abstractmethod
    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """One tensor of that shape, True where it is not zero."""

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """The same on a tensor of known shape.

        Args:
            shape: of the tensor.
            axis: 0 up to its last axis, for what lies along an axis.
            place: what to name in an error.

        Raises:
            TraceError: it does not fit.
        """
        return self


@dataclass(frozen=True, slots=True)
class Dense(Density):
    """No zeros."""

    @property
    def share(self) -> float:
        """1."""
        return 1.0

    def pmf(self, tile: Tile) -> Pmf:
        """All on the elements of the tile."""
        return certain(math.prod(tile), math.prod(tile))

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """Ones."""
        return np.ones(shape, dtype=bool)


@dataclass(frozen=True, slots=True)
class Bernoulli(Density):
    """Every element is kept with the same probability, whatever the others are.

    Attributes:
        share: that probability, 0 to 1.
    """

    share: float

    def __post_init__(self) -> None:
        check_share(self.share)

    def pmf(self, tile: Tile) -> Pmf:
        """Binomial in the elements of the tile."""
        return binomial(math.prod(tile), self.share)

    def prob_empty(self, tile: Tile) -> float:
        """``(1 - share) ** elements``."""
        return float((1 - self.share) ** math.prod(tile))

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """Every element drawn by itself."""
        return np.asarray(rng.random(shape) < self.share)


@dataclass(frozen=True, slots=True)
class Hypergeometric(Density):
    """So many non-zeros in the whole tensor, anywhere.

    Attributes:
        nonzeros: 0 to ``size``.
        size: elements of the tensor, at least 1. A tile that is larger is the whole tensor.
    """

    nonzeros: int
    size: int

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.nonzeros <= self.size:
            raise TraceError(
                f"non-zeros must be 0 up to the elements of the tensor, got {self.nonzeros} of "
                f"{self.size}; write for example '30 of 100'"
            )

    @property
    def share(self) -> float:
        """Non-zeros per element."""
        return self.nonzeros / self.size

    def expected(self, tile: Tile) -> float:
        """The share of the elements, of a tile no larger than the tensor."""
        return self.share * min(math.prod(tile), self.size)

    def pmf(self, tile: Tile) -> Pmf:
        """Elements drawn from the tensor without putting back."""
        elements = math.prod(tile)
        found = hypergeometric(self.size, self.nonzeros, min(elements, self.size))
        return np.pad(found, (0, max(0, elements - self.size)))

    def sample(self, shape: Shape, rng: Generator) -> NDArray[np.bool_]:
        """So many non-zeros, whatever the shape."""
        return np.asarray(rng.permutation(math.prod(shape)) < self.nonzeros).reshape(shape)

    def on(self, shape: Shape, axis: int, place: str) -> Density:
        """Counts the elements of the tensor."""
        if math.prod(shape) != self.size:
            raise TraceError(
                f"{place} counts {self.size} elements, but {list(shape)} has {math.prod(shape)}; "
                f"write the non-zeros of that many, or their share"
            )
        return self
