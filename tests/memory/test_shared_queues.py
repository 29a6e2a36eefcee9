"""The mechanisms of the controller with one read and one write queue, one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from memory_devices import QUIET, variants
from test_bank_queues import ROW, SAME_BANK, issued, reads, replay

from codesign.memory.kernel import simulate
from codesign.memory.streams import Stream

DEVICE = QUIET
SPLIT = variants()["split_activate"]
SPLIT = replace(SPLIT, controller=replace(SPLIT.controller, refresh="none"))


def test_the_oldest_ready_request_goes_first() -> None:
    run = replay(DEVICE, reads(0, SAME_BANK, 64))
    assert [c.request for c in issued(run) if c.name == "RD"] == [0, 2, 1]


def test_a_row_stays_open_for_the_request_that_opened_it() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        wanted = reads(*(SAME_BANK * random.integers(0, 4, 200)).tolist())
        owner: dict[int, int] = {}
        for command in issued(replay(DEVICE, wanted)):
            if command.name == "ACT":
                owner[command.bank] = command.request
            elif command.name == "RD" and owner.get(command.bank) == command.request:
                del owner[command.bank]
            elif command.name == "PRE":
                assert command.bank not in owner


def test_writes_go_first_above_the_high_mark_and_back_below_the_low_one() -> None:
    wanted = [(64 * at, at % 2 == 1) for at in range(200)]
    names = [c.name for c in issued(replay(DEVICE, wanted)) if c.name in ("RD", "WR")]
    bursts = "".join("W" if name == "WR" else "R" for name in names)
    first = bursts.index("W")
    length = len(bursts[first:]) - len(bursts[first:].lstrip("W"))
    # above 0.8 x 32 = 25.6 waiting writes until fewer than 6.4 are left, and new ones come in
    assert 20 <= length <= 60


def test_a_smaller_distance_of_the_marks_turns_the_bus_more_often() -> None:
    wanted = [(64 * at, at % 2 == 1) for at in range(300)]
    tight = replace(DEVICE, controller=replace(DEVICE.controller, write_low=0.7))
    assert replay(tight, wanted).counts.turnarounds > replay(DEVICE, wanted).counts.turnarounds


def test_writes_are_served_when_no_read_waits() -> None:
    run = replay(DEVICE, [(0, True)])
    assert run.counts.writes == 1
    t = DEVICE.timings
    assert int(run.completed[0]) == 2 + t.trcd_write


def test_a_second_write_of_a_waiting_address_is_absorbed() -> None:
    run = replay(DEVICE, [*reads(SAME_BANK), (0, True), (0, True)])
    assert (run.counts.writes, run.counts.forwarded) == (1, 1)


def test_no_new_row_is_opened_while_a_refresh_is_pending() -> None:
    busy = replace(
        DEVICE,
        timings=replace(DEVICE.timings, trefi=1000),
        controller=replace(DEVICE.controller, refresh="all_bank"),
    )
    run = replay(busy, reads(*[ROW * (at % 64) for at in range(400)]))
    refreshed = [c.clock for c in issued(run) if c.name == "REF"]
    assert len(refreshed) > 3
    for number, clock in enumerate(refreshed, start=1):
        due = number * 1000
        between = [c.name for c in issued(run) if due <= c.clock < clock]
        assert "ACT" not in between
        assert "PRE" not in between


def test_both_pseudo_channels_are_refreshed_one_after_the_other() -> None:
    device = variants()["pseudo_channels"]
    device = replace(device, timings=replace(device.timings, trefi=1500))
    run = replay(device, reads(*[64 * at for at in range(3000)]))
    refreshed = [(c.rank, c.clock) for c in issued(run, device) if c.name == "REF"]
    assert [rank for rank, _ in refreshed[:4]] == [0, 1, 0, 1]
    assert refreshed[1][1] - refreshed[0][1] < 100


def test_pseudo_channels_have_a_data_bus_each() -> None:
    device = variants()["pseudo_channels"]
    device = replace(device, controller=replace(device.controller, refresh="none"))
    both = replay(device, reads(*[64 * at for at in range(200)])).counts.clocks
    one = replay(device, reads(*[128 * at for at in range(200)])).counts.clocks
    assert both < 0.6 * one


def test_the_second_half_of_an_activate_comes_within_its_limit() -> None:
    random = np.random.default_rng(1)
    run = replay(SPLIT, reads(*(ROW * random.integers(0, 64, 300)).tolist()))
    half: dict[int, int] = {}
    pairs = 0
    for command in issued(run, SPLIT):
        if command.name == "ACT":
            assert not half
            half[command.bank] = command.clock
        elif command.name == "ACT2":
            assert 1 <= command.clock - half.pop(command.bank) <= SPLIT.timings.taad
            pairs += 1
    assert pairs == run.counts.activates > 100


def test_the_data_clock_is_started_before_the_first_burst_and_after_a_pause() -> None:
    close = replay(SPLIT, reads(0, 64, 128))
    assert [c.name for c in issued(close, SPLIT)].count("CAS") == 1
    apart = replay(SPLIT, reads(0, 64, 128), apart=300)
    assert [c.name for c in issued(apart, SPLIT)].count("CAS") == 3


def test_a_column_command_follows_its_synchronisation_at_once() -> None:
    listed = issued(replay(SPLIT, reads(0, 64, 128), apart=300), SPLIT)
    for before, after in pairwise(listed):
        if before.name == "CAS":
            assert (after.name, after.clock) == ("RD", before.clock + 1)
            assert after.request == before.request


def test_slots_of_long_commands_slow_down_small_random_reads() -> None:
    fast = variants()["ddr4"]
    slow = variants()["long_commands"]
    random = np.random.default_rng(2)
    wanted = Stream(
        64 * random.integers(0, 1 << 18, 400), np.zeros(400, dtype=bool), np.zeros(400, dtype=int)
    )
    assert simulate(slow, wanted).counts.clocks >= simulate(fast, wanted).counts.clocks


def test_a_row_may_close_in_the_clock_of_its_last_read_where_no_gate_forbids_it() -> None:
    """The row command of a clock is planned anew behind the column command of that clock."""
    timings = replace(DEVICE.timings, trtp=0, tras=DEVICE.timings.trcd_read)
    device = replace(DEVICE, timings=timings, bus=replace(DEVICE.bus, separate=True))
    commands = issued(replay(device, reads(0, SAME_BANK)))
    clocks = {command.name: command.clock for command in commands[:3]}
    assert [command.name for command in commands[:3]] == ["ACT", "RD", "PRE"]
    assert clocks["RD"] - clocks["ACT"] == timings.trcd_read
    assert clocks["PRE"] == clocks["RD"]
