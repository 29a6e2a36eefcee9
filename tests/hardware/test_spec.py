"""Hardware files: what they say is what is built, and each mistake is one line with a remedy."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_hardware import KINDS, TOY, ToyEngine, ToyMemory, read, toy

from codesign.errors import HardwareError, PluginError
from codesign.hardware.component import Memory
from codesign.hardware.spec import read_hardware
from codesign.workload.dtype import DType


def test_components_are_built_with_units_in_file_order(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    assert list(machine.components) == ["npu", "sram", "bus", "dram"]
    npu, dram = machine.components["npu"], machine.components["dram"]
    assert isinstance(npu, ToyEngine)
    assert (npu.name, npu.rows, npu.clock) == ("npu", 8, 1e9)
    assert npu.macs == {"int8*int8": 0.3e-12, "bf16*bf16": 1e-12}
    assert isinstance(dram, ToyMemory)
    assert dram.size == 2**30
    assert dram.energy == pytest.approx(64e-12)
    assert (machine.name, machine.description) == ("toy", "one of each")
    assert machine.precision == DType("int", 8)


def test_engines_memories_and_links_are_told_apart(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    groups = (machine.engines, machine.memories, machine.links)
    assert [[p.name for p in g] for g in groups] == [["npu"], ["sram", "dram"], ["bus"]]


def test_description_and_precision_may_be_left_out(tmp_path: Path) -> None:
    text = TOY.replace("description: one of each\nprecision: int8\n", "")
    machine = read(text, tmp_path)
    assert (machine.description, machine.precision) == ("", None)


def test_components_cannot_be_changed_in_place(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    with pytest.raises(TypeError):
        machine.components["npu"] = machine.components["sram"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        machine.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rows: {value: 8,", "rows: {value: 0,", "8: npu.rows must be >= 1, got 0; raise it"),
        ("clock: 1 GHz", "clock: 3 kg", "9: npu.clock: expected a unit of Hz, got '3 kg'; write"),
        ("clock: 1 GHz", "clock: fast", "9: npu.clock: expected a number in Hz, got 'fast'; write"),
        ("clock: 1 GHz", "clock: true", "9: npu.clock: expected a number in Hz, got 'True'"),
        ("clock: 1 GHz", "clock:", "9: npu.clock: expected a number in Hz, got 'None'"),
        ("clock: 1 GHz", "clock: [1]", r"9: npu.clock: expected a number in Hz, got '\[1\]'"),
        ("clock: 1 GHz", "clock: 0", r"9: npu.clock must be >= 1, got 0; raise it"),
        ("clock: 1 GHz", "clock: 1e999", "9: npu.clock: expected a finite number in Hz"),
        ("clock: 1 GHz", "clocks: 1 GHz", "9: unknown field 'clocks' for npu .* mean 'clock'"),
        ("clock: 1 GHz", "name: x", "9: unknown field 'name' for npu"),
        ("    clock: 1 GHz\n", "", r"5: npu \(toy-engine\) needs the field 'clock'; add it"),
        (
            "clock: 1 GHz",
            "clock: 1 GHz\n    mode: mid",
            "10: npu.mode must be 'fast' or 'slow', got",
        ),
        ("clock: 1 GHz", "clock: 1 GHz\n    share: lots", "10: npu.share: input should be a valid"),
        ("clock: 1 GHz", "clock: 1 GHz\n    share: inf", "10: npu.share: input should be a finite"),
        ("bf16*bf16: 1 pJ", "bf16*bf16: 1 GHz", r"12: npu.macs.bf16\*bf16: expected a unit of J"),
        ("bf16*bf16: 1 pJ", "bf16*bf16: -1", r"12: npu.macs.bf16\*bf16 must be >= 0, got -1"),
        ("0.3 pJ,", "3 kg,", r"11: npu.macs.int8\*int8: expected a unit of J"),
        ("size: 1 MiB", "size: 1.5", "13: sram.size: expected a whole number in B, got 1.5"),
        ("size: 1 MiB", "size: 0.1 kbit", "13: sram.size: expected a whole number in B"),
        ("size: 1 MiB", "size: 1 MiB, size: 2 MiB", "13: duplicate key 'size', first on line 13"),
        (
            "kind: toy-link",
            "kind: toy-lnk",
            "15: unknown kind 'toy-lnk' .* 'bus'; did you mean 'toy-l",
        ),
        ("kind: toy-link", "kinds: toy-link", "14: component 'bus' needs a map with a kind"),
        ("sram: {kind: toy-memory, size: 1 MiB}", "sram: big", "13: component 'sram' needs a map"),
        ("  sram: {", "  s.ram: {", "13: a component name must be a word, got 's.ram'"),
        ("source: a paper, ", "", "8: npu.rows has a value without source; add it"),
        ("status: published, ", "", "8: npu.rows has a value without status; add it"),
        ("status: published", "status: sure", "8: npu.rows: unknown status 'sure'"),
        (
            "status: datasheet",
            "state: datasheet",
            "11: .* unknown key 'state'; did you mean 'status'",
        ),
        ("source: a paper", "source: 3", "8: npu.rows: source must be a line of text"),
        ("precision: int8", "precision: float8", "3: precision: unknown dtype 'float8'"),
        ("precision: int8", "precision: 8", "3: precision must be a line of text"),
        (
            "description: one of each",
            "describtion: x",
            "2: unknown key 'describtion'; did you mean",
        ),
        ("name: toy\n", "", "1: key 'name' is missing; add it"),
        ("name: toy", "name: [toy]", "1: name must be a line of text"),
        (TOY[TOY.index("  npu") :], "  - npu", "4: components must be a map"),
        (
            "buffer: sram",
            "buffer: srma",
            "7: npu.buffer must name a memory, got 'srma'; did you me",
        ),
        ("buffer: sram", "buffer: bus", "7: npu.buffer must name a memory, got 'bus'"),
        ("[dram, sram]", "[dram, vram]", "16: bus.connects must name a memory, got 'vram'"),
        ("[dram, sram]", "[dram]", r"16: bus.connects must name at least 2 .* got \[dram\]; write"),
        (
            "[dram, sram]",
            "[dram, dram]",
            "16: bus.connects must name at least 2 different memories",
        ),
        ("[dram, sram]", "dram", "16: bus.connects: input should be a valid tuple, got 'dram'"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    assert TOY.count(old) == 1
    with pytest.raises(HardwareError, match=f"^toy.yaml:{message}") as caught:
        read(TOY.replace(old, new), tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_fields_that_contradict_each_other_are_told_with_the_component(tmp_path: Path) -> None:
    text = TOY.replace("value: 8,", "value: 16,").replace(
        "clock: 1 GHz", "clock: 1\n    mode: slow"
    )
    with pytest.raises(
        HardwareError, match=r"toy.yaml:5: npu.rows must be <= 8 in slow mode, got 16"
    ):
        read(text, tmp_path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=r"here.yaml: no such file; give a hardware file or"):
        read_hardware(tmp_path / "here.yaml", KINDS, "here.yaml")


def test_a_class_that_is_no_dataclass_is_a_plugin_error(tmp_path: Path) -> None:
    class Odd(Memory):
        kind: ClassVar[str] = "odd"
        thing: object

    with pytest.raises((PluginError, HardwareError)) as caught:
        read(
            TOY.replace("dram:\n    kind: toy-memory", "dram:\n    kind: odd\n    thing: 1"),
            tmp_path,
            {**KINDS, "odd": Odd},
        )
    assert "\n" not in str(caught.value)


def test_every_value_of_the_file_has_its_origin(tmp_path: Path) -> None:
    rows = {(r.component, r.field): r for r in read(TOY, tmp_path).provenance}
    rows_row = rows["npu", "rows"]
    assert (rows_row.value, rows_row.source, rows_row.status, rows_row.note) == (
        "8", "a paper", "published", "table 2"
    )  # fmt: skip
    assert rows["npu", "macs.int8*int8"].status == "datasheet"
    assert (rows["npu", "clock"].value, rows["npu", "clock"].source) == ("1 GHz", "toy.yaml")
    assert rows["npu", "clock"].status == "assumed"
    assert rows["bus", "connects"].value == "dram, sram"


def test_fields_left_at_their_default_have_an_origin_too(tmp_path: Path) -> None:
    text = TOY[: TOY.index("    macs:")] + TOY[TOY.index("  sram:") :]
    machine = read(text, tmp_path)
    rows = {(r.component, r.field): r for r in machine.provenance}
    assert rows["npu", "macs.int8*int8"].value == "1e-12"
    assert rows["npu", "mode"].source == "default of kind toy-engine"
    assert rows["sram", "leakage"].status == "assumed"


def test_every_field_has_exactly_one_origin(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    named = [(r.component, r.field.split(".")[0]) for r in machine.provenance]
    fields = [
        (name, field.name)
        for name, part in machine.components.items()
        for field in dataclasses.fields(part)
        if field.name != "name"
    ]
    assert sorted(set(named)) == sorted(fields)
    assert len({(r.component, r.field) for r in machine.provenance}) == len(machine.provenance)


def test_assumed_values_are_listed(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    assert {r.status for r in machine.assumed} == {"assumed"}
    assert len(machine.provenance) - len(machine.assumed) == 2


def test_a_whole_table_may_share_one_origin_and_an_entry_override_it(tmp_path: Path) -> None:
    table = """\
    macs:
      source: survey
      status: published
      value:
        int8*int8: 1 pJ
        bf16*bf16: {value: 2 pJ, source: guess, status: assumed}
"""
    start, end = TOY.index("    macs:"), TOY.index("  sram:")
    machine = read(TOY[:start] + table + TOY[end:], tmp_path)
    npu = machine.components["npu"]
    assert isinstance(npu, ToyEngine)
    assert npu.macs == {"int8*int8": 1e-12, "bf16*bf16": 2e-12}
    rows = {r.field: r.source for r in machine.provenance if r.component == "npu"}
    assert (rows["macs.int8*int8"], rows["macs.bf16*bf16"]) == ("survey", "guess")


def test_a_change_reads_units_and_leaves_the_original_alone(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    smaller = machine.with_("sram.size", "256 KiB")
    sizes = [m.components["sram"].size for m in (machine, smaller)]  # type: ignore[attr-defined]
    assert sizes == [2**20, 2**18]
    assert list(smaller.components) == list(machine.components)


def test_a_table_entry_can_be_changed(tmp_path: Path) -> None:
    npu = read(TOY, tmp_path).with_("npu.macs.int8*int8", "2 pJ").components["npu"]
    assert isinstance(npu, ToyEngine)
    assert npu.macs == {"int8*int8": 2e-12, "bf16*bf16": 1e-12}


def test_a_change_replaces_the_origin(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path).with_("npu.rows", 6)
    (row,) = [r for r in machine.provenance if (r.component, r.field) == ("npu", "rows")]
    assert (row.value, row.source, row.status) == ("6", "set for this run", "assumed")
    table = machine.with_("npu.macs", {"int8*int8": "1 pJ"})
    fields = [r.field for r in table.provenance if r.component == "npu"]
    assert [f for f in fields if f.startswith("macs")] == ["macs"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("npv.rows", 8, "unknown component 'npv' in 'npv.rows'; did you mean 'npu'"),
        ("npu.rosw", 8, r"unknown field 'rosw' for npu \(toy-engine\); did you mean 'rows'"),
        ("npu", 8, r"unknown field '' for npu \(toy-engine\); known: buffer, clock"),
        ("npu.name", "x", "unknown field 'name' for npu"),
        ("npu.rows", 0, "^npu.rows must be >= 1, got 0; raise it"),
        ("npu.rows", "64 kg", "^npu.rows: expected a unit of 1"),
        ("npu.rows", 10**400, "^npu.rows: expected a finite number"),
        ("npu.rows.x", 1, "'npu.rows.x' names an entry of a field that is no table"),
        ("npu.macs.int4*int4", 1, r"unknown entry 'int4\*int4' in 'npu.macs.int4\*int4'; did you"),
        ("npu.buffer", "dam", "toy: npu.buffer must name a memory, got 'dam'; did you mean 'dram'"),
        ("bus.connects", ["dram"], "bus.connects must name at least 2 different memories"),
    ],
)
def test_a_wrong_change_is_refused(path: str, value: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match=message) as caught:
        read(TOY, tmp_path).with_(path, value)
    assert "\n" not in str(caught.value)


def test_setting_a_value_to_what_it_is_keeps_the_digest(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    for path, value in (("npu.rows", 8), ("npu.rows", "8"), ("sram.size", "1024 KiB")):
        assert machine.with_(path, value).digest == machine.digest


@given(rows=st.integers(1, 10**6), other=st.integers(1, 10**6))
def test_digests_differ_exactly_when_values_do(rows: int, other: int) -> None:
    first, second = toy().with_("npu.rows", rows), toy().with_("npu.rows", other)
    assert (first.digest == second.digest) == (rows == other)


def test_the_digest_ignores_prose_and_counts_names(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    told = (
        TOY.replace("a paper", "another paper")
        .replace("one of each", "words")
        .replace("1 G", "1_000 M", 1)
    )
    assert read(told, tmp_path).digest == machine.digest
    for old, new in (("name: toy", "name: yot"), ("precision: int8", "precision: int4")):
        assert read(TOY.replace(old, new), tmp_path).digest != machine.digest
    renamed = TOY.replace("  npu:", "  core:")
    assert read(renamed, tmp_path).digest != machine.digest


def test_a_default_written_out_keeps_the_digest(tmp_path: Path) -> None:
    written = TOY.replace("clock: 1 GHz", "clock: 1 GHz\n    mode: fast\n    share: 0.5")
    assert read(written, tmp_path).digest == read(TOY, tmp_path).digest


def test_the_digest_is_the_same_in_every_process() -> None:
    code = "from toy_hardware import toy; print(toy().with_('npu.rows', 7).digest)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "5")
    }
    assert len(seen) == 1


def test_hardware_can_be_sent_to_a_worker_and_used_as_a_key(tmp_path: Path) -> None:
    machine = read(TOY, tmp_path)
    for twin in (pickle.loads(pickle.dumps(machine)), copy.deepcopy(machine)):
        assert twin == machine
        assert {machine: 1}[twin] == 1
        assert twin.provenance == machine.provenance
