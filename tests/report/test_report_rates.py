"""Rates of memories and links over time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_case import generated, write_ledger
from strategies import machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.report.checks import find_checks
from codesign.report.rates import Rate, rate_of
from codesign.report.saved import Saved, read_saved
from codesign.report.sums import (
    bytes_by_component,
)
from codesign.result.result import Result
from codesign.workload.record import Trace

pytest_plugins = ["report_fixtures"]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_the_integral_of_a_rate_is_what_the_ledger_has(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("rates")
    simulate(trace, hardware).save(folder)
    saved = read_saved(folder)
    stack = bytes_by_component(saved)
    for name in stack.rows:
        for peak in (0.0, saved.by_name[name].bytes_per_s or 0.0):
            rate = rate_of(saved, name, peak)
            assert rate.bytes == pytest.approx(stack.row(name))
            assert rate.resampled(7).bytes == pytest.approx(stack.row(name))
            assert (rate.values >= 0).all()
            assert rate.edges[0] >= 0
            assert rate.edges[-1] <= saved.makespan + 1


def test_a_rate_is_the_bytes_of_an_operator_over_its_run(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 4))
    rate = rate_of(saved, "dram")
    assert rate.edges.tolist() == [0, 1e6, 2e6, 3e6, 4e6]
    assert rate.values.tolist() == [1.5e9] * 4


def overlapping(tmp_path: Path) -> Saved:
    """Two runs of 1,500 bytes, 1 us each, of which one half is at the same time."""
    saved = read_saved(generated(tmp_path, 2))
    spans = dataclasses.replace(
        saved.spans, starts=np.array([0, 500_000]), ends=np.array([1_000_000, 1_500_000])
    )
    return dataclasses.replace(saved, spans=spans)


def test_rates_of_operators_that_overlap_add_up(tmp_path: Path) -> None:
    rate = rate_of(overlapping(tmp_path), "dram")
    assert rate.values[:3].tolist() == pytest.approx([1.5e9, 3e9, 1.5e9])


def test_what_overlaps_gives_way_below_the_peak(tmp_path: Path) -> None:
    # the second one takes what is left to it in its first half, and the rest in its second one
    rate = rate_of(overlapping(tmp_path), "dram", 2.6e9)
    assert rate.values[:3].tolist() == pytest.approx([1.5e9, 2.6e9, 1.9e9])


def test_what_comes_before_moves_ahead_where_there_is_no_room_else(tmp_path: Path) -> None:
    rate = rate_of(overlapping(tmp_path), "dram", 2e9)
    assert rate.values[:3].tolist() == pytest.approx([2e9, 2e9, 2e9])


def test_as_many_move_ahead_as_it_takes(tmp_path: Path) -> None:
    """The third finds room only if the second gives way, and that only if the first does."""
    saved = read_saved(generated(tmp_path, 3))
    starts = np.array([0, 500_000, 1_000_000])
    spans = dataclasses.replace(saved.spans, starts=starts, ends=starts + 1_000_000)
    summary = saved.summary.model_copy(update={"latency_s": 2e-6})
    rate = rate_of(dataclasses.replace(saved, spans=spans, summary=summary), "dram", 2.25e9)
    assert rate.values.tolist() == pytest.approx([2.25e9] * 4)


@pytest.mark.parametrize("which", ["saved", "drams"])
def test_no_rate_of_a_result_is_above_the_peak(which: str, request: pytest.FixtureRequest) -> None:
    found: Saved = request.getfixturevalue(which)
    for part in found.parts:
        if part.sort != "engine":
            rate = rate_of(found, part.name, found.peak(part.name))
            assert rate.values.max() <= found.peak(part.name) * (1 + 1e-9), part.name


def test_what_finds_no_room_at_all_is_spread_evenly(tmp_path: Path) -> None:
    rate = rate_of(overlapping(tmp_path), "dram", 1.8e9)
    assert rate.values[:3].tolist() == pytest.approx([1.5e9, 2.25e9, 2.25e9])


def test_no_room_below_the_peak_loses_no_byte(tmp_path: Path) -> None:
    assert rate_of(overlapping(tmp_path), "dram", 1e8).bytes == pytest.approx(3000)


def test_of_very_many_runs_no_byte_is_lost(tmp_path: Path) -> None:
    saved = read_saved(generated(tmp_path, 20, runs=3000))
    rate = rate_of(saved, "dram", 1e10)
    assert rate.bytes == pytest.approx(60_000 * 1500)
    assert rate.resampled(100).values.tolist() == pytest.approx([1.5e9] * 100)


def test_runs_that_are_not_listed_come_after_those_that_are(
    result: Result, saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign.result.save.MOST_SPANS", 3)
    result.save(tmp_path)
    cut = read_saved(tmp_path)
    assert len(cut.spans.ops) == 3
    assert (saved.left_out, cut.left_out) == (0, len(saved.spans.ops) - 3)
    whole, rate = rate_of(saved, "dram"), rate_of(cut, "dram")
    assert rate.bytes == pytest.approx(whole.bytes)
    last = float(cut.spans.ends.max())
    assert rate.values[rate.edges[:-1] >= last].min() > 0
    assert all(check.holds for check in find_checks(cut))


def test_bytes_of_an_operator_that_never_ran_flow_all_the_time(tmp_path: Path) -> None:
    folder = generated(tmp_path, 1)
    row = ("setup", "dram", "read", "weight", 4000, 1e-9)
    write_ledger(folder, [row])
    rate = rate_of(read_saved(folder), "dram")
    assert rate.values.tolist() == pytest.approx([4e9])


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(1, 60),
)
def test_resampling_keeps_the_bytes_and_the_ends(steps: list[tuple[int, int]], most: int) -> None:
    edges = np.concatenate(([0.0], np.cumsum([length for length, _ in steps], dtype=float)))
    rate = Rate(edges, np.array([value for _, value in steps], dtype=float))
    found = rate.resampled(most)
    assert found.bytes == pytest.approx(rate.bytes)
    assert len(found.values) <= max(most, 1)
    assert (found.edges[0], found.edges[-1]) == (edges[0], edges[-1])
    assert found.values.max() <= rate.values.max() + 1e-9
