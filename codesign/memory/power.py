"""What a DRAM costs: joules of each command, watts of each power state.

All devices behind a data bus work in lock step, and each command costs what its current adds to the
background over the time that the standard's current loops run (Micron TN-46-03; JESD79-4, IDD
definitions).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING

from codesign.units import PS_PER_S

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


def refresh_watts(device: Device, state: str) -> float:
    """Watts of the refreshes of the whole memory beyond the power of the state they come in.

    A rank needs one refresh of all its banks, or one of each, in every tREFI. A refresh is priced
    beyond standby with open rows (IDD5 - IDD3N) and lifts a lower state to that standby for its
    length, so that the rails take IDD5 whatever the state. None in self-refresh, whose power has
    them in it, and none where the controller never refreshes.

    Args:
        device: with its rails; without any, refreshes cost nothing.
        state: a name of ``StateWatts``.
    """
    watts, joules, t = state_watts(device), command_joules(device), device.timings
    per_bank = device.controller.refresh == "per_bank"
    each, length = (joules.refresh_bank, t.trfc_bank) if per_bank else (joules.refresh, t.trfc)
    lift: float = (watts.active - getattr(watts, state)) * length * t.tck_ps / PS_PER_S
    return float(_refreshes(device, state, PS_PER_S)) * (each + lift)


def background(device: Device, ticks: Mapping[str, int]) -> dict[str, tuple[int, float]]:
    """What time costs a whole memory whatever moves: power times time, and the refreshes.

    Args:
        device: with its rails; without any, nothing costs energy.
        ticks: in each power state, by the names of ``StateWatts``.

    Returns:
        Ticks and joules by state in the order given, and number and joules of ``refresh``.
    """
    watts = memory_watts(device)
    spent = {
        state: (time, getattr(watts, state) * time / PS_PER_S) for state, time in ticks.items()
    }
    number = sum((_refreshes(device, *one) for one in ticks.items()), Fraction())
    joules = math.fsum(refresh_watts(device, s) * time / PS_PER_S for s, time in ticks.items())
    return spent | {"refresh": (round(number), joules)}


def _refreshes(device: Device, state: str, ticks: int) -> Fraction:
    """Refresh commands that fall due in some time in a state, over all ranks."""
    refresh, organisation, t = device.controller.refresh, device.organisation, device.timings
    if state == "self_refresh" or refresh == "none":
        return Fraction()
    ranks = organisation.channels * organisation.channel_ranks
    each = organisation.rank_banks if refresh == "per_bank" else 1
    return Fraction(ranks * each * ticks, t.trefi * t.tck_ps)


def _cycle(rail: Rail, device: Device) -> float:
    """Ampere clocks of a row cycle beyond the background."""
    t = device.timings
    return rail.idd0 * t.trc - rail.idd3n * t.tras - rail.idd2n * (t.trc - t.tras)
