"""Memories off the chip, and the laws that a saved result keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from report_case import generated, with_why
from strategies import machines, traces

from codesign import simulate
from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.report.banks import UNSAID, find_banks
from codesign.report.checks import find_checks
from codesign.report.figures.banks import said
from codesign.report.saved import Saved, read_saved
from codesign.report.sums import (
    bytes_by_component,
)
from codesign.workload.record import Trace

pytest_plugins = ["report_fixtures"]


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
