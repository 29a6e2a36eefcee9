"""A window stands for the stream that it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_devices import QUIET, variants
from shipped_ddr4 import DDR4, INTERLEAVED

from codesign.errors import HardwareError
from codesign.memory.compiled import has_compiler
from codesign.memory.controller import Controller
from codesign.memory.device import Device
from codesign.memory.patterns import Pattern
from codesign.memory.reference import (
    Comparison,
    compare_window,
    reference_cases,
    reference_devices,
    summarise,
)
from codesign.memory.streams import Stream, stream
from codesign.memory.window import Window, solve, solve_exactly, solve_stream
from codesign.memory.window_plan import REQUESTS, REQUESTS_EACH, plan

REFERENCES = Path(__file__).resolve().parents[2] / ".." / "shared" / "references"
needs_runs = pytest.mark.skipif(
    not (REFERENCES / "dram" / "device_params.json").exists(),
    reason="the recorded runs are not here",
)
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="a million requests need numba")

RUN = Pattern(row_bytes=64)
TILE = Pattern(row_bytes=256, rows=64, pitch=4096)
DEVICES = variants()


# -- how long it is ------------------------------------------------------------------------------


@given(
    st.integers(1, 40),
    st.integers(1, 1 << 20),
    st.one_of(st.none(), st.integers(512, 100_000)),
    st.sampled_from(["all_bank", "per_bank", "none"]),
)
def test_whole_rounds_are_kept(
    patterns: int, grain: int, requests: int | None, refresh: str
) -> None:
    device = replace(DDR4, controller=Controller(refresh=refresh))  # type: ignore[arg-type]
    planned = plan(device, patterns, grain, requests)
    around = planned.turn * patterns
    assert planned.turn == min(max(1, grain // 64), REQUESTS_EACH)
    assert planned.kept % around == 0
    least = requests or max(REQUESTS, REQUESTS_EACH * patterns)
    assert planned.total >= least
    assert planned.kept >= least * (15 / 32 if refresh == "per_bank" else 13 / 16) - 1
    assert planned.first >= least // 8


def test_a_window_keeps_a_refresh_interval_at_the_peak_rate() -> None:
    slow = replace(DDR4, timings=replace(DDR4.timings, trefi=40_000))
    assert plan(DDR4, 1, 64, None).total == REQUESTS
    assert plan(slow, 1, 64, None).kept >= 10_000
    wide = replace(slow, organisation=replace(slow.organisation, channels=8))
    assert plan(wide, 1, 64, None).total == 16_384


@pytest.mark.parametrize(
    ("device", "patterns", "grain", "requests", "message"),
    [
        (DDR4, [], 64, None, "a window needs at least one pattern, got none"),
        (DDR4, [RUN], 0, None, "grain must be >= 1 byte, got 0"),
        (DDR4, [RUN], 64, 511, "a window needs >= 512 transactions, got 511"),
        (DDR4, [replace(RUN, base=1 << 40)], 64, None, "base of a pattern must be <= "),
        (
            replace(DDR4, timings=replace(DDR4.timings, burst=0)),
            [RUN],
            64,
            None,
            "timings.burst must be >= 1 clocks, got 0",
        ),
        (
            replace(DDR4, timings=replace(DDR4.timings, trefi=560)),
            [RUN],
            64,
            None,
            "trfc must be < trefi for anything to move, got 560 and 560",
        ),
    ],
)
def test_a_window_without_meaning_is_refused(
    device: Device, patterns: list[Pattern], grain: int, requests: int | None, message: str
) -> None:
    with pytest.raises(HardwareError, match=message):
        solve(device, patterns, grain, requests)


def test_a_stream_shorter_than_a_window_is_taken_whole() -> None:
    assert solve_stream(QUIET, stream("seq_rd", 700, 64)).bytes == (700 - 87 - 43) * 64
    with pytest.raises(HardwareError, match="needs >= 512 transactions, got 511"):
        solve_stream(QUIET, stream("seq_rd", 511, 64))


# -- closed forms --------------------------------------------------------------------------------


def test_reads_in_order_reach_the_peak_less_nothing() -> None:
    # a row of DEVICE is 16 transactions of one bank group: the queue holds two rows at a time
    window = solve(QUIET, [RUN], 64, 1024)
    transactions = 1024 - 128 - 64
    assert window.bytes == transactions * 64
    assert window.ticks == transactions * QUIET.timings.burst * QUIET.timings.tck_ps
    assert window.bandwidth_bytes_per_s == QUIET.peak_bytes_per_s
    assert window.activates == transactions // 16
    assert window.reads == transactions
    assert window.row_hits == window.reads - window.activates
    assert (window.writes, window.turnarounds) == (0, 0)


def test_refreshes_take_their_share_however_many_the_window_has() -> None:
    quiet = solve(replace(INTERLEAVED, controller=Controller(refresh="none")), [RUN], 64, 600)
    none_yet = solve(replace(INTERLEAVED, controller=Controller()), [RUN], 64, 600)
    share = 560 / 12480
    assert none_yet.ticks * (1 - share) == pytest.approx(quiet.ticks, rel=1e-6)
    idle = none_yet.precharged_clocks / (none_yet.active_clocks + none_yet.precharged_clocks)
    assert idle == pytest.approx(share, rel=0.01)


def test_clocks_of_ranks_and_time_are_one() -> None:
    for name in ("two_ranks", "pseudo_channels"):
        device = DEVICES[name]
        window = solve(device, [RUN], 64, 600)
        ranks = device.organisation.channels * device.organisation.channel_ranks
        clocks = window.active_clocks + window.precharged_clocks
        expected = window.ticks * ranks / device.timings.tck_ps
        assert clocks == pytest.approx(expected, abs=ranks)


@given(st.integers(1, 1 << 16), st.booleans())
@settings(max_examples=8)
def test_a_window_is_that_of_its_merged_stream(base: int, write: bool) -> None:
    pattern = replace(RUN, base=base, write=write)
    size = 700
    alone = Stream(
        base // 64 * 64 + np.arange(size) * 64, np.full(size, write), np.zeros(size, np.int64)
    )
    assert solve(QUIET, [pattern], 64, 600) == solve_stream(QUIET, alone, 600)


def test_the_grain_counts_whole_transactions() -> None:
    pair = [RUN, replace(TILE, base=1 << 20)]
    assert solve(QUIET, pair, 1, 512) == solve(QUIET, pair, 127, 512)
    assert solve(QUIET, pair, 64, 512) != solve(QUIET, pair, 1024, 512)


# -- every transaction ---------------------------------------------------------------------------


def test_descriptors_move_all_of_their_bytes() -> None:
    pair, sizes = [RUN, replace(TILE, base=1 << 20, write=True)], [6400, 3200]
    exact = solve_exactly(QUIET, pair, sizes, 128)
    assert exact.bytes == 9600
    assert exact.reads == 100
    # up to a queue of writes is not yet written when the last of them has been taken
    assert 50 - QUIET.controller.write_entries <= exact.writes <= 50
    assert exact.active_clocks + exact.precharged_clocks == exact.ticks // QUIET.timings.tck_ps
    with pytest.raises(HardwareError, match="a size for each, got 2 and 1"):
        solve_exactly(QUIET, pair, [64], 128)


def test_bytes_that_are_not_asked_for_are_moved_with_those_that_are() -> None:
    skewed = Pattern(row_bytes=64, rows=10, pitch=256, base=32)
    assert solve_exactly(QUIET, [skewed], [640], 64).bytes == 1280


@needs_compiler
@pytest.mark.parametrize("refresh", ["all_bank", "per_bank", "none"])
@pytest.mark.parametrize(
    "patterns",
    [
        [RUN],
        [TILE],
        [replace(RUN, write=True)],
        [RUN, replace(TILE, base=1 << 23)],
        [RUN, replace(RUN, base=5 << 20, write=True), replace(TILE, base=9 << 20)],
    ],
)
def test_a_window_is_near_all_that_follow(patterns: list[Pattern], refresh: str) -> None:
    device = replace(INTERLEAVED, controller=Controller(refresh=refresh))  # type: ignore[arg-type]
    device = replace(device, timings=replace(device.timings, trfc_bank=200, trrefd=30))
    for grain in (64, 1024, 16384):
        sizes = [3 << 20] * len(patterns)
        exact = solve_exactly(device, patterns, sizes, grain)
        assert share(solve(device, patterns, grain), exact) < 0.05


@pytest.mark.parametrize("size", [64, 4096, 1 << 18])
def test_short_transfers_pay_their_part_of_the_refreshes(size: int) -> None:
    device = replace(DDR4, controller=replace(DDR4.controller, refresh="none"))
    without = solve_exactly(device, [RUN], [size], 1024)
    found = solve_exactly(DDR4, [RUN], [size], 1024)
    timings = DDR4.timings
    mean = timings.trefi / (timings.trefi - timings.trfc)
    assert found.ticks == pytest.approx(without.ticks * mean, rel=0.02)
    assert found.active_clocks + found.precharged_clocks >= found.ticks // timings.tck_ps


def share(window: Window, exact: Window) -> float:
    """Magnitude of the relative error in bandwidth."""
    return abs(window.bandwidth_bytes_per_s / exact.bandwidth_bytes_per_s - 1)


# -- against the recorded runs -------------------------------------------------------------------

RECORDED = {
    (DDR4, "seq_rd"): 16.9164,
    (DDR4, "tile_64x256"): 24.0178,
    (DDR4, "rw_2to1_1k"): 13.8256,
    (INTERLEAVED, "stride_4k"): 12.7,
    (INTERLEAVED, "two_1k"): 23.02,
}
"""GB/s of DRAMsim3 (2981759), 50,000 and 30,000 transactions at once."""


@pytest.mark.parametrize(
    ("device", "name"),
    [pytest.param(*key, marks=[needs_compiler] * (at > 0)) for at, key in enumerate(RECORDED)],
)
def test_windows_have_the_bandwidth_of_dramsim3(device: Device, name: str) -> None:
    window = solve_stream(device, stream(name, 8000, 64))
    assert window.bandwidth_bytes_per_s / 1e9 == pytest.approx(RECORDED[device, name], rel=0.03)


@pytest.fixture(scope="module")
def compared() -> list[Comparison]:
    folder = REFERENCES / "dram"
    devices = reference_devices(folder)
    cases = list(reference_cases(folder))
    return [compare_window(case, devices[case.tool, case.config]) for case in cases]


@needs_runs
@needs_compiler
@pytest.mark.parametrize(("tool", "cases"), [("dramsim3", 65), ("ramulator2.1", 72)])
def test_windows_add_less_than_a_point_of_mean_error(
    compared: list[Comparison], tool: str, cases: int
) -> None:
    mine = [one for one in compared if one.case.tool == tool]
    bandwidth = summarise(mine, "bandwidth")
    assert bandwidth.cases == cases
    # the kernel itself has no error against these runs
    assert bandwidth.mean < 0.0075
    assert bandwidth.largest < 0.035
    assert abs(bandwidth.signed_mean) < 0.003
    assert summarise(mine, "activates").mean < 0.04
    assert summarise(mine, "energy").cases == summarise(mine, "read_latency").cases == 0


@needs_runs
@needs_compiler
def test_windows_are_better_than_the_bars_of_cheaper_models(compared: list[Comparison]) -> None:
    text = (REFERENCES / "dram_contention" / "granularity.csv").read_text(encoding="utf-8")
    head, *lines = [line.split(",") for line in text.splitlines()]
    keys = {tuple(line[:2]) for line in lines}
    mine = [
        abs(dict(one.errors)["bandwidth"])
        for one in compared
        if one.case.tool == "dramsim3"
        and not one.case.load
        and (one.case.config, one.case.stream) in keys
    ]
    assert len(mine) == len(lines) == 60
    for bar in ("err_window_4096_refresh_corrected", "err_window_16384_refresh_corrected"):
        theirs = [abs(float(line[head.index(bar)])) for line in lines]
        assert np.mean(mine) < np.mean(theirs) / 3
        assert max(mine) < max(theirs)


@needs_runs
def test_a_run_at_partial_load_is_not_compared() -> None:
    folder = REFERENCES / "dram"
    partial = next(case for case in reference_cases(folder) if case.load)
    device = reference_devices(folder)[partial.tool, partial.config]
    assert compare_window(partial, device).errors == ()
