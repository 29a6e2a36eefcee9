"""The kernel against recorded runs of DRAMsim3 and Ramulator 2.1.

The runs lie beside the repository; without them, or without the compiler, these tests say so.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codesign.errors import HardwareError
from codesign.memory.compiled import has_compiler
from codesign.memory.reference import (
    QUANTITIES,
    Comparison,
    compare,
    reference_cases,
    reference_devices,
    summarise,
)

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "references" / "dram"
TOOLS = {"dramsim3": 102, "ramulator2.1": 87}

needs_runs = pytest.mark.skipif(
    not (FOLDER / "device_params.json").exists(), reason="the recorded runs are not here"
)
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="4 million requests need numba")


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    devices = reference_devices(FOLDER)
    return [compare(case, devices[case.tool, case.config]) for case in reference_cases(FOLDER)]


@needs_runs
@needs_compiler
@pytest.mark.parametrize("tool", TOOLS)
def test_the_mean_error_of_each_tool_is_within_its_mark(
    comparisons: list[Comparison], tool: str
) -> None:
    mine = [one for one in comparisons if one.case.tool == tool]
    assert len(mine) == TOOLS[tool]
    marks = {"bandwidth": 0.02, "read_latency": 0.05, "activates": 0.06, "energy": 0.015}
    for quantity in QUANTITIES:
        assert summarise(mine, quantity).mean < marks[quantity]


@needs_runs
@needs_compiler
def test_bandwidth_and_activates_are_those_of_the_tools_to_the_last_clock(
    comparisons: list[Comparison],
) -> None:
    for one in comparisons:
        errors = dict(one.errors)
        assert abs(errors["bandwidth"]) < 1e-9, one
        assert errors["activates"] == 0, one
        # the recorded latency is rounded to 10 ps
        assert abs(errors.get("read_latency", 0)) < 2e-4, one
        assert abs(errors.get("energy", 0)) < 1e-9, one


@needs_runs
@needs_compiler
def test_energy_is_compared_in_every_case_that_has_it(comparisons: list[Comparison]) -> None:
    assert summarise(comparisons, "energy").cases == TOOLS["dramsim3"]
    assert summarise(comparisons, "bandwidth").cases == sum(TOOLS.values())


@needs_runs
def test_every_configuration_is_a_device_without_contradiction() -> None:
    devices = reference_devices(FOLDER)
    assert len(devices) == 15
    for device in devices.values():
        device.check()
    peaks = {name: device.peak_bytes_per_s / 1e9 for (_, name), device in devices.items()}
    assert peaks["hbm2_8ch_default"] == pytest.approx(256)
    assert peaks["hbm2_2000_mop4clxor"] == pytest.approx(32)
    assert peaks["ddr5_4800_robaracoch"] == pytest.approx(19.231, rel=1e-4)


def test_a_missing_folder_is_one_line() -> None:
    with pytest.raises(HardwareError, match=r"no reference file .*device_params\.json"):
        reference_devices(Path("nowhere"))


def test_a_recorded_row_is_read_with_the_missing_clock_length(tmp_path: Path) -> None:
    head = "config,stream,requests,tx_bytes,load,clocks,tck_ns,read_latency_ns,activates"
    row = "d,seq_rd,10,64,0,100,0.5,20,7"
    (tmp_path / "dramsim3.csv").write_text(f"{head},reported_total_energy\n{row},400\n")
    (tmp_path / "ramulator21.csv").write_text(f"{head}\n{row}\n")
    first, second = reference_cases(tmp_path)
    assert dict(first.values)["energy"] == pytest.approx(200e-12)
    assert dict(first.values)["bandwidth"] == pytest.approx(640 / 50e-9)
    assert set(dict(second.values)) == {"bandwidth", "read_latency", "activates"}


def test_errors_are_summed_up_with_and_without_sign() -> None:
    cases = [
        Comparison(None, (("bandwidth", error),))  # type: ignore[arg-type]
        for error in (0.1, -0.2, 0.0)
    ]
    summary = summarise(cases, "bandwidth")
    assert (summary.cases, summary.median, summary.largest) == (3, 0.1, 0.2)
    assert summary.mean == pytest.approx(0.1)
    assert summary.signed_mean == pytest.approx(-0.1 / 3)
    assert summarise(cases, "energy").cases == 0
    assert json.dumps(QUANTITIES)
