"""Sizes that have a reference: what is stored, how, and which figure is compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codesign import DType
from codesign.validation import Case
from codesign.workload.sparsity import Sparsity
from codesign.workload.stored import Stored

from .composites import FORMATS

DIGITS = 3
"""Digits after the point that bits and shares of the references have; ours are rounded alike."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Tensors of one shape, format and codec.

    Attributes:
        shape: of each.
        dtype: name of the number format.
        codec: in which they are stored.
        zeros: as ``Sparsity.parse`` takes them; empty for none.
        count: of such tensors.
    """

    shape: tuple[int, ...]
    dtype: str
    codec: str = "dense"
    zeros: str = ""
    count: int = 1

    @property
    def stored(self) -> Stored:
        """What the codec gives."""
        sparsity = Sparsity.parse(self.zeros) if self.zeros else None
        return FORMATS[self.codec].stored(self.shape, DType.parse(self.dtype), sparsity)

    @property
    def bytes(self) -> int:
        """Whole bytes of all of them."""
        return self.count * self.stored.bytes(math.prod(self.shape))


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size, and what is stored.

    Attributes:
        name: of the case.
        quantity: ``bits of an element``, ``share of dense``, ``data``, ``metadata`` or ``stored``.
        theirs: the reference; bytes, where the quantity has no digits after the point.
        parts: the tensors; one alone where the quantity is not ``stored``.
        note: what a reader must know.
    """

    name: str
    quantity: str
    theirs: float
    parts: tuple[Part, ...]
    note: str = ""

    def outcome(self) -> Case:
        """Our size beside theirs."""
        unit = "B" if self.quantity in ("data", "metadata", "stored") else ""
        return Case(
            name=self.name,
            quantity=self.quantity,
            unit=unit,
            ours=self._ours(),
            theirs=self.theirs,
            note=self.note,
        )

    def _ours(self) -> float:
        part = self.parts[0]
        if self.quantity == "stored":
            return sum(part.bytes for part in self.parts)
        stored = part.stored
        if self.quantity == "bits of an element":
            return round(float(stored.bits), DIGITS)
        if self.quantity == "share of dense":
            return round(float(stored.bits / DType.parse(part.dtype).bits), DIGITS)
        bits = stored.data if self.quantity == "data" else stored.meta
        return float(bits * math.prod(part.shape) / 8)


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """The share of zeros from which a bitmap of 8-bit elements is no larger than the elements."""

    elements: int = 1000

    def outcome(self) -> Case:
        """The first of all shares in steps of one element."""
        shape = (1, self.elements)
        dense = Part(shape=shape, dtype="int8").bytes
        zeros = next(
            zeros
            for zeros in range(self.elements + 1)
            if self._bitmap(shape, self.elements - zeros).bytes <= dense
        )
        return Case(
            name="bitmap of int8",
            quantity="zeros at break-even",
            ours=zeros / self.elements,
            theirs=0.125,
            note="a mask bit of each element against 8 bits of each zero",
        )

    def _bitmap(self, shape: tuple[int, ...], nonzeros: int) -> Part:
        zeros = f"{nonzeros} of {self.elements}"
        return Part(shape=shape, dtype="int8", codec="bitmap", zeros=zeros)
