"""What a codec answers: the bits that a tensor takes in it. What decodes it has its own costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codesign.workload.stored import Stored

if TYPE_CHECKING:
    from codesign.workload.dtype import DType
    from codesign.workload.sparsity import Sparsity


@dataclass(frozen=True, kw_only=True)
class Format(ABC):
    """A codec in which a tensor can be stored at home.

    A plugin offers one through the hook ``codesign_formats``. It is a ``Stack`` of ranks, or a
    class below this one with ``stored``.

    Attributes:
        name: what ``codesign.annotate`` and links call it.
        description: what it keeps; one line.
    """

    name: str
    description: str

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
