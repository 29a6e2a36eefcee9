"""The cells of a macro as a memory: weights are loaded into them and stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from codesign import Descriptor, Memory, Service
from codesign.units import BytesPerSecond, JoulesPerByte, Unit


@dataclass(frozen=True, kw_only=True)
class Cells(Memory):
    """Weight cells of all macros of an engine, which brings them.

    Reading them is a part of every product and charged there: nobody else reads them.

    Attributes:
        bandwidth: rate at which all write ports together take weights.
        write_energy: joules per byte written.
        writes: how often a cell can be written; None for SRAM, which does not wear.
    """

    kind: ClassVar[str] = "cim_cells"

    bandwidth: BytesPerSecond
    write_energy: JoulesPerByte
    writes: Annotated[float, Unit("1")] | None = None

    @property
    def endurance(self) -> float | None:
        """Writes that a cell lasts."""
        return self.writes

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """The rate of the write ports."""
        return Service(max(1, int(self.bandwidth)))

    def energies_j(self) -> Mapping[str, float]:
        """Joules per byte written; reading is a part of every product."""
        return {"read": 0.0, "write": self.write_energy}
