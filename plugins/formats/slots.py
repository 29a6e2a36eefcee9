"""Codecs that are no stack of ranks: slots of n in m, and code books."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codesign.errors import TraceError
from codesign.workload.density_places import Actual
from codesign.workload.dtype import DType
from codesign.workload.formats import Format
from codesign.workload.sparsity import Sparsity
from codesign.workload.stack import per_element
from codesign.workload.stored import Stored
from codesign.workload.zeros import compliance

_OTHERWISE = "prune so, or take bitmap"


@dataclass(frozen=True, kw_only=True)
class Slots(Format):
    """n slots for every m elements along an axis, each with the place of its value among the m.

    Source: Mishra et al., "Accelerating Sparse Deep Neural Networks", arXiv 2104.08378.
    A slot without a non-zero is stored like the others.

    Attributes:
        n: slots of a group; 0 for those of the sparsity.
        m: elements of a group; 0 likewise.
    """

    n: int = 0
    m: int = 0

    def stored(self, shape: tuple[int, ...], dtype: DType, sparsity: Sparsity | None) -> Stored:
        """The slots of all groups; one that hangs over the end of the axis is stored whole.

        Raises:
            TraceError: zeros that leave more than n non-zeros in some group, or may do so, or an
                axis shorter than a group.
        """
        if sparsity is None:
            raise TraceError(f"its zeros must be {self._wanted}, none are declared; {_OTHERWISE}")
        zeros = sparsity.on(shape, "to store")
        n, m, axis = self.n or zeros.n, self.m or zeros.m, -1
        if zeros.granularity == "n:m" and _implies(zeros, n, m):
            axis = zeros.axis
        else:
            self._check_mask(zeros)
        elements, length = math.prod(shape), shape[axis]
        if length < m:
            raise TraceError(
                f"its groups of {m} do not fit along axis {axis % len(shape)} of {list(shape)}; "
                f"declare zeros along a longer one, e.g. '{n}:{m} axis 1', or take bitmap"
            )
        slots = elements // length * -(-length // m) * n
        return per_element(self.name, slots, slots * (m - 1).bit_length(), elements, dtype)

    @property
    def _wanted(self) -> str:
        return f"{self.n}:{self.m}" if self.m else "n:m"

    def _check_mask(self, zeros: Sparsity) -> None:
        """A pattern of another name may comply along the last axis, if its zeros are known."""
        if not (self.m and isinstance(zeros.density, Actual)):
            raise TraceError(
                f"its zeros must be {self._wanted}, they are {str(zeros)!r}; {_OTHERWISE}"
            )
        mask = zeros.density.mask
        share = compliance(mask.array(), self.n, self.m)
        if share < 1:
            raise TraceError(
                f"its zeros must be {self._wanted}, only {math.floor(1000 * share) / 10} % of the "
                f"groups of {self.m} along axis {len(mask.shape) - 1} hold at most {self.n} "
                f"non-zeros; {_OTHERWISE}"
            )


def _implies(zeros: Sparsity, n: int, m: int) -> bool:
    """Whether groups of one length leave no more than n non-zeros in any m neighbours in line."""
    parts, over = divmod(m, zeros.m)
    return zeros.n <= n if zeros.m % m == 0 else over == 0 and zeros.n * parts <= n


@dataclass(frozen=True, kw_only=True)
class CodeBook(Format):
    """A number for each element, and once for the tensor the value that each number stands for.

    The values are the data, so that in another number format it is the book that is as wide as
    that. Zeros are elements as others are.

    Attributes:
        index_bits: bits of a number; the book has 2 to that power entries.
    """

    index_bits: int

    def stored(self, shape: tuple[int, ...], dtype: DType, sparsity: Sparsity | None) -> Stored:
        """The entries as data, the numbers as metadata.

        Raises:
            TraceError: numbers that are as wide as the values.
        """
        if self.index_bits >= dtype.bits:
            raise TraceError(
                f"its numbers of {self.index_bits} bits must be narrower than the values, which "
                f"are {dtype}; give the values the format that the book has"
            )
        elements = math.prod(shape)
        entries, numbers = 1 << self.index_bits, elements * self.index_bits
        return per_element(self.name, entries, numbers, elements, dtype)
