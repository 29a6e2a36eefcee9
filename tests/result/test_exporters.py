"""Results in further formats: through a hook, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from conftest import Codesign

from codesign import simulate
from codesign.errors import CodesignError, PluginError
from codesign.plugins import registry
from codesign.result.exporters import export_result, find_exporter
from codesign.result.result import Result
from codesign.testing.suite_results import small_trace

PLUGIN = """
from codesign import hookimpl

def write(result, path):
    {body}

@hookimpl
def codesign_exporters():
    return {{"ours": write}}
"""


@pytest.fixture(scope="module")
def result() -> Result:
    return simulate(small_trace(), "edge-npu")


def plugin(folder: Path, body: str) -> list[Path]:
    folder.mkdir()
    (folder / "ours.py").write_text(PLUGIN.format(body=body))
    return [folder]


def test_the_table_of_operators_is_written_as_csv(result: Result, tmp_path: Path) -> None:
    result.export(tmp_path / "rows.csv", "csv")
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(result.operators)
    assert [float(row["energy_j"]) for row in rows] == list(result.operators["energy_j"])
    assert [int(row["macs"]) for row in rows] == list(result.operators["macs"])


def test_the_timeline_is_the_one_of_a_saved_result(result: Result, tmp_path: Path) -> None:
    result.export(tmp_path / "run.json", "perfetto")
    result.save(tmp_path / "saved")
    text = (tmp_path / "run.json").read_text()
    assert text == (tmp_path / "saved" / "timeline.json").read_text()
    assert json.loads(text) == result.timeline()


def test_the_shipped_formats_come_through_the_door_of_any_other() -> None:
    offers = registry().offers("codesign_exporters")
    assert {name: offer.owner for name, offer in offers.items()} == {
        "csv": "exporters",
        "perfetto": "exporters",
    }


def test_a_plugin_adds_a_format(result: Result, tmp_path: Path) -> None:
    folders = plugin(tmp_path / "p", "path.write_text(result.model)")
    export_result(result, tmp_path / "name.txt", "ours", plugins=folders)
    assert (tmp_path / "name.txt").read_text() == result.model


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("path.write_text('half'); 1 / 0", "exporter 'ours' raised ZeroDivisionError: division"),
        ("exit(0)", "exporter 'ours' raised SystemExit: 0 at "),
        ("pass", "exporter 'ours' wrote no file; let it write to the path that it is given"),
    ],
)
def test_an_exporter_that_fails_leaves_what_was_there(
    body: str, message: str, result: Result, tmp_path: Path
) -> None:
    folders = plugin(tmp_path / "p", body)
    file = tmp_path / "kept.txt"
    file.write_text("before")
    with pytest.raises(PluginError, match=message):
        export_result(result, file, "ours", plugins=folders)
    assert file.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.txt", "p"]


def test_a_format_that_is_no_function_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(PLUGIN.format(body="pass").replace(": write", ": 7"))
    with pytest.raises(PluginError, match="must return a map from names to functions of a result"):
        find_exporter("ours", [tmp_path])


def test_an_unknown_format_is_told_with_the_nearest() -> None:
    with pytest.raises(CodesignError, match="unknown export format 'cvs'; did you mean 'csv'"):
        find_exporter("cvs")


def test_a_place_that_cannot_be_written_is_told(result: Result, tmp_path: Path) -> None:
    with pytest.raises(CodesignError, match="give a file in a folder that can be written"):
        result.export(tmp_path / "nowhere" / "rows.csv", "csv")


def test_a_run_writes_several_formats(codesign: Codesign, sample: Path, tmp_path: Path) -> None:
    rows, run = tmp_path / "rows.csv", tmp_path / "run.json"
    words = ("--export", f"csv={rows}", "--export", f"perfetto={run}")
    assert codesign("simulate", sample, "--hardware", "edge-npu", *words).code == 0
    assert rows.read_text().startswith("name,")
    assert "traceEvents" in json.loads(run.read_text())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["rows.csv"],
            "--export takes FORMAT=FILE, got 'rows.csv'; write for example csv=rows.csv",
        ),
        (["csv="], "--export takes FORMAT=FILE, got 'csv='"),
        (["cvs=a"], "unknown export format 'cvs'; did you mean 'csv'"),
        (["csv=a", "perfetto=a"], "--export gives the file 'a' twice; keep one"),
        (["csv=nowhere/a"], "cannot write to 'nowhere/a': it must be a file in a folder"),
    ],
)
def test_a_mistake_is_told_before_any_work(
    words: list[str], message: str, codesign: Codesign
) -> None:
    options = [word for one in words for word in ("--export", one)]
    ran = codesign("simulate", "nothing.json", "--hardware", "edge-npu", *options)
    assert ran.code == 2
    assert message in ran.err
