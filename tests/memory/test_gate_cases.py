"""One case for each timing rule in which that rule alone says when a command comes.

One clock more moves that command by one clock and none before it, and the log of before is then
refused for that command and that rule: legal at t, refused at t - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from memory_devices import DEVICE, QUIET, styled, variants
from numpy.typing import NDArray
from trace_checker import (
    Command,
    check_bus,
    check_data_clock,
    check_halves,
    check_refreshes,
    commands,
    occupied,
    rules,
    slacks,
)

from codesign.memory.commands import COMMAND_NAMES, LEVEL_NAMES
from codesign.memory.controller import Refresh, Style
from codesign.memory.device import CommandBus, Device
from codesign.memory.gates import gates
from codesign.memory.kernel import simulate
from codesign.memory.streams import Stream

Request = tuple[int, bool, int]
"""Address, whether it writes, and when it arrives."""


def place(row: int = 0, ba: int = 0, bg: int = 0, co: int = 0, ra: int = 0) -> int:
    """Address of a transaction in a device with one or two ranks and the mapping of ``DEVICE``."""
    return ((row * 2 + ra) * 256 + ba * 64 + bg * 16 + co) * 64


def rd(arrival: int, **where: int) -> Request:
    return place(**where), False, arrival


def wr(arrival: int, **where: int) -> Request:
    return place(**where), True, arrival


def device(refresh: Refresh = "none", ranks: int = 2, **timings: int) -> Device:
    """The test device with one timing or policy changed, and room for two ranks."""
    return replace(
        DEVICE,
        organisation=replace(DEVICE.organisation, ranks=ranks),
        controller=replace(QUIET.controller, refresh=refresh),
        timings=replace(DEVICE.timings, **timings),
    )


@dataclass(frozen=True)
class Case:
    """Requests in which ``rule`` binds the command ``moved``, and the timing behind it."""

    rule: str
    timing: str
    moved: str
    wanted: Sequence[Request]
    on: Device = field(default_factory=device)


SPLIT = device(taad=8, twck_hold=1)
REFRESHED = device("all_bank", trefi=2100)
BANKWISE = device("per_bank", ranks=1, trefi=9000)  # bank 0 is due in clock 562
CASES = [
    Case("tRCDRD", "trcd_read", "RD", [rd(0)]),
    Case("tRCDWR", "trcd_write", "WR", [wr(0)]),
    Case("tRAS PRE", "tras", "PRE", [rd(0), rd(0, row=1)]),
    Case("tRC", "trc", "ACT", [rd(0), rd(0, row=1)]),
    Case("tRTP PRE", "trtp", "PRE", [rd(0), rd(200, co=1), rd(201, row=1)]),
    Case("tRP", "trp", "ACT", [rd(0), rd(200, co=1), rd(201, row=1)]),
    Case("tWR PRE", "twr", "PRE", [wr(0), rd(30, row=1)]),
    Case("tCCD_L", "tccd_l", "RD", [rd(0), rd(0, co=1)]),
    Case("tCCD_S", "tccd_s", "RD", [rd(0), rd(100, bg=1), rd(200, co=1), rd(200, bg=1, co=1)]),
    Case("tCCD_S", "burst", "RD", [rd(0), rd(100, bg=1), rd(200, co=1), rd(200, bg=1, co=1)]),
    Case("tCCD_L_WR", "tccd_l_write", "WR", [wr(0), wr(0, co=1)], device(tccd_l_write=10)),
    Case(
        "tCCD_S_WR",
        "tccd_s_write",
        "WR",
        [rd(0), rd(0, bg=1), wr(200, co=1), wr(200, bg=1, co=1)],
        device(tccd_s_write=6),
    ),
    Case("tWTR_L", "twtr_l", "RD", [wr(0), rd(22, co=1)]),
    Case("tWTR_L", "burst_long", "RD", [wr(0), rd(22, co=1)], device(burst_long=6)),
    Case("tWTR_S", "twtr_s", "RD", [rd(0, bg=1), wr(200), rd(225, bg=1, co=1)]),
    Case("tRTW", "trtw", "WR", [rd(0), wr(25, co=1)]),
    Case("tRRD_S", "trrd_s", "ACT", [rd(0), rd(0, bg=1)]),
    Case("tRRD_L", "trrd_l", "ACT", [rd(0), rd(0, ba=1)]),
    Case("tFAW", "tfaw", "ACT", [*(rd(0, bg=bg) for bg in range(4)), rd(0, ba=1)]),
    Case(
        "tPPD",
        "tppd",
        "PRE",
        [rd(0), rd(0, bg=1), rd(200, row=1), rd(200, row=1, bg=1)],
        device(tppd=3),
    ),
    Case("tRTRS RD RD", "trtrs", "RD", [rd(0), rd(100, ra=1), rd(200, co=1), rd(200, ra=1, co=1)]),
    Case("tRTRS RD WR", "trtrs", "WR", [rd(0), rd(100, ra=1), rd(200, co=1), wr(202, ra=1, co=1)]),
    Case(
        "tRTRS WR RD",
        "trtrs",
        "RD",
        [rd(0), rd(100, ra=1), wr(200, co=1), rd(201, ra=1, co=1)],
        device(cl=18),
    ),
    Case("BL WR WR", "burst", "WR", [rd(0), rd(100, ra=1), wr(200, co=1), wr(200, ra=1, co=1)]),
    Case("tRAS PREA", "tras", "PREA", [rd(2095), rd(2600)], REFRESHED),
    Case("tRTP PREA", "trtp", "PREA", [rd(0), rd(2098, co=1), rd(2600)], REFRESHED),
    Case("tWR PREA", "twr", "PREA", [rd(0), wr(2098, co=1), rd(2600)], REFRESHED),
    Case(
        "tPPD PREA",
        "tppd",
        "PREA",
        [rd(0), rd(0, bg=1), rd(2098, row=1)],
        device("all_bank", ranks=1, trefi=2100, tppd=5),
    ),
    Case("tRC REF", "trc", "REF", [rd(2095), rd(2600)], REFRESHED),
    Case("tRP REF", "trp", "REF", [rd(0), rd(2600)], REFRESHED),
    Case("tRP REF", "trp", "REF", [rd(0), rd(2098, row=1), rd(2600)], REFRESHED),
    Case("tRFC", "trfc", "ACT", [rd(0), rd(2200)], REFRESHED),
    Case("tRFC", "trfc", "REF", [rd(405), rd(1400)], device("all_bank", ranks=1, trefi=430)),
    Case(
        "tRPab", "trp_all", "ACT", [rd(0), rd(2200)], device("all_bank", trefi=2100, trp_all=1000)
    ),
    Case("tRP REFB", "trp", "REFB", [rd(0), rd(900)], BANKWISE),
    Case("tRFCpb", "trfc_bank", "ACT", [rd(570)], BANKWISE),
    Case("tRREFD", "trrefd", "ACT", [rd(563, ba=1)], BANKWISE),
    Case("tRRD_S REFB", "trrd_s", "REFB", [rd(558, ba=1), rd(900)], BANKWISE),
    Case(
        "tRREFD",
        "trrefd",
        "REFB",
        [rd(20), rd(600)],
        device("per_bank", ranks=1, trefi=432, trrefd=17),
    ),
]


def log_of(on: Device, wanted: Sequence[Request]) -> NDArray[np.int64]:
    address, write, arrival = zip(*wanted, strict=True)
    stream = Stream(np.array(address), np.array(write), np.array(arrival))
    return simulate(on, stream, log=True).log


def longer(case: Case) -> Device:
    value = getattr(case.on.timings, case.timing) + 1
    return replace(case.on, timings=replace(case.on.timings, **{case.timing: value}))


def first_that_moves(before: list[Command], after: list[Command]) -> tuple[Command, Command]:
    return next((a, b) for a, b in zip_longest(before, after) if a != b)


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.rule} by {one.timing} {one.moved}")
def test_one_clock_more_moves_the_command_that_the_rule_binds_by_one(case: Case) -> None:
    log = log_of(case.on, case.wanted)
    old, new = first_that_moves(
        commands(case.on, log), commands(longer(case), log_of(longer(case), case.wanted))
    )
    assert (old.name, new.name) == (case.moved, case.moved)
    assert new == replace(old, clock=old.clock + 1)
    assert least(case.on, log, case.rule, old) == 0
    assert least(longer(case), log, case.rule, old) == -1


def least(on: Device, log: NDArray[np.int64], rule: str, command: Command) -> int:
    """Slack of a rule at a command; nothing else in the log may break a rule before it."""
    found = [slack for each in slacks(on, log) for slack in each]
    early = [slack for slack in found if slack.command.clock < command.clock]
    assert min((slack.clocks for slack in early), default=0) >= 0
    return min(slack.clocks for slack in found if (slack.rule, slack.command) == (rule, command))


# -- completeness ---------------------------------------------------------------------------------

IMPLIED = {
    ("rank", "REF", "PREA"): (("rank", "REF", "ACT"), ("rank", "ACT", "PREA")),
    ("rank", "PREA", "PRE"): (("rank", "PREA", "ACT"), ("bank", "ACT", "PRE")),
    ("rank", "PREA", "PREA"): (("rank", "PREA", "ACT"), ("rank", "ACT", "PREA")),
}
"""Gates that never bind: a row must be opened between the two commands, and that takes longer."""


def clocks_of(on: Device) -> dict[tuple[str, str, str], int]:
    longest: dict[tuple[str, str, str], int] = {}
    for gate in gates(on):
        key = LEVEL_NAMES[gate.level], COMMAND_NAMES[gate.before], COMMAND_NAMES[gate.after]
        longest[key] = max(gate.clocks, longest.get(key, 0))
    return longest


def test_every_gate_has_a_case_or_is_implied_by_gates_that_have_one() -> None:
    covered = {
        (reach, before, after)
        for case in CASES
        for name, before, after, reach, _ in rules(case.on)
        if (name, after) == (case.rule, case.moved)
    }
    known = {key for on in variants().values() for key in clocks_of(on)}
    assert known - covered == set(IMPLIED)
    assert {key for chain in IMPLIED.values() for key in chain} <= covered


@pytest.mark.parametrize("name", variants())
def test_a_gate_without_a_case_is_shorter_than_those_that_imply_it(name: str) -> None:
    clocks = clocks_of(variants()[name])
    for key, chain in IMPLIED.items():
        assert clocks.get(key, 0) <= sum(clocks[part] for part in chain)


# -- rules that are no gates ----------------------------------------------------------------------


@pytest.mark.parametrize("style", ["ramulator", "dramsim3"])
@pytest.mark.parametrize(("refresh", "parts"), [("all_bank", 1), ("per_bank", 16)])
def test_an_idle_memory_refreshes_in_the_clock_in_which_it_is_due(
    style: Style, refresh: Refresh, parts: int
) -> None:
    late = int(style == "dramsim3")
    for trefi in (2096, 2112):
        on = styled(device(refresh, ranks=1, trefi=trefi), style)
        log = log_of(on, [rd(9000)])
        found = [c.clock for c in commands(on, log) if c.name in ("REF", "REFB") and c.clock < 8000]
        assert found == [late + trefi // parts * (n + 1) for n in range(len(found))]
        assert len(found) >= 3 * parts
        check_refreshes(on, log)
        with pytest.raises(AssertionError):
            check_refreshes(replace(on, timings=replace(on.timings, trefi=trefi + parts)), log)


def busy_bus(taad: int) -> tuple[Device, NDArray[np.int64]]:
    """A split activate, and after it a precharge that is ready in each of the next ten clocks."""
    on = replace(SPLIT, timings=replace(SPLIT.timings, taad=taad))
    banks = [{"ba": number // 4, "bg": number % 4} for number in range(12)]
    opened = [rd(100 * number, **banks[number]) for number in range(11)]
    conflicts = [rd(2000, row=1, **banks[number]) for number in range(11)]
    return on, log_of(on, [*opened, rd(2000, **banks[11]), *conflicts])


@pytest.mark.parametrize("taad", [5, 8])
def test_the_second_half_of_an_activate_comes_at_the_latest_when_taad_asks(taad: int) -> None:
    on, log = busy_bus(taad)
    halves = [c for c in commands(on, log) if c.name in ("ACT", "ACT2") and c.clock > 2000]
    assert halves[1].clock - halves[0].clock == taad
    check_halves(on, log)
    with pytest.raises(AssertionError):
        check_halves(replace(on, timings=replace(on.timings, taad=taad - 1)), log)


@pytest.mark.parametrize("write", [False, True])
def test_the_data_clock_must_be_started_again_in_the_clock_in_which_it_stops(write: bool) -> None:
    t = SPLIT.timings
    kind, latency = ("WR", t.cwl) if write else ("RD", t.cl)
    runs_on = latency + t.burst + t.twck_hold
    ask = wr if write else rd
    first = commands(SPLIT, log_of(SPLIT, [ask(0)]))[-1].clock
    for pause, commands_there in ((runs_on - 1, [kind]), (runs_on, ["CAS", kind])):
        # a request that arrives in one clock is served in the next
        log = log_of(SPLIT, [ask(0), ask(first + pause - 1, co=1)])
        later = [c for c in commands(SPLIT, log) if c.clock > first]
        assert [c.name for c in later] == commands_there
        assert later[0].clock == first + pause
        check_data_clock(SPLIT, log)
    shorter = replace(SPLIT, timings=replace(t, twck_hold=t.twck_hold - 1))
    with pytest.raises(AssertionError):
        check_data_clock(shorter, log_of(SPLIT, [ask(0), ask(first + runs_on - 2, co=1)]))


@pytest.mark.parametrize(
    ("slots", "separate", "wanted", "moved"),
    [
        ("activate", False, [rd(0), rd(200, bg=1), rd(201, co=1)], "RD"),
        ("activate", True, [rd(0), rd(200, bg=1), rd(201, row=1)], "PRE"),
        ("column", False, [rd(0), rd(200, co=1), rd(200, bg=1)], "ACT"),
        ("precharge", False, [rd(0), rd(100, bg=1), rd(200, row=1), rd(200, row=1, bg=1)], "PRE"),
    ],
)
def test_a_command_waits_for_the_slots_of_the_one_before_it(
    slots: str, separate: bool, wanted: list[Request], moved: str
) -> None:
    """Gates count from the last clock of a command, so only the bus tells these two apart."""
    widths: list[dict[str, Any]] = [{slots: 2}, {slots: 3}]
    on, longer_bus = (
        replace(device(), bus=replace(CommandBus(separate=separate), **width)) for width in widths
    )
    log = log_of(on, wanted)
    check_bus(on, log)
    free = {c.clock + 2: c for c in commands(on, log) if occupied(on, c.name) == 2}
    bound = [c for c in commands(on, log) if c.clock in free and c.name == moved]
    assert bound
    with pytest.raises(AssertionError):
        check_bus(longer_bus, log)
    assert all(s.clocks > 0 for each in slacks(on, log) for s in each if s.command in bound)


@pytest.mark.parametrize("trcd", [19, 20, 21, 22])
def test_a_command_of_half_a_clock_starts_on_the_next_rising_edge(trcd: int) -> None:
    on = replace(variants()["half_clock"], controller=QUIET.controller)
    on = replace(on, timings=replace(on.timings, trcd_read=trcd))
    log = log_of(on, [(0, False, 0)])
    opened, read = commands(on, log)
    # an activate of three clocks counts from its last, a read of two to its last
    legal = opened.clock + trcd + 3 - 2
    assert read.clock == legal + (legal + 1) % 2
    check_bus(on, log)
    with pytest.raises(AssertionError):
        check_bus(on, np.where(np.arange(5) == 0, log - (log[:, :1] == read.clock), log))
