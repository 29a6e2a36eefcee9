"""Formats as a stack of ranks, each of which cuts what is below the last into smaller tiles.

Everything is counted in whole coordinates and whole bits of the tensor, so that a size is the same
on every machine: expected numbers of non-zeros are rounded to whole ones, and the rest is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from codesign.errors import TraceError
from codesign.workload.density import Shape, Tile, as_matrix
from codesign.workload.formats import Format
from codesign.workload.ranks import Coding, Fibers
from codesign.workload.stored import Stored

if TYPE_CHECKING:
    from codesign.workload.dtype import DType
    from codesign.workload.sparsity import Sparsity

ALL = 0
"""A side of a tile that is as long as that of the rank above."""

BLOCK = -1
"""A side of a tile that is that of the blocks in which the zeros come."""


@dataclass(frozen=True, slots=True)
class Rank:
    """One rank of a stack.

    Attributes:
        coding: how its coordinates are marked.
        tile: rows and columns of elements below one of its coordinates, each at least 1 or ``ALL``
            or ``BLOCK``.
    """

    coding: Coding
    tile: Tile = (1, 1)


@dataclass(frozen=True, kw_only=True)
class Stack(Format):
    """Ranks one inside the other over the matrix of a tensor, whose columns are its last axis.

    Tiles that hang over an edge are stored whole.

    Attributes:
        ranks: outermost first; below a coordinate of the last is one element.

    Example:
        ``Stack(name="csr", description="rows of column numbers", ranks=(
        Rank(UOP(32), (1, ALL)), Rank(CP())))``.
    """

    ranks: tuple[Rank, ...]

    def __post_init__(self) -> None:
        if not self.ranks or self.ranks[-1].tile != (1, 1):
            raise TraceError(
                f"the last rank of format {self.name!r} must have the tile (1, 1), one element, "
                f"got {[rank.tile for rank in self.ranks]}"
            )

    def stored(self, shape: Shape, dtype: DType, sparsity: Sparsity | None) -> Stored:
        """Counts coordinates and bits from the outermost rank to the values.

        Raises:
            TraceError: a tile of ``BLOCK`` where zeros do not come in blocks, a tile that is larger
                than that of the rank above, or what a coding cannot mark.
        """
        zeros = _Zeros(shape, sparsity)
        above, kept, tiles, bits = as_matrix(shape), 1, 1, 0
        for rank in self.ranks:
            tile = zeros.sides(rank.tile, above)
            rows, columns = (-(-whole // part) for whole, part in zip(above, tile, strict=True))
            tiles *= rows * columns
            fibers = zeros.fibers(kept, rows, columns, tile, tiles)
            bits += rank.coding.bits(fibers)
            kept, above = rank.coding.kept(fibers), tile
        return per_element(self.name, kept, bits, math.prod(shape), dtype)


def per_element(codec: str, kept: int, bits: int, elements: int, dtype: DType) -> Stored:
    """The bits of a tensor over its elements.

    Args:
        codec: name of the format.
        kept: values that are kept.
        bits: metadata of all of them, without the scales of ``dtype``.
        elements: of the dense tensor.
        dtype: number format; the scales of all its blocks are kept, as metadata.
    """
    scales = dtype.storage_bits(elements) - elements * dtype.bits
    return Stored(codec, Fraction(kept * dtype.bits, elements), Fraction(bits + scales, elements))


class _Zeros:
    """Where the zeros of one tensor are, as its ranks ask for them."""

    def __init__(self, shape: Shape, sparsity: Sparsity | None) -> None:
        self._shape = shape
        self._sparsity = sparsity and sparsity.on(shape, "to store")

    def sides(self, tile: Tile, above: Tile) -> Tile:
        """The tile of a rank in elements."""
        sparsity = self._sparsity
        block = sparsity.block if sparsity and sparsity.granularity == "block" else None
        if BLOCK in tile and block is None:
            found = f"{str(sparsity)!r}" if sparsity else "not declared"
            raise TraceError(
                f"its blocks are those of the zeros, which are {found}; declare for example 'block "
                "4x4 0.25', or take csr"
            )
        pairs = zip(tile, above, block or tile, strict=True)
        rows, columns = ({ALL: whole, BLOCK: side}.get(part, part) for part, whole, side in pairs)
        if rows > above[0] or columns > above[1]:
            raise TraceError(
                f"its tiles of {rows} x {columns} must fit in the {above[0]} x {above[1]} elements "
                "above them; take smaller ones"
            )
        return rows, columns

    def fibers(self, count: int, rows: int, columns: int, tile: Tile, tiles: int) -> Fibers:
        """The fibers of a rank whose coordinates have these tiles, so many in the tensor."""
        zeros = self._sparsity
        if zeros is None:
            return Fibers(count, rows, columns, count * rows * columns)
        # what is expected of tiles and of parts of them is rounded apart
        occupied = min(self._occupied(zeros, tile, tiles), count * rows * columns)
        if tile != (1, 1):
            side = max(1, zeros.block[1] // tile[1])
            return Fibers(count, rows, columns, occupied, side)
        density = zeros.density if rows * columns == math.prod(self._shape) else None
        group = (zeros.n, zeros.m) if zeros.granularity == "n:m" and zeros.axis < 0 else None
        return Fibers(count, rows, columns, occupied, self._side(zeros), group, density)

    def _occupied(self, zeros: Sparsity, tile: Tile, tiles: int) -> int:
        """Tiles with a non-zero; at least one of a tensor that is not all zeros."""
        if tile == (1, 1):
            found = zeros.share * math.prod(self._shape)
        else:
            found = (1 - zeros.density.prob_empty(tile)) * tiles
        return max(1, round(found)) if zeros.share else 0

    def _side(self, zeros: Sparsity) -> int:
        """Elements along a row of the matrix, or over several, that are kept together."""
        if zeros.granularity == "channel" and zeros.axis >= 0:
            return math.prod(self._shape[zeros.axis + 1 :])
        return max(1, zeros.block[1])
