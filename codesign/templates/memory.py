"""A memory whose writes are slower and dearer than its reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from codesign import Component, Descriptor, Memory, Service, hookimpl
from codesign.units import BytesPerSecond, JoulesPerByte


@dataclass(frozen=True, kw_only=True)
class MyPlugin(Memory):
    """A memory with two rates.

    Attributes:
        read_rate: rate while nothing is written.
        write_rate: rate as soon as something is.
        read_energy: energy per byte read; assumed.
        write_energy: energy per byte written; assumed.
    """

    kind: ClassVar[str] = "my_plugin"

    read_rate: BytesPerSecond = 64e9
    write_rate: BytesPerSecond = 4e9
    read_energy: JoulesPerByte = 2e-12
    write_energy: JoulesPerByte = 20e-12

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """The joint rate of transfers that are active together."""
        is_written = any(descriptor.direction == "write" for descriptor in descriptors)
        return Service(round(self.write_rate if is_written else self.read_rate))

    def energies_j(self) -> Mapping[str, float]:
        """Joules per byte."""
        return {"read": self.read_energy, "write": self.write_energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``my_plugin``."""
    return [MyPlugin]
