"""Estimates in hardware files: numbers with their source, and fields that follow from others."""

from __future__ import annotations

from pathlib import Path

import pytest
from codesign_plugins.systolic import Systolic
from estimated import KINDS, machine, origin

from codesign.errors import HardwareError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import read_hardware

MAC = "component: mac, action: compute, node: 45 nm, activation_bits: 8, weight_bits: 8"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("field", "words", "value"),
    [
        ("energy", "component: sram, action: read, size: 1 MiB, node: 22 nm", 14.6337e-12 / 8),
        ("energy", "component: dram, type: HBM2", 3.9e-12 * 8),
        ("lookup", f"{MAC}, accumulator_bits: 32", 0.3e-12),
        ("lookup", "component: sram, action: read, size: 1 MiB, node: 22", 14.6337e-12),
        ("delay", "component: sram, action: read, size: 1 MiB, node: 22", 1.84349e-9),
        ("idle", "component: sram, size: 1 MiB, node: 22, state: retention", 0.042e-9 * 2**20),
        (
            "leakage",
            "component: mac, node: 22, bits: 8, accumulator_bits: 16, count: 2",
            4.19682e-6,
        ),
    ],
)
def test_any_field_with_a_unit_can_be_estimated(field: str, words: str, value: float) -> None:
    found = machine(f"{field}: {{estimate: {{{words}}}}}")
    assert getattr(found.components["store"], field) == pytest.approx(value, rel=1e-5)


def test_an_estimate_brings_its_source_its_status_and_its_notes() -> None:
    words = "component: sram, action: read, size: 64 KiB, node: 22 nm"
    row = origin(machine(f"energy: {{estimate: {{{words}}}}}"), "energy")
    assert row.value == "444 fJ/B"
    assert row.source.startswith("CACTI 7 (github.com/HewlettPackard/cacti 1ffd8df)")
    assert row.source.endswith("(interpolated)")
    assert row.status == "published"
    assert row.note == "read between 32 KiB and 128 KiB; tools differ by a factor of 1.6"
    assert row.flags == ("interpolated",)


def test_what_is_extrapolated_or_carried_is_assumed_and_says_so() -> None:
    words = "component: sram, action: read, size: 64 MiB, node: 16 nm"
    found = machine(f"energy: {{estimate: {{{words}}}}}")
    row = origin(found, "energy")
    assert row.status == "assumed"
    assert row.source.endswith("(interpolated, extrapolated)")
    assert "beyond the rows, from 2 MiB" in row.note
    assert row in found.assumed


def test_entries_of_a_table_can_be_estimated_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "npu.yaml"
    path.write_text(
        "name: npu\ncomponents:\n  npu:\n    kind: systolic\n    buffer: sram\n"
        "    macs_per_cell: {int8*int8: 1, int4*int4: 2}\n    mac_energy:\n"
        "      int8*int8: {value: 0.3 pJ, source: silicon, status: datasheet}\n"
        "      int4*int4:\n"
        "        estimate: {component: mac, node: 45 nm, activation_bits: 4, weight_bits: 4}\n"
        "  sram: {kind: sram, size: 1 MiB}\n"
    )
    found = read_hardware(path, KINDS, "npu.yaml")
    npu = found.components["npu"]
    assert isinstance(npu, Systolic)
    assert dict(npu.mac_energy) == {
        "int8*int8": pytest.approx(0.3e-12),
        "int4*int4": pytest.approx(0.15e-12),
    }
    assert origin(found, "mac_energy.int4*int4", "npu").value == "150 fJ"
    again = found.with_("npu.rows", 16).with_("npu.mac_energy.int8*int8", "0.2 pJ")
    table = again.components["npu"].energies_j()
    assert table["mac int4*int4"] == pytest.approx(0.15e-12)


def test_every_estimated_value_has_a_status_that_hardware_knows() -> None:
    found = machine("energy: {estimate: {component: sram, action: read, size: 64, node: 90 nm}}")
    assert {row.status for row in found.provenance} <= set(STATUSES)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "energy: {estimate: {component: sran}}",
            r"^toy.yaml:5: store.energy.estimate: unknown component 'sran'; did you mean 'sram'\?",
        ),
        (
            "energy: {estimate: {component: sram, sise: 4}}",
            r"^toy.yaml:5: store.energy.estimate: unknown key 'sise'; did you mean 'size'\?",
        ),
        (
            "energy: {estimate: {component: sram, action: read, size: 1 MiB, node: 22 GHz}}",
            r"store.energy.estimate: node: expected a node of 1 to 1000 nm, got '22 GHz'; write",
        ),
        (
            "energy: {estimate: {node: 22}}",
            r"^toy.yaml:5: store.energy.estimate: needs a component; add for example",
        ),
        (
            "rate: {estimate: {component: sram, action: read, size: 1 MiB, node: 22}}",
            r"store.rate.estimate: an estimate is in J, J/B, W, m2, s, not in B/s; write a number",
        ),
        (
            f"energy: {{estimate: {{{MAC}}}}}",
            r"store.energy.estimate: mac compute has no width, so no energy per byte",
        ),
        (
            "energy: {estimate: {component: sram, action: read, size: 0, node: 22}}",
            r"store.energy.estimate: size: must be a whole number from 1 B to",
        ),
        (
            "delay: {estimate: {component: wire}}",
            r"store.delay.estimate: no row gives the latency of wire move; add a table",
        ),
        ("energy: {estimate: sram}", r"^toy.yaml:5: store.energy.estimate must be a"),
        (
            "energy: {value: {estimate: {component: sram}}, source: me}",
            r"^toy.yaml:5: store.energy has a value without status",
        ),
    ],
)
def test_a_wrong_estimate_is_told_with_file_and_line(line: str, message: str) -> None:
    with pytest.raises(HardwareError, match=message) as caught:
        machine(line)
    assert "\n" not in str(caught.value)


def test_the_line_is_that_of_the_wrong_word() -> None:
    with pytest.raises(HardwareError, match=r"^toy.yaml:8: store.energy.estimate: size: must be"):
        machine("energy:", "  estimate:", "    component: sram", "    size: 0")


def test_an_entry_called_estimate_is_an_entry() -> None:
    with pytest.raises(HardwareError, match=r"^toy.yaml:5: store.energy: "):
        machine("energy: {estimate: 1 pJ/B}")
