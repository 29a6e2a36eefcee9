"""Off-chip DRAM, first version: a calibrated constant rate and a constant energy per bit.

The contract (``Memory.service``) is that of a memory with banks, refresh and power states; this
version answers it with one efficiency. A constant efficiency is known to miss accelerator streams
by about 37 % in the mean (against an exact bank model over 102 reference streams), so results
that use it say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from codesign import Component, Descriptor, Memory, Service, hookimpl
from codesign.units import BytesPerSecond, JoulesPerByte, Unit

Share = Annotated[float, Ge(1e-3), Le(1), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class Dram(Memory):
    """A DRAM channel, or several in lock step.

    Attributes:
        device: what the numbers describe, for people and reports.
        bandwidth: peak rate of all channels together.
        efficiency: share of the peak that streams reach, refresh and turnarounds included.
        energy: energy per byte read or written, core and I/O.
    """

    kind: ClassVar[str] = "dram"
    off_chip: ClassVar[bool] = True
    expected_error: ClassVar[str] = "constant DRAM rate: bandwidth off by 37 % in the mean"

    device: str
    bandwidth: BytesPerSecond
    efficiency: Share = 0.75
    energy: JoulesPerByte = 6.4e-11

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """The calibrated share of the peak, whatever the pattern."""
        return Service(round(self.bandwidth * self.efficiency))

    def energies_j(self) -> dict[str, float]:
        """Joules per byte read and written."""
        return {"read": self.energy, "write": self.energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``dram``."""
    return [Dram]
