"""The link between a host and a memory that computes: a rate for each rank, energy by distance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from codesign import Link
from codesign.units import BytesPerSecond, Count, Seconds

from .places import FINE_GRAINED, Parts, Place, check_parts, way_to


@dataclass(frozen=True, kw_only=True)
class HostPim(Link):
    """Ranks side by side, filled and emptied by a host; both directions share them.

    Its energy is that of the way alone: the memory at its end is charged for its cells. With cells
    of 0.55 pJ/bit and a host at distance ``host`` a byte takes 3.59 pJ/bit in all.

    Attributes:
        rank_bandwidth: rate of one rank.
        ranks: that transfers are spread over.
        distance: where the other end is: ``bank``, ``bank_group``, ``buffer_die`` or ``host``.
        overhead: time of a command to start a transfer; each transfer pays it once.
        parts: energy per byte of each part of the way; fine-grained DRAM (O'Connor et al., MICRO
            2017), assumed for any.
    """

    kind: ClassVar[str] = "host_pim"

    rank_bandwidth: BytesPerSecond
    ranks: Count = 1
    distance: Place = "host"
    overhead: Seconds = 0.0
    parts: Parts = field(default_factory=lambda: dict(FINE_GRAINED))

    def check(self) -> None:
        """Every part of the way has an energy."""
        check_parts(self.name, self.parts)

    @property
    def bytes_per_s(self) -> int:
        """Rate of all ranks."""
        return round(self.rank_bandwidth * self.ranks)

    @property
    def setup_s(self) -> float:
        """Overhead of a transfer."""
        return self.overhead

    def energies_j(self) -> dict[str, float]:
        """Joules per byte of the way."""
        return {"move": way_to(self.distance, self.parts)}
