"""Streams that share a channel: the kernel against DRAMsim3, windows against every transaction."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from shipped_ddr4 import DDR4, INTERLEAVED

from codesign.memory.arbiter import interleave
from codesign.memory.compiled import has_compiler
from codesign.memory.device import Device
from codesign.memory.kernel import simulate
from codesign.memory.patterns import Pattern
from codesign.memory.reference import reference_devices
from codesign.memory.window import Window, solve, solve_exactly

REFERENCES = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
ROWS = REFERENCES / "dram_contention" / "contention.csv"
needs_rows = pytest.mark.skipif(not ROWS.exists(), reason="the recorded rows are not here")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="6 million requests need numba")

MIB = 1 << 20
TRANSACTIONS = 40_000
"""Of a joint run, rounded up to whole rounds of the arbiter."""
STAGGER = 26 * 1024
"""How much further each base of the ``bank_staggered`` rows lies. The records do not say; of all
multiples of 1 KiB to 64 KiB this one gives their bandwidths best, to 0.4 % in the mean."""


def streams(number: int, staggered: bool) -> list[Pattern]:
    step = 64 * MIB + STAGGER * staggered
    return [Pattern(row_bytes=64, base=at * step) for at in range(number)]


@cache
def joint(device: Device, number: int, grain: int, staggered: bool) -> Window:
    """Every transaction of sequential reads that share a channel."""
    size = device.organisation.transaction_bytes
    turn = max(1, grain // size)
    each = -(-TRANSACTIONS // (number * turn)) * turn * size
    return solve_exactly(device, streams(number, staggered), [each] * number, grain)


def error(window: Window, exact: Window) -> float:
    return abs(window.bandwidth_bytes_per_s / exact.bandwidth_bytes_per_s - 1)


# -- the kernel ----------------------------------------------------------------------------------

CONFIRMED = [
    (DDR4, 8, 64, False, 844_359, 11_379),
    (DDR4, 8, 64, True, 118_515, 3_191),
    (INTERLEAVED, 2, 1024, False, 105_935, 4_154),
    (INTERLEAVED, 4, 64, False, 115_653, 4_993),
    (INTERLEAVED, 4, 256, False, 114_388, 4_986),
    (INTERLEAVED, 8, 1024, False, 147_406, 6_024),
    (INTERLEAVED, 8, 4096, False, 109_064, 1_524),
]
"""Rows that the records have up to 21 % otherwise, with clocks and activates of the kernel for
24,000 transactions. DRAMsim3 (2981759), offered the same transactions one a clock, has all of them
done within 60 clocks of that, not 60 clocks before, and with the same activates."""


@needs_compiler
@pytest.mark.parametrize(
    ("device", "number", "grain", "staggered", "clocks", "activates"), CONFIRMED
)
def test_a_joint_run_is_that_of_dramsim3(
    device: Device, number: int, grain: int, staggered: bool, clocks: int, activates: int
) -> None:
    counts = simulate(device, interleave(device, streams(number, staggered), grain, 24_000)).counts
    assert (counts.clocks, counts.activates) == (clocks, activates)


def rows() -> list[tuple[Device, int, int, bool, float, float]]:
    """Device, streams, grain, layout, joint and lone GB/s of each recorded row."""
    devices = reference_devices(REFERENCES / "dram")
    return [
        (
            devices["dramsim3", row["config"]],
            int(row["initiators"]),
            int(row["arbitration_bytes"]),
            row["layout"] == "bank_staggered",
            float(row["joint_bandwidth_GBps"]),
            float(row["alone_bandwidth_GBps"]),
        )
        for row in csv.DictReader(ROWS.read_text(encoding="utf-8").splitlines())
    ]


@needs_rows
@needs_compiler
def test_joint_runs_are_near_the_recorded_rows() -> None:
    # the rows are a prototype's; of its larger errors the tests above say who is right
    errors = {key[:4]: joint(*key[:4]).bandwidth_bytes_per_s / key[4] / 1e9 - 1 for key in rows()}
    assert len(errors) == 138
    sizes = np.abs(list(errors.values()))
    assert sizes.mean() < 0.012
    assert np.quantile(sizes, 0.9) < 0.02
    far = {
        (device.name, number, grain)
        for (device, number, grain, _), size in errors.items()
        if abs(size) > 0.1
    }
    assert far == {
        ("ddr4_1rank_bgil", 4, 64),
        ("ddr4_1rank_bgil", 4, 256),
        ("ddr4_1rank_bgil", 2, 1024),
        ("hbm2_1ch", 2, 64),
    }


@needs_rows
@needs_compiler
def test_sharing_is_worse_or_better_than_alone_where_the_rows_say_so() -> None:
    told = 0
    for device, number, grain, staggered, there, there_alone in rows():
        alone = joint(device, 1, 64, False).bandwidth_bytes_per_s / 1e9
        assert alone == pytest.approx(there_alone, rel=0.01)
        if abs(there / there_alone - 1) > 0.005:
            told += 1
            ours = joint(device, number, grain, staggered).bandwidth_bytes_per_s / 1e9
            assert (ours > alone) == (there > there_alone), (device.name, number, grain)
    assert told == 81


@needs_rows
@needs_compiler
def test_rows_are_in_the_recorded_order() -> None:
    by_device: dict[str, list[tuple[float, float]]] = {}
    for device, number, grain, staggered, there, _ in rows():
        ours = joint(device, number, grain, staggered).bandwidth_bytes_per_s / 1e9
        by_device.setdefault(device.name, []).append((there, ours))
    pairs = [
        (one, other)
        for found in by_device.values()
        for one in found
        for other in found
        if one[0] > 1.05 * other[0]
    ]
    wrong = [pair for pair in pairs if pair[0][1] <= pair[1][1]]
    assert len(pairs) > 1000
    assert len(wrong) / len(pairs) < 0.05


# -- windows -------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("device", [DDR4, INTERLEAVED], ids=lambda device: device.name)
@pytest.mark.parametrize("number", [2, 4, 8])
@pytest.mark.parametrize("staggered", [False, True])
def test_windows_of_shared_ddr4_are_within_5_percent(
    device: Device, number: int, staggered: bool
) -> None:
    for grain in (64, 256, 1024, 4096, 16384, 65536):
        window = solve(device, streams(number, staggered), grain)
        assert error(window, joint(device, number, grain, staggered)) < 0.05, grain


@needs_rows
@needs_compiler
def test_windows_are_within_5_percent_of_the_joint_run_in_every_row() -> None:
    errors, activates = [], []
    for key in rows():
        device, number, grain, staggered = key[:4]
        window, exact = solve(device, streams(number, staggered), grain), joint(*key[:4])
        errors.append(error(window, exact))
        activates.append(abs(window.activates * exact.bytes / window.bytes / exact.activates - 1))
    assert len(errors) == 138
    assert max(errors) < 0.05
    assert np.mean(errors) < 0.005
    assert np.mean(activates) < 0.03


@needs_rows
@needs_compiler
def test_lone_rates_would_do_for_coarse_grains_alone() -> None:
    fine: list[float] = []
    coarse: list[float] = []
    for device, number, grain, staggered, *_ in rows():
        wrong = error(joint(device, 1, 64, False), joint(device, number, grain, staggered))
        (coarse if grain >= 16384 else fine).append(wrong)
    assert max(coarse) < 0.07
    assert max(fine) > 8


def test_two_streams_in_one_bank_share_less_than_one_has_alone() -> None:
    def bandwidth(patterns: list[Pattern]) -> float:
        return solve(DDR4, patterns, 1024, 1024).bandwidth_bytes_per_s

    alone = bandwidth(streams(1, False))
    same_bank, apart = bandwidth(streams(2, False)), bandwidth(streams(2, True))
    assert same_bank < 0.7 * alone
    assert apart > 1.3 * alone


def test_a_turn_longer_than_a_window_counts_as_the_longest() -> None:
    pair = [Pattern(row_bytes=64), Pattern(row_bytes=64, base=64 * MIB, write=True)]
    quiet = replace(DDR4, controller=replace(DDR4.controller, refresh="none"))
    long = solve(quiet, pair, 128 * 1024, 512)
    assert solve(quiet, pair, 64 * MIB, 512) == long
    assert long.bytes == 2 * 2048 * 64
