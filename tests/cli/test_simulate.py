"""``codesign simulate``: a report for people, or one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

import codesign as library
from codesign.testing import check_timeline


def _summary(sample: Path, *hardware: Any, **options: Any) -> Any:
    """The summary as JSON gives it back."""
    return json.loads(json.dumps(library.simulate(str(sample), *hardware, **options).summary()))


HARDWARE = ("--hardware", "edge-npu")


def test_json_is_the_summary_of_the_result_and_nothing_else(
    codesign: Codesign, sample: Path
) -> None:
    ran = codesign("simulate", sample, *HARDWARE, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == _summary(sample, "edge-npu")


def test_the_json_keys_are_those_of_the_issue(codesign: Codesign, sample: Path) -> None:
    keys = json.loads(codesign("simulate", sample, *HARDWARE, "--json").out)
    promised = (
        "latency_s energy_j energy_by_component_j offchip_bytes macs coverage utilization "
        "fabric_events tiles lower_bound_s serial_bound_s digest model hardware trace_digest "
        "hardware_digest version"
    )
    assert set(promised.split()) <= set(keys)
    assert keys["version"] == library.__version__


def test_the_report_names_what_a_reader_looks_for(codesign: Codesign, sample: Path) -> None:
    ran = codesign("simulate", sample, *HARDWARE)
    assert (ran.code, ran.err) == (0, "")
    for word in (
        "v1-sample on edge-npu",
        "latency",
        "energy",
        "off chip",
        "coverage",
        "utilisation",
    ):
        assert word in ran.out
    for component in library.load_hardware("edge-npu").components:
        assert f"\n{component} " in ran.out
    for role in ("weight", "activation", "state"):
        assert f"\n{role} " in ran.out


def test_what_is_not_modelled_is_said_in_the_report(codesign: Codesign, sample: Path) -> None:
    missing = library.load_trace(sample).coverage.unsupported
    assert missing
    out = codesign("simulate", sample, *HARDWARE).out
    assert all(f"NOT MODELLED: {target} x{times}" in out for target, times in missing)


def test_the_report_says_which_of_the_two_digests_of_a_trace_it_has(
    codesign: Codesign, sample: Path
) -> None:
    captured, result = library.load_trace(sample), library.simulate(str(sample), "edge-npu")
    assert captured.digest != result.trace_digest, "the hardware computes in a format of its own"
    out = codesign("simulate", sample, *HARDWARE).out
    assert f"trace as run {result.trace_digest[:12]}, hardware " in out
    assert captured.digest[:12] not in out


def test_every_assumption_is_in_the_report(
    codesign: Codesign, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    out = codesign("simulate", sample, *HARDWARE).out
    assumptions = library.simulate(str(sample), "edge-npu").assumptions
    assert all(f"- {line}" in out for line in assumptions)


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_no_line_of_the_report_is_wider_than_the_terminal(
    codesign: Codesign, sample: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    terminal = {"COLUMNS": str(columns), "LINES": "40", "FORCE_COLOR": "1", "TERM": "dumb"}
    for name, value in terminal.items():  # what makes a terminal of that size
        monkeypatch.setenv(name, value)
    lines = codesign("simulate", sample, *HARDWARE).out.splitlines()
    assert max(map(len, lines)) <= columns


def test_set_changes_the_hardware(codesign: Codesign, sample: Path) -> None:
    words = ("simulate", sample, *HARDWARE, "--json", "--set")
    slow = json.loads(codesign(*words, "dram.bandwidth=1 GB/s").out)
    changed = library.load_hardware("edge-npu").with_("dram.bandwidth", "1 GB/s")
    assert slow == _summary(sample, changed)
    assert slow["latency_s"] > library.simulate(str(sample), "edge-npu").latency_s


def test_set_may_be_repeated(codesign: Codesign, sample: Path) -> None:
    pairs = ("--set", "npu.rows=32", "--set", "sram.size = 2 MiB")
    ran = codesign("simulate", sample, *HARDWARE, "--json", *pairs)
    changed = library.load_hardware("edge-npu").with_("npu.rows", 32).with_("sram.size", "2 MiB")
    assert json.loads(ran.out)["hardware_digest"] == changed.digest


def test_residency_and_dtype_reach_the_simulation(codesign: Codesign, sample: Path) -> None:
    ran = codesign("simulate", sample, *HARDWARE, "--json", "--residency", "none")
    assert json.loads(ran.out) == _summary(sample, "edge-npu", residency="none")
    ran = codesign("simulate", sample, "--hardware", "server-npu", "--json", "--dtype", "int8")
    assert json.loads(ran.out) == _summary(sample, "server-npu", dtype="int8")


def test_out_leaves_the_files_of_a_result(codesign: Codesign, sample: Path, tmp_path: Path) -> None:
    ran = codesign("simulate", sample, *HARDWARE, "--json", "--out", tmp_path / "run")
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == [
        "components.json",
        "hardware.json",
        "ledger.parquet",
        "operators.parquet",
        "residency.parquet",
        "spans.parquet",
        "summary.json",
        "timeline.json",
        "why.json",
    ]
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == json.loads(ran.out)


def test_timeline_leaves_one_file(codesign: Codesign, sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "line.json"
    ran = codesign("simulate", sample, *HARDWARE, "--json", "--export", f"perfetto={file}")
    document = json.loads(file.read_text())
    check_timeline(document)
    assert document["otherData"]["models"] == [json.loads(ran.out)["model"]]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["missing/line.json", "."])
def test_a_timeline_that_cannot_be_written_is_told_before_any_work(
    codesign: Codesign, tmp_path: Path, name: str
) -> None:
    ran = codesign(
        "simulate", "no model at all", *HARDWARE, "--export", f"perfetto={tmp_path / name}"
    )
    assert ran.code == 2
    assert "must be a file in a folder that can be written" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_hardware_file_is_taken_by_its_path(
    codesign: Codesign, sample: Path, tmp_path: Path
) -> None:
    preset = Path(__file__).parents[2] / "hardware" / "edge-npu.yaml"
    copy = tmp_path / "mine.yaml"
    copy.write_text(preset.read_text().replace("name: edge-npu", "name: mine"))
    ran = codesign("simulate", sample, "--hardware", copy, "--json")
    assert json.loads(ran.out)["hardware"] == "mine"


def test_a_pipe_gets_whole_names_and_no_blanks_at_line_ends(
    codesign: Codesign, sample: Path
) -> None:
    lines = codesign("simulate", sample, *HARDWARE).out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert max(map(len, lines)) <= 120


def test_partial_lets_part_of_a_weight_stay(codesign: Codesign) -> None:
    words = ("simulate", "lstm_lm", *HARDWARE, "--steps", "4", "--dtype", "int8", "--json",
             "--set", "sram.size=200 KiB")  # fmt: skip
    loaded = {
        flags: json.loads(codesign(*words, *flags).out)["offchip_bytes"]["weight"]
        for flags in ((), ("--partial",))
    }
    assert loaded[("--partial",)] < loaded[()]
    asked = library.Residency(partial=True)
    options: dict[str, Any] = {"steps": 4, "dtype": "int8", "settings": {"sram.size": "200 KiB"}}
    result = library.simulate("lstm_lm", "edge-npu", residency=asked, **options)
    assert result.offchip_bytes["weight"] == loaded[("--partial",)]


DECODER = (
    "--set",
    "bus.decode_rate={bitmap: 16e9}",
    "--set",
    "bus.decode_energy={bitmap: 0.1 pJ}",
)


def test_annotations_come_from_a_file_and_a_decoder_from_set(
    codesign: Codesign, sample: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text('"*": {weight_bits: 8, sparsity: "0.3", codec: bitmap}\n')
    found = codesign("simulate", sample, *HARDWARE, "--annotate", file, *DECODER)
    assert found.code == 0
    assert "Codecs and block formats, as loaded" in found.out
    assert "bitmap" in found.out
    bare = codesign("simulate", sample, *HARDWARE, "--annotate", file)
    assert bare.code == 2
    assert "is stored in codec 'bitmap', which neither bus" in bare.err
    assert bare.err.count("\n") == 1


@pytest.mark.parametrize("value", ["{bitmap", "{16e9}", "{1: 2}", "{[]: 1}"])
def test_a_table_that_is_none_is_told(codesign: Codesign, sample: Path, value: str) -> None:
    found = codesign("simulate", sample, *HARDWARE, "--set", f"bus.decode_rate={value}")
    assert (found.code, found.err.count("\n")) == (2, 1)


def test_a_trace_can_be_written_with_its_annotations(
    codesign: Codesign, sample: Path, tmp_path: Path
) -> None:
    said, made = tmp_path / "a.yaml", tmp_path / "made.json"
    said.write_text('"*": {weight_bits: 8, sparsity: "0.5", codec: bitmap}\n')
    ran = codesign("trace", sample, "-o", made, "--annotate", said)
    assert (ran.code, " as annotated, " in ran.out) == (0, True)
    told = {"weight_bits": 8, "sparsity": "0.5", "codec": "bitmap"}
    declared = library.annotate(library.load_trace(sample), "*", **told)  # type: ignore[arg-type]
    assert library.load_trace(made).digest == declared.digest != library.load_trace(sample).digest
    later = codesign("simulate", sample, *HARDWARE, "--annotate", said, *DECODER, "--json")
    before = codesign("simulate", made, *HARDWARE, *DECODER, "--json")
    assert json.loads(before.out) == json.loads(later.out)


def test_annotations_that_are_wrong_are_told_before_a_model_is_captured(
    codesign: Codesign, tmp_path: Path
) -> None:
    said = tmp_path / "a.yaml"
    said.write_text('"*": {weight_bit: 4}\n')
    ran = codesign("trace", "no_such_model", "-o", tmp_path / "t.json", "--annotate", said)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "unknown key 'weight_bit'" in ran.err


def test_the_decoder_of_a_link_has_a_row_among_the_components(
    codesign: Codesign, sample: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text('"*": {weight_bits: 8, sparsity: "0.3", codec: bitmap}\n')
    found = codesign("simulate", sample, *HARDWARE, "--annotate", file, *DECODER)
    (row,) = [line.split() for line in found.out.splitlines() if "bus.decoder" in line]
    assert row[:2] == ["bus.decoder", "decoder"]
    assert row[-1] == "%"


def test_operators_are_ranked_by_the_time_that_they_add(codesign: Codesign, sample: Path) -> None:
    result = library.simulate(str(sample), "edge-npu")
    ticks: dict[str, int] = {}
    for one, added in result.replay.added:
        ticks[one.op.name] = ticks.get(one.op.name, 0) + added
    ranked = sorted(ticks, key=lambda name: -ticks[name])
    out = codesign("simulate", sample, *HARDWARE).out
    lines = out[out.index("Operators that add most time to the run") :].splitlines()
    assert lines[1].split()[-5:] == ["moved", "adds", "of", "run", "computes"]
    assert [line.split()[0] for line in lines[2:7]] == ranked[:5]
    assert lines[7].startswith("adds: from the end of whatever ended last before")
