"""Presets whose engines skip zeros: sources, shapes, and a model that runs on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace

import pytest

from codesign import simulate
from codesign.hardware.component import Engine
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import list_hardware, load_hardware
from codesign.testing import check_engine, elementwise, matmul
from codesign.workload.record import Op, Trace
from codesign.workload.sparsity import Sparsity

PRESETS = ("dual-side-sparse", "eyeriss-v2-pe")
ENGINES = {"dual-side-sparse": "core", "eyeriss-v2-pe": "pe"}


def numbers(part: Engine) -> list[str]:
    """Fields of an engine that hold a number; entries of tables each."""
    found: list[str] = []
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Mapping):
            found += [f"{field.name}.{key}" for key in value]
        elif isinstance(value, (int, float)):
            found.append(field.name)
    return found


def pruned(op: Op, said: str) -> Trace:
    """A product with zeros in both factors as a model of its own."""
    tensors = [replace(a.tensor, sparsity=Sparsity.parse(said)) for a in op.inputs]
    inputs = tuple(replace(a, tensor=t) for a, t in zip(op.inputs, tensors, strict=True))
    there = replace(op, inputs=inputs)
    return Trace("pruned", (there,), tuple(access.tensor for access in there.operands))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_of_the_engine_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    name = ENGINES[preset]
    rows = {row.field: row for row in machine.provenance if row.component == name}
    fields = numbers(machine.engine(name))
    assert len(fields) > 10
    for field in fields:
        assert rows[field].status in STATUSES
        assert rows[field].source not in ("", f"{preset}.yaml"), field
        assert not rows[field].source.startswith("default of kind"), field


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_how_wrong_it_is_and_what_is_not_calibrated(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Measured error" in header
    assert "Uncalibrated" in header


@pytest.mark.parametrize("preset", PRESETS)
def test_every_engine_keeps_its_promises(preset: str) -> None:
    machine = load_hardware(preset)
    word = str(machine.precision)
    small = [matmul(5, 24, 9, dtype=word), elementwise((16, 40), dtype=word)]
    for engine in machine.engines:
        check_engine(engine, small)


@pytest.mark.parametrize("preset", PRESETS)
def test_zeros_save_time_and_energy_and_every_slot_is_told(preset: str) -> None:
    machine = load_hardware(preset)
    op = matmul(64, 256, 64, dtype=str(machine.precision))
    sparse = simulate(pruned(op, "0.25"), machine)
    dense = simulate(pruned(op, "1.0"), machine)
    assert sparse.latency_s < 0.6 * dense.latency_s
    assert sparse.energy_j < dense.energy_j
    assert sparse.mac_slots["effective"] == op.macs // 16
    assert dense.mac_slots["effective"] == op.macs
    assert "imbalance" not in sparse.mac_slots  # a lone lane, and cores that never wait


def test_the_core_multiplies_eight_by_sixteen_and_the_element_one() -> None:
    core = load_hardware("dual-side-sparse").engine("core")
    shape = [getattr(core, f) for f in ("tile_rows", "tile_cols", "lane_rows", "lane_cols")]
    assert shape == [32, 32, 8, 16]
    element = load_hardware("eyeriss-v2-pe").engine("pe")
    assert [getattr(element, field) for field in ("rows", "cols")] == [1, 1]
    assert [getattr(element, field) for field in ("activation", "weight")] == ["skip", "skip"]
