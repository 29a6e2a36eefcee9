"""Tensors and the affine views through which operators read and write them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from codesign.workload.dtype import DType

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
        dtype: number format in memory.
        role: what the bytes are for, see ``ROLES``.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    role: Role

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Whole bytes that the tensor takes in memory."""
        return self.dtype.storage_bytes(self.elements)

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
        """Whole bytes of the distinct elements."""
        return self.tensor.dtype.storage_bytes(self.elements)

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
