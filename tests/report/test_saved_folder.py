"""Folders that reports read: of this version, of the one before, and damaged ones."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from report_case import NEW_FILES, OLD, generated, small, with_why, write_table
from strategies import Sketch, machine

from codesign.errors import CodesignError, ReportError
from codesign.report.make import read_source
from codesign.report.saved import Saved, read_saved
from codesign.result.forms import MOST_BYTES
from codesign.result.save import save_result
from codesign.result.saved import load_saved
from codesign.scenario.arrival import Periodic
from codesign.scenario.simulate import simulate_scenario
from codesign.scenario.spec import Scenario, Stream


def test_a_folder_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    result = small()
    save_result(result, tmp_path)
    saved = read_saved(tmp_path)
    assert saved.summary.digest == result.digest
    assert saved.makespan == result.replay.makespan
    assert saved.operators["name"] == result.operators["name"]
    assert saved.ledger["energy_j"] == result.ledger.energy.tolist()
    assert [part.name for part in saved.parts] == list(result.machine.components)
    assert saved.engines == ("npu0", "vector")
    assert saved.lacks == ()
    assert saved.why is not None
    assert sum(part.ps for part in saved.why.parts) == result.replay.makespan


def test_a_folder_of_the_version_before_is_read_and_says_what_it_lacks() -> None:
    saved = read_saved(OLD)
    assert [what.split()[0] for what in saved.lacks] == list(NEW_FILES)
    assert (saved.parts, saved.residency) == ((), None)
    assert saved.summary.model == "small"
    assert len(saved.spans.ops) == sum(saved.operators["runs"]) == 15


def test_spans_of_a_timeline_are_those_of_its_slices() -> None:
    saved = read_saved(OLD)
    trace = json.loads((OLD / "timeline.json").read_text())
    slices = [one for one in trace["traceEvents"] if one["ph"] == "X"]
    assert list(saved.spans.ops) == [one["name"] for one in slices]
    assert saved.spans.starts.tolist() == [round(one["ts"] * 1e6) for one in slices]


def test_a_critical_path_is_read_where_it_is(tmp_path: Path) -> None:
    folder = generated(tmp_path, 2)
    with_why(folder, 2_000_000)
    why = read_saved(folder).why
    assert why is not None
    assert sum(part.ps for part in why.parts) == why.makespan_ps == 2_000_000
    assert why.segments[0].op == "head"


def test_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    folder = generated(tmp_path, 2)
    change(folder / "summary.json", {"a_new_figure": [1, 2]})
    assert read_saved(folder).summary.model == "generated"


def change(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refusal(folder: Path) -> str:
    with pytest.raises(CodesignError) as caught:
        read_source(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_no_such_folder(tmp_path: Path) -> None:
    assert "is no folder; give one that" in refusal(tmp_path / "none")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is no folder" in refusal(tmp_path / "file")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "holds neither a result (summary.json) nor a study" in refusal(tmp_path)


def test_a_folder_of_a_scenario(tmp_path: Path) -> None:
    """As it is saved, with a summary and a ledger of its own."""
    sketch = Sketch("model")
    sketch.matmul("head", sketch.input("x", 4, 8), 8)
    stream = Stream("only", sketch.trace(), Periodic(100e-6))
    simulate_scenario(Scenario("case", (stream,), 300e-6), machine()).save(tmp_path)
    assert "holds a scenario, of which there is no report" in refusal(tmp_path)
    with pytest.raises(CodesignError, match="not the folder of a result but of a saved scenario"):
        load_saved(tmp_path)


JSONS = ("summary.json", "hardware.json", "components.json")
TABLES = ("ledger.parquet", "operators.parquet", "spans.parquet", "residency.parquet")


@pytest.mark.parametrize("name", [*JSONS, *TABLES, "why.json"])
@pytest.mark.parametrize("data", [b"", b"\x00\xff\x01", b"[[[", b"PAR1PAR1"])
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    folder = generated(tmp_path, 2)
    (folder / name).write_bytes(data)
    message = refusal(folder)
    assert name in message
    assert message.endswith("; save the result anew")


@pytest.mark.parametrize("name", TABLES)
def test_a_cut_table_is_one_line(tmp_path: Path, name: str) -> None:
    path = generated(tmp_path, 2) / name
    path.write_bytes(path.read_bytes()[:-20])
    assert name in refusal(tmp_path)


@pytest.mark.parametrize("name", ["hardware.json", "ledger.parquet", "operators.parquet"])
def test_a_missing_file_is_one_line(tmp_path: Path, name: str) -> None:
    (generated(tmp_path, 2) / name).unlink()
    assert name in refusal(tmp_path)


def test_a_folder_without_any_runs_of_operators_is_one_line(tmp_path: Path) -> None:
    (generated(tmp_path, 2) / "spans.parquet").unlink()
    assert "timeline.json: cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"latency_s": "soon"}, "'latency_s'"),
        ({"latency_s": -1}, "'latency_s'"),
        ({"offchip_bytes": {"weight": 1.5}}, "'offchip_bytes.weight'"),
        ({"assumptions": "none"}, "'assumptions'"),
        ({"model": 7}, "'model'"),
    ],
)
def test_a_summary_of_wrong_types_names_the_place(
    tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    change(generated(tmp_path, 2) / "summary.json", values)
    assert f"summary.json: damaged at {told}" in refusal(tmp_path)


def test_a_summary_with_numbers_that_are_none_is_refused(tmp_path: Path) -> None:
    path = generated(tmp_path, 2) / "summary.json"
    path.write_text(path.read_text().replace('"coverage": 1.0', '"coverage": NaN'))
    assert "'coverage'" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"op": ["a"], "engine": ["b"], "start_ps": [0]}, "no column 'end_ps'"),
        (
            {"op": ["a"], "engine": ["b"], "start_ps": [0], "end_ps": [1.5]},
            "column 'end_ps' must hold int",
        ),
        ({"op": [3], "engine": ["b"], "start_ps": [0], "end_ps": [1]}, "column 'op' must hold str"),
        (
            {"op": ["a", "b"], "engine": ["b", "b"], "start_ps": [0, 1], "end_ps": [1, None]},
            "column 'end_ps' has empty places",
        ),
    ],
)
def test_columns_of_a_table_are_checked(
    tmp_path: Path, columns: dict[str, list[Any]], told: str
) -> None:
    write_table(generated(tmp_path, 2) / "spans.parquet", columns)
    assert told in refusal(tmp_path)


def refilled(path: Path, column: str, value: object) -> None:
    """Fills one column of a table with one value."""
    table = pyarrow.parquet.read_table(path)
    place = table.schema.get_field_index(column)
    values = pyarrow.array([value] * len(table))
    pyarrow.parquet.write_table(table.set_column(place, column, values), path)


@pytest.mark.parametrize(
    ("file", "column", "value", "told"),
    [
        ("ledger.parquet", "energy_j", math.nan, "column 'energy_j' must hold 0 or numbers"),
        ("ledger.parquet", "energy_j", math.inf, "column 'energy_j' must hold 0 or numbers"),
        ("ledger.parquet", "component", None, "column 'component' has empty places"),
        ("operators.parquet", "runs", 0, "an operator has run 0 times"),
        ("operators.parquet", "name", "other", "operators.parquet has no operator 'layer000"),
        ("operators.parquet", "name", None, "column 'name' has empty places"),
        ("operators.parquet", "compute_s", 1e-300, "column 'compute_s' must hold 0 or numbers"),
        ("spans.parquet", "op", None, "column 'op' has empty places"),
        ("spans.parquet", "start_ps", 2**61, "an operator ends before it begins"),
        ("spans.parquet", "start_ps", -1, "column 'start_ps' must hold whole numbers"),
        ("spans.parquet", "end_ps", 2**63 - 1, "an operator ends after 4611686018427387904 ps"),
    ],
)
def test_a_column_that_cannot_be_is_one_line(
    tmp_path: Path, file: str, column: str, value: object, told: str
) -> None:
    refilled(generated(tmp_path, 2) / file, column, value)
    assert told in refusal(tmp_path)


@pytest.mark.parametrize("peak", [1e-300, 1e308])
def test_a_peak_that_no_axis_can_hold_is_one_line(tmp_path: Path, peak: float) -> None:
    path = generated(tmp_path, 2) / "components.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([row | {"bytes_per_s": peak} for row in rows]))
    assert "components.json: damaged at '0.bytes_per_s'" in refusal(tmp_path)


@pytest.mark.parametrize("latency", [1e300, 1e7, True, "1"])
def test_a_latency_that_cannot_be_is_one_line(tmp_path: Path, latency: object) -> None:
    change(generated(tmp_path, 2) / "summary.json", {"latency_s": latency})
    assert "summary.json: damaged at 'latency_s'" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("key", "values", "told"),
    [
        ("parts", {"ps": 10**400}, "'parts.2.ps'"),
        ("segments", {"start_ps": 0, "end_ps": 2**70}, "'segments.4.end_ps'"),
        ("segments", {"start_ps": 5, "end_ps": 1}, "a segment ends before it begins"),
    ],
)
def test_a_critical_path_that_cannot_be_is_one_line(
    tmp_path: Path, key: str, values: dict[str, int], told: str
) -> None:
    with_why(generated(tmp_path, 2), 2_000_000)
    path = tmp_path / "why.json"
    why = json.loads(path.read_text())
    why[key].append({"cause": "compute"} | values)
    path.write_text(json.dumps(why))
    assert told in refusal(tmp_path)


@pytest.mark.parametrize("name", [*JSONS, *TABLES])
def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path, name: str) -> None:
    with (generated(tmp_path, 2) / name).open("r+b") as file:
        file.truncate(MOST_BYTES + 1)  # a hole: it takes no room
    assert f"{name}: it is larger than 268,435,456 B; " in refusal(tmp_path)


HUGE = {
    "traceEvents": [
        {"ph": "M", "name": "thread_name", "tid": 1, "args": {"name": "npu"}},
        {"ph": "X", "tid": 1, "name": "op", "ts": 1e200, "dur": 1},
    ]
}


@pytest.mark.parametrize("trace", [{}, {"traceEvents": [{"ph": "X"}]}, {"traceEvents": 3}, HUGE])
def test_a_timeline_of_another_shape_is_one_line(tmp_path: Path, trace: object) -> None:
    for path in OLD.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "timeline.json").write_text(json.dumps(trace))
    assert "timeline.json: damaged, it is no Chrome trace" in refusal(tmp_path)


def test_a_journal_of_something_else_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"format": "diary"}\n')
    assert "is no journal" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"event": "done"}, "needs the key 'key'"),
        ({"no": "event"}, "event must be one of"),
        ({"event": "study"}, "needs the key 'model'"),
    ],
)
def test_a_journal_that_lacks_something_names_the_line(
    tmp_path: Path, record: object, told: str
) -> None:
    header = {"format": "codesign-journal", "version": 1, "study": "d"}
    lines = [header, {"event": "planned", "points": 1, "left_out": 0}, record]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "journal.jsonl").write_text(text)
    message = refusal(tmp_path)
    assert "journal.jsonl:3: " in message
    assert told in message


def test_a_study_that_has_measured_nothing_is_one_line(tmp_path: Path) -> None:
    header = {"format": "codesign-journal", "version": 1, "study": "d"}
    (tmp_path / "journal.jsonl").write_text(json.dumps(header) + "\n")
    assert "has measured no point yet" in refusal(tmp_path)


def test_a_result_is_found_out_by_its_files(tmp_path: Path) -> None:
    assert isinstance(read_source(generated(tmp_path, 2)), Saved)


def test_errors_of_reports_are_of_the_family() -> None:
    assert issubclass(ReportError, CodesignError)
