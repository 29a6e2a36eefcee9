"""Machines of one memory whose fields may be estimates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic

from codesign import Hardware
from codesign.energy import EnergyTables
from codesign.hardware.component import Component, Memory, Service
from codesign.hardware.provenance import Provenance
from codesign.hardware.spec import read_hardware
from codesign.hardware.surroundings import Surroundings
from codesign.units import BytesPerSecond, Joules, JoulesPerByte, Seconds, Watts


@dataclass(frozen=True, kw_only=True)
class Mram(Memory):
    """A memory that somebody else wrote, without a thought of estimates."""

    kind: ClassVar[str] = "mram"

    energy: JoulesPerByte = 1e-12
    lookup: Joules = 1e-12
    delay: Seconds = 1e-9
    rate: BytesPerSecond = 1e9
    idle: Watts = 0.0

    def service(self, descriptors: object) -> Service:
        """One rate."""
        return Service(round(self.rate))


KINDS: dict[str, type[Component]] = {"mram": Mram, "systolic": Systolic, "sram": Sram}


def machine(*fields: str, tables: EnergyTables | None = None, kind: str = "mram") -> Hardware:
    """A machine whose memory has some fields, each on a line of its own from line 5 on."""
    lines = ["name: toy", "components:", "  store:", f"    kind: {kind}"]
    lines += [f"    {field}" for field in (*fields, "size: 1 MiB")]
    lines.append("  npu: {kind: systolic, buffer: store}")
    path = Path("toy.yaml")
    path.write_text("\n".join(lines) + "\n")
    around = Surroundings(tables=tables) if tables else None
    return read_hardware(path, KINDS, "toy.yaml", around)


def origin(hardware: Hardware, field: str, component: str = "store") -> Provenance:
    """Where a field comes from."""
    (row,) = (r for r in hardware.provenance if (r.component, r.field) == (component, field))
    return row
