"""A codec: the upper half of every number, and a bit that says how it was rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from codesign import DType, Sparsity, Stored, hookimpl
from codesign.workload.formats import Format


@dataclass(frozen=True, kw_only=True)
class Halves(Format):
    """Half of the bits of every element."""

    def stored(self, shape: tuple[int, ...], dtype: DType, sparsity: Sparsity | None) -> Stored:
        """Bits of values and of metadata that an element takes."""
        return Stored(self.name, Fraction(dtype.bits, 2), Fraction(1))


@hookimpl
def codesign_formats() -> Mapping[str, Format]:
    """The codec ``my_plugin``."""
    return {"my_plugin": Halves(name="my_plugin", description="upper halves, with a bit each")}
