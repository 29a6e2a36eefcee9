"""Number formats: the bit is the unit of storage, so that int4 and block formats are exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from codesign.errors import TraceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N = TypeVar("N", int, "NDArray[np.int64]")
Kind = Literal["int", "uint", "fp", "bf", "bool"]
_NAME = re.compile(r"(int|uint|fp|bf|bool)(\d{1,3})?(?:\[(\d{1,5})x(\d{1,2})\])?$")


@dataclass(frozen=True, slots=True)
class DType:
    """A number format.

    Attributes:
        kind: family of the format: signed or unsigned integer, IEEE-like or brain float, boolean.
        bits: bits of one element, 1 to 128.
        block: elements that share one scale; 0 for none (MX formats use 32, NVFP4 16).
        scale_bits: bits of that shared scale.
    """

    kind: Kind
    bits: int
    block: int = 0
    scale_bits: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 128:
            raise TraceError(f"a dtype must have 1 to 128 bits, got {self.bits}")
        if (self.block == 0) != (self.scale_bits == 0) or self.block < 0 or self.scale_bits < 0:
            raise TraceError(
                f"block and scale_bits must both be set or both be 0, "
                f"got block={self.block}, scale_bits={self.scale_bits}"
            )

    @classmethod
    def parse(cls, name: str) -> DType:
        """Reads a name such as ``int8``, ``bf16``, ``bool`` or ``fp4[16x8]`` (block x scale bits).

        Raises:
            TraceError: the name is not of that form.
        """
        match = _NAME.match(name) if isinstance(name, str) else None
        if match is None or (match[2] is None and match[1] != "bool"):
            raise TraceError(f"unknown dtype {name!r}; write for example int8, bf16 or fp4[16x8]")
        kind: Kind = match[1]  # type: ignore[assignment]  # the pattern admits only the literals
        return cls(kind, int(match[2] or 8), int(match[3] or 0), int(match[4] or 0))

    @property
    def is_float(self) -> bool:
        """Whether the format is a floating-point one."""
        return self.kind in ("fp", "bf")

    def storage_bits(self, elements: N) -> N:
        """Bits that ``elements`` elements take in memory, shared scales included; vectorised."""
        scales = -(-elements // self.block) * self.scale_bits if self.block else 0
        return elements * self.bits + scales

    def storage_bytes(self, elements: N) -> N:
        """Whole bytes that ``elements`` elements take in memory; vectorised."""
        return -(-self.storage_bits(elements) // 8)

    def __str__(self) -> str:
        name = "bool" if (self.kind, self.bits) == ("bool", 8) else f"{self.kind}{self.bits}"
        return f"{name}[{self.block}x{self.scale_bits}]" if self.block else name
