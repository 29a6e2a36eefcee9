"""Which elements of a tensor are not zero, and how many of them lie in any tile."""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density import Shape, Tile, as_matrix

MAX_ELEMENTS = 2**30
"""Largest mask: its table of sums takes 4 bytes an element, and a few tables are kept."""


@dataclass(frozen=True, slots=True)
class Mask:
    """One bit an element. Two masks of equal shape and bits are equal, by their digest.

    Attributes:
        shape: of the tensor.
        bits: 1 where it is not zero, row-major, the first element in the highest bit of the first
            byte; what is left of the last byte is 0.
        digest: SHA-256 of shape and bits, in hexadecimal.
        nonzeros: how many bits are 1.
    """

    shape: Shape
    bits: bytes = field(repr=False, compare=False)
    digest: str = field(init=False)
    nonzeros: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _check_shape(self.shape)
        bytes_, spare = -(-self.elements // 8), -self.elements % 8
        if len(self.bits) != bytes_ or self.bits[-1] & ((1 << spare) - 1):
            raise TraceError(
                f"a mask of {list(self.shape)} must hold {bytes_:,} bytes, and zeros after its "
                f"last element, got {len(self.bits):,} bytes; write it with Mask.of"
            )
        head = f"{'x'.join(map(str, self.shape))};".encode()
        object.__setattr__(self, "digest", sha256(head + self.bits).hexdigest())
        object.__setattr__(self, "nonzeros", int.from_bytes(self.bits, "big").bit_count())

    @classmethod
    def of(cls, array: NDArray[Any]) -> Mask:
        """The mask of an array, as wide as it: 1 where it is not zero."""
        kept = np.asarray(array) != 0
        _check_shape(kept.shape)
        return cls(kept.shape, np.packbits(kept.reshape(-1)).tobytes())

    @property
    def elements(self) -> int:
        """Elements of the tensor."""
        return math.prod(self.shape)

    @property
    def share(self) -> float:
        """Non-zeros per element."""
        return self.nonzeros / self.elements

    def array(self) -> NDArray[np.bool_]:
        """True where the tensor is not zero."""
        packed = np.frombuffer(self.bits, dtype=np.uint8)
        return np.unpackbits(packed, count=self.elements).astype(bool).reshape(self.shape)

    def count(self, origin: Tile, tile: Tile) -> int:
        """Non-zeros of a tile of the matrix, in the same time for any tile.

        Args:
            origin: first row and column.
            tile: rows and columns; what lies beyond the matrix holds none.
        """
        rows, columns = as_matrix(self.shape)
        top, left = min(origin[0], rows), min(origin[1], columns)
        bottom, right = min(top + tile[0], rows), min(left + tile[1], columns)
        table = self.table()
        whole = table[bottom, right] - table[top, right]
        return int(whole - table[bottom, left] + table[top, left])

    def table(self) -> NDArray[np.int32]:
        """Sums of all that is above and to the left (Crow, SIGGRAPH 1984), read-only.

        Returns:
            ``[i, j]``: non-zeros of the first i rows and j columns of the matrix.
        """
        return _table(self)

    def to_json(self) -> dict[str, Any]:
        """What a trace file keeps: the shape, and the bits packed by zlib, in base64."""
        packed = base64.b64encode(zlib.compress(self.bits, 9)).decode("ascii")
        return {"shape": list(self.shape), "bits": packed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Mask:
        """Reads what ``to_json`` gives, from whoever wrote it.

        Raises:
            TraceError: it is not of that form.
        """
        shape, text = data.get("shape"), data.get("bits")
        if set(data) != {"shape", "bits"} or not isinstance(text, str):
            raise TraceError(f"a mask must have 'shape' and 'bits', got {sorted(data)!r:.60}")
        if not isinstance(shape, list) or not all(type(extent) is int for extent in shape):
            raise TraceError(f"the shape of a mask must be a list of integers, got {shape!r:.60}")
        _check_shape(tuple(shape))
        return cls(tuple(shape), _unpacked(text, -(-math.prod(shape) // 8)))


def _check_shape(shape: Shape) -> None:
    if min(shape, default=1) < 1 or math.prod(shape) > MAX_ELEMENTS:
        raise TraceError(
            f"a mask must have 1 to {MAX_ELEMENTS:,} elements, got {list(shape)}; give a density "
            f"in its place"
        )


def _unpacked(text: str, most: int) -> bytes:
    """The bits, never more than one byte beyond what the shape allows."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(text, validate=True), most + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise TraceError(
            f"the bits of a mask must be base64 of zlib, got {text[:20]!r}; write the trace again"
        ) from error


@lru_cache(maxsize=8)
def _table(mask: Mask) -> NDArray[np.int32]:
    rows, columns = as_matrix(mask.shape)
    found = np.zeros((rows + 1, columns + 1), dtype=np.int32)
    inside = found[1:, 1:]
    np.cumsum(mask.array().reshape(rows, columns), axis=0, out=inside)
    np.cumsum(inside, axis=1, out=inside)
    found.flags.writeable = False
    return found
