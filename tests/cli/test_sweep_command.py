"""``codesign sweep`` and ``codesign pareto``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.workload.file import save_trace

STUDY = """\
model: tiny.json
hardware: edge-npu
hardware_space:
  sram.size: [64 KiB, 128 KiB]
  dram.bandwidth: [1 GB/s, 2 GB/s]
schedule_space:
  residency: [region]
objectives: [energy_j, "max:swept_quality:quality"]
"""
QUALITY = """\
def quality(point, result):
    if point["sram.size"] == "128 KiB" and point["dram.bandwidth"] == "1 GB/s":
        raise ValueError("no data")
    return 2.0 if point["dram.bandwidth"] == "1 GB/s" else 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from codesign.testing.operators import matmul
    from codesign.workload.record import Trace

    op = matmul(2, 16, 8)
    save_trace(Trace("tiny", (op,), tuple(a.tensor for a in op.operands)), tmp_path / "tiny.json")
    (tmp_path / "s.yaml").write_text(STUDY)
    (tmp_path / "swept_quality.py").write_text(QUALITY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "swept_quality", raising=False)
    return tmp_path


def test_a_sweep_prints_its_front_with_what_differs(folder: Path, codesign: Codesign) -> None:
    ran = codesign("sweep", "s.yaml", "-o", "out")
    assert ran.code == 0
    first, second, *lines = ran.out.splitlines()
    assert first == "tiny on edge-npu: 3 of 4 points replayed, 0 pruned, 1 failed, 0 left out"
    assert second == "3 on the front, 2 different"
    heads = ["point", "sram.size", "dram.bandwidth", "energy_j", "quality", "alike", "changes"]
    assert lines[0].split() == heads
    assert lines[1].split()[:7] == ["1", "64", "KiB,", "128", "KiB", "2", "GB/s"]
    assert lines[1].split()[-2:] == ["1", "2"]
    assert lines[2].split()[:5] == ["0", "64", "KiB", "1", "GB/s"]
    assert "  dram.bandwidth: energy_j +" in lines[2]
    assert lines[2].endswith("quality +100.0%")
    assert lines[3:] == ["all have residency = region"]
    assert ran.err == (
        "note: 1 of 4 points failed, point 2: ValueError: no data; codesign report out lists all\n"
    )
    assert codesign("pareto", "out").out == ran.out


def test_workers_find_functions_of_the_current_folder_and_the_same(
    folder: Path, codesign: Codesign
) -> None:
    alone = json.loads(codesign("sweep", "s.yaml", "-o", "a", "--json").out)
    ran = codesign("sweep", "s.yaml", "-o", "b", "--workers", "2", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == alone
    assert (alone["points"], alone["done"], alone["failed"]) == (4, 3, 1)
    assert len(alone["front"]) == 3


def test_a_folder_is_gone_on_with_only_if_asked(folder: Path, codesign: Codesign) -> None:
    before = codesign("sweep", "s.yaml", "-o", "out").out
    refused = codesign("sweep", "s.yaml", "-o", "out")
    assert refused.code == 2
    assert refused.err.startswith("error: out has the journal of a study; go on with it")
    assert codesign("sweep", "s.yaml", "-o", "out", "--resume").out == before
    (folder / "s.yaml").write_text(STUDY.replace("2 GB/s", "3 GB/s"))
    other = codesign("sweep", "s.yaml", "-o", "out", "--resume")
    assert other.code == 2
    assert "is the journal of another study" in other.err
    assert codesign("pareto", "out").out == before


def test_mistakes_are_one_line_with_their_place(folder: Path, codesign: Codesign) -> None:
    (folder / "s.yaml").write_text(STUDY.replace("sram.size", "sram.sise"))
    ran = codesign("sweep", "s.yaml", "-o", "out")
    assert ran.code == 2
    assert ran.err.startswith("error: s.yaml:4: ")
    assert "did you mean 'size'?" in ran.err
    assert ran.err.count("\n") == 1
    assert not (folder / "out").exists()
    assert codesign("pareto", "out").err.startswith("error: out/journal.jsonl: cannot be read")


def test_a_front_without_points_is_said(folder: Path, codesign: Codesign) -> None:
    (folder / "s.yaml").write_text(STUDY + "constraints: [latency_s < 0]\n")
    ran = codesign("sweep", "s.yaml", "-o", "out")
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == ["no point keeps to all constraints"]


def test_a_study_all_of_whose_points_fail_says_so_and_goes_on_with_more_events(
    folder: Path, codesign: Codesign
) -> None:
    # a size of its own, so that no other test has the replay ready
    (folder / "s.yaml").write_text(STUDY.replace("64 KiB, 128 KiB", "61 KiB, 62 KiB"))
    ran = codesign("sweep", "s.yaml", "-o", "out", "--most-events", "2")
    assert ran.code == 2
    assert ran.out.splitlines()[1:] == [
        "no point was measured; out/journal.jsonl has why, and codesign report out lists it"
    ]
    assert codesign("pareto", "out").out == ran.out
    assert ran.err.count("\n") == 1
    assert ran.err.startswith(
        "error: out: no point of 4 could be measured: 4 failed, most often (2 times) as "
        "point 0: the replay was given up after 2 events"
    )
    assert ran.err.endswith("; codesign report out lists all\n")
    again = codesign("sweep", "s.yaml", "-o", "out", "--resume", "--most-events", "100000")
    assert again.code == 0
    assert again.out.startswith("tiny on edge-npu: 4 of 4 points replayed, 0 pruned, 0 failed")


EXECUTOR = """\
from codesign import hookimpl
from codesign.explore.executors import Serial

class Farm(Serial):
    def __init__(self, address):
        super().__init__()
        open("asked", "w").write(address)

@hookimpl
def codesign_executors():
    return {"farm": Farm}
"""


def test_an_executor_of_a_plugin_is_named_with_its_address(
    folder: Path, codesign: Codesign
) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "farm.py").write_text(EXECUTOR)
    (folder / "s.yaml").write_text(f"{STUDY}plugins: [own]\n")
    alone = codesign("sweep", "s.yaml", "-o", "a")
    there = codesign("sweep", "s.yaml", "-o", "b", "--executor", "farm", "--address", "barn:1")
    assert there.out == alone.out
    assert (folder / "asked").read_text() == "barn:1"
    assert len(json.loads(codesign("pareto", "b", "--json").out)["front"]) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--executor", "pol"], "unknown executor 'pol'; did you mean 'pool'? known: "),
        (["--address", "barn:1"], "the address 'barn:1' is for an executor that was not named"),
        (["--executor", "pool", "--address", "barn:1"], "executor 'pool' takes no address"),
        (["--executor", "serial", "--workers", "2"], "executor 'serial' takes no workers"),
    ],
)
def test_an_executor_that_means_nothing_is_told_before_anything_is_written(
    words: list[str], message: str, folder: Path, codesign: Codesign
) -> None:
    ran = codesign("sweep", "s.yaml", "-o", "out", *words)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {message}")
    assert ran.err.count("\n") == 1
    assert not (folder / "out").exists()
