"""How a tensor is stored at home: the codec, and the bits that an element takes in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from codesign.errors import TraceError
from codesign.workload.dtype import DType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N = TypeVar("N", int, "NDArray[np.int64]")

MOST_BITS = 4096
"""Most bits of an element in a codec, with its marks (assumed): far beyond any format."""
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a codec. A part of it takes its share: values are spread alike.

    Attributes:
        codec: name of the format.
        data: bits of values for each element of the dense tensor, at least 0.
        meta: bits for each element beside them: masks, indices, pointers, scales; at least 0.
    """

    codec: str
    data: Fraction
    meta: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.data < 0 or self.meta < 0 or not self.bits:
            raise TraceError(
                f"codec {self.codec!r} must store some bits of data or metadata and never less "
                f"than 0, got {self.data} and {self.meta} an element"
            )
        if self.bits > MOST_BITS:
            raise TraceError(
                f"codec {self.codec!r} must store at most {MOST_BITS:,} bits an element, got "
                f"{float(self.bits):.6g}; correct data or meta"
            )

    @property
    def bits(self) -> Fraction:
        """Bits of an element of the dense tensor in all."""
        return self.data + self.meta

    def in_format(self, old: DType, new: DType) -> Stored:
        """The same codec for values of another format: as many of them, with as many marks.

        Raises:
            TraceError: blocks share scales in one of them, which count as metadata.
        """
        if old.block or new.block:
            raise TraceError(
                f"codec {self.codec!r} of {old} cannot become one of {new}, whose blocks share "
                "scales in another way; annotate the format and the codec together"
            )
        return replace(self, data=self.data * new.bits / old.bits)

    def bytes(self, elements: N) -> N:
        """Whole bytes of so many elements of the dense tensor; vectorised."""
        over, under = self.bits.numerator, 8 * self.bits.denominator
        # a fraction of two long numbers leaves 64 bits on the way to what fits in them
        if isinstance(elements, int) or int(elements.max(initial=0)) * over < _INT64:
            return -(-elements * over // under)
        whole = elements.astype(object)
        return (-(-whole * over // under)).astype(elements.dtype)
