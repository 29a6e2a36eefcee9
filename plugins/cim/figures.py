"""Peak throughput and efficiency of macros, with what they count said beside them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from codesign.errors import HardwareError, did_you_mean

from .physics import Array, Physics


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Figures of macros whose every row and column is in use; no weight is written.

    Attributes:
        ops_per_s: operations per second.
        joules_per_mac: of the actions that are counted.
        ops_per_mac: operations that a multiply-accumulate counts as.
        actions: that the energy counts.
    """

    ops_per_s: Array
    joules_per_mac: Array
    ops_per_mac: int
    actions: tuple[str, ...]

    @property
    def ops_per_joule(self) -> Array:
        """Operations per joule; operations per second and watt are the same."""
        return self.ops_per_mac / self.joules_per_mac

    @property
    def boundary(self) -> str:
        """What the efficiency counts, in words; to be printed beside it."""
        ops = "operation" if self.ops_per_mac == 1 else "operations"
        return f"{' + '.join(self.actions)}; {self.ops_per_mac} {ops} per MAC"


def peak(
    physics: Physics,
    activation_bits: int,
    weight_bits: int,
    *,
    macros: int = 1,
    ops_per_mac: int = 2,
    actions: Collection[str] | None = None,
) -> Peak:
    """Throughput and efficiency at full use.

    Args:
        physics: of one macro.
        activation_bits: bits of an activation.
        weight_bits: bits of a weight.
        macros: that work side by side.
        ops_per_mac: 2 as most publications count, 1 where one counts multiply-accumulates.
        actions: that the energy counts; all by default. A publication that leaves out a datapath
            is met by leaving out its actions.

    Raises:
        HardwareError: the macro does no action of such a name.
    """
    counts = physics.counts(physics.rows, physics.columns, activation_bits, weight_bits)
    counted = tuple(counts) if actions is None else tuple(actions)
    for action in counted:
        if action not in counts:
            raise HardwareError(f"unknown action {action!r}{did_you_mean(action, counts)}")
    prices, macs = physics.prices(), physics.rows * physics.columns
    joules = sum((counts[action] * prices[action] for action in counted), 0.0)
    seconds = physics.passes(activation_bits) * physics.clock_s
    return Peak(
        ops_per_s=ops_per_mac * macros * macs / seconds,
        joules_per_mac=joules / macs,
        ops_per_mac=ops_per_mac,
        actions=counted,
    )
