"""What a codec answers: the bits that a tensor takes in it, and what its decoder costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codesign.workload.stored import Stored

if TYPE_CHECKING:
    from codesign.workload.dtype import DType
    from codesign.workload.sparsity import Sparsity

DECODE_RATE = 16.0
"""Elements that a decoder gives in a cycle (assumed)."""

DECODE_J = 0.1e-12
"""Joules of an element that is decoded (assumed)."""


@dataclass(frozen=True, kw_only=True)
class Format(ABC):
    """A codec in which a tensor can be stored at home.

    A plugin offers one through the hook ``codesign_formats``. It is a ``Stack`` of ranks, or a
    class below this one with ``stored``.

    Attributes:
        name: what ``codesign.annotate`` and links call it.
        description: what it keeps; one line.
        decode_rate: elements of the dense tensor that a decoder gives in a cycle, above 0.
        decode_j: joules of each of them, at least 0.
    """

    name: str
    description: str
    decode_rate: float = DECODE_RATE
    decode_j: float = DECODE_J

    @abstractmethod
    def stored(self, shape: tuple[int, ...], dtype: DType, sparsity: Sparsity | None) -> Stored:
        """What an element of the dense tensor takes on average; a pure function.

        Args:
            shape: extents of the tensor; all of them together are its 2-D view, whose columns are
                the last axis.
            dtype: number format of an element; scales of its blocks are metadata.
            sparsity: where the zeros are; None where every element is kept.

        Raises:
            TraceError: it cannot hold such a tensor.
        """
