"""Tensors and the affine views through which operators read and write them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeVar

from codesign.workload.dtype import DType
from codesign.workload.sparsity import Sparsity
from codesign.workload.stored import Stored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N = TypeVar("N", int, "NDArray[np.int64]")

_WHOLE = Fraction(1)

Role = Literal["weight", "constant", "state", "input", "output", "activation"]
ROLES: tuple[Role, ...] = ("weight", "constant", "state", "input", "output", "activation")
"""``weight``: a parameter. ``constant``: other stored data (buffers, tables). ``state``: kept from
one step or inference to the next. ``input``/``output``: of the whole model. ``activation``: the
rest."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One stored tensor. Tied weights and in-place updates are one tensor, views are accesses.

    Attributes:
        name: unique in the trace.
        shape: extents; ``()`` is a scalar.
        dtype: number format of an element.
        role: what the bytes are for, see ``ROLES``.
        sparsity: where its zeros are; None if nobody says that there are any.
        stored: the codec in which it is stored at home; None for all elements as they are.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    role: Role
    sparsity: Sparsity | None = None
    stored: Stored | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def content(self) -> tuple[object, ...]:
        """What a plan depends on beside the elements that are used."""
        return self.dtype, self.role, self.sparsity, self.stored

    @property
    def bytes(self) -> int:
        """Whole bytes that the tensor takes at home, in its codec if it has one."""
        return self.stored_bytes(self.elements)

    def stored_bytes(self, elements: N) -> N:
        """Whole bytes that so many of its elements take at home; vectorised.

        In the buffer of an engine they take ``dtype.storage_bytes``.
        """
        return self.stored.bytes(elements) if self.stored else self.dtype.storage_bytes(elements)

    @property
    def plain_bytes(self) -> int:
        """Whole bytes that the tensor takes in a buffer, all elements as they are."""
        return self.dtype.storage_bytes(self.elements)

    def home_bytes(self, size: int) -> int:
        """Whole bytes at home of so many bytes in a buffer."""
        share = self.home_share
        return -(-size * share.numerator // share.denominator)

    @property
    def home_share(self) -> Fraction:
        """Bytes at home for each byte in a buffer: 1 unless the tensor has a codec."""
        if self.stored is None:
            return _WHOLE
        return self.stored.bits / self._plain_bits

    def elements_in(self, size: int) -> int:
        """Elements that so many bytes in a buffer hold."""
        return int(8 * size / self._plain_bits)

    @property
    def _plain_bits(self) -> Fraction:
        """Bits of an element in a buffer, with its part of a scale."""
        return Fraction(self.dtype.scale_bits, self.dtype.block or 1) + self.dtype.bits

    def access(self) -> Access:
        """The whole tensor, row-major."""
        return Access(self, self.shape, contiguous_strides(self.shape))


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides of a shape, in elements."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@dataclass(frozen=True, slots=True)
class Access:
    """An affine view of a stored tensor: views, slices, transposes and broadcasts cost nothing.

    Attributes:
        tensor: the storage that is read or written.
        shape: extents of the view.
        strides: elements of the tensor per step of each axis; 0 where an axis is broadcast.
        offset: first element.
        advance: elements by which the offset moves per step of each enclosing region, outermost
            first; empty for what does not move.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    advance: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        """Distinct elements touched: broadcast axes count once."""
        return math.prod([n for n, s in zip(self.shape, self.strides, strict=True) if s])

    @property
    def bytes(self) -> int:
        """Whole bytes of the distinct elements in a buffer."""
        return self.tensor.dtype.storage_bytes(self.elements)

    @property
    def home_bytes(self) -> int:
        """Whole bytes that they take at home."""
        return self.tensor.home_bytes(self.bytes)

    @property
    def run(self) -> int:
        """Longest run of adjacent elements: what one row of a DMA transfer can hold."""
        axes = [(abs(s), n) for n, s in zip(self.shape, self.strides, strict=True) if s and n > 1]
        length = 1
        for stride, extent in sorted(axes):
            if stride != length:
                break
            length *= extent
        return length
