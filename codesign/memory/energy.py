"""Energy of a run from its counts and power states: a pure function, in joules.

What a command costs and what flows in a state is in ``power``. V x A x clocks is no energy: every
term has the clock's length in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from codesign.memory.counts import Counts
from codesign.memory.device import Device
from codesign.memory.power import command_joules, state_watts


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
    joules, watts = command_joules(device), state_watts(device)
    clock_s = device.timings.tck_ps * 1e-12
    return Energy(
        activate_j=joules.activate * counts.activates,
        read_j=joules.read * counts.reads,
        write_j=joules.write * counts.writes,
        refresh_j=joules.refresh * counts.refreshes + joules.refresh_bank * counts.refreshes_bank,
        active_j=watts.active * clock_s * counts.active_clocks,
        precharged_j=watts.precharged * clock_s * counts.precharged_clocks,
        io_j=joules.io * (counts.reads + counts.writes),
    )
