"""The mechanisms of the controller with a queue per bank, one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from memory_devices import QUIET, styled
from trace_checker import Command, commands

from codesign.memory.counts import Run
from codesign.memory.device import CommandBus, Device
from codesign.memory.kernel import simulate
from codesign.memory.mapping import AddressMapping
from codesign.memory.streams import Stream

DEVICE = styled(QUIET, "dramsim3")
ROW, SAME_BANK = 1024, 16 * 1024


def replay(device: Device, wanted: list[tuple[int, bool]], apart: int = 0) -> Run:
    count = len(wanted)
    addresses = np.array([address for address, _ in wanted], dtype=np.int64)
    write = np.array([write for _, write in wanted], dtype=np.bool_)
    return simulate(device, Stream(addresses, write, np.arange(count) * apart), log=True)


def issued(run: Run, device: Device = DEVICE) -> list[Command]:
    return commands(device, run.log)


def reads(*addresses: int) -> list[tuple[int, bool]]:
    return [(address, False) for address in addresses]


def order_with_cap(cap: int) -> list[int]:
    """Order in which reads are served: a hit, a conflict, and many more hits."""
    # a hit keeps the row from being closed for tRTP, so that must be less than tCCD_L
    device = replace(
        DEVICE,
        timings=replace(DEVICE.timings, trtp=5),
        controller=replace(DEVICE.controller, row_hit_cap=cap),
    )
    wanted = reads(0, SAME_BANK, *[64 * (at % 16) for at in range(1, 16)])
    return [c.request for c in issued(replay(device, wanted)) if c.name == "RD"]


def test_row_hits_overtake_a_conflict_until_the_cap() -> None:
    order = order_with_cap(4)
    assert order[:4] == [0, 2, 3, 4]
    # four hits go first, and some more until tRAS and tRTP let the row be closed
    assert 4 <= order.index(1) < 12


def test_a_cap_that_is_never_reached_lets_all_hits_pass() -> None:
    order = order_with_cap(100)
    assert order == [0, *range(2, 17), 1]


def test_only_the_head_of_a_bank_opens_a_row() -> None:
    run = replay(DEVICE, reads(0, SAME_BANK, 2 * SAME_BANK))
    assert [c.request for c in issued(run) if c.name == "ACT"] == [0, 1, 2]


def test_banks_are_served_in_turn() -> None:
    # bank 3 of the first group is asked for before bank 1, but the round comes to bank 1 first
    run = replay(DEVICE, reads(0, *[12 * ROW] * 1, *[4 * ROW] * 1))
    opened = [c.bank for c in issued(run) if c.name == "ACT"]
    assert opened[0] == 0
    assert sorted(opened[1:]) == [1, 3]


def test_a_bank_queue_holds_eight_and_the_rest_wait_outside() -> None:
    run = replay(DEVICE, reads(*[SAME_BANK * at for at in range(60)]))
    # 32 fit in the transaction queue; one moves on each clock while the bank has room for 8
    assert int((run.accepted <= 2).sum()) == 16
    assert int((run.accepted <= 9).sum()) == 32 + 7
    assert run.accepted[-1] > 60


def test_writes_wait_until_their_queue_is_full() -> None:
    early = replay(DEVICE, [(64 * at, True) for at in range(8)])
    assert early.counts.writes == 0
    assert early.counts.clocks == 3
    full = replay(DEVICE, [(64 * at, True) for at in range(64)] + reads(SAME_BANK))
    assert full.counts.writes > 0


def test_nine_writes_are_drained_when_no_command_waits() -> None:
    wanted = [(64 * at, True) for at in range(9)]
    run = replay(DEVICE, [*wanted, (SAME_BANK, False)], apart=40)
    assert run.counts.writes == 9


def test_a_posted_write_completes_two_clocks_after_it_is_offered() -> None:
    run = replay(DEVICE, [(0, True)])
    assert (int(run.accepted[0]), int(run.completed[0])) == (2, 3)


def test_reads_of_one_address_complete_together() -> None:
    run = replay(DEVICE, reads(0, 0, 0))
    assert run.counts.reads == 1
    assert len(set(run.completed.tolist())) == 1
    assert run.counts.forwarded == 2


def test_a_write_that_a_read_of_its_address_waits_for_comes_after_it() -> None:
    wanted = [*reads(SAME_BANK, 0), (0, True), *[(64 * at, True) for at in range(1, 80)]]
    order = [(c.name, c.request) for c in issued(replay(DEVICE, [*wanted, *reads(2 * SAME_BANK)]))]
    assert order.index(("RD", 1)) < order.index(("WR", 2))


def test_two_buses_carry_a_row_and_a_column_command_in_one_clock() -> None:
    wanted = reads(*[ROW * (at % 16) + 64 * (at // 16) for at in range(128)])
    mapping = AddressMapping.parse("ro ba bg co")
    double = replace(DEVICE, bus=CommandBus(separate=True), mapping=mapping)
    together = [c.clock for c in issued(replay(double, wanted), double)]
    alone = [c.clock for c in issued(replay(DEVICE, wanted))]
    assert len(set(together)) < len(together)
    assert len(set(alone)) == len(alone)


def test_refreshes_of_two_ranks_are_staggered() -> None:
    organisation = replace(QUIET.organisation, ranks=2)
    device = replace(
        DEVICE,
        organisation=organisation,
        timings=replace(DEVICE.timings, trefi=2000),
        controller=replace(DEVICE.controller, refresh="all_bank"),
    )
    run = replay(device, reads(*[64 * at for at in range(1500)]))
    refreshed = [(c.rank, c.clock) for c in issued(run, device) if c.name == "REF"]
    assert [rank for rank, _ in refreshed[:4]] == [0, 1, 0, 1]
    gaps = np.diff([clock for _, clock in refreshed])
    assert (abs(gaps - 1000) < 200).all()
