"""Energy of a run from its counts and power states: a pure function, in joules.

Each command costs what its current adds to the background, over the time that the standard's
current loops run (Micron TN-46-03; JESD79-4, IDD definitions). All devices behind a data bus work
in lock step. V x A x clocks is no energy: every term has the clock's length in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from codesign.memory.counts import Counts
from codesign.memory.device import Device, Rail


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Joules of a run by cause.

    Attributes:
        activate_j: opening and closing rows.
        read_j: reads.
        write_j: writes.
        refresh_j: refreshes.
        active_j: background with a bank open.
        precharged_j: background with all banks closed.
        io_j: I/O, termination and PHY; 0 in a core-only model.
    """

    activate_j: float
    read_j: float
    write_j: float
    refresh_j: float
    active_j: float
    precharged_j: float
    io_j: float

    @property
    def total_j(self) -> float:
        """Sum of the parts."""
        return (
            self.activate_j
            + self.read_j
            + self.write_j
            + self.refresh_j
            + self.active_j
            + self.precharged_j
            + self.io_j
        )


def energy(device: Device, counts: Counts) -> Energy:
    """Joules of a run over all rails.

    Args:
        device: with its rails; without any, only I/O costs energy.
        counts: of a run on it.
    """
    parts = [_rail_energy(device, rail, counts) for _, rail in device.rails]
    sums = [sum(column) for column in zip(*parts, strict=True)] if parts else [0.0] * 6
    bits = 8 * (counts.reads + counts.writes) * device.organisation.transaction_bytes
    return Energy(
        activate_j=sums[0],
        read_j=sums[1],
        write_j=sums[2],
        refresh_j=sums[3],
        active_j=sums[4],
        precharged_j=sums[5],
        io_j=device.io_j_per_bit * bits,
    )


def _rail_energy(device: Device, rail: Rail, counts: Counts) -> tuple[float, ...]:
    t = device.timings
    per_clock = device.organisation.devices * rail.voltage * t.tck_ps * 1e-12
    cycle = rail.idd0 * t.trc - rail.idd3n * t.tras - rail.idd2n * (t.trc - t.tras)
    refresh = (rail.idd5 - rail.idd3n) * t.trfc * counts.refreshes
    bank_refresh = (rail.idd5_bank - rail.idd3n) * t.trfc_bank * counts.refreshes_bank
    return (
        per_clock * cycle * counts.activates,
        per_clock * (rail.idd4r - rail.idd3n) * t.burst * counts.reads,
        per_clock * (rail.idd4w - rail.idd3n) * t.burst * counts.writes,
        per_clock * (refresh + bank_refresh),
        per_clock * rail.idd3n * counts.active_clocks,
        per_clock * rail.idd2n * counts.precharged_clocks,
    )
