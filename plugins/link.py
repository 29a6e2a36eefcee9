"""A bus between memories: a rate, one or two channels, a set-up time and an energy per byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from codesign import Component, Link, hookimpl
from codesign.units import BytesPerSecond, JoulesPerByte, Seconds


@dataclass(frozen=True, kw_only=True)
class Bus(Link):
    """A link that its transfers share equally (processor sharing).

    Attributes:
        bandwidth: rate of one channel.
        duplex: ``half``: both directions share the channel; ``full``: a channel each way.
        energy: energy per byte carried.
        setup: time from issuing a transfer to its first byte; each transfer pays it once.
    """

    kind: ClassVar[str] = "link"

    bandwidth: BytesPerSecond = 32e9
    duplex: Literal["half", "full"] = "half"
    energy: JoulesPerByte = 0.0
    setup: Seconds = 32e-9

    @property
    def separate(self) -> bool:
        """Whether reads and writes have a channel each."""
        return self.duplex == "full"

    @property
    def bytes_per_s(self) -> int:
        """Rate of one channel."""
        return round(self.bandwidth)

    @property
    def setup_s(self) -> float:
        """Set-up time of a transfer."""
        return self.setup

    def energies_j(self) -> dict[str, float]:
        """Joules per byte carried."""
        return {"move": self.energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``link``."""
    return [Bus]
