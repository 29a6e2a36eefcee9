"""What every compute-in-memory macro answers, of whatever cells it is made."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import HardwareError

Array: TypeAlias = float | NDArray[Any]
"""A number, or one for each of many designs or tiles; all arrays of one call broadcast."""


class Physics(Protocol):
    """What one macro does in one macro cycle, and what that costs.

    Every field of a macro may be an array with one entry per design.
    """

    @property
    def rows(self) -> Array:
        """Inputs of a matrix-vector product."""

    @property
    def columns(self) -> Array:
        """Outputs of a matrix-vector product: weights along a row."""

    @property
    def activation_bits(self) -> Array:
        """Widest activation that it takes."""

    @property
    def weight_bits(self) -> Array:
        """Widest weight that it holds."""

    @property
    def clock_s(self) -> Array:
        """Seconds of one macro cycle."""

    def passes(self, activation_bits: int) -> Array:
        """Macro cycles of one matrix-vector product of one weight tile."""

    def counts(
        self, rows: Array, columns: Array, activation_bits: int, weight_bits: int
    ) -> dict[str, Array]:
        """How often each action happens in one matrix-vector product, all its passes together.

        Args:
            rows: inputs that the weight tile uses, at most those of the macro.
            columns: outputs that it uses.
            activation_bits: bits of an activation.
            weight_bits: bits of a weight.
        """

    def prices(self) -> dict[str, Array]:
        """Joules of one of each action; every action of ``counts`` is there."""

    def area(self) -> dict[str, Array]:
        """Square metres of one macro by component."""


def require(holds: Array | bool, rule: str, value: object) -> None:
    """Refuses a macro that breaks a rule.

    Args:
        holds: whether the rule holds, in every design.
        rule: what must hold, and what to do.
        value: what was given.

    Raises:
        HardwareError: it does not hold.
    """
    if not np.all(holds):
        raise HardwareError(f"{rule}, got {' '.join(str(value).split())}")


def nonzero(counts: dict[str, Array]) -> dict[str, Array]:
    """The actions that happen at all, in any design."""
    return {action: count for action, count in counts.items() if np.any(count)}
