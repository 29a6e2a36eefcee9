"""Ways to cut one class of loops (groups, rows, reduction or columns) into tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MOST = 6912
"""Most combinations of cuts that a search scores for each loop order and set of held operands."""

_KNOWN = 4096
"""Classes of loops whose cuts are kept (assumed): layers of one network share most of them."""


@dataclass(frozen=True, slots=True)
class Split:
    """One cut: loops outside the cut one advance one by one, loops inside it are whole.

    Attributes:
        tile: extent in a full tile of each loop of the class.
        edge: the same in the last tile of the cut loop, or empty if the cut is even.
        full: full tiles per sweep of the cut loop.
        outer: sweeps: trip count of the loops outside it.
    """

    tile: tuple[int, ...]
    edge: tuple[int, ...]
    full: int
    outer: int

    @property
    def size(self) -> int:
        """Loop points of the class in a full tile."""
        return math.prod(self.tile)

    @property
    def edge_size(self) -> int:
        """Loop points of the class in an edge tile, 0 if there is none."""
        return math.prod(self.edge) if self.edge else 0

    @property
    def full_count(self) -> int:
        """Full tiles in all."""
        return self.outer * self.full

    @property
    def edge_count(self) -> int:
        """Edge tiles in all."""
        return self.outer if self.edge else 0

    @property
    def count(self) -> int:
        """Tiles in all."""
        return self.full_count + self.edge_count

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """Sizes of its tiles, each with how many there are in all."""
        return (self.size, self.full_count), (self.edge_size, self.edge_count)

    def sweep(self) -> list[tuple[tuple[int, ...], int]]:
        """Tiles of one sweep as (extents, how many in a row)."""
        return [(self.tile, self.full)] + ([(self.edge, 1)] if self.edge else [])


def splits(
    extents: Sequence[int], dims: Sequence[int], grain: int, limit: int
) -> tuple[Split, ...]:
    """Candidate cuts of the loops ``dims``, from the smallest tile to the whole class.

    Args:
        extents: trip counts of all loops of the nest.
        dims: indices of the loops of this class, outermost first.
        grain: natural multiple of the tile size, for example the rows of an array.
        limit: most candidates returned; the smallest and the whole are always among them.
    """
    return _thinned(tuple(extents[dim] for dim in dims), grain, limit)


def choices(
    extents: Sequence[int], classes: Sequence[Sequence[int]], grains: Sequence[int]
) -> tuple[tuple[Split, ...], ...]:
    """Candidate cuts of every class, few enough that all combinations can be scored.

    The class with most candidates is thinned until at most ``MOST`` combinations are left, so that
    a matrix-vector product, which has one row, keeps all cuts of its weights.

    Args:
        extents: trip counts of all loops of the nest.
        classes: for each class the indices of its loops.
        grains: for each class the natural multiple of its tile size.
    """
    own = [tuple(extents[dim] for dim in dims) for dims in classes]
    limits = [len(_ranked(*pair)) for pair in zip(own, grains, strict=True)]
    while math.prod(limits) > MOST:
        largest = limits.index(max(limits))
        limits[largest] = max(2, limits[largest] * 4 // 5)
    return tuple(_thinned(*each) for each in zip(own, grains, limits, strict=True))


def cut_at(own: Sequence[int], place: int, size: int) -> Split:
    """The cut of loops of these extents in tiles of ``size`` along the loop at ``place``."""
    head, tail = (1,) * place, tuple(own[place + 1 :])
    full, rest = divmod(own[place], size)
    edge = (*head, rest, *tail) if rest else ()
    return Split((*head, size, *tail), edge, full, math.prod(own[:place]))


@lru_cache(maxsize=_KNOWN)
def _ranked(own: tuple[int, ...], grain: int) -> tuple[tuple[int, Split], ...]:
    """Cuts of different sizes with their ranks; the lowest rank is kept longest."""
    found = {} if own else {1: (0, Split((), (), 1, 1))}
    for place in reversed(range(len(own))):
        inner = math.prod(own[place + 1 :])
        for size, rank in _sizes(own[place], max(1, grain // inner)).items():
            cut = cut_at(own, place, size)
            found.setdefault(cut.size, (rank, cut))
    return tuple(found.values())


def _sizes(extent: int, grain: int) -> dict[int, int]:
    """Extents of a tile along one loop by rank: grains first, powers of two, parts, others."""
    bits = range(extent.bit_length())
    ranked = {
        0: [1, extent, *(grain << bit for bit in bits)],
        1: [1 << bit for bit in bits],
        2: [-(-extent // parts) for parts in range(2, 9)],
        3: [3 << bit for bit in bits],
    }
    found: dict[int, int] = {}
    for rank, sizes in ranked.items():
        for size in sizes:
            if size <= extent:
                found.setdefault(size, rank)
    return found


@lru_cache(maxsize=_KNOWN)
def _thinned(own: tuple[int, ...], grain: int, limit: int) -> tuple[Split, ...]:
    """At most ``limit`` cuts by size: low ranks whole, the rank that overflows evenly."""
    ranked = _ranked(own, grain)
    kept: list[Split] = []
    for rank in sorted({rank for rank, _ in ranked}):
        cuts = sorted((cut for r, cut in ranked if r == rank), key=lambda cut: cut.size)
        kept += _evenly(cuts, limit - len(kept))
    return tuple(sorted(kept, key=lambda cut: cut.size))


def _evenly(cuts: list[Split], limit: int) -> list[Split]:
    """At most ``limit`` of the cuts, the first and the last among them."""
    if len(cuts) <= limit:
        return cuts
    if limit < 2:
        return cuts[:limit]
    last = len(cuts) - 1
    return [cuts[place] for place in sorted({round(n * last / (limit - 1)) for n in range(limit)})]
