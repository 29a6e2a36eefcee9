"""On-chip SRAM: a capacity, a port rate and sourced energies per byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from codesign import Component, Descriptor, Memory, Service, fields_only, hookimpl
from codesign.energy import Nanometres, Query, Volts
from codesign.errors import HardwareError
from codesign.units import BytesPerSecond, Count, JoulesPerByte


@fields_only
@dataclass(frozen=True, kw_only=True)
class Sram(Memory):
    """A scratchpad with a port for transfers and a port for each engine that works out of it.

    With a node, the energies and the leakage that a file leaves out follow from size, width, banks
    and voltage by the energy tables, and follow again when one of them is changed.

    Attributes:
        bandwidth: rate of each port, reads and writes together.
        read_energy: energy per byte read; CACTI 7 (TACO 2017), 1 MiB at 22 nm.
        write_energy: energy per byte written; never assumed equal to reading (CACTI 7 gives a
            ratio of 0.68 to 1.03).
        node: technology node; without one the energies are as given.
        voltage: supply voltage; that of the tables if not given. Leakage does not follow it.
        width: bits of one access, 64 if not given.
        banks: equal banks that share the size, one if not given.
    """

    kind: ClassVar[str] = "sram"

    bandwidth: BytesPerSecond = 128e9
    read_energy: JoulesPerByte = 1.829e-12
    write_energy: JoulesPerByte = 1.5e-12
    node: Nanometres | None = None
    voltage: Volts | None = None
    width: Count | None = None
    banks: Count | None = None

    def check(self) -> None:
        """What only the energy tables use needs a node, or it would do nothing."""
        for name in ("voltage", "width", "banks") if self.node is None else ():
            if getattr(self, name) is not None:
                raise HardwareError(
                    f"{self.name}.{name} needs a node that energies follow from; "
                    "add for example 'node: 22 nm'"
                )

    def estimates(self) -> Mapping[str, Query]:
        """Energies and leakage follow from the node, if there is one."""
        if self.node is None:
            return {}
        read = Query(
            "sram",
            "read",
            node_nm=self.node,
            voltage_v=self.voltage,
            size_bytes=self.size,
            width_bits=self.width,
            banks=self.banks or 1,
        )
        return {
            "read_energy": read,
            "write_energy": replace(read, action="write"),
            "leakage": replace(read, voltage_v=None),
        }

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
