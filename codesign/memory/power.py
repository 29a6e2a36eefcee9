"""What a DRAM costs: joules of each command, watts of each power state.

All devices behind a data bus work in lock step, and each command costs what its current adds to the
background over the time that the standard's current loops run (Micron TN-46-03; JESD79-4, IDD
definitions).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codesign.memory.device import Device, Rail


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandJoules:
    """Joules of one command over all rails and all devices behind a data bus.

    Attributes:
        activate: opening a row and closing it.
        read: a burst, without I/O.
        write: a burst, without I/O.
        refresh: of all banks of a rank.
        refresh_bank: of one bank.
        io: I/O, termination and PHY of a burst; 0 in a core-only model.
    """

    activate: float
    read: float
    write: float
    refresh: float
    refresh_bank: float
    io: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateWatts:
    """Watts in each power state, over all rails.

    Attributes:
        active: a bank open.
        precharged: all banks closed.
        active_power_down: a bank open, clock off.
        power_down: all banks closed, clock off.
        self_refresh: the device refreshes itself.
    """

    active: float
    precharged: float
    active_power_down: float
    power_down: float
    self_refresh: float


def command_joules(device: Device) -> CommandJoules:
    """Joules of one command.

    Args:
        device: with its rails; without any, only I/O costs energy.
    """
    t = device.timings
    per_clock = device.organisation.devices * t.tck_ps * 1e-12

    def total(*amperes_by_rail: float) -> float:
        return per_clock * sum(amperes_by_rail)

    rails = [rail for _, rail in device.rails]
    return CommandJoules(
        activate=total(*(r.voltage * _cycle(r, device) for r in rails)),
        read=total(*(r.voltage * (r.idd4r - r.idd3n) * t.burst for r in rails)),
        write=total(*(r.voltage * (r.idd4w - r.idd3n) * t.burst for r in rails)),
        refresh=total(*(r.voltage * (r.idd5 - r.idd3n) * t.trfc for r in rails)),
        refresh_bank=total(*(r.voltage * (r.idd5_bank - r.idd3n) * t.trfc_bank for r in rails)),
        io=device.io_j_per_bit * 8 * device.organisation.transaction_bytes,
    )


def state_watts(device: Device) -> StateWatts:
    """Watts of one rank: of all its devices.

    Args:
        device: with its rails; without any, nothing flows.
    """
    devices = device.organisation.devices
    rails = [rail for _, rail in device.rails]
    return StateWatts(
        active=devices * sum(r.voltage * r.idd3n for r in rails),
        precharged=devices * sum(r.voltage * r.idd2n for r in rails),
        active_power_down=devices * sum(r.voltage * r.idd3p for r in rails),
        power_down=devices * sum(r.voltage * r.idd2p for r in rails),
        self_refresh=devices * sum(r.voltage * r.idd6 for r in rails),
    )


def memory_watts(device: Device) -> StateWatts:
    """Watts of the whole memory while all ranks of all channels are in one state."""
    rank, ranks = state_watts(device), device.organisation.channels
    ranks *= device.organisation.channel_ranks
    return StateWatts(**{f.name: ranks * getattr(rank, f.name) for f in fields(StateWatts)})


def refresh_watts(device: Device) -> float:
    """Watts of the refreshes of the whole memory, beyond the background, while it is awake.

    A rank needs one refresh of all its banks, or one of each, in every tREFI; where the controller
    never refreshes, nothing.
    """
    t, organisation = device.timings, device.organisation
    joules = command_joules(device)
    each = {
        "all_bank": joules.refresh,
        "per_bank": joules.refresh_bank * organisation.rank_banks,
        "none": 0.0,
    }[device.controller.refresh]
    ranks = organisation.channels * organisation.channel_ranks
    return ranks * each / (t.trefi * t.tck_ps * 1e-12)


def _cycle(rail: Rail, device: Device) -> float:
    """Ampere clocks of a row cycle beyond the background."""
    t = device.timings
    return rail.idd0 * t.trc - rail.idd3n * t.tras - rail.idd2n * (t.trc - t.tras)
