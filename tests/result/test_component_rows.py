"""What a saved result says of its components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from strategies import Sketch, machine, machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.result.parts import component_rows
from codesign.result.result import Result
from codesign.workload.record import Trace


def product(hardware: Hardware | str) -> Result:
    sketch = Sketch("parts")
    sketch.matmul("head", sketch.input("x", 64, 256), 128)
    return simulate(sketch.trace(), hardware)


def rows(result: Result) -> dict[str, dict[str, Any]]:
    found = component_rows(result.machine, result.placement, result.replay)
    return {row["name"]: row for row in found}


def test_each_component_has_a_row_in_the_order_of_the_hardware() -> None:
    result = product(machine(links=2, buffers=2))
    found = rows(result)
    assert list(found) == list(result.machine.components)
    assert {row["sort"] for row in found.values()} == {"engine", "memory", "link"}
    assert (found["dram"]["off_chip"], found["sram0"]["off_chip"]) == (True, False)
    assert found["bus1"]["connects"] == ["dram", "sram1"]


@pytest.mark.parametrize(("size", "clock"), [(16, 1e9), (8, 2e9)])
def test_the_roof_of_an_array_is_its_cells_times_its_clock(size: int, clock: float) -> None:
    found = rows(product(machine(rows=size, clock=clock)))
    assert found["npu0"]["macs_per_s"] == size * size * clock
    assert found["vector"]["macs_per_s"] is None


@settings(max_examples=15, deadline=None, derandomize=True)
@given(traces(), machines())
def test_no_operator_computes_faster_than_the_roof(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    found, table = rows(result), result.operators
    for engine, macs, seconds in zip(
        table["engine"], table["macs"], table["compute_s"], strict=True
    ):
        roof = found[str(engine)]["macs_per_s"]
        if roof is not None and float(seconds):
            assert float(macs) / float(seconds) <= roof * (1 + 1e-9)


def test_a_memory_with_banks_says_its_device_its_bursts_and_its_states() -> None:
    result = product("edge-npu-lpddr5")
    row = rows(result)["dram"]
    assert (row["device"], row["channels"], row["burst_bytes"]) == ("lpddr5-6400", 2, 32)
    assert sum(row["states"].values()) == result.replay.makespan
    assert "uncalibrated" in row["notes"][0]


def test_what_says_nothing_of_its_error_has_no_notes() -> None:
    assert rows(product("edge-npu"))["bus"]["notes"] == []


def test_the_files_of_a_result_hold_what_the_tables_say(tmp_path: Path) -> None:
    result = product("edge-npu")
    result.save(tmp_path)
    parts = json.loads((tmp_path / "components.json").read_text())
    assert parts == list(rows(result).values())
    spans = pyarrow.parquet.read_table(tmp_path / "spans.parquet").to_pydict()
    found = [
        (s.assignment.op.name, s.assignment.engine, s.start, s.end) for s in result.replay.spans
    ]
    columns = (spans["op"], spans["engine"], spans["start_ps"], spans["end_ps"])
    assert list(zip(*columns, strict=True)) == found
