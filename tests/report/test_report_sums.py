"""Sums, rates, roofs and laws of a saved result."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_case import banked, generated, small, with_why, write_ledger
from strategies import machines, traces

from codesign import simulate
from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.report.banks import UNSAID, find_banks
from codesign.report.checks import find_checks
from codesign.report.figures.banks import said
from codesign.report.rates import Rate, rate_of
from codesign.report.roof import find_roofline
from codesign.report.saved import Saved, read_saved
from codesign.report.sums import (
    Stack,
    bytes_by_component,
    bytes_by_operator,
    energy_by_component,
    energy_by_operator,
    energy_by_role,
)
from codesign.result.result import Result
from codesign.workload.record import Trace


@pytest.fixture(scope="module")
def result() -> Result:
    return small()


@pytest.fixture(scope="module")
def saved(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    folder = tmp_path_factory.mktemp("saved")
    result.save(folder)
    return read_saved(folder)


@pytest.fixture(scope="module")
def drams(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    folder = tmp_path_factory.mktemp("banked")
    banked().save(folder)
    return read_saved(folder)


@pytest.mark.parametrize("group", [energy_by_component, energy_by_role, energy_by_operator])
def test_every_grouping_sums_to_the_energy(saved: Saved, group: object) -> None:
    assert callable(group)
    assert group(saved).total == pytest.approx(saved.summary.energy_j, rel=1e-12)


def test_energy_by_component_is_that_of_the_summary(saved: Saved) -> None:
    stack = energy_by_component(saved)
    said = {name: joules for name, joules in saved.summary.energy_by_component_j.items() if joules}
    assert {name: stack.row(name) for name in stack.rows} == pytest.approx(said)
    causes = {
        cause: sum(stack.values.get((r, cause), 0.0) for r in stack.rows) for cause in stack.parts
    }
    assert causes["leakage"] == pytest.approx(saved.summary.leakage_energy_j)
    assert causes["dynamic"] == pytest.approx(saved.summary.dynamic_energy_j)


def test_an_operator_called_static_is_kept_apart_in_the_report(saved: Saved) -> None:
    names = [op and "static" for op in saved.ledger["op"]]
    assert None in names
    renamed = dataclasses.replace(saved, ledger={**saved.ledger, "op": names})
    found = energy_by_operator(renamed)
    assert set(found.rows) == {"static", "static (no operator)"}


def test_bytes_off_the_chip_are_those_of_the_summary(saved: Saved, result: Result) -> None:
    by_operator = bytes_by_operator(saved, frozenset(["dram"]))
    assert by_operator.total == sum(result.offchip_bytes.values())
    by_component = bytes_by_component(saved)
    assert by_component.row("dram") == by_operator.total
    roles = {role for _, role in by_component.values}
    assert roles == {role for role, size in result.offchip_bytes.items() if size}


def test_the_largest_rows_come_first_and_the_others_are_told_of() -> None:
    rows = ("a", "b", "c", "d")
    stack = Stack(rows, ("x", "y"), {("a", "x"): 1, ("b", "x"): 5, ("c", "y"): 3, ("d", "y"): 2})
    kept = stack.largest(2)
    assert (kept.rows, kept.folded, kept.others) == (("b", "c"), 2, 3.0)
    assert kept.total + kept.others == stack.total
    assert stack.largest(9).folded == 0


def test_equal_rows_stand_in_the_order_of_their_names() -> None:
    stack = Stack(("z", "a"), ("x",), {("z", "x"): 1.0, ("a", "x"): 1.0})
    assert stack.largest(2).rows == ("a", "z")


# -- rates ---------------------------------------------------------------------------------------


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


# -- roofline ------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_no_operator_is_above_its_roofs(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("roofs")
    simulate(trace, hardware).save(folder)
    found = find_roofline(read_saved(folder))
    roof, slope = max(found.roofs.values(), default=math.inf), sum(found.slopes.values())
    for point in found.points:
        assert point.macs_per_s <= min(roof, slope * point.intensity) * (1 + 1e-9)


def test_every_operator_is_a_point_or_is_counted(saved: Saved) -> None:
    found = find_roofline(saved)
    names = set(saved.operators["name"])
    placed = [point.name for point in (*found.points, *found.on_chip)]
    assert sorted([*placed, *found.without_macs, *found.without_time]) == sorted(names)
    assert found.without_macs
    assert found.without_time == ()


def test_the_place_of_a_point_is_its_macs_bytes_and_time(tmp_path: Path) -> None:
    found = find_roofline(read_saved(generated(tmp_path, 3, runs=2)))
    assert [point.intensity for point in found.points] == [5000 / 1500] * 3
    assert [point.macs_per_s for point in found.points] == [5e9] * 3
    assert (found.roofs, found.slopes) == ({"npu": 1e11}, {"dram": 1e10})


def test_without_components_the_memory_off_the_chip_is_found_by_its_bytes(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    known = find_roofline(read_saved(folder)).points
    (folder / "components.json").unlink()
    found = find_roofline(read_saved(folder))
    assert (found.points, found.roofs, found.slopes) == (known, {}, {})


# -- memories off the chip -----------------------------------------------------------------------


def test_hits_and_activates_are_all_bursts(drams: Saved) -> None:
    (banks,) = find_banks(drams)
    moved = bytes_by_component(drams)
    for role in banks.hits:
        bursts = moved.values["dram", role] // banks.part.burst_bytes
        assert banks.hits[role] + banks.misses.get(role, 0) == bursts
    assert 0.5 < banks.hit_share < 1
    assert sum(banks.states.values()) == drams.makespan
    assert sum(banks.state_j.values()) == pytest.approx(drams.summary.background_energy_j)
    assert banks.refreshes


def test_a_flat_memory_knows_no_rows_and_no_power_states(saved: Saved) -> None:
    (banks,) = find_banks(saved)
    assert banks.part.kind == "flat_dram"
    assert Memory.IDLE == UNSAID
    assert banks.part.states == {UNSAID: saved.makespan}, "all that its kind says nothing of"
    assert (banks.knows_rows, banks.hit_share, banks.refreshes) == (False, 0.0, None)
    assert banks.states == {}
    assert "flat_dram, has no power states" in said(banks)


def test_the_busy_share_of_a_memory_is_its_bytes_over_its_peak(saved: Saved, drams: Saved) -> None:
    for found in (saved, drams):
        (banks,) = find_banks(found)
        moved = sum(found.summary.offchip_bytes.values())
        assert banks.used == found.summary.utilization["dram"]
        assert banks.used == pytest.approx(moved / found.peak("dram") / found.summary.latency_s)


def test_an_old_folder_has_its_busy_share_from_the_ledger(tmp_path: Path) -> None:
    folder = generated(tmp_path, 4)
    assert broken(folder, "summary.json", {"utilization": {}}) == []
    (banks,) = find_banks(read_saved(folder))
    assert banks.used == pytest.approx(1500 * 4 / (1e10 * 4e-6))


def test_power_states_are_those_of_the_kind_only(saved: Saved, drams: Saved) -> None:
    laws = {name: [check.law for check in find_checks(found)] for name, found in
            (("flat", saved), ("banked", drams))}  # fmt: skip
    assert not [law for law in laws["flat"] if "power states" in law]
    assert [law for law in laws["banked"] if "power states" in law] == [
        "dram: the power states fill the run"
    ]


# -- laws ----------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, derandomize=True)
@given(traces(), machines())
def test_all_laws_hold_of_what_the_simulator_has_saved(
    tmp_path_factory: pytest.TempPathFactory, trace: Trace, hardware: Hardware
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    simulate(trace, hardware).save(folder)
    found = find_checks(read_saved(folder))
    assert len(found) >= 6
    assert [check for check in found if not check.holds] == []


def broken(folder: Path, file: str, change: dict[str, object]) -> list[str]:
    """Laws that are broken once a file says something else."""
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    return [check.law for check in find_checks(read_saved(folder)) if not check.holds]


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"lower_bound_s": 1.0}, "the run takes no less than its lower bound"),
        ({"utilization": {"npu": 1.2}}, "no part does more than it can"),
        ({"offchip_bytes": {"weight": 7}}, "the ledger sums to the bytes off the chip"),
        ({"leakage_energy_j": 1.0}, "dynamic energy, leakage and background sum to the energy"),
        ({"energy_by_component_j": {"npu": 1.0}}, "the components sum to the energy"),
    ],
)
def test_a_summary_that_says_something_else_breaks_a_law(
    tmp_path: Path, change: dict[str, object], law: str
) -> None:
    folder = generated(tmp_path, 3)
    assert broken(folder, "summary.json", {}) == []
    assert broken(folder, "summary.json", change) == [law]


def test_a_critical_path_must_fill_the_run(tmp_path: Path) -> None:
    folder = generated(tmp_path, 3)
    with_why(folder, 3_000_000)
    assert broken(folder, "summary.json", {}) == []
    with_why(folder, 2_000_000)
    assert broken(folder, "summary.json", {}) == ["the critical path fills the run"]


def test_a_run_longer_than_one_by_one_is_no_broken_law(tmp_path: Path) -> None:
    assert broken(generated(tmp_path, 3), "summary.json", {"serial_bound_s": 1e-9}) == []
