"""How the weights of a contraction are cut into tiles that lie on macros.

The weight matrix of each group has a row for every reduction index (input channel and tap) and a
column for every output channel.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from codesign import Op
from codesign.errors import HardwareError, did_you_mean

RowSplit: TypeAlias = Literal["linear", "loop_factors"]
Pack: TypeAlias = Literal["none", "group", "diagonal"]
ROW_SPLITS: tuple[RowSplit, ...] = get_args(RowSplit)
PACKS: tuple[Pack, ...] = get_args(Pack)
Pieces: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs of how many, and how long each is; the last piece of an extent comes last."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Alike weight tiles of one operator, one after the other.

    Attributes:
        count: how many.
        rows: rows (inputs) used in each.
        columns: columns (outputs) used in each.
        last: whether the sums of its columns are complete with it.
    """

    count: int
    rows: int
    columns: int
    last: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """How the weights of a contraction lie on macros.

    Attributes:
        tiles: in order: all row tiles of the first columns, then of the next columns.
        row_tiles: tiles that the sum of an output runs over.
        column_tiles: tiles side by side, those of all groups; packed groups share one.
        pixels: matrix-vector products that each tile does.
    """

    tiles: tuple[Tiles, ...]
    row_tiles: int
    column_tiles: int
    pixels: int

    @property
    def count(self) -> int:
        """Weight tiles in all."""
        return self.row_tiles * self.column_tiles


@dataclass(frozen=True, slots=True)
class Strip:
    """Tiles below each other: a sum from its first to its last row.

    Attributes:
        count: how many alike strips follow each other.
        columns: used in each.
        rows: pieces of its rows.
    """

    count: int
    columns: int
    rows: Pieces


@dataclass(frozen=True, slots=True)
class Cut:
    """What a contraction is cut into, before it is put in order.

    Attributes:
        strips: of one group.
        groups: that are cut so.
        pixels: matrix-vector products of each tile.
    """

    strips: tuple[Strip, ...]
    groups: int
    pixels: int

    @property
    def row_tiles(self) -> int:
        """Tiles that the sum of an output runs over."""
        return sum(count for count, _ in self.strips[0].rows)

    @property
    def column_tiles(self) -> int:
        """Tiles side by side, of all groups."""
        return self.groups * sum(strip.count for strip in self.strips)

    @property
    def products(self) -> int:
        """Matrix-vector products of all tiles."""
        return self.pixels * self.row_tiles * self.column_tiles

    def alike(self) -> Iterator[tuple[int, int, int]]:
        """How many tiles have how many rows and columns, in no order."""
        for strip in self.strips:
            for count, rows in strip.rows:
                yield self.groups * strip.count * count, rows, strip.columns

    def tiles(self) -> Iterator[Tiles]:
        """The tiles in order."""
        for strip in self.strips * self.groups:
            (*above, (count, rows)) = strip.rows
            column = [Tiles(number, used, strip.columns, False) for number, used in above]
            column += [Tiles(count - 1, rows, strip.columns, False)] if count > 1 else []
            column.append(Tiles(1, rows, strip.columns, True))
            for _ in range(strip.count):
                yield from column


def lay(
    op: Op, rows: int, columns: int, row_split: RowSplit = "linear", pack: Pack = "group"
) -> Layout:
    """Cuts the weights of a contraction into tiles.

    Args:
        op: a contraction; its second factor lies on the macro, stored or computed.
        rows: of a macro.
        columns: of a macro.
        row_split: ``linear`` fills all rows but those of the last tile. ``loop_factors`` keeps
            whole divisors of every reduction loop in a tile, as zigzag-dse does: a 3x3 window of
            64 channels takes 6 x 96 instead of 4 x 128 + 64 rows; a single loop is cut evenly.
            Columns fill up in both: their energy is linear, so that any cut costs the same.
        pack: ``group`` puts as many whole groups on a macro as fit, block by block; ``diagonal``
            also lets neighbouring output pixels share a macro, with shifted copies of the weights,
            as many as take the fewest products. Cells between the blocks store zero, and a tile
            counts all rows and columns of its blocks as used: its energy is an upper bound.

    Raises:
        HardwareError: a word that is none of these.
    """
    cut = cut_weights(op, rows, columns, row_split, pack)
    merged: list[Tiles] = []
    for tile in cut.tiles():
        if merged and replace(merged[-1], count=tile.count) == tile:
            merged[-1] = replace(tile, count=merged[-1].count + tile.count)
        else:
            merged.append(tile)
    return Layout(tuple(merged), cut.row_tiles, cut.column_tiles, cut.pixels)


def cut_weights(op: Op, rows: int, columns: int, row_split: RowSplit, pack: Pack) -> Cut:
    """What ``lay`` cuts a contraction into."""
    for field, word, known in (("row_split", row_split, ROW_SPLITS), ("pack", pack, PACKS)):
        if word not in known:
            raise HardwareError(f"unknown {field} {word!r}{did_you_mean(word, known)}")
    groups, pixels, inner, outer = op.gemm
    height = _filled(inner, rows) if row_split == "linear" else _factors(op, rows)
    strips = tuple(Strip(count, width, height) for count, width in _filled(outer, columns))
    best = Cut(strips, groups, pixels)
    for used, wide, products in _blocks(op, columns, pack):
        if used > rows or wide > columns:
            continue
        packed = _packed(min(rows // used, columns // wide), groups, (used, wide), products)
        if (packed.products, packed.column_tiles) < (best.products, best.column_tiles):
            best = packed
    return best


def _filled(extent: int, room: int) -> Pieces:
    full, rest = divmod(extent, room)
    return (*([(full, room)] if full else []), *([(1, rest)] if rest else []))


def _factors(op: Op, rows: int) -> Pieces:
    """Pieces of whole divisors of the reduction loops, of as many rows as fit."""
    nest = op.loops
    _, _, inner, _ = nest.classes(len(op.inputs))
    extents = [nest.extents[dim] for dim in inner if nest.extents[dim] > 1]
    if len(extents) == 1:
        (extent,) = extents
        count = -(-extent // rows)
        short, longer = divmod(extent, count)
        above = [(longer, short + 1)] if longer else []
        return (*above, (count - longer, short))
    reached = {1}
    for extent in extents:
        divisors = [n for n in range(1, min(extent, rows) + 1) if extent % n == 0]
        reached = {size * n for size in reached for n in divisors if size * n <= rows}
    return ((math.prod(extents) // max(reached), max(reached)),)


def _blocks(op: Op, columns: int, pack: Pack) -> Iterator[tuple[int, int, int]]:
    """Rows, columns and matrix-vector products of one group on a macro, by pixels that share it.

    Of q pixels along an axis, a block has the inputs that all their windows cover, of
    ``kernel + (q - 1) stride`` positions for a dense window, and q times the columns.
    """
    _, pixels, inner, outer = op.gemm
    if pack != "none":
        yield inner, outer, pixels
    if pack != "diagonal":
        return
    nest = op.loops
    _, along, taps, _ = nest.classes(len(op.inputs))
    for dim in along:
        axes = [axis for axis in nest.operands[0] if dim in {term for term, _ in axis.terms}]
        if len(axes) != 1:
            continue
        window = {term for term, _ in axes[0].terms} & set(taps)
        extents = [size if term in window else 1 for term, size in enumerate(nest.extents)]
        beside = inner // math.prod(extents)
        for shared in range(2, min(nest.extents[dim], columns // outer) + 1):
            tile = [*extents[:dim], shared, *extents[dim + 1 :]]
            covered = axes[0].touched(tile, sys.maxsize)
            turns = -(-nest.extents[dim] // shared)
            yield beside * covered, shared * outer, pixels // nest.extents[dim] * turns


def _packed(fit: int, groups: int, block: tuple[int, int], pixels: int) -> Cut:
    """As many blocks on a macro as fit, and the others on the last one."""
    rows, columns = block
    pieces = _filled(groups, fit)
    strips = [Strip(count, held * columns, ((1, held * rows),)) for count, held in pieces]
    return Cut(tuple(strips), 1, pixels)
