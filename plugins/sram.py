"""On-chip SRAM: a capacity, a port rate and sourced energies per byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from codesign import Component, Descriptor, Memory, Service, hookimpl
from codesign.units import BytesPerSecond, JoulesPerByte


@dataclass(frozen=True, kw_only=True)
class Sram(Memory):
    """A scratchpad with a port for transfers and a port for each engine that works out of it.

    Attributes:
        bandwidth: rate of each port, reads and writes together.
        read_energy: energy per byte read.
        write_energy: energy per byte written; never assumed equal to reading (CACTI 7 gives a
            ratio of 0.68 to 1.03).
    """

    kind: ClassVar[str] = "sram"

    bandwidth: BytesPerSecond = 128e9
    read_energy: JoulesPerByte = 1.829e-12
    write_energy: JoulesPerByte = 1.5e-12

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """The port rate, whatever the pattern."""
        return Service(round(self.bandwidth))

    def energies_j(self) -> dict[str, float]:
        """Joules per byte read and written."""
        return {"read": self.read_energy, "write": self.write_energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``sram``."""
    return [Sram]
