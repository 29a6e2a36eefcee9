"""All tilings that a search looks at: every combination of cuts of the four classes of loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.hardware.fixed import FixedMapping
from codesign.mapping.fixed_cut import fixed_splits
from codesign.mapping.kept import KeptOf
from codesign.mapping.splits import Split, choices
from codesign.workload.record import Op

Array: TypeAlias = "NDArray[np.int64]"
Number = TypeVar("Number", np.int64, np.float64)
Sizes: TypeAlias = "tuple[Array, Array, Array, Array]"
"""Tile sizes (g, m, k, n) as products over the loops of each class, one entry per candidate."""

_CUTS = 4096
"""Classes of loops whose cuts are kept as arrays (assumed)."""


@dataclass(frozen=True, slots=True)
class Space:
    """All candidates of one operator: every combination of cuts, numbered one by one.

    Attributes:
        classes: loops of each class.
        choices: cuts of each class.
    """

    classes: tuple[tuple[int, ...], ...]
    choices: tuple[tuple[Split, ...], ...]

    def __len__(self) -> int:
        return math.prod(len(options) for options in self.choices)

    def index(self, rows: Array) -> tuple[Array, ...]:
        """Which cut of each class some candidates take."""
        return np.unravel_index(rows, [len(options) for options in self.choices])

    def counts(self, index: Sequence[Array]) -> Array:
        """Tiles along each class, of shape (classes, candidates)."""
        each = zip(self.choices, index, strict=True)
        return np.stack([_tables.of(options).counts[own] for options, own in each])

    def tiles(self, index: Sequence[Array]) -> Array:
        """Extent of each loop in a full tile, of shape (loops, candidates)."""
        tiles = np.ones((sum(map(len, self.classes)), len(index[0])), dtype=np.int64)
        for dims, options, own in zip(self.classes, self.choices, index, strict=True):
            for dim, extents in zip(dims, _tables.of(options).tiles, strict=True):
                tiles[dim] = extents[own]
        return tiles

    def splits(self, row: int) -> tuple[Split, Split, Split, Split]:
        """The cuts of one candidate."""
        each = zip(self.choices, self.index(np.array([row])), strict=True)
        g, m, k, n = (options[int(own[0])] for options, own in each)
        return g, m, k, n


def find_space(op: Op, grain: Sequence[int], fixed: FixedMapping | None = None) -> Space:
    """The candidates of a contraction.

    Args:
        op: a contraction.
        grain: natural multiples of tile sizes, by class.
        fixed: what is decided of its mapping.

    Raises:
        MappingError: what is decided is not in the space of the search.
    """
    classes = op.loops.classes(len(op.inputs))
    if fixed is None:
        return Space(classes, choices(op.loops.extents, classes, grain))
    decided = fixed_splits(op, fixed)
    left = [() if number in decided else dims for number, dims in enumerate(classes)]
    found = choices(op.loops.extents, left, grain)
    cuts = tuple((decided[n],) if n in decided else options for n, options in enumerate(found))
    return Space(classes, cuts)


class _Table(NamedTuple):
    """Cuts of one class as arrays.

    Attributes:
        counts: tiles along the class, by cut.
        tiles: extent of each loop in a full tile, of shape (loops, cuts).
        sizes: size of the tiles of each kind, of shape (kinds, cuts).
        times: how many of them there are, of the same shape.
        kinds: those of which some cut has tiles.
    """

    counts: Array
    tiles: Array
    sizes: Array
    times: Array
    kinds: tuple[int, ...]


def _table(options: tuple[Split, ...]) -> _Table:
    parts = np.array([option.parts for option in options], dtype=np.int64)
    tiles = np.array([option.tile for option in options], dtype=np.int64)
    sizes, times = parts.transpose(2, 1, 0)
    counts = np.array([option.count for option in options], dtype=np.int64)
    kinds = tuple(np.flatnonzero(times.any(axis=1)).tolist())
    return _Table(counts, tiles.T, sizes, times, kinds)


_tables = KeptOf[tuple[Split, ...], _Table](_CUTS, _table)


def sizes_of(op: Op, tiles: Array) -> Sizes:
    """Sizes of tiles by class, from the extents of their loops."""
    one = np.ones(tiles.shape[1], dtype=np.int64)
    classes = op.loops.classes(len(op.inputs))
    g, m, k, n = (math.prod((tiles[dim] for dim in dims), start=one) for dims in classes)
    return g, m, k, n


def sum_tiles(
    space: Space,
    rows: Array,
    of_tile: Callable[[Sizes], NDArray[Number]],
    total: NDArray[Number],
) -> NDArray[Number]:
    """Exact sum over all tiles of some candidates, full and edge ones.

    Args:
        space: all candidates.
        rows: those that are meant.
        of_tile: what is summed, of tiles of some sizes; it is asked once, for all of them.
        total: zeros, one for each of the rows, to which everything is added.
    """
    tables = [_tables.of(options) for options in space.choices]
    index = space.index(rows)
    found: list[tuple[Array, Array]] = []
    sizes: list[list[Array]] = [[], [], [], []]
    for kinds in itertools.product(*(table.kinds for table in tables)):
        times = math.prod(t.times[kind][i] for t, kind, i in zip(tables, kinds, index, strict=True))
        at = np.flatnonzero(times)
        if len(at):
            found.append((at, times[at]))
            for table, kind, own, mine in zip(tables, kinds, index, sizes, strict=True):
                mine.append(table.sizes[kind][own[at]])
    if not found:
        return total
    g, m, k, n = map(np.concatenate, sizes)
    each = np.broadcast_to(of_tile((g, m, k, n)), g.shape)
    first = 0
    for at, times in found:
        total[at] += times * each[first : first + len(at)]
        first += len(at)
    return total
