"""How far each class of loops has run at a place of a loop order, and what operands then touch.

A class begins with the steps that run side by side (state 0), then has run through a tile (states 1
to n, one for each cut), and at last through everything (state n + 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.footprint import touched
from codesign.mapping.hierarchy.spec import RESULT, USES
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class States:
    """The states of every class under one spread.

    Attributes:
        op: a contraction.
        classes: loops of each class.
        beside: steps of each loop that run side by side.
        tiles: for each class, the cuts: extent of each of its loops in a tile, in steps.
    """

    op: Op
    classes: tuple[tuple[int, ...], ...]
    beside: tuple[int, ...]
    tiles: tuple[tuple[tuple[int, ...], ...], ...]
    _tables: dict[tuple[int, tuple[int, ...]], Ints] = field(
        default_factory=dict, compare=False, repr=False
    )

    _reached: dict[tuple[int, tuple[int, ...]], Ints] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def turns(self) -> tuple[int, ...]:
        """Steps of each loop one after the other."""
        extents = self.op.loops.extents
        return tuple(-(-e // s) for e, s in zip(extents, self.beside, strict=True))

    @cached_property
    def inside(self) -> tuple[Ints, ...]:
        """For each class, steps in a tile one after the other, by cut."""
        return tuple(
            np.array([math.prod(tile) for tile in tiles], dtype=np.int64) for tiles in self.tiles
        )

    @cached_property
    def outside(self) -> tuple[Ints, ...]:
        """For each class, number of tiles, by cut."""
        return tuple(
            np.array(
                [
                    math.prod(-(-self.turns[d] // t) for d, t in zip(dims, tile, strict=True))
                    for tile in tiles
                ],
                dtype=np.int64,
            )
            for dims, tiles in zip(self.classes, self.tiles, strict=True)
        )

    def table(self, operand: int, beside: tuple[int, ...] | None = None) -> Ints:
        """Elements of an operand by the states of its three classes, in the order of ``USES``.

        Args:
            operand: factor or result.
            beside: steps of each loop that one instance of a memory sees side by side; all of them
                by default.
        """
        sees = self.beside if beside is None else beside
        if (operand, sees) not in self._tables:
            self._tables[operand, sees] = self._table(operand, sees)
        return self._tables[operand, sees]

    def _table(self, operand: int, sees: tuple[int, ...]) -> Ints:
        op, uses = self.op, USES[operand]
        number = operand if operand < RESULT else len(op.inputs)
        ranges = [self._extents(one, sees) for one in uses]
        found = np.ones(tuple(len(one) for one in ranges), dtype=np.int64)
        access = op.operands[number]
        axes = zip(op.loops.operands[number], access.shape, access.strides, strict=True)
        for axis, extent, stride in axes:
            if stride:
                found = found * self._touched(axis, extent, uses, ranges)
        return found

    def _touched(
        self, axis: Axis, extent: int, uses: Sequence[int], ranges: Sequence[Ints]
    ) -> Ints:
        """Elements of an axis by the states of the classes whose loops step along it."""
        if len(axis.terms) == 1:
            ((dim, _),) = axis.terms
            n = next(n for n, one in enumerate(uses) if dim in self.classes[one])
            reached = ranges[n][:, self.classes[uses[n]].index(dim)]
            return np.minimum(extent, reached).reshape([1] * n + [-1] + [1] * (2 - n))
        dims = {dim for dim, _ in axis.terms}
        own = [n for n, one in enumerate(uses) if dims.intersection(self.classes[one])]
        shape = tuple(len(ranges[n]) if n in own else 1 for n in range(3))
        extents = np.ones((*shape, len(self.op.loops.dims)), dtype=np.int64)
        for n in own:
            along = [1] * n + [-1] + [1] * (2 - n)
            for place, loop in enumerate(self.classes[uses[n]]):
                extents[..., loop] = ranges[n][:, place].reshape(along)
        flat = extents.reshape(-1, extents.shape[-1])
        return touched(axis, flat, extent).reshape(shape)

    def _extents(self, number: int, sees: tuple[int, ...]) -> Ints:
        """Extents of the loops of a class in each of its states."""
        if (number, sees) not in self._reached:
            self._reached[number, sees] = self._reach(number, sees)
        return self._reached[number, sees]

    def _reach(self, number: int, sees: tuple[int, ...]) -> Ints:
        dims = self.classes[number]
        turns = [tuple(1 for _ in dims), *self.tiles[number], tuple(self.turns[d] for d in dims)]
        whole = [self.op.loops.extents[d] for d in dims]
        seen = [sees[d] for d in dims]
        rows = [
            [min(w, t * s) for w, t, s in zip(whole, state, seen, strict=True)] for state in turns
        ]
        return np.array(rows, dtype=np.int64).reshape(len(turns), len(dims))


def cuts(
    nest: LoopNest, dims: Sequence[int], beside: Sequence[int], limit: int
) -> tuple[tuple[int, ...], ...]:
    """Ways to cut a class of loops into tiles, in steps, from the smallest to the whole.

    Loops outside the cut one advance one by one, loops inside it are whole.

    Args:
        nest: all loops.
        dims: loops of the class, outermost first.
        beside: steps of each loop that run side by side.
        limit: most cuts returned.
    """
    return _cuts(tuple(-(-nest.extents[d] // beside[d]) for d in dims), limit)


@lru_cache(maxsize=1024)  # layers of one network, and spreads of one layer, share most of them
def _cuts(own: tuple[int, ...], limit: int) -> tuple[tuple[int, ...], ...]:
    found: dict[tuple[int, ...], int] = {own: 0, tuple(1 for _ in own): 0}
    for place in reversed(range(len(own))):
        head, tail = (1,) * place, own[place + 1 :]
        for size in _sizes(own[place]):
            found.setdefault((*head, size, *tail), int(own[place] % size > 0))
    even = sorted((tile for tile, uneven in found.items() if not uneven), key=math.prod)
    odd = sorted((tile for tile, uneven in found.items() if uneven), key=math.prod)
    kept = _evenly(even, limit)
    kept += _evenly(odd, limit - len(kept))
    return tuple(sorted(kept, key=math.prod))


def _sizes(extent: int) -> list[int]:
    parts = {-(-extent // n) for n in range(1, min(extent, 16) + 1)}
    return sorted({*parts, *(1 << bit for bit in range(extent.bit_length()))})


def _evenly(found: list[tuple[int, ...]], limit: int) -> list[tuple[int, ...]]:
    if len(found) <= limit:
        return found
    if limit < 1:
        return []
    if limit == 1:
        return found[-1:]
    last = len(found) - 1
    return [found[n] for n in sorted({round(i * last / (limit - 1)) for i in range(limit)})]
