"""Laws of a memory: what holds for any device and any stream, and the bounds that are reached."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import DEVICE, QUIET, styled
from random_devices import devices, devices_with_streams
from trace_checker import check_bus, check_refreshes, check_rows, slacks

from codesign.memory.controller import Controller, Style
from codesign.memory.counts import Counts
from codesign.memory.device import Device
from codesign.memory.energy import Energy, energy
from codesign.memory.kernel import simulate
from codesign.memory.mapping import AddressMapping
from codesign.memory.streams import Stream, stream

STYLES: tuple[Style, ...] = ("ramulator", "dramsim3")
INTERLEAVED = AddressMapping.parse("ro ra ba co bg")
"""Row hits in turn over the bank groups."""
IN_ORDER = Controller(refresh="none", row_policy="open")


def parts(spent: Energy) -> list[float]:
    return [getattr(spent, field.name) for field in fields(Energy)]


def reads(addresses: list[int]) -> Stream:
    count = len(addresses)
    return Stream(
        np.array(addresses, dtype=np.int64),
        np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.int64),
    )


@settings(max_examples=60)
@given(devices_with_streams())
def test_no_command_of_any_device_and_stream_breaks_a_rule(case: tuple[Device, Stream]) -> None:
    device, wanted = case
    log = simulate(device, wanted, log=True).log
    assert min((s.clocks for found in slacks(device, log) for s in found), default=0) >= 0
    check_bus(device, log)
    check_rows(device, log)
    check_refreshes(device, log)


@settings(max_examples=60)
@given(devices_with_streams())
def test_energy_is_never_negative_and_the_total_is_the_sum(case: tuple[Device, Stream]) -> None:
    device, wanted = case
    spent = energy(device, simulate(device, wanted).counts)
    assert min(parts(spent)) >= 0
    assert spent.total_j == sum(parts(spent))


@settings(max_examples=40)
@given(devices_with_streams())
def test_no_run_is_faster_than_the_peak(case: tuple[Device, Stream]) -> None:
    device, wanted = case
    counts = simulate(device, wanted).counts
    moved = (counts.reads + counts.writes) * device.organisation.transaction_bytes
    # writes may still be queued when the last request completes, but none that a command was for
    slack = device.timings.cl + device.timings.burst
    assert moved <= device.peak_bytes_per_s * (counts.seconds + slack * counts.tck_ps * 1e-12)


@settings(max_examples=40)
@given(devices_with_streams(), st.sampled_from([2, 3, 10]))
def test_a_longer_clock_scales_time_and_energy_and_nothing_else(
    case: tuple[Device, Stream], factor: int
) -> None:
    device, wanted = case
    slow = replace(device, timings=replace(device.timings, tck_ps=factor * device.timings.tck_ps))
    fast_counts, slow_counts = simulate(device, wanted).counts, simulate(slow, wanted).counts
    assert replace(slow_counts, tck_ps=fast_counts.tck_ps) == fast_counts
    assert slow_counts.seconds == pytest.approx(factor * fast_counts.seconds)
    fast, spent = energy(device, fast_counts), energy(slow, slow_counts)
    assert spent.total_j - spent.io_j == pytest.approx(factor * (fast.total_j - fast.io_j))
    assert spent.io_j == fast.io_j


@settings(max_examples=40)
@given(devices())
def test_more_channels_never_lower_the_peak(device: Device) -> None:
    peaks = [
        replace(
            device, organisation=replace(device.organisation, channels=channels)
        ).peak_bytes_per_s
        for channels in (1, 2, 4, 8)
    ]
    assert peaks == [pytest.approx(peaks[0] * 2**step) for step in range(4)]


@settings(max_examples=30)
@given(devices(), st.sampled_from(["ramulator", "dramsim3", "ideal"]))
def test_an_unloaded_read_takes_activate_column_and_burst(device: Device, style: Style) -> None:
    t, bus = device.timings, device.bus
    alone = replace(device, controller=replace(IN_ORDER, style=style))
    counts = simulate(alone, reads([0])).counts
    # bank queues move a transaction on a clock later; a command counts from its last clock
    controller = int(style == "dramsim3")
    slots = bus.activate - bus.column
    assert counts.latency_mean == controller + t.trcd_read + slots + t.cl + t.burst


@settings(max_examples=30)
@given(devices(), st.sampled_from(["ramulator", "dramsim3"]), st.integers(2, 40))
def test_row_hits_never_cost_more_time_or_energy_than_misses(
    device: Device, style: Style, count: int
) -> None:
    mapping = AddressMapping.parse("ro ch pc ra ba bg co")
    on = replace(device, controller=replace(IN_ORDER, style=style), mapping=mapping)
    size = device.organisation.transaction_bytes
    row = size * device.organisation.columns // device.organisation.burst_length
    next_row = on.organisation.capacity_bytes // on.organisation.rows
    hits = simulate(on, reads([at * size % row for at in range(count)])).counts
    misses = simulate(
        on, reads([at % 2 * next_row + at * size % row for at in range(count)])
    ).counts
    assert hits.activates == 1
    assert hits.clocks <= misses.clocks
    assert energy(on, hits).total_j <= energy(on, misses).total_j * (1 + 1e-12)
    assert misses.activates > 1 or count <= 2


@cache
def long_hits(style: Style) -> tuple[Counts, Counts]:
    """An idle-free stream of row hits, with and without refresh."""
    requests = stream("seq_rd", 12_000, 64)
    requests = replace(requests, address=requests.address % DEVICE.organisation.capacity_bytes)
    with_refresh, without = (
        replace(styled(device, style), mapping=INTERLEAVED) for device in (DEVICE, QUIET)
    )
    return simulate(with_refresh, requests).counts, simulate(without, requests).counts


@pytest.mark.parametrize("style", STYLES)
def test_refresh_takes_trfc_of_each_trefi_within_a_hundredth(style: Style) -> None:
    busy, quiet = long_hits(style)
    assert busy.refreshes >= 5
    share = 1 - quiet.clocks / busy.clocks
    assert share == pytest.approx(DEVICE.timings.trfc / DEVICE.timings.trefi, abs=0.01)


@pytest.mark.parametrize("style", STYLES)
def test_row_hits_reach_the_peak_but_for_refresh(style: Style) -> None:
    busy, quiet = long_hits(style)
    t = DEVICE.timings
    assert quiet.bandwidth_bytes_per_s == pytest.approx(DEVICE.peak_bytes_per_s, rel=0.01)
    bound = DEVICE.peak_bytes_per_s * (1 - t.trfc / t.trefi)
    assert 0.99 * bound <= busy.bandwidth_bytes_per_s <= 1.001 * bound
