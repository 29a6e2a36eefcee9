"""Saved scenarios: every run in ticks, every joule by stream, each file whole or not at all."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pyarrow.parquet
import pytest
from strategies import Sketch, machine

from codesign.errors import CodesignError
from codesign.scenario.arrival import After, Periodic
from codesign.scenario.result import ScenarioResult
from codesign.scenario.simulate import simulate_scenario
from codesign.scenario.spec import Scenario, Stream
from codesign.testing import check_timeline
from codesign.workload.record import Trace

FILES = ["hardware.json", "ledger.parquet", "runs.parquet", "summary.json", "timeline.json"]


def model(name: str, width: int) -> Trace:
    sketch = Sketch(name)
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 4, width), 24))
    return sketch.trace()


@pytest.fixture(scope="module")
def result() -> ScenarioResult:
    streams = (
        Stream("encoder", model("encoder", 32), Periodic(100e-6)),
        Stream("joiner", model("joiner", 16), After(("encoder",), times=2)),
        Stream("camera", model("camera", 8), Periodic(300e-6), background=True),
    )
    case = Scenario("saved", streams, 500e-6, silence_s=100e-6, utterances=2)
    return simulate_scenario(case, machine(leakage=1e-3))


def test_five_files_are_written(result: ScenarioResult, tmp_path: Path) -> None:
    result.save(tmp_path / "new" / "folder")
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == FILES
    summary = json.loads((tmp_path / "new" / "folder" / "summary.json").read_text())
    assert summary == json.loads(json.dumps(result.summary()))


def test_every_run_is_there_with_its_ticks(result: ScenarioResult, tmp_path: Path) -> None:
    result.save(tmp_path)
    rows = pyarrow.parquet.read_table(tmp_path / "runs.parquet").to_pylist()
    assert len(rows) == 10 + 20 + 4
    found = {(row["stream"], row["number"]): row for row in rows}
    for name in result.parts:
        for run in result.played.of(name):
            row = found[name, run.number]
            assert (row["asked_ps"], row["start_ps"], row["end_ps"]) == (
                run.asked,
                run.start,
                run.end,
            )
    assert [row["utterance"] for row in rows if row["stream"] == "encoder"] == [0] * 5 + [1] * 5
    assert {row["utterance"] for row in rows if row["stream"] == "camera"} == {0}


def test_the_ledger_has_the_energy_of_every_stream(result: ScenarioResult, tmp_path: Path) -> None:
    result.save(tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "ledger.parquet")
    assert table.column_names == [
        "stream",
        "op",
        "component",
        "action",
        "role",
        "count",
        "energy_j",
    ]
    for name, figures in result.streams.items():
        energy = [row["energy_j"] for row in table.to_pylist() if row["stream"] == name]
        assert math.fsum(energy) == pytest.approx(figures.energy_j, rel=1e-12)
        assert figures.energy_j > 0


def test_the_ledger_sums_to_the_energy_of_the_scenario(
    result: ScenarioResult, tmp_path: Path
) -> None:
    result.save(tmp_path)
    rows = pyarrow.parquet.read_table(tmp_path / "ledger.parquet").to_pylist()
    total = math.fsum(row["energy_j"] for row in rows)
    assert total == pytest.approx(result.energy_j, rel=1e-12)
    static = [row for row in rows if row["stream"] is None]
    assert {row["op"] for row in static} == {None}
    assert None not in {row["op"] for row in rows if row["stream"]}
    assert [(row["component"], row["action"]) for row in static] == [("npu0", "leakage")]
    assert static[0]["energy_j"] == result.static_energy_j == pytest.approx(1e-3 * result.span_s)


def test_saving_twice_gives_the_same_bytes(result: ScenarioResult, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        result.save(tmp_path / folder)
    for name in FILES:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second


def test_a_folder_that_cannot_be_written_is_one_line(
    result: ScenarioResult, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CodesignError, match=r"cannot write the result to .*; give another folder"):
        result.save(tmp_path / "file")


def test_the_timeline_has_the_runs_and_the_energy_of_all_streams(
    result: ScenarioResult, tmp_path: Path
) -> None:
    result.save(tmp_path)
    document = json.loads((tmp_path / "timeline.json").read_text())
    check_timeline(document)
    events = document["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    assert {event["args"]["stream"] for event in slices} == set(result.parts)
    starts = {name: [run.start for run in result.played.of(name)] for name in ("encoder", "joiner")}
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    for name, ticks in starts.items():
        found = [e for e in events if e["ph"] == "i" and tracks[e["tid"]] == name]
        assert [e["args"]["start_ps"] for e in found] == sorted(ticks)
    power = [(e["ts"], e["args"]["W"]) for e in events if e["name"] == "dynamic power"]
    spent = math.fsum(w * (b - a) * 1e-6 for (a, w), (b, _) in itertools.pairwise(power))
    assert spent == pytest.approx(result.energy_split.dynamic_j, rel=1e-9)


def test_a_scenario_over_the_limit_draws_the_first_runs_of_all_streams(
    result: ScenarioResult,
) -> None:
    document = result.timeline(limit=10)
    check_timeline(document)
    ends = sorted(span.end for part in result.parts.values() for span in part.replay.spans)
    assert document["otherData"]["runs_drawn"] == 10
    assert document["otherData"]["runs_folded"] == len(ends) - 10
    assert document["otherData"]["drawn_until_ps"] == ends[9]
