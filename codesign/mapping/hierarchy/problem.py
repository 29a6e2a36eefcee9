"""One operator under one spread."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.mapping.hierarchy.spec import RESULT, Array, Spread, steps
from codesign.mapping.hierarchy.states import States

Bits = tuple[int, int, int]
"""Bits of an element of each operand; of the result where it is complete."""


@dataclass(frozen=True)
class Problem:
    """One operator under one spread.

    Attributes:
        states: of its classes.
        array: that runs it.
        spread: what runs side by side.
        bits: of its operands.
        resident: operands that lie in their stages already.
    """

    states: States
    array: Array
    spread: Spread
    bits: Bits
    resident: frozenset[int] = frozenset()

    def width(self, operand: int) -> int:
        """Bits of an element in the array: of the result a partial sum."""
        return self.array.sum_bits if operand == RESULT else self.bits[operand]

    @property
    def fused_bits(self) -> int:
        """Most bits that fused inputs take for each element of the result."""
        return sum(access.tensor.dtype.bits for access in self.states.op.inputs[RESULT:])

    def beside(self, axes: tuple[int, ...] | None = None) -> list[int]:
        """Steps of each loop side by side along some axes."""
        return steps(self.spread, len(self.states.op.loops.dims), axes)
