"""``codesign memory``: errors of recorded runs as people and programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.memory import reference
from codesign.memory.reference import Case, Comparison

RUNS = [
    ("dramsim3", "slow", {"bandwidth": 0.02, "energy": -0.01}),
    ("dramsim3", "slow", {"bandwidth": -0.04}),
    ("dramsim3", "fast", {"bandwidth": 0.06}),
    ("ramulator2.1", "slow", {"read_latency": 0.5}),
]


def compared(case: Case, device: object) -> Comparison:
    return Comparison(case, case.values)


def of_window(case: Case, device: object) -> Comparison:
    return Comparison(case, tuple((name, 2 * error) for name, error in case.values[:1]))


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four recorded runs whose errors are known."""
    cases = [
        Case(
            tool=tool,
            config=name,
            stream="seq_rd",
            requests=10,
            load=0.0,
            values=tuple(errors.items()),
        )
        for tool, name, errors in RUNS
    ]
    devices = {(case.tool, case.config): None for case in cases}
    monkeypatch.setattr(reference, "reference_devices", lambda folder: devices)
    monkeypatch.setattr(reference, "reference_cases", lambda folder: iter(cases))
    monkeypatch.setattr(reference, "compare", compared)
    monkeypatch.setattr(reference, "compare_window", of_window)


def test_each_device_and_each_tool_has_its_errors(codesign: Codesign) -> None:
    ran = codesign("memory", "validate", "--data", ".")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["dramsim3", "slow", "bandwidth", "2", "3.000", "%", "3.000", "%",
            "4.000", "%", "-1.000", "%"] in rows  # fmt: skip
    assert ["dramsim3", "all", "bandwidth", "3", "4.000", "%", "4.000", "%",
            "6.000", "%", "+1.333", "%"] in rows  # fmt: skip
    assert ["ramulator2.1", "all", "read", "latency", "1", *["50.000", "%"] * 3,
            "+50.000", "%"] in rows  # fmt: skip
    assert not any(row[:3] == ["ramulator2.1", "slow", "energy"] for row in rows)


def test_the_errors_of_a_window_stand_in_a_table_of_their_own(codesign: Codesign) -> None:
    out = codesign("memory", "validate", "--data", ".").out
    kernel, _, window = out.partition("Errors of a window of it, saturating runs")
    rows = [line.split() for line in window.splitlines()]
    assert ["dramsim3", "all", "bandwidth", "3", "8.000", "%", "8.000", "%",
            "12.000", "%", "+2.667", "%"] in rows  # fmt: skip
    assert "energy" in kernel
    assert "energy" not in window


def test_a_program_gets_every_run(codesign: Codesign) -> None:
    found = json.loads(codesign("memory", "validate", "--data", ".", "--json").out)
    assert [(one["tool"], one["device"], one["errors"]) for one in found] == RUNS
    assert {one["stream"] for one in found} == {"seq_rd"}
    assert [one["window_errors"] for one in found] == [
        {name: 2 * error} for _, _, errors in RUNS for name, error in [*errors.items()][:1]
    ]


def test_a_folder_without_the_runs_is_one_line(
    codesign: Codesign, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    ran = codesign("memory", "validate", "--data", tmp_path)
    assert ran.code == 2
    assert ran.err.startswith("error: no reference file")
    assert ran.err.count("\n") == 1
