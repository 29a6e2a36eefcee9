"""Ways to cut one class of loops (groups, rows, reduction or columns) into tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


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
    own = [extents[dim] for dim in dims]
    found = {1: Split((), (), 1, 1)} if not own else {}
    for place in reversed(range(len(own))):
        inner = math.prod(own[place + 1 :])
        for size in _sizes(own[place], max(1, grain // inner)):
            cut = _cut(own, place, size)
            found.setdefault(cut.size, cut)
    ordered = [found[size] for size in sorted(found)]
    return _thin(ordered, limit)


def _cut(own: Sequence[int], place: int, size: int) -> Split:
    head, tail = (1,) * place, tuple(own[place + 1 :])
    full, rest = divmod(own[place], size)
    edge = (*head, rest, *tail) if rest else ()
    return Split((*head, size, *tail), edge, full, math.prod(own[:place]))


def _sizes(extent: int, grain: int) -> list[int]:
    even = {-(-extent // parts) for parts in range(1, 9)}
    powers = {1 << bit for bit in range(extent.bit_length())}
    grains = {grain * (1 << bit) for bit in range(max(1, (extent // grain).bit_length()))}
    return sorted(size for size in even | powers | grains if 1 <= size <= extent)


def _thin(ordered: list[Split], limit: int) -> tuple[Split, ...]:
    if len(ordered) <= limit:
        return tuple(ordered)
    last = len(ordered) - 1
    kept = sorted({round(step * last / (limit - 1)) for step in range(limit)})
    return tuple(ordered[place] for place in kept)
