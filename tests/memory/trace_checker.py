"""Checks a command log against the standard's rules, in plain Python and on its own terms.

It knows nothing of the kernel's tables: the rules are written out here once more, and the state is
the list of all commands so far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.memory.commands import COMMAND_NAMES
from codesign.memory.device import Device


@dataclass(frozen=True)
class Command:
    """One line of a log, with the places that it works on."""

    clock: int
    name: str
    bank: int
    group: int
    rank: int
    row: int
    request: int


@dataclass(frozen=True)
class Slack:
    """Clocks by which a command came later than a rule asks for."""

    rule: str
    clocks: int
    command: Command


Rule = tuple[str, str, str, str, int]


def rules(device: Device) -> Iterator[Rule]:
    """Name, earlier and later command, reach, and clocks from last to last clock of the two."""
    t = device.timings
    write_end = t.cwl + t.burst
    write_long = t.cwl + (t.burst_long or t.burst)
    yield "tRCDRD", "ACT", "RD", "bank", t.trcd_read
    yield "tRCDWR", "ACT", "WR", "bank", t.trcd_write
    yield "tRC", "ACT", "ACT", "bank", t.trc
    yield "tCCD_S", "RD", "RD", "rank", max(t.tccd_s, t.burst)
    yield "tCCD_L", "RD", "RD", "group", max(t.tccd_l, t.burst)
    yield "tCCD_S_WR", "WR", "WR", "rank", max(t.tccd_s_write or t.tccd_s, t.burst)
    yield "tCCD_L_WR", "WR", "WR", "group", max(t.tccd_l_write or t.tccd_l, t.burst)
    yield "tWTR_S", "WR", "RD", "rank", write_end + t.twtr_s
    yield "tWTR_L", "WR", "RD", "group", write_long + t.twtr_l
    yield "tRTW", "RD", "WR", "rank", t.trtw
    yield "tRRD_S", "ACT", "ACT", "rank", t.trrd_s
    yield "tRRD_L", "ACT", "ACT", "group", t.trrd_l
    for close, reach in (("PRE", "bank"), ("PREA", "rank")):
        yield f"tRAS {close}", "ACT", close, reach, t.tras
        yield f"tRTP {close}", "RD", close, reach, t.trtp
        yield f"tWR {close}", "WR", close, reach, write_end + t.twr
    yield "tRP", "PRE", "ACT", "bank", t.trp
    yield "tRPab", "PREA", "ACT", "rank", t.trp_all or t.trp
    yield "tRP REF", "PRE", "REF", "rank", t.trp
    yield "tRP REF", "PREA", "REF", "rank", t.trp
    yield "tRP REFB", "PRE", "REFB", "bank", t.trp
    yield "tRC REF", "ACT", "REF", "rank", t.trc
    yield "tRRD_S REFB", "ACT", "REFB", "rank", t.trrd_s
    yield "tRFC", "REF", "ACT", "rank", t.trfc
    yield "tRFC PREA", "REF", "PREA", "rank", t.trfc
    yield "tRFC", "REF", "REF", "rank", t.trfc
    yield "tRFCpb", "REFB", "ACT", "bank", t.trfc_bank
    yield "tRREFD", "REFB", "ACT", "rank", t.trrefd
    yield "tRREFD", "REFB", "REFB", "rank", t.trrefd
    if t.tppd:
        yield "tPPD", "PRE", "PRE", "rank", t.tppd
        yield "tPPD PREA", "PRE", "PREA", "rank", t.tppd
        yield "tPPD after PREA", "PREA", "PRE", "rank", t.tppd
    yield "tRTRS RD RD", "RD", "RD", "sibling", t.burst + t.trtrs
    yield "tRTRS RD WR", "RD", "WR", "sibling", t.cl + t.burst + t.trtrs - t.cwl
    yield "tRTRS WR RD", "WR", "RD", "sibling", t.cwl + t.burst + t.trtrs - t.cl
    yield "BL WR WR", "WR", "WR", "sibling", t.burst


def commands(device: Device, log: NDArray[np.int64]) -> list[Command]:
    """The lines of a log in the order of their clocks."""
    organisation = device.organisation
    found = []
    for clock, number, place, row, request in log.tolist():
        rank = -1 - place if place < 0 else place // organisation.rank_banks
        group = -1 if place < 0 else place // organisation.banks_per_group
        found.append(Command(clock, COMMAND_NAMES[number], place, group, rank, row, request))
    return sorted(found, key=lambda command: command.clock)


def slacks(device: Device, log: NDArray[np.int64]) -> list[list[Slack]]:
    """For each command, by how much it keeps each rule that applies to it."""
    by_later: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules(device):
        by_later[rule[2]].append(rule)
    last: dict[tuple[str, str, int], int] = {}
    activates: dict[int, list[int]] = defaultdict(list)
    result = []
    for command in commands(device, log):
        found = [s for rule in by_later[command.name] for s in _slack(device, rule, command, last)]
        if command.name == "ACT":
            window = activates[command.rank]
            if len(window) >= 4:
                found.append(
                    Slack("tFAW", command.clock - window[-4] - device.timings.tfaw, command)
                )
            window.append(command.clock)
        _remember(command, last)
        result.append(found)
    return result


def check_rows(device: Device, log: NDArray[np.int64]) -> None:
    """Rows are opened only in closed banks, used only while open, refreshed only when closed."""
    open_rows: dict[int, int] = {}
    banks = device.organisation.rank_banks
    for command in commands(device, log):
        if command.name == "ACT":
            assert command.bank not in open_rows, command
            open_rows[command.bank] = command.row
        elif command.name in ("RD", "WR"):
            assert open_rows.get(command.bank) == command.row, command
        elif command.name == "PRE":
            assert command.bank in open_rows, command
            del open_rows[command.bank]
        elif command.name in ("PREA", "REF"):
            mine = range(command.rank * banks, (command.rank + 1) * banks)
            if command.name == "REF":
                assert not any(bank in open_rows for bank in mine), command
            for bank in mine:
                open_rows.pop(bank, None)
        elif command.name == "REFB":
            assert command.bank not in open_rows, command


def check_bus(device: Device, log: NDArray[np.int64]) -> None:
    """No command starts while another one occupies its bus, and each on an edge that it may."""
    free: dict[tuple[int, bool], int] = {}
    hidden = device.controller.row_policy == "closed"
    for command in commands(device, log):
        if hidden and command.name == "PRE" and command.request < 0:
            continue
        column = command.name in ("RD", "WR")
        bus = _channel(device, command), column and device.bus.separate
        assert command.clock >= free.get(bus, 0), command
        free[bus] = command.clock + occupied(device, command.name)
        if device.bus.half_clock and command.name not in ("PRE", "PREA"):
            assert command.clock % 2 == 1, command


def check_refreshes(device: Device, log: NDArray[np.int64]) -> None:
    """No refresh comes before it is due; with bank queues the ranks take turns, a clock later."""
    per_bank = device.controller.refresh == "per_bank"
    staggered = device.controller.style == "dramsim3"
    organisation = device.organisation
    parts = organisation.rank_banks if per_bank else 1
    turns = organisation.channel_ranks if per_bank or staggered else 1
    interval = device.timings.trefi // (parts * turns)
    done: dict[int, int] = defaultdict(int)
    for command in commands(device, log):
        if command.name in ("REF", "REFB"):
            together = _channel(device, command) if turns > 1 or per_bank else command.rank
            done[together] += 1
            assert command.clock >= done[together] * interval + staggered, command


def check_halves(device: Device, log: NDArray[np.int64]) -> None:
    """The second half of a split activate comes within tAAD, and no row opens in between."""
    begun: dict[int, int] = {}
    for command in commands(device, log):
        if command.name == "ACT":
            assert not begun, command
            begun[command.bank] = command.clock
        elif command.name == "ACT2":
            assert command.clock <= begun.pop(command.bank) + device.timings.taad, command
        elif command.name in ("RD", "WR"):
            assert command.bank not in begun, command


def check_data_clock(device: Device, log: NDArray[np.int64]) -> None:
    """A burst starts while the data clock runs, or right after its synchronisation."""
    t = device.timings
    runs_until: dict[int, int] = defaultdict(int)
    synchronised: dict[int, int] = {}
    for command in commands(device, log):
        channel = _channel(device, command)
        if command.name == "CAS":
            synchronised[channel] = command.clock
        elif command.name in ("RD", "WR"):
            fresh = synchronised.get(channel) == command.clock - 1
            assert fresh or command.clock < runs_until[channel], command
            end = (t.cl if command.name == "RD" else t.cwl) + t.burst + t.twck_hold
            runs_until[channel] = max(runs_until[channel], command.clock + end)


def occupied(device: Device, name: str) -> int:
    """Clocks that a command keeps its bus."""
    if name == "ACT":
        return device.bus.activate
    if name in ("RD", "WR"):
        return device.bus.column
    return 1 if name in ("ACT2", "CAS") else device.bus.precharge


def _channel(device: Device, command: Command) -> int:
    return command.rank // device.organisation.channel_ranks


def _slack(
    device: Device, rule: Rule, command: Command, last: dict[tuple[str, str, int], int]
) -> Iterator[Slack]:
    name, before, after, reach, clocks = rule
    nominal = clocks + occupied(device, before) - occupied(device, after)
    if reach == "sibling":
        first = command.rank // device.organisation.ranks * device.organisation.ranks
        places = [r for r in range(first, first + device.organisation.ranks) if r != command.rank]
    else:
        places = [{"bank": command.bank, "group": command.group, "rank": command.rank}[reach]]
    for place in places:
        level = "rank" if reach == "sibling" else reach
        earlier = last.get((before, level, place))
        if earlier is not None:
            yield Slack(name, command.clock - earlier - nominal, command)


def _remember(command: Command, last: dict[tuple[str, str, int], int]) -> None:
    last[command.name, "rank", command.rank] = command.clock
    if command.bank >= 0:
        last[command.name, "bank", command.bank] = command.clock
        last[command.name, "group", command.group] = command.clock
