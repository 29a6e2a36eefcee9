"""The preset of a microcontroller with a DSP: what it promises, and where its numbers are from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

import codesign
from codesign import Residency, load_hardware
from codesign.errors import MappingError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import list_hardware
from codesign.testing import elementwise, matmul
from codesign.workload.record import Op, Region, Trace

PRESET = load_hardware("hifi4-dsp")


def alone(op: Op) -> Trace:
    return Trace(op.name, (op,), tuple(access.tensor for access in op.operands))


def test_every_number_has_a_source_and_a_status() -> None:
    rows = {(row.component, row.field): row for row in PRESET.provenance}
    checked = 0
    for name, part in PRESET.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            entries = [f"{field.name}.{key}" for key in value] if isinstance(value, Mapping) else []
            if isinstance(value, (int, float)):
                entries = [field.name]
            for entry in entries:
                row = rows[name, entry]
                assert row.status in STATUSES
                assert row.source not in ("", "hifi4-dsp.yaml"), entry
                assert not row.source.startswith("default of kind"), entry
                checked += 1
    assert checked > 40


def test_public_figures_are_from_a_datasheet_and_the_table_is_not() -> None:
    rows = {f"{row.component}.{row.field}": row for row in PRESET.provenance}
    for field in ("dsp.clock", "ram.bandwidth", "sram.size"):
        assert rows[field].status == "datasheet"
        assert "NXP" in rows[field].source
    table = [row for name, row in rows.items() if "_per_cycle" in name]
    assert len(table) > 15
    assert {row.status for row in table} == {"assumed"}


def test_the_header_says_what_is_calibrated_and_that_nothing_is_measured() -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == "hifi4-dsp"]
    header = path.read_text().split("\nname:")[0]
    assert "calibration, not a proof" in header
    assert "73,408" in header
    assert "44,032" in header
    assert "not known yet" in header


def test_no_int8_product_is_faster_than_the_eight_multipliers() -> None:
    table = getattr(PRESET.engine("dsp"), "macs_per_cycle", {})
    assert max(table.values()) == 8
    assert table["linear int16*int16"] == 4


def test_tensors_live_in_the_sram_between_operators() -> None:
    assert PRESET.home("dsp").name == "sram"
    assert PRESET.route("sram", "ram") == PRESET.route("flash", "ram") == ("bus",)


def test_weights_in_flash_are_read_at_the_pace_of_the_flash() -> None:
    op = matmul(1, 1024, 1024)
    in_flash = Residency("pinned", pins=("w@flash",), across_runs=True)

    def per_step_s(residency: Residency | str) -> float:
        """Of a further step: the first run also programs the flash."""
        tensors = tuple(access.tensor for access in op.operands)
        runs = [
            codesign.simulate(
                Trace("steps", (Region("steps", steps, (op,)),), tensors),
                PRESET,
                residency=residency,  # type: ignore[arg-type]
            ).latency_s
            for steps in (10, 20)
        ]
        return (runs[1] - runs[0]) / 10

    for residency, rate in ((in_flash, 800e6), ("none", 2.4e9)):
        roofline_s = 1024 * 1024 / rate
        assert roofline_s <= per_step_s(residency) <= 1.02 * roofline_s


def test_a_format_without_kernels_is_refused_with_the_entry_to_add() -> None:
    trace = alone(matmul(4, 4, 4, dtype="fp32"))
    with pytest.raises(MappingError, match=r"dsp: .*add 'linear fp32\*fp32' to macs_per_cycle"):
        codesign.simulate(trace, PRESET, dtype="native")


def test_an_entry_makes_a_format_run(tmp_path: Path) -> None:
    op = elementwise((64,), ("mish",), dtype="int16")
    (preset,) = [entry.path for entry in list_hardware() if entry.name == "hifi4-dsp"]
    text = preset.read_text()
    line = "      elementwise int8: {value: 2, source: study preset, status: assumed}\n"
    assert line in text
    board = tmp_path / "board.yaml"
    board.write_text(text.replace(line, line + "      mish int16: 0.5\n"))
    with pytest.raises(MappingError, match="add 'mish int16' or 'elementwise int16' to elements"):
        codesign.simulate(alone(op), PRESET, dtype="native")
    assert codesign.simulate(alone(op), board, dtype="native").latency_s >= 128 / 6e8


def test_every_cycle_and_every_part_costs_energy() -> None:
    parts = codesign.simulate(alone(matmul(4, 64, 64)), PRESET).energy_by_component_j
    assert {name for name, joules in parts.items() if joules > 0} >= {"dsp", "ram", "sram", "bus"}
