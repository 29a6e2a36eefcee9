"""The DRAM devices that ship: they equal their standards, and behave as DRAM does."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, replace

import numpy as np
import pytest

from codesign.hardware.dram_file import list_devices, load_device, load_device_file
from codesign.hardware.provenance import STATUSES
from codesign.memory import Device, energy, simulate, stream

GIB = 2**30
PEAK_AND_CAPACITY = {
    "ddr4-3200": (25.6e9, 8 * GIB),
    "ddr5-4800": (19.2e9, 8 * GIB),
    "gddr6-14": (56e9, GIB),
    "hbm2": (256e9, 8 * GIB),
    "hbm2-pim": (256e9, 4 * GIB),
    "hbm2e": (460.8e9, 8 * GIB),
    "hbm3": (819.2e9, 8 * GIB),
    "lpddr4-4266": (8.532e9, GIB),
    "lpddr4x-4266": (8.532e9, GIB),
    "lpddr5-6400": (12.8e9, 2 * GIB),
    "lpddr5x-8533": (17.066e9, 2 * GIB),
}
"""Bytes per second: transfers per second times width, as the standards name their grades."""

REFRESH = {
    "ddr4-3200": (350, 7800),
    "ddr5-4800": (295, 3900),
    "gddr6-14": (120, 1900),
    "hbm2": (350, 3900),
    "hbm2-pim": (350, 3900),
    "hbm2e": (350, 3900),
    "hbm3": (260, 3900),
    "lpddr4-4266": (280, 3904),
    "lpddr4x-4266": (280, 3904),
    "lpddr5-6400": (280, 3906),
    "lpddr5x-8533": (280, 3906),
}
"""tRFC and tREFI of the density, in nanoseconds."""

SEQUENTIAL_PJ_PER_BIT = {
    # from: core of DRAMsim3 2981759 (corrected); to: rates that surveys quote
    "ddr4-3200": (9.8, 20),
    "ddr5-4800": (12, 16),
    # to: GDDR5, O'Connor et al., MICRO 2017
    "gddr6-14": (3.5, 14),
    # from: O'Connor et al., MICRO 2017; to: what HBM-Power measured, and a fifth more
    "hbm2": (3.9, 5.8),
    "hbm2-pim": (3.9, 5.8),
    "hbm2e": (3.9, 5.8),
    # from: Moon et al., IEDM 2023, for HBM3E
    "hbm3": (3.4, 5.8),
    # rates that surveys quote, LPDDR4 8 pJ/bit; of LPDDR4X there are only currents of LPDDR4
    "lpddr4-4266": (6, 10),
    "lpddr4x-4266": (5, 8),
    "lpddr5-6400": (4, 5),
    "lpddr5x-8533": (3.5, 4.5),
}
"""Core and I/O of a sequential read."""

OF_THE_DEVICE = ("organisation", "timings", "command_bus", "rails")
DEVICES = sorted(PEAK_AND_CAPACITY)


def _one_channel(name: str) -> Device:
    device = load_device(name)
    return replace(device, organisation=replace(device.organisation, channels=1))


def _stream(device: Device, pattern: str, requests: int):  # type: ignore[no-untyped-def]
    return stream(pattern, requests, device.organisation.transaction_bytes)


def test_the_devices_of_the_issue_ship() -> None:
    listed = list_devices()
    assert [preset.name for preset in listed] == DEVICES
    for preset in listed:
        assert preset.description.startswith(preset.name.partition("-")[0].upper())
        assert preset.path.name == f"{preset.name}.yaml"


@pytest.mark.parametrize("name", DEVICES)
def test_peak_and_capacity_are_those_of_the_grade(name: str) -> None:
    peak, capacity = PEAK_AND_CAPACITY[name]
    (preset,) = [preset for preset in list_devices() if preset.name == name]
    # a clock is whole picoseconds
    assert preset.peak_bytes_per_s == pytest.approx(peak, rel=2e-3)
    assert preset.capacity_bytes == capacity


@pytest.mark.parametrize("name", DEVICES)
def test_every_value_states_a_source_and_a_status(name: str) -> None:
    rows = load_device_file(name).provenance
    assert len(rows) > 60
    assert len({row.field for row in rows}) == len(rows)
    for row in rows:
        assert row.status in STATUSES
        assert row.source not in ("", f"{name}.yaml", "default of the device model"), row.field


@pytest.mark.parametrize("name", DEVICES)
def test_at_least_half_of_the_numbers_of_the_device_are_not_assumed(name: str) -> None:
    rows = load_device_file(name).provenance
    own = Counter(row.status for row in rows if row.field.split(".")[0] in OF_THE_DEVICE)
    assert own["assumed"] <= own.total() / 2
    choices = [row for row in rows if row.field.split(".")[0] in ("mapping", "controller")]
    assert {row.status for row in choices} == {"assumed"}


@pytest.mark.parametrize("name", DEVICES)
def test_the_header_names_sources_and_what_is_not_modelled(name: str) -> None:
    (path,) = [preset.path for preset in list_devices() if preset.name == name]
    header = path.read_text().split("\nname:")[0]
    assert all(line.startswith("#") or not line for line in header.splitlines())
    assert header.startswith(f"# {name}: ")
    assert "# Sources: " in header
    assert "# Not modelled: " in header


@pytest.mark.parametrize("name", DEVICES)
def test_power_down_and_self_refresh_have_currents_and_exits(name: str) -> None:
    device = load_device(name)
    assert 0 < device.timings.txp < device.timings.trfc <= device.timings.txs
    assert device.rails
    for _, rail in device.rails:
        assert 0 < rail.idd2p <= rail.idd2n
        assert 0 < rail.idd3p <= rail.idd3n
        assert rail.idd6 > 0
    idle = sum(rail.voltage * rail.idd2n for _, rail in device.rails)
    asleep = sum(rail.voltage * rail.idd6 for _, rail in device.rails)
    assert asleep < idle * 1.2


@pytest.mark.parametrize("name", DEVICES)
def test_every_transaction_has_a_place_of_its_own(name: str) -> None:
    organisation, mapping = load_device(name).organisation, load_device(name).mapping
    transactions = organisation.capacity_bytes // organisation.transaction_bytes
    spread = np.random.default_rng(7).choice(transactions, 20_000, replace=False)
    for numbers in (np.arange(20_000), np.sort(spread)):
        parts = mapping.split(numbers.astype(np.int64), organisation)
        places = set(zip(*(part.tolist() for part in parts.values()), strict=True))
        assert len(places) == len(numbers)


@pytest.mark.parametrize("name", DEVICES)
def test_an_idle_device_answers_after_activate_read_and_burst(name: str) -> None:
    device = _one_channel(name)
    timings = device.timings
    counts = simulate(device, _stream(device, "seq_rd", 1)).counts
    shortest = timings.trcd_read + timings.cl + timings.burst
    # an activate may take more slots than a read, and LPDDR5 starts its data clock first
    assert shortest <= counts.latency_mean <= shortest + device.bus.activate


@pytest.mark.parametrize("name", DEVICES)
def test_sequential_streams_come_near_the_peak_and_never_exceed_it(name: str) -> None:
    device = _one_channel(name)
    for pattern in ("seq_rd", "seq_wr"):
        counts = simulate(device, _stream(device, pattern, 2048)).counts
        share = counts.bandwidth_bytes_per_s / device.peak_bytes_per_s
        # latency of the first and the posted writes at the end of a short run
        tail = device.controller.write_entries / 2048 if pattern == "seq_wr" else 0
        assert 0.85 <= share <= 1 + tail
        assert counts.row_hits > 0.9 * counts.requests


@pytest.mark.parametrize("name", DEVICES)
def test_random_reads_are_slower_and_cost_more_than_sequential_ones(name: str) -> None:
    device = load_device(name)
    near, far = (
        simulate(device, _stream(device, pattern, 1024)).counts
        for pattern in ("seq_rd", "random_rd")
    )
    assert far.activates > 4 * near.activates
    assert far.bandwidth_bytes_per_s <= near.bandwidth_bytes_per_s * 1.02
    assert energy(device, far).total_j > 1.2 * energy(device, near).total_j


@pytest.mark.parametrize("name", DEVICES)
def test_a_stride_of_a_power_of_two_does_not_meet_one_bank_or_channel_only(name: str) -> None:
    device = load_device(name)
    organisation = device.organisation
    for stride in (2**12, 2**16, 2**20):
        count = min(1024, organisation.capacity_bytes // stride)
        numbers = np.arange(count, dtype=np.int64) * stride // organisation.transaction_bytes
        parts = device.mapping.split(numbers, organisation)
        banks = set(zip(*(parts[f].tolist() for f in ("ch", "pc", "bg", "ba")), strict=True))
        all_banks = organisation.channels * organisation.channel_ranks * organisation.rank_banks
        assert len(banks) >= min(all_banks, count) / 2


@pytest.mark.parametrize("name", DEVICES)
def test_the_share_of_refresh_is_that_of_the_density(name: str) -> None:
    timings = load_device(name).timings
    trfc_ns, trefi_ns = REFRESH[name]
    assert timings.trfc / timings.trefi == pytest.approx(trfc_ns / trefi_ns, rel=0.01)
    assert timings.trfc * timings.tck_ps == pytest.approx(1000 * trfc_ns, rel=0.01)


@pytest.mark.parametrize("name", ["ddr5-4800", "lpddr4-4266", "lpddr5-6400"])
def test_refresh_takes_its_share_of_a_stream_that_never_pauses(name: str) -> None:
    device = _one_channel(name)
    undisturbed = replace(device, controller=replace(device.controller, refresh="none"))
    requests = _stream(device, "seq_rd", 4 * device.timings.trefi // device.timings.burst)
    slow, fast = simulate(device, requests).counts, simulate(undisturbed, requests).counts
    share = 1 - fast.clocks / slow.clocks
    assert slow.refreshes >= 4
    assert share == pytest.approx(device.timings.trfc / device.timings.trefi, abs=0.01)


@pytest.mark.parametrize("name", DEVICES)
def test_a_sequential_read_costs_what_others_find(name: str) -> None:
    device = _one_channel(name)
    counts = simulate(device, _stream(device, "seq_rd", 2048)).counts
    spent = energy(device, counts)
    assert spent.io_j == pytest.approx(device.io_j_per_bit * 8 * counts.bytes)
    low, high = SEQUENTIAL_PJ_PER_BIT[name]
    assert low <= spent.total_j / (8 * counts.bytes) * 1e12 <= high


@pytest.mark.parametrize("name", DEVICES)
def test_no_command_gives_energy_back(name: str) -> None:
    device = _one_channel(name)
    counts = simulate(device, _stream(device, "seq_rd", 16)).counts
    one_each = replace(counts, activates=1, reads=1, writes=1, refreshes=1, refreshes_bank=0)
    spent = energy(device, one_each)
    assert min(astuple(spent)[:4]) > 0
    if device.timings.trfc_bank:
        bank = energy(device, replace(one_each, refreshes=0, refreshes_bank=1)).refresh_j
        banks = device.organisation.rank_banks
        assert bank * banks == pytest.approx(spent.refresh_j, rel=0.02)


@pytest.mark.parametrize("name", DEVICES)
def test_more_channels_carry_more(name: str) -> None:
    one = _one_channel(name)
    four = replace(one, organisation=replace(one.organisation, channels=4))
    four.check()
    assert four.peak_bytes_per_s == pytest.approx(4 * one.peak_bytes_per_s)
    rates = [
        simulate(device, _stream(device, "seq_rd", 2048)).counts.bandwidth_bytes_per_s
        for device in (one, four)
    ]
    assert rates[1] > 2.5 * rates[0]
