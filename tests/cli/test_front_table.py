"""What sweep, search and pareto print: ties, points to come, failures and kinds of somebody's."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign
from swept_tables import Point, records, write

from codesign.cli import output
from codesign.templates import write_plugin
from codesign.testing.operators import matmul
from codesign.workload.file import save_trace
from codesign.workload.record import Trace

SPACE = {"sram.size": ["64 KiB", "1 MiB", "2 MiB", "4 MiB"], "dram.bandwidth": [1, 2, 4]}


def cost(point: Point) -> dict[str, float]:
    """A buffer beyond 1 MiB brings nothing."""
    reloads = 1e-6 if point["sram.size"] == "64 KiB" else 0.0
    rate = point["dram.bandwidth"]
    return {"energy_j": 1e-6 * rate + reloads, "latency_s": 1e-3 / rate + reloads}


def failed(index: int, message: str) -> dict[str, Any]:
    told = {"event": "failed", "index": index, "key": str(index), "seconds": 0.0}
    return told | {"point": {}, "message": message}


# -- ties ----------------------------------------------------------------------------------------


def test_points_that_are_alike_are_one_row(tmp_path: Path, codesign: Codesign) -> None:
    ran = codesign("pareto", write(tmp_path / "study", records(SPACE, cost)))
    _, second, heads, *lines = ran.out.splitlines()
    assert second == "9 on the front, 3 different"
    assert heads.split() == ["point", *list(SPACE)[1:], "energy_j", "latency_s", "alike", "changes"]
    assert [" ".join(line.split()) for line in lines] == [
        "3 1 1 µJ 1 ms 3",
        "4 2 2 µJ 0.5 ms 3 dram.bandwidth: energy_j +100.0%, latency_s -50.0%",
        "5 4 4 µJ 0.25 ms 3 dram.bandwidth: energy_j +100.0%, latency_s -50.0%",
        "all have sram.size = 1 MiB … 4 MiB",
    ]


def test_documents_have_every_point_of_the_front(tmp_path: Path, codesign: Codesign) -> None:
    folder = write(tmp_path / "study", records(SPACE, cost))
    front = json.loads(codesign("pareto", folder, "--json").out)["front"]
    assert [row["index"] for row in front] == [3, 6, 9, 4, 7, 10, 5, 8, 11]


def test_only_what_no_points_of_both_rows_share_has_changed(
    tmp_path: Path, codesign: Codesign
) -> None:
    def measure(point: Point) -> dict[str, float]:
        slow = point["kind"] == "slow"
        return {"energy_j": 1.0 if slow else 2.0, "latency_s": 2.0 if slow else 1.0}

    # the slow kind has another first size: it has the second in common with the fast one
    space = {"size": [1, 2], "kind": ["fast", "slow"]}
    lines = records(space, measure, keep=lambda p: p != {"size": 1, "kind": "slow"})
    ran = codesign("pareto", write(tmp_path / "study", lines))
    assert re.search(r" kind: energy_j \+100.0%, latency_s -50.0%$", ran.out, re.MULTILINE)
    assert "size, kind" not in ran.out


def test_a_front_of_equal_points_is_one_row(tmp_path: Path, codesign: Codesign) -> None:
    lines = records({"n": [1, 2, 3]}, lambda _: {"energy_j": 1e-6})
    ran = codesign("pareto", write(tmp_path / "study", lines))
    assert ran.out.splitlines()[1] == "3 on the front, all alike"
    assert ran.out.splitlines()[-1] == "all have n = 1 … 3"


def test_a_narrow_terminal_has_the_table_without_changes_and_breaks_no_name(
    tmp_path: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "study", records(SPACE, cost))
    wide = codesign("pareto", folder).out
    monkeypatch.setattr(output, "_WIDTH", 60)
    narrow = codesign("pareto", folder).out
    assert "changes" in wide
    assert "changes" not in narrow
    (heads,) = (line for line in narrow.splitlines() if line.startswith("point"))
    assert heads.split() == ["point", "dram.bandwidth", "energy_j", "latency_s", "alike"]


# -- points to come ------------------------------------------------------------------------------


@pytest.mark.parametrize(("kept", "told"), [(12, 0), (11, 1), (3, 9), (0, 12)])
def test_points_of_an_interrupted_sweep_are_still_to_come(
    kept: int, told: int, tmp_path: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study, planned, *done = records(SPACE, cost)
    write(tmp_path / "out", [study, planned, *done[:kept]])
    ran = codesign("pareto", "out")
    line = (
        f"at most {told} still to come: unless it runs just now, codesign sweep STUDY -o out "
        "--resume goes on"
    )
    assert ran.code == 0
    assert (line in ran.out.splitlines()) == (told > 0)
    assert ("still to come" in ran.out) == (told > 0)
    assert json.loads(codesign("pareto", "out", "--json").out)["to_come"] == told
    assert ("no point was measured yet" in ran.out) == (kept == 0)


def test_what_was_pruned_or_failed_is_not_to_come(tmp_path: Path, codesign: Codesign) -> None:
    study, planned, *done = records(SPACE, cost)
    lines = [study, planned, *done[:5], failed(5, "no"), {"event": "pruned", "points": 6}]
    assert "to come" not in codesign("pareto", write(tmp_path / "study", lines)).out


def test_a_search_plans_no_points(tmp_path: Path, codesign: Codesign) -> None:
    study, _, *done = records(SPACE, cost)
    asked = {"event": "asked", "search": "random 0", "points": [0, 1, 2]}
    lines = [study | {"combinations": 12}, asked, *done[:3]]
    ran = codesign("pareto", write(tmp_path / "study", lines))
    assert ran.out.startswith("cell on edge-npu: 3 of 12 points replayed")
    assert "to come" not in ran.out


def test_a_study_of_which_nothing_was_measured_says_how_to_go_on(
    tmp_path: Path, codesign: Codesign
) -> None:
    study, *_ = records(SPACE, cost)
    ran = codesign("pareto", write(tmp_path / "study", [study]))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(
        "the study has measured no point yet; run it first, or go on with the same command and "
        "--resume\n"
    )


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            ["summary.json"],
            "out holds no study but seems to be a saved result; codesign report out and codesign "
            "compare read it",
        ),
        (
            ["summary.json", "runs.parquet"],
            "out holds no study but seems to be a saved scenario; its summary.json has the figures",
        ),
        ([], "out/journal.jsonl: cannot be read: No such file or directory; give the folder of a "
         "study"),
    ],
)  # fmt: skip
def test_the_folder_of_something_else_names_who_reads_it(
    files: list[str],
    told: str,
    tmp_path: Path,
    codesign: Codesign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    for name in files:
        (tmp_path / "out" / name).write_text("{}")
    ran = codesign("pareto", "out")
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {told}\n")


def test_a_file_in_the_place_of_the_folder_of_a_study_is_told(
    codesign: Codesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text("model: lstm_lm\nhardware: edge-npu\n")
    told = "is a file and no folder of a study; give the folder that sweep -o wrote"
    assert codesign("pareto", "study.yaml").err == f"error: study.yaml {told}\n"


# -- failures and kinds that do not ship ---------------------------------------------------------

STUDY = """\
model: tiny.json
hardware: row/mac_row.yaml
plugins: [row]
hardware_space: {sram.size: [61 KiB, 62 KiB, 63 KiB]}
objectives: [energy_j, "front_merit:merit"]
"""
MERIT = """\
def merit(point, result):
    if point["sram.size"] in FAILS:
        raise ValueError(FAILS[point["sram.size"]])
    return 1.0
"""
TOLD = (
    "own: own kind 'mac_row' (plugin mac_row from row/mac_row.py): nothing that codesign validates "
    "covers it; hold it to the promises of plugins with 'codesign plugins check row/mac_row.py'"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study on a board with an engine of somebody's own."""
    write_plugin("engine", "mac_row", tmp_path / "row")
    op = matmul(2, 16, 8)
    save_trace(Trace("tiny", (op,), tuple(a.tensor for a in op.operands)), tmp_path / "tiny.json")
    (tmp_path / "s.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    fails_at(tmp_path, {}, monkeypatch)
    return tmp_path


def fails_at(folder: Path, fails: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "front_merit", raising=False)
    (folder / "front_merit.py").write_text(f"FAILS = {fails!r}\n\n\n{MERIT}")


def joined(text: str) -> str:
    return " ".join(text.split())


def test_every_command_on_a_study_says_once_that_a_kind_is_somebodys_own(
    folder: Path, codesign: Codesign
) -> None:
    swept = codesign("sweep", "s.yaml", "-o", "a")
    searched = codesign("search", "s.yaml", "-o", "b", "--sampler", "random", "--budget", "2")
    for ran in (swept, searched, codesign("pareto", "a"), codesign("pareto", "b")):
        assert ran.code == 0
        assert joined(ran.out).count(f"assumption: {TOLD}") == 1
        assert ran.out.count("own kind") == 1
    words = ("search", "s.yaml", "-o", "b", "--sampler", "random", "--budget", "2", "--resume")
    for document in (codesign("pareto", "a", "--json"), codesign(*words, "--json")):
        assert json.loads(document.out)["own_kinds"] == [TOLD]


def test_why_says_it_in_the_same_words(folder: Path, codesign: Codesign) -> None:
    words = ("why", "tiny.json", "--plugins", "row", "--hardware", "row/mac_row.yaml")
    ran = codesign(*words, "--no-what-if")
    assert joined(ran.out).endswith(f"assumption: {TOLD}")
    assert ran.out.count("own kind") == 1
    assert json.loads(codesign(*words, "--no-what-if", "--json").out)["own_kinds"] == [TOLD]


def test_shipped_kinds_are_no_assumption(folder: Path, codesign: Codesign) -> None:
    (folder / "s.yaml").write_text(STUDY.replace("row/mac_row.yaml", "edge-npu"))
    ran = codesign("sweep", "s.yaml", "-o", "out")
    assert ran.code == 0
    assert "assumption" not in ran.out
    assert '"own_kinds"' not in (folder / "out" / "journal.jsonl").read_text()
    assert json.loads(codesign("pareto", "out", "--json").out)["own_kinds"] == []
    why = codesign("why", "tiny.json", "--hardware", "edge-npu", "--no-what-if")
    assert "assumption" not in why.out


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        ({"62 KiB": "no"}, "1 of 3 points failed, point 1: ValueError: no"),
        (
            {"61 KiB": "no", "63 KiB": "no"},
            "2 of 3 points failed, all as point 0: ValueError: no",
        ),
        (
            {"61 KiB": "no", "63 KiB": "nor"},
            "2 of 3 points failed, first point 0: ValueError: no",
        ),
    ],
)
def test_some_failures_are_a_note_and_success(
    fails: dict[str, str],
    told: str,
    folder: Path,
    codesign: Codesign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fails_at(folder, fails, monkeypatch)
    ran = codesign("sweep", "s.yaml", "-o", "out", "--exhaustive")
    assert ran.code == 0
    assert ran.err == f"note: {told}; codesign report out lists all\n"
    assert f", {len(fails)} failed," in ran.out.splitlines()[0]


@pytest.mark.parametrize("command", [("sweep",), ("search", "--sampler", "random")])
def test_failures_alone_are_an_error_with_the_most_frequent_reason(
    command: tuple[str, ...], folder: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at(folder, {"61 KiB": "no", "62 KiB": "data", "63 KiB": "data"}, monkeypatch)
    words = (command[0], "s.yaml", "-o", "out", *command[1:])
    error = (
        "error: out: no point of 3 could be measured: 3 failed, most often (2 times) as point 1: "
        "ValueError: data; codesign report out lists all\n"
    )
    ran = codesign(*words)
    assert (ran.code, ran.err) == (2, error)
    assert "3 failed" in ran.out.splitlines()[0]
    again = codesign(*words, "--resume", "--json")
    assert (again.code, again.err) == (2, error)
    assert json.loads(again.out)["failed"] == 3
    assert codesign("pareto", "out").code == 0
