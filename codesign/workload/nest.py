"""The affine loop nest of a contraction: one description from which every engine counts.

A nest names loop dimensions with extents; every operand axis is an affine expression of them. A
convolution reads its input at ``stride * o + dilation * k - padding``; tile footprints, halos,
compulsory traffic and MACs all follow from that, with no im2col copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an operand: ``sum(coefficient * dim) + offset``.

    Attributes:
        terms: pairs of dimension index and positive coefficient.
        offset: constant part; negative for padding.
    """

    terms: tuple[tuple[int, int], ...]
    offset: int = 0

    def touched(self, tile: Sequence[int], extent: int) -> int:
        """Elements of this axis, at most ``extent``, that a tile of these loop extents touches.

        An interior tile is meant: its halo is counted whole, padding does not shorten it. A gap
        (a stride larger than the window) is not touched.
        """
        grid = math.gcd(*(coefficient for _, coefficient in self.terms)) or 1
        span = hull = steps = 1
        for dim, coefficient in sorted(self.terms, key=lambda term: term[1]):
            reach = coefficient // grid
            hull += reach * (tile[dim] - 1)
            # dense while each coefficient steps at most one past the span covered so far
            if reach > span:
                steps *= tile[dim]
            else:
                span += reach * (tile[dim] - 1)
        return min(extent, hull, span * steps)

    def is_injective(self, extents: Sequence[int]) -> bool:
        """Whether different points of its loops are different elements.

        That holds for a mixed-radix number: each coefficient steps past all that the smaller ones
        reach. Loops that interleave without meeting are refused too.

        Args:
            extents: trip count of every loop of the nest.
        """
        hull = 1
        for dim, coefficient in sorted(self.terms, key=lambda term: term[1]):
            if extents[dim] > 1 and coefficient < hull:
                return False
            hull += coefficient * (extents[dim] - 1)
        return True


@dataclass(frozen=True, slots=True)
class LoopNest:
    """Named loops and, for each operand (inputs, then outputs), the projection of each axis.

    Attributes:
        dims: names of the loops; by convention ``b`` batch, ``g`` group, ``m``/``oy``/``ox``
            rows or output pixels, ``n``/``co`` columns or output channels, ``k``/``ci``/``ky``/
            ``kx`` reduction.
        extents: trip count of each loop, at least 1.
        operands: for each operand of the operator, inputs first, the affine axes of its access.
    """

    dims: tuple[str, ...]
    extents: tuple[int, ...]
    operands: tuple[tuple[Axis, ...], ...]

    @property
    def points(self) -> int:
        """Trip count of the whole nest: the MACs of a contraction."""
        return math.prod(self.extents)

    def uses(self, operand: int) -> frozenset[int]:
        """Indices of the loops that operand number ``operand`` depends on."""
        return frozenset(dim for axis in self.operands[operand] for dim, _ in axis.terms)

    def classes(self, output: int) -> tuple[tuple[int, ...], ...]:
        """Sorts the loops into (groups, rows M, reduction K, columns N) of a matrix product.

        Args:
            output: index of the output among ``operands``; 0 is the streamed (activation) and 1
                the stationary (weight) operand.

        Returns:
            Four tuples of loop indices in nest order. Groups appear in both operands and the
            output, M in the first and the output, N in the second and the output, K in no output.
        """
        first, second, out = self.uses(0), self.uses(1), self.uses(output)
        groups, rows, inner, columns = [], [], [], []
        for dim in range(len(self.dims)):
            if dim not in out:
                inner.append(dim)
            elif dim in first and dim in second:
                groups.append(dim)
            elif dim in second:
                columns.append(dim)
            else:
                rows.append(dim)
        return tuple(groups), tuple(rows), tuple(inner), tuple(columns)

    def footprint(self, operand: int, tile: Sequence[int], shape: Sequence[int]) -> int:
        """Elements of an operand of this ``shape`` that one tile of extents ``tile`` touches."""
        axes = self.operands[operand]
        return math.prod(
            axis.touched(tile, extent) for axis, extent in zip(axes, shape, strict=True)
        )


def matmul_nest(batch: int, m: int, n: int, k: int, extra: Sequence[str] = ()) -> LoopNest:
    """The nest of ``[b, m, k] x [b, k, n] -> [b, m, n]``.

    Args:
        batch: independent products; 1 gives two-dimensional operands without a batch axis.
        m: rows of the first operand.
        n: columns of the second.
        k: length of the reduction.
        extra: further inputs between the factors and the output, each by the names of the dims
            its axes run over, for example ``["n"]`` for a bias.
    """
    dims = ("b", "m", "n", "k")
    lead = "b" if batch != 1 else ""
    operands = [lead + "mk", lead + "kn", *extra, lead + "mn"]
    axes = tuple(tuple(Axis(((dims.index(d), 1),)) for d in names) for names in operands)
    return LoopNest(dims, (batch, m, n, k), axes)
