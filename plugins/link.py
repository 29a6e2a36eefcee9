"""A bus between memories: a rate, one or two channels, a set-up time and an energy per byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from codesign import Component, Link, fields_only, hookimpl
from codesign.errors import HardwareError
from codesign.units import BytesPerSecond, Hertz, Joules, JoulesPerByte, Seconds


@fields_only
@dataclass(frozen=True, kw_only=True)
class Bus(Link):
    """A link that its transfers share equally (processor sharing).

    Attributes:
        bandwidth: rate of one channel.
        duplex: ``half``: both directions share the channel; ``full``: a channel each way.
        energy: energy per byte carried.
        setup: time from issuing a transfer to its first byte; each transfer pays it once.
        decode_rate: elements per second by codec that a decoder at the end of the link unpacks on
            the way to a buffer; the link carries what is packed. None by default.
        decode_energy: energy per element by codec, for each of them.
    """

    kind: ClassVar[str] = "link"

    bandwidth: BytesPerSecond = 32e9
    duplex: Literal["half", "full"] = "half"
    energy: JoulesPerByte = 0.0
    setup: Seconds = 32e-9
    decode_rate: Mapping[str, Hertz] = field(default_factory=dict)
    decode_energy: Mapping[str, Joules] = field(default_factory=dict)

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
        """Joules per byte carried, and per element decoded."""
        decoding = {f"decode {codec}": energy for codec, energy in self.decode_energy.items()}
        return {"move": self.energy} | decoding

    @property
    def decoders(self) -> Mapping[str, float]:
        """Elements per second of each codec."""
        return self.decode_rate

    def check(self) -> None:
        """Every codec has a rate above 0 and an energy.

        Raises:
            HardwareError: one of them is missing.
        """
        for codec in sorted({*self.decode_rate, *self.decode_energy}):
            if not self.decode_rate.get(codec) or codec not in self.decode_energy:
                raise HardwareError(
                    f"{self.name}: codec {codec!r} needs a rate above 0 in decode_rate and an "
                    "energy in decode_energy; give both, such as 16e9 and 0.1 pJ"
                )


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``link``."""
    return [Bus]
