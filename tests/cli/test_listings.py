"""``models``, ``hardware`` and ``plugins``: what there is, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign

import codesign as library
from codesign.hardware.spec import list_hardware
from codesign.models import list_models
from codesign.plugins import registry

MRAM = '''
from dataclasses import dataclass
from typing import ClassVar, Literal

from codesign import Memory, hookimpl
from codesign.units import JoulesPerByte


@dataclass(frozen=True, kw_only=True)
class Mram(Memory):
    """A magnetic memory.

    Attributes:
        energy: energy per byte,
            read or written.
        cell: ``one``: one junction a bit; ``two``: two.
    """

    kind: ClassVar[str] = "mram"

    energy: JoulesPerByte
    cell: Literal["one", "two"] = "one"


@hookimpl
def codesign_components():
    return [Mram]
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mram.py").write_text(MRAM)
    return tmp_path


def test_the_version_is_that_of_the_package(codesign: Codesign) -> None:
    ran = codesign("--version")
    assert (ran.code, ran.out) == (0, f"codesign {library.__version__}\n")


def test_every_model_is_listed_with_its_options(codesign: Codesign) -> None:
    rows = {row["name"]: row for row in json.loads(codesign("models", "--json").out)}
    assert list(rows) == sorted(list_models())
    for name, entry in list_models().items():
        assert rows[name]["options"] == dict(entry.options)
        assert name in codesign("models").out


def test_every_preset_is_listed(codesign: Codesign) -> None:
    rows = json.loads(codesign("hardware", "list", "--json").out)
    presets = list_hardware()
    assert [(row["name"], row["description"]) for row in rows] == [
        (preset.name, preset.description) for preset in presets
    ]
    assert all(preset.name in codesign("hardware", "list").out for preset in presets)


def test_a_hardware_is_shown_with_the_source_of_every_value(codesign: Codesign) -> None:
    shown = json.loads(codesign("hardware", "show", "edge-npu", "--json").out)
    machine = library.load_hardware("edge-npu")
    assert shown["digest"] == machine.digest
    assert shown["precision"] == "int8"
    assert shown["components"]["npu"]["kind"] == "systolic"
    assert shown["components"]["npu"]["rows"] == 64
    assert len(shown["provenance"]) == len(machine.provenance)


def test_entries_of_a_table_with_one_origin_are_shown_as_one_row(codesign: Codesign) -> None:
    out = codesign("hardware", "show", "edge-npu").out
    rows = [line for line in out.splitlines() if line.startswith("vector.operations")]
    assert [row.split()[:3] for row in rows] == [["vector.operations", "61", "entries"]] or len(
        rows
    ) == 1
    assert "npu.mac_energy.int8*int8" in out


def test_a_good_hardware_file_is_called_fine(codesign: Codesign, tmp_path: Path) -> None:
    preset = Path(__file__).parents[2] / "hardware" / "edge-npu.yaml"
    ran = codesign("hardware", "check", preset)
    assert ran.code == 0
    assert f"{preset}: fine; 5 components" in ran.out
    facts = json.loads(codesign("hardware", "check", preset, "--json").out)
    assert facts["digest"] == library.load_hardware("edge-npu").digest
    assert facts["assumed"] < facts["values"]


def test_a_bad_hardware_file_is_told_by_line(codesign: Codesign, tmp_path: Path) -> None:
    preset = Path(__file__).parents[2] / "hardware" / "edge-npu.yaml"
    text = preset.read_text()
    line = text[: text.index("rows:")].count("\n") + 1
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("rows:", "rowz:", 1))
    ran = codesign("hardware", "check", bad)
    assert (ran.code, ran.out) == (2, "")
    assert f"bad.yaml:{line}: " in ran.err
    assert "did you mean 'rows'?" in ran.err


def test_every_plugin_is_listed_with_what_it_offers(codesign: Codesign) -> None:
    rows = {row["name"]: row for row in json.loads(codesign("plugins", "list", "--json").out)}
    assert list(rows) == list(registry().plugins())
    assert rows["systolic"]["offers"] == {"codesign_components": ["systolic"]}
    assert "resnet50" in rows["zoo"]["offers"]["codesign_models"]
    lowered = [len(row["offers"].get("codesign_register_lowerings", [])) for row in rows.values()]
    assert sum(lowered) == len(registry().offers("codesign_register_lowerings"))
    out = codesign("plugins", "list").out
    assert all(f"\n{name} " in out for name in rows)


def test_a_folder_plugin_is_listed_with_its_file(codesign: Codesign, folder: Path) -> None:
    listed = json.loads(codesign("plugins", "list", "--plugins", folder, "--json").out)
    assert {
        "name": "mram",
        "origin": str(folder / "mram.py"),
        "distribution": "",
        "version": "",
        "state": "loaded",
        "reason": "",
        "offers": {"codesign_components": ["mram"]},
    } in listed


def test_fields_of_a_kind_come_with_type_unit_default_and_meaning(
    codesign: Codesign, folder: Path
) -> None:
    shown = json.loads(codesign("plugins", "show", "mram", "--plugins", folder, "--json").out)
    assert (shown["kind"], shown["plugin"], shown["doc"]) == ("mram", "mram", "A magnetic memory.")
    fields = {field.pop("name"): field for field in shown["fields"]}
    assert fields == {
        "size": {"type": "whole number", "unit": "B", "default": None, "doc": "capacity."},
        "energy": {
            "type": "number",
            "unit": "J/B",
            "default": None,
            "doc": "energy per byte, read or written.",
        },
        "leakage": {
            "type": "number",
            "unit": "W",
            "default": "0",
            "doc": "power that flows for the whole run.",
        },
        "cell": {
            "type": "one or two",
            "unit": "",
            "default": "one",
            "doc": "one: one junction a bit; two: two.",
        },
    }


@pytest.mark.parametrize("kind", sorted(registry().components()))
def test_every_field_of_every_shipped_kind_is_documented(codesign: Codesign, kind: str) -> None:
    fields = json.loads(codesign("plugins", "show", kind, "--json").out)["fields"]
    assert [field["name"] for field in fields if not field["doc"]] == []
    out = codesign("plugins", "show", kind).out
    assert all(f"\n{field['name']} " in out for field in fields)


@pytest.mark.parametrize("name", ["zoo", "presets", "reroll"])
def test_a_plugin_that_is_no_kind_is_shown_with_all_it_offers(
    codesign: Codesign, name: str
) -> None:
    shown = json.loads(codesign("plugins", "show", name, "--json").out)
    assert shown["plugin"] == name
    out = codesign("plugins", "show", name).out
    for offers in shown["offers"].values():
        assert all(offer[:20] in out for offer in offers)


def test_a_saved_trace_can_be_simulated(codesign: Codesign, sample: Path, tmp_path: Path) -> None:
    for name in ("copy.json", "copy.json.gz"):
        ran = codesign("trace", sample, "-o", tmp_path / name)
        assert ran.code == 0
        assert ran.out.startswith(f"{tmp_path / name}: ")
        again = library.load_trace(tmp_path / name)
        assert again == library.load_trace(sample)
        assert again.digest[:12] in ran.out


def test_help_names_every_command(codesign: Codesign) -> None:
    out = codesign("--help").out
    assert all(word in out for word in ("simulate", "trace", "models", "hardware", "plugins"))
    for group, commands in {"hardware": "list show check", "plugins": "list show"}.items():
        out = codesign(group, "--help").out
        assert all(f"\n  {word} " in out for word in commands.split())


def test_every_option_has_a_word_of_help(codesign: Codesign) -> None:
    for words in (("simulate",), ("trace",), ("models",), ("hardware", "show")):
        out = codesign(*words, "--help").out
        options = [line for line in out.splitlines() if line.startswith("  --")]
        assert options
        assert all(len(line.split("  ")) > 2 for line in options)


SHOWN = """\
name: shown
components:
  npu: {kind: systolic, buffer: sram, clock: 5e8, tile_overhead: 3}
  lanes: {kind: vector, buffer: sram}
  sram: {kind: sram, size: 98304, bandwidth: 64 GB/s}
  bus: {kind: link, connects: [dram, sram], setup: 1e-8}
  dram: {kind: dram, device: hbm2, channels: 2}
"""


def test_values_are_shown_with_units_and_a_dram_with_what_it_amounts_to(
    codesign: Codesign, tmp_path: Path
) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text(SHOWN)
    lines = codesign("hardware", "show", path).out.splitlines()
    assert "dram: hbm2 on 2 channels, 2 GiB, peak 64.00 GB/s" in lines
    values = {line.split()[0]: line.split("  ") for line in lines if "." in line.split(" ")[0]}
    found = {name: [word.strip() for word in words if word][1] for name, words in values.items()}
    assert {name: found[name] for name in found if name in WANTED} == WANTED


WANTED = {
    "npu.clock": "500.0 MHz",
    "npu.tile_overhead": "3",
    "sram.size": "96 KiB",
    "sram.bandwidth": "64 GB/s",
    "bus.setup": "10.00 ns",
    "dram.size": "2 GiB",
    "dram.power_down_after": "100.0 ns",
    "dram.grain": "1 KiB",
}
"""Bare numbers get the unit of their field; text stays as it was written."""


def test_hardware_without_a_device_file_has_no_line_for_one(codesign: Codesign) -> None:
    out = codesign("hardware", "show", "edge-npu").out
    assert "peak" not in out.partition("value")[0]
