"""Codings of a rank: which of its coordinates are kept, and how they are marked.

The vocabulary is that of Sparseloop (Wu et al., MICRO 2022): U, B, CP, RLE and UOP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from codesign.errors import TraceError
from codesign.workload.density import Density


@dataclass(frozen=True, slots=True)
class Fibers:
    """All fibers of one rank: what a coding is asked about.

    Attributes:
        count: fibers that the rank above keeps, at least 0.
        rows: coordinates of a fiber down the rows.
        columns: coordinates along the columns.
        occupied: coordinates in all of them together below which there is a non-zero.
        side: coordinates along a row that are occupied together, as those of a block; at least 1.
        group: n and m where n of every m coordinates along a row are occupied; None for no rule.
        density: where the non-zeros are, if these are elements and one fiber has them all.
    """

    count: int
    rows: int
    columns: int
    occupied: int
    side: int = 1
    group: tuple[int, int] | None = None
    density: Density | None = None

    @property
    def coordinates(self) -> int:
        """Coordinates of all fibers together."""
        return self.count * self.rows * self.columns

    @property
    def coordinate_bits(self) -> int:
        """Bits that tell the coordinates of a fiber apart, row and column each in whole bits."""
        return sum((extent - 1).bit_length() for extent in (self.rows, self.columns))


class Coding(ABC):
    """How a rank marks its coordinates."""

    @abstractmethod
    def kept(self, fibers: Fibers) -> int:
        """Coordinates that are kept, with what is below them."""

    @abstractmethod
    def bits(self, fibers: Fibers) -> int:
        """Bits of metadata for all fibers."""


@dataclass(frozen=True, slots=True)
class U(Coding):
    """Uncompressed: every coordinate is kept and none is marked."""

    def kept(self, fibers: Fibers) -> int:
        """All."""
        return fibers.coordinates

    def bits(self, fibers: Fibers) -> int:
        """None."""
        return 0


@dataclass(frozen=True, slots=True)
class B(Coding):
    """Bitmask: a bit for every coordinate, and the occupied ones are kept."""

    def kept(self, fibers: Fibers) -> int:
        """The occupied ones."""
        return fibers.occupied

    def bits(self, fibers: Fibers) -> int:
        """One a coordinate."""
        return fibers.coordinates


@dataclass(frozen=True, slots=True)
class CP(Coding):
    """Coordinate payload: each occupied coordinate is kept beside its number.

    Attributes:
        width: bits of the number; 0 for as many as the rank needs.
    """

    width: int = 0

    def kept(self, fibers: Fibers) -> int:
        """The occupied ones."""
        return fibers.occupied

    def bits(self, fibers: Fibers) -> int:
        """A number for each that is kept.

        Raises:
            TraceError: numbers of this width do not reach the last coordinate.
        """
        needed = fibers.coordinate_bits
        if self.width and self.width < needed:
            raise TraceError(
                f"coordinates must have {needed} bits for {fibers.rows} x {fibers.columns} of "
                f"them, got {self.width}; take a codec with wider ones"
            )
        return fibers.occupied * (self.width or needed)


@dataclass(frozen=True, slots=True)
class UOP(Coding):
    """Uncompressed offset pairs: where the fiber below each coordinate starts, and the last ends.

    Attributes:
        width: bits of an offset.
    """

    width: int = 32

    def kept(self, fibers: Fibers) -> int:
        """All: an empty one has two equal offsets."""
        return fibers.coordinates

    def bits(self, fibers: Fibers) -> int:
        """An offset for each coordinate, and one more for each fiber."""
        return (fibers.coordinates + fibers.count) * self.width
