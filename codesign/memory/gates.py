"""The timing rules of a device as one list: no command earlier than some clocks after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.memory import commands as c
from codesign.memory.device import CommandBus, Device


@dataclass(frozen=True, slots=True)
class Gate:
    """``after`` must not start earlier than ``clocks`` after ``before`` has started.

    Attributes:
        name: the JEDEC parameter.
        level: one of ``commands.LEVEL_NAMES`` as number: how near the two commands are.
        before: earlier command.
        after: later command.
        clocks: from start to start, corrected for commands that take more than one clock.
    """

    name: str
    level: int
    before: int
    after: int
    clocks: int


def gates(device: Device) -> tuple[Gate, ...]:
    """All gates of a device but the four-activate window, which counts commands.

    JEDEC counts from the last clock of a command: a longer earlier command adds its other clocks,
    a longer later one takes its own off. Gates that a rank's other half cannot see, such as those
    of another data bus, are left out.
    """
    nominal = (*_bank(device), *_group(device), *_rank(device), *_siblings(device))
    extra = [slots - 1 for slots in slots_of(device.bus)]
    return tuple(
        Gate(g.name, g.level, g.before, g.after, g.clocks + extra[g.before] - extra[g.after])
        for g in nominal
    )


def gate_table(device: Device) -> NDArray[np.int64]:
    """``gates`` for the hot loop: a row for each level and earlier command.

    A row holds the number of its gates, then the later command and the clocks of each.
    """
    longest: dict[tuple[int, int], dict[int, int]] = {}
    for gate in gates(device):
        row = longest.setdefault((gate.level, gate.before), {})
        row[gate.after] = max(row.get(gate.after, c.NO_GATE), gate.clocks)
    table = np.zeros((c.LEVELS * c.COMMANDS, 1 + 2 * c.COMMANDS), dtype=np.int64)
    for (level, before), row in longest.items():
        numbers = [number for pair in row.items() for number in pair]
        table[level * c.COMMANDS + before, : 1 + len(numbers)] = [len(row), *numbers]
    return table


def slots_of(bus: CommandBus) -> tuple[int, ...]:
    """Clocks that each command occupies its bus, by number of the command."""
    row, column = bus.precharge, bus.column
    return (bus.activate, row, column, column, row, row, row, 1, 1)


def _bank(device: Device) -> Iterator[Gate]:
    t = device.timings
    yield Gate("tRCDRD", c.BANK, c.ACT, c.RD, t.trcd_read)
    yield Gate("tRCDWR", c.BANK, c.ACT, c.WR, t.trcd_write)
    yield Gate("tRAS", c.BANK, c.ACT, c.PRE, t.tras)
    yield Gate("tRC", c.BANK, c.ACT, c.ACT, t.trc)
    yield Gate("tRP", c.BANK, c.PRE, c.ACT, t.trp)
    yield Gate("tRTP", c.BANK, c.RD, c.PRE, t.trtp)
    yield Gate("tWR", c.BANK, c.WR, c.PRE, t.cwl + t.burst + t.twr)
    yield Gate("tRP", c.BANK, c.PRE, c.REFB, t.trp)
    yield Gate("tRFCpb", c.BANK, c.REFB, c.ACT, t.trfc_bank)


def _group(device: Device) -> Iterator[Gate]:
    t = device.timings
    written = t.cwl + (t.burst_long or t.burst)
    yield Gate("tCCD_L", c.GROUP, c.RD, c.RD, max(t.burst, t.tccd_l))
    yield Gate("tCCD_L_WR", c.GROUP, c.WR, c.WR, max(t.burst, t.tccd_l_write or t.tccd_l))
    yield Gate("tWTR_L", c.GROUP, c.WR, c.RD, written + t.twtr_l)
    yield Gate("tRRD_L", c.GROUP, c.ACT, c.ACT, t.trrd_l)


def _rank(device: Device) -> Iterator[Gate]:
    t = device.timings
    yield Gate("tCCD_S", c.RANK, c.RD, c.RD, max(t.burst, t.tccd_s))
    yield Gate("tCCD_S_WR", c.RANK, c.WR, c.WR, max(t.burst, t.tccd_s_write or t.tccd_s))
    yield Gate("tWTR_S", c.RANK, c.WR, c.RD, t.cwl + t.burst + t.twtr_s)
    yield Gate("tRTW", c.RANK, c.RD, c.WR, t.trtw)
    yield Gate("tRRD_S", c.RANK, c.ACT, c.ACT, t.trrd_s)
    if t.tppd:
        for before in (c.PRE, c.PREA):
            for after in (c.PRE, c.PREA):
                yield Gate("tPPD", c.RANK, before, after, t.tppd)
    yield Gate("tRAS", c.RANK, c.ACT, c.PREA, t.tras)
    yield Gate("tRTP", c.RANK, c.RD, c.PREA, t.trtp)
    yield Gate("tWR", c.RANK, c.WR, c.PREA, t.cwl + t.burst + t.twr)
    yield Gate("tRPab", c.RANK, c.PREA, c.ACT, t.trp_all or t.trp)
    yield from _refresh(device)


def _refresh(device: Device) -> Iterator[Gate]:
    t = device.timings
    yield Gate("tRC", c.RANK, c.ACT, c.REF, t.trc)
    yield Gate("tRP", c.RANK, c.PRE, c.REF, t.trp)
    yield Gate("tRP", c.RANK, c.PREA, c.REF, t.trp)
    for after in (c.ACT, c.PREA, c.REF):
        yield Gate("tRFC", c.RANK, c.REF, after, t.trfc)
    yield Gate("tRREFD", c.RANK, c.REFB, c.ACT, t.trrefd)
    yield Gate("tRREFD", c.RANK, c.REFB, c.REFB, t.trrefd)
    yield Gate("tRRD_S", c.RANK, c.ACT, c.REFB, t.trrd_s)


def _siblings(device: Device) -> Iterator[Gate]:
    """Ranks share the data bus: a burst of one keeps the others off it."""
    t = device.timings
    turn = t.burst + t.trtrs
    yield Gate("tRTRS", c.SIBLING, c.RD, c.RD, turn)
    yield Gate("tRTRS", c.SIBLING, c.RD, c.WR, t.cl + turn - t.cwl)
    yield Gate("tRTRS", c.SIBLING, c.WR, c.RD, t.cwl + turn - t.cl)
    yield Gate("BL", c.SIBLING, c.WR, c.WR, t.burst)
