"""The kind ``cim_digital_sram``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from codesign import Op
from codesign.units import Joules
from codesign.workload.work import format_pair

from .sram_digital import DigitalSram
from .sram_engine import SramMacros


@dataclass(frozen=True, kw_only=True)
class CimDigitalSram(SramMacros):
    """Digital macros: a gate at every cell and an adder tree below every column.

    Energy, delay and area follow from gate counts (Houshmand et al., JSSC 2023; zigzag-dse 3.9.1),
    unless the chip's energy per multiply-accumulate is given.

    Attributes:
        booth: activations are recoded to radix 4, so that two of their bits make one product.
        mac_energy: energy of one multiply-accumulate by operand formats, all its passes, for chips
            that are known so and not by their parts; formats without an entry are then refused.
    """

    kind: ClassVar[str] = "cim_digital_sram"

    booth: bool = False
    mac_energy: Mapping[str, Joules] = field(default_factory=dict)

    @cached_property
    def physics(self) -> DigitalSram:
        """One macro."""
        return DigitalSram(**self.shared(), booth=self.booth)

    def mac_energies_j(self) -> Mapping[str, float]:
        """The table of the file."""
        return self.mac_energy

    def has_no_energy(self, op: Op) -> str | None:
        """Formats must be in ``mac_energy`` if it has any."""
        formats = format_pair(op)
        if self.mac_energy and formats not in self.mac_energy:
            return f"no energy for {formats}; mac_energy has {', '.join(sorted(self.mac_energy))}"
        return None
