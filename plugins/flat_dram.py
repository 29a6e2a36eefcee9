"""Off-chip DRAM as a flat rate and a flat energy per byte: a number from a table and its source.

It has no banks, no refresh and no power states: kind ``dram`` has. A constant efficiency misses
accelerator streams by about 37 % in the mean (against an exact bank model over 102 reference
streams), so results that use it say so.

A device moves whole bursts. Rows are taken to begin at the start of one (an allocator can see to
that), so a row of b bytes moves ``ceil(b / burst) * burst``; the next row shares none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from codesign import Component, Descriptor, Memory, Service, fields_only, hookimpl
from codesign.units import Bytes, BytesPerSecond, JoulesPerByte, Unit

Share = Annotated[float, Ge(1e-3), Le(1), Unit("1")]


@fields_only
@dataclass(frozen=True, kw_only=True)
class FlatDram(Memory):
    """A DRAM channel, or several in lock step.

    Attributes:
        device: what the numbers describe, for people and reports.
        bandwidth: peak rate of all channels together.
        efficiency: share of the peak that streams reach, refresh and turnarounds included.
        energy: energy per byte read or written, core and I/O; assumed.
        write_energy: energy per byte written where it differs from that of reading.
        burst: bytes of a burst, bus width times burst length; 1 rounds nothing up.
    """

    kind: ClassVar[str] = "flat_dram"
    off_chip: ClassVar[bool] = True
    expected_error: ClassVar[str] = "constant DRAM rate: bandwidth off by 37 % in the mean"

    device: str
    bandwidth: BytesPerSecond
    efficiency: Share = 0.75
    energy: JoulesPerByte = 6.4e-11
    write_energy: JoulesPerByte | None = None
    burst: Bytes = 1

    def served_bytes(self, descriptor: Descriptor) -> int:
        """Whole bursts of every row."""
        return -(-descriptor.row_bytes // self.burst) * self.burst * descriptor.rows

    def classify(self, descriptor: Descriptor) -> tuple[str, Fraction]:
        """Direction, and bytes moved for each byte asked for."""
        return descriptor.direction, self._overhead(descriptor)

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """The calibrated share of the peak, less what the ends of bursts take from it.

        Transfers get equal rates r: theirs of the bus is r times the bytes moved for a byte asked.
        """
        rate = round(self.bandwidth * self.efficiency)
        moved = sum(self._overhead(descriptor) for descriptor in descriptors)
        return Service(max(1, int(rate * len(descriptors) / moved)) if moved else rate)

    def _overhead(self, descriptor: Descriptor) -> Fraction:
        """Bytes moved for each byte asked for, at least 1."""
        asked = descriptor.bytes
        return Fraction(self.served_bytes(descriptor), asked) if asked else Fraction(1)

    def energies_j(self) -> dict[str, float]:
        """Joules per byte read and written."""
        write = self.energy if self.write_energy is None else self.write_energy
        return {"read": self.energy, "write": write}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``flat_dram``."""
    return [FlatDram]
