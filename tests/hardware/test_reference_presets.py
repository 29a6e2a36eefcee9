"""Presets after published hardware: the shape of each, and that every number says where it is from.

How near they are to what they are after is in ``tests/validation``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from codesign import simulate
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import Hardware, list_hardware, load_hardware
from codesign.testing import (
    check_engine,
    check_link,
    check_memory,
    convolution,
    elementwise,
    matmul,
)
from codesign.workload.record import Trace

PRESETS = ("eyeriss", "gemmini", "onnxim-like", "tpuv3-core")
LEFT_TO_THE_KIND = {"operations"}


def numbers(machine: Hardware) -> list[tuple[str, str]]:
    """Component and field of every number; entries of tables each."""
    found: list[tuple[str, str]] = []
    for name, part in machine.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Mapping):
                entries = [key for key, one in value.items() if isinstance(one, (int, float))]
                found += [(name, f"{field.name}.{key}") for key in entries]
            elif isinstance(value, (int, float)):
                found.append((name, field.name))
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    told = [one for one in numbers(machine) if one[1].split(".")[0] not in LEFT_TO_THE_KIND]
    assert len(told) > 30
    for number in told:
        assert rows[number].status in STATUSES
        assert rows[number].source not in ("", f"{preset}.yaml"), number
        assert not rows[number].source.startswith("default of kind"), number


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_how_wrong_it_is_and_what_is_not_calibrated(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Measured error" in header
    assert "Uncalibrated" in header
    assert all(line.startswith("#") or not line for line in header.splitlines())


@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_keeps_its_promises(preset: str) -> None:
    machine = load_hardware(preset)
    word = str(machine.precision)
    small = [
        matmul(5, 24, 9, dtype=word),
        convolution(4, 6, 8, 3, padding=1, dtype=word),
        elementwise((16, 40), dtype=word),
    ]
    for engine in machine.engines:
        check_engine(engine, small)
    for memory in machine.memories:
        check_memory(memory)
    for link in machine.links:
        check_link(link)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_model_in_floating_point_runs_in_the_precision_of_the_preset(preset: str) -> None:
    op = matmul(64, 64, 64, dtype="fp32")
    trace = Trace("one", (op,), tuple(access.tensor for access in op.operands))
    machine = load_hardware(preset)
    result = simulate(trace, machine)
    assert machine.precision is not None
    words = 3 * 64 * 64 * machine.precision.bits // 8
    assert sum(result.offchip_bytes.values()) == words


def test_a_tpu_v3_core_has_two_arrays_and_half_of_the_bandwidth_of_a_chip() -> None:
    parts = load_hardware("tpuv3-core").components
    npu = parts["npu"]
    assert [getattr(npu, field) for field in ("rows", "cols", "arrays")] == [128, 128, 2]
    assert getattr(npu, "clock", 0) == 940e6
    assert getattr(parts["dram"], "bandwidth", 0) == 900e9 / 2
    held = getattr(parts["sram"], "size", 0) + getattr(npu, "accumulator", 0)
    assert held == 128 * 128 * 1024


def test_one_constant_of_the_tpu_v3_core_is_fitted_and_says_to_what() -> None:
    rows = load_hardware("tpuv3-core").provenance
    fitted = [row for row in rows if row.status == "fitted"]
    assert [(row.component, row.field) for row in fitted] == [("bus", "setup")]
    assert "gemm 256x256x256" in fitted[0].note


def test_gemmini_is_16_by_16_and_eyeriss_12_by_14() -> None:
    npu = load_hardware("gemmini").components["npu"]
    assert [getattr(npu, field) for field in ("rows", "cols")] == [16, 16]
    assert getattr(npu, "accumulator", 0) == 64 * 1024
    array = load_hardware("eyeriss").components["array"]
    assert dict(getattr(array, "axes", {})) == {"vertical": 12, "horizontal": 14}


def test_sixteen_times_the_cells_of_gemmini_are_not_sixteen_times_as_fast() -> None:
    """A middle layer of ResNet-50: more cells wait for the same bus, as they do in hardware."""
    op = convolution(256, 256, 14, 3, padding=1)
    trace = Trace("layer", (op,), tuple(access.tensor for access in op.operands))
    larger = {
        "npu.rows": 64,
        "npu.cols": 64,
        "npu.accumulator": "256 KiB",
        "sram.size": "1 MiB",
    }
    few = simulate(trace, "gemmini").latency_s
    many = simulate(trace, "gemmini", settings=larger).latency_s
    assert 2 < few / many < 8
