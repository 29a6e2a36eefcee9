"""A link of several lanes between memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from codesign import Component, Link, hookimpl
from codesign.units import BytesPerSecond, Count, JoulesPerByte, Seconds


@dataclass(frozen=True, kw_only=True)
class MyPlugin(Link):
    """Lanes that carry one transfer together.

    Attributes:
        lanes: how many.
        lane_rate: rate of one of them.
        setup: time from issuing a transfer to its first byte.
        energy: energy per byte carried; assumed.
    """

    kind: ClassVar[str] = "my_plugin"

    lanes: Count = 4
    lane_rate: BytesPerSecond = 2e9
    setup: Seconds = 50e-9
    energy: JoulesPerByte = 5e-12

    @property
    def bytes_per_s(self) -> int:
        """Rate of all lanes."""
        return round(self.lanes * self.lane_rate)

    @property
    def setup_s(self) -> float:
        """Set-up time of a transfer."""
        return self.setup

    def energies_j(self) -> Mapping[str, float]:
        """Joules per byte carried."""
        return {"move": self.energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``my_plugin``."""
    return [MyPlugin]
