"""Laws of the bank kernel, and the cases where the answer is known in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import DEVICE, QUIET, styled, variants
from trace_checker import commands

from codesign.memory.controller import Style
from codesign.memory.device import Device
from codesign.memory.kernel import simulate, warm_up
from codesign.memory.mapping import AddressMapping
from codesign.memory.streams import Stream, stream

VARIANTS = variants()
STYLES: tuple[Style, ...] = ("ramulator", "dramsim3", "ideal")
ROW = 1024
"""Bytes of a row of the test device; 16 rows of different banks lie side by side."""
SAME_BANK = 16 * ROW


def reads(addresses: Sequence[int], arrival: Sequence[int] | None = None) -> Stream:
    return requests([(address, False) for address in addresses], arrival)


def requests(wanted: Sequence[tuple[int, bool]], arrival: Sequence[int] | None = None) -> Stream:
    return Stream(
        np.array([address for address, _ in wanted], dtype=np.int64),
        np.array([write for _, write in wanted], dtype=np.bool_),
        np.array(arrival or [0] * len(wanted), dtype=np.int64),
    )


@pytest.mark.parametrize(("style", "controller"), [("ramulator", 0), ("dramsim3", 1), ("ideal", 0)])
def test_an_unloaded_read_takes_activate_column_and_burst(style: Style, controller: int) -> None:
    t = QUIET.timings
    counts = simulate(styled(QUIET, style), reads([0])).counts
    assert counts.latency_mean == controller + t.trcd_read + t.cl + t.burst
    assert (counts.activates, counts.row_misses, counts.precharges) == (1, 1, 0)


@pytest.mark.parametrize("style", STYLES)
def test_a_conflict_pays_the_rest_of_the_row_cycle(style: Style) -> None:
    t = QUIET.timings
    run = simulate(styled(QUIET, style), reads([0, SAME_BANK]))
    first, second = run.completed.tolist()
    assert second - first == t.trc
    assert run.counts.row_conflicts == 1


@pytest.mark.parametrize("style", STYLES)
def test_row_hits_in_turn_over_bank_groups_keep_the_data_bus_full(style: Style) -> None:
    device = replace(styled(QUIET, style), mapping=AddressMapping.parse("ro ra ba co bg"))
    clocks = simulate(device, stream("seq_rd", 600, 64)).counts.clocks
    assert clocks <= 600 * device.timings.burst + 5 * device.timings.trc


def test_row_hits_of_one_bank_group_are_tccd_l_apart() -> None:
    counts = simulate(QUIET, reads([64 * at for at in range(16)])).counts
    t = QUIET.timings
    assert counts.latency_mean == t.trcd_read + t.cl + t.burst + t.tccd_l * 15 / 2


@pytest.mark.parametrize("name", ["ddr4", "ddr4_bank_queues", "two_ranks", "half_clock"])
def test_refresh_takes_its_share_of_an_idle_free_stream(name: str) -> None:
    device = VARIANTS[name]
    device = replace(device, timings=replace(device.timings, trefi=4500))
    wanted = stream("seq_rd", 6000, 64)
    counts = simulate(device, wanted).counts
    quiet = replace(device, controller=replace(device.controller, refresh="none"))
    without = simulate(quiet, wanted).counts
    ranks = device.organisation.channel_ranks
    due = counts.clocks * ranks / device.timings.trefi
    assert abs(counts.refreshes - due) <= ranks
    assert counts.clocks > without.clocks
    assert without.refreshes == 0


def test_refresh_costs_trfc_in_each_trefi_within_a_hundredth() -> None:
    device = replace(DEVICE, mapping=AddressMapping.parse("ro ra ba co bg"))
    wanted = stream("seq_rd", 12_000, 64)
    cut = replace(wanted, address=wanted.address % DEVICE.organisation.capacity_bytes)
    busy = simulate(device, cut).counts.clocks
    quiet = replace(device, controller=replace(device.controller, refresh="none"))
    share = 1 - simulate(quiet, cut).counts.clocks / busy
    assert share == pytest.approx(DEVICE.timings.trfc / DEVICE.timings.trefi, abs=0.01)


@pytest.mark.parametrize("style", STYLES)
def test_row_hits_never_cost_more_than_misses(style: Style) -> None:
    device = styled(QUIET, style)
    hits = simulate(device, reads([64 * (at % 16) for at in range(64)])).counts
    conflicts = simulate(device, reads([SAME_BANK * (at % 3) for at in range(64)])).counts
    assert hits.clocks < conflicts.clocks
    assert hits.activates < conflicts.activates


@pytest.mark.parametrize("shared", [True, False])
def test_more_channels_are_never_slower_on_an_interleaved_stream(shared: bool) -> None:
    clocks = []
    for channels in (1, 2, 4):
        device = replace(
            DEVICE,
            organisation=replace(DEVICE.organisation, channels=channels),
            mapping=AddressMapping.parse("ro ra ba co bg ch"),
            controller=replace(DEVICE.controller, shared_injection=shared),
        )
        clocks.append(simulate(device, stream("seq_rd", 800, 64)).counts.clocks)
        assert device.peak_bytes_per_s == channels * DEVICE.peak_bytes_per_s
    assert clocks == sorted(clocks, reverse=True)
    assert clocks[2] < clocks[0] / 3


def test_a_full_channel_holds_up_the_others_only_behind_one_shared_queue() -> None:
    organisation = replace(DEVICE.organisation, channels=2)
    mapping = AddressMapping.parse("ch ro ra ba bg co")
    half = organisation.capacity_bytes // 2
    slow = [SAME_BANK * (at % 3) for at in range(200)]
    wanted = reads([*slow, half])
    last = []
    for shared in (True, False):
        controller = replace(QUIET.controller, shared_injection=shared)
        device = replace(QUIET, organisation=organisation, mapping=mapping, controller=controller)
        last.append(int(simulate(device, wanted).completed[-1]))
    t = QUIET.timings
    # it enters in clock 1 and its row is opened in clock 2
    assert last[1] == 2 + t.trcd_read + t.cl + t.burst
    assert last[0] > 20 * last[1]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("pattern", ["random_rw", "rw_2to1_fine"])
def test_every_request_is_served_once_and_counted_once(name: str, pattern: str) -> None:
    device = VARIANTS[name]
    wanted = stream(pattern, 300, device.organisation.transaction_bytes)
    wanted = replace(wanted, address=wanted.address % device.organisation.capacity_bytes)
    run = simulate(device, wanted)
    counts = run.counts
    # with bank queues the last writes are still queued when the last request completes
    queued = 300 - counts.reads - counts.writes - counts.forwarded
    assert 0 <= queued <= (32 + 8 * 16 if device.controller.style == "dramsim3" else 0)
    assert counts.reads + counts.forwarded >= int((~wanted.write).sum())
    served = counts.row_hits + counts.row_misses + counts.row_conflicts
    assert counts.reads + counts.writes <= served <= 300
    assert (run.completed > run.accepted).all() or device.controller.style != "dramsim3"
    assert (run.completed >= run.accepted - 1).all()
    assert (np.diff(run.accepted) >= 0).all()
    assert counts.clocks == run.completed.max()


@pytest.mark.parametrize("name", VARIANTS)
def test_the_same_run_gives_the_same_log(name: str) -> None:
    wanted = stream("random_rw", 120, 64)
    wanted = replace(wanted, address=wanted.address % (1 << 23))
    first, second = (simulate(VARIANTS[name], wanted, log=True) for _ in range(2))
    assert first.counts == second.counts
    assert (first.log == second.log).all()


@pytest.mark.parametrize("name", ["ddr4", "ddr4_bank_queues", "two_ranks", "per_bank_refresh"])
def test_open_clocks_are_those_of_the_log(name: str) -> None:
    device = VARIANTS[name]
    wanted = stream("random_rd", 200, 64, 0.02)
    wanted = replace(wanted, address=wanted.address % device.organisation.capacity_bytes)
    run = simulate(device, wanted, log=True)
    assert run.counts.active_clocks == open_clocks(device, run.log, run.counts.clocks)
    ranks = device.organisation.channel_ranks
    assert run.counts.active_clocks + run.counts.precharged_clocks == run.counts.clocks * ranks
    assert 0 < run.counts.active_clocks < run.counts.clocks * ranks


def open_clocks(device: Device, log: np.ndarray, clocks: int) -> int:
    """Walks over the log and adds up the clocks in which a rank has an open bank."""
    banks, total = device.organisation.rank_banks, 0
    for rank in range(device.organisation.channel_ranks):
        opened: set[int] = set()
        since = 0
        for command in (one for one in commands(device, log) if one.rank == rank):
            before = len(opened)
            if command.name == "ACT":
                opened.add(command.bank)
            elif command.name == "PRE":
                opened.discard(command.bank)
            elif command.name == "PREA":
                opened -= set(range(rank * banks, (rank + 1) * banks))
            if opened and not before:
                since = command.clock
            elif before and not opened:
                total += command.clock - since
        total += clocks + 1 - since if opened else 0
    return total


@pytest.mark.parametrize("style", ["ramulator", "dramsim3"])
def test_a_read_of_a_waiting_write_is_answered_from_the_queue(style: Style) -> None:
    filler = [(64 * at, False) for at in range(1, 9)]
    run = simulate(styled(QUIET, style), requests([*filler, (SAME_BANK, True), (SAME_BANK, False)]))
    assert run.counts.forwarded == 1
    assert run.counts.reads == 8


def test_writes_are_gathered_so_that_the_bus_seldom_turns() -> None:
    alternating = [(64 * at, at % 2 == 1) for at in range(400)]
    for style in STYLES:
        counts = simulate(styled(QUIET, style), requests(alternating)).counts
        assert 0 < counts.turnarounds < 60


def test_a_closed_row_policy_closes_rows_behind_their_last_hit() -> None:
    apart = [1 + 500 * at for at in range(10)]
    for style in STYLES:
        device = styled(QUIET, style)
        closed = replace(device, controller=replace(device.controller, row_policy="closed"))
        same_row = reads([64 * at for at in range(10)], apart)
        assert simulate(device, same_row).counts.activates == 1
        assert simulate(closed, same_row).counts.activates == 10
        assert simulate(closed, same_row).counts.row_conflicts == 0


def test_an_ideal_controller_sorts_conflicts_that_a_real_queue_cannot_see() -> None:
    rows = [SAME_BANK * (at % 2) + 64 * (at // 2 % 16) for at in range(320)]
    real = simulate(QUIET, reads(rows)).counts
    ideal = simulate(styled(QUIET, "ideal"), reads(rows)).counts
    assert ideal.activates == 2 < real.activates
    assert ideal.clocks < real.clocks


def test_per_bank_refresh_holds_back_one_bank_and_not_the_others() -> None:
    wanted = stream("stride_4k", 4000, 64)
    cut = replace(wanted, address=wanted.address % DEVICE.organisation.capacity_bytes)
    per_bank = simulate(VARIANTS["per_bank_refresh_bank_queues"], cut).counts
    all_bank = simulate(VARIANTS["ddr4_bank_queues"], cut).counts
    assert per_bank.refreshes == 0 < per_bank.refreshes_bank
    assert per_bank.refreshes_bank >= 15 * all_bank.refreshes
    assert per_bank.latency_p99 < all_bank.latency_p99


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=40))
def test_any_stream_comes_to_an_end_in_every_device(wanted: list[tuple[int, bool]]) -> None:
    for device in VARIANTS.values():
        run = simulate(device, requests([(64 * 37 * at, write) for at, write in wanted]))
        assert run.counts.requests == len(wanted)
        assert (run.completed > 0).all()


def test_a_warm_up_leaves_nothing_behind() -> None:
    before = simulate(DEVICE, reads([0])).counts
    warm_up(DEVICE)
    assert simulate(DEVICE, reads([0])).counts == before


def test_an_empty_stream_takes_no_time() -> None:
    counts = simulate(DEVICE, reads([])).counts
    assert (counts.clocks, counts.requests, counts.bandwidth_bytes_per_s) == (0, 0, 0.0)
