"""How the non-zeros of a factor spread over the steps of a lane: the law of their number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from codesign import Op
from codesign.workload.density import Bernoulli, Density
from codesign.workload.density_places import Placed
from codesign.workload.distributions import Pmf, binomial, total
from codesign.workload.sparsity import Sparsity
from codesign.workload.tensor import contiguous_strides


@dataclass(frozen=True, slots=True)
class Spread:
    """The elements of one factor that a result is made of, in the order of the reduction.

    Attributes:
        sparsity: of the tensor; None for a dense one.
        fibre: steps of the reduction, after which the elements of another result follow.
        adjacent: elements of a fibre that lie beside each other along the last axis of the tensor;
            1 for a fibre across its rows.
        is_along: whether the groups of an N:M pattern lie along the reduction.
    """

    sparsity: Sparsity | None
    fibre: int
    adjacent: int
    is_along: bool

    @classmethod
    def of(cls, op: Op, factor: int) -> Spread:
        """The spread of factor 0 or 1 of a contraction."""
        access = op.operands[factor]
        inner = set(op.loops.classes(len(op.inputs))[2])
        reduced = {}
        for axis, stride in zip(op.loops.operands[factor], access.strides, strict=True):
            extent = math.prod(op.loops.extents[dim] for dim in {d for d, _ in axis.terms} & inner)
            if extent > 1:
                reduced[stride] = extent
        sparsity = access.tensor.sparsity
        along = False
        if sparsity is not None and sparsity.granularity == "n:m":
            along = contiguous_strides(access.tensor.shape)[sparsity.axis] in reduced
        return cls(sparsity, op.gemm[2], reduced.get(1, 1), along)

    @property
    def share(self) -> float:
        """Non-zeros per element."""
        return 1.0 if self.sparsity is None else self.sparsity.share

    @property
    def is_even(self) -> bool:
        """Whether all lanes have equally many: dense, N:M along the reduction, whole channels.

        Channels that are zero are left out of the loops altogether.
        """
        if self.sparsity is None or self.share in (0.0, 1.0):
            return True
        return self.sparsity.granularity == "channel" or self.is_along

    @property
    def is_random(self) -> bool:
        """Whether each element is zero by chance, whatever its neighbours are.

        So are, for one lane, the groups of an N:M pattern that lie across the reduction.
        """
        if self.sparsity is None or self.is_even:
            return False
        return self.sparsity.granularity == "n:m" or isinstance(self.sparsity.density, Bernoulli)

    def law(self, steps: int) -> Pmf:
        """Law of the number of non-zeros in so many steps.

        What is longer than a fibre runs into the next ones, whose zeros are independent of it.
        """
        if self.sparsity is None or self.is_random:
            return binomial(steps, self.share)
        whole, rest = divmod(steps, self.fibre)
        pieces = [(self.fibre, whole), (rest, 1)]
        return total([(self._piece(self.sparsity, size), n) for size, n in pieces if size and n])

    def _piece(self, sparsity: Sparsity, steps: int) -> Pmf:
        columns = max(c for c in range(1, self.adjacent + 1) if steps % c == 0)
        return whole_tiles(sparsity.density, (steps // columns, columns))


def whole_tiles(density: Density, tile: tuple[int, int]) -> Pmf:
    """Law of the non-zeros of a tile; of a known matrix, those of its tiles that are whole."""
    if isinstance(density, Placed):
        down, across = (have // want for have, want in zip(density.matrix(), tile, strict=True))
        counts = density.counts(tile)[:down, :across].reshape(-1)
        if len(counts):
            return np.asarray(np.bincount(counts, minlength=math.prod(tile) + 1) / len(counts))
    return density.pmf(tile)
