"""``codesign search``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign

from codesign.workload.file import save_trace

STUDY = """\
model: tiny.json
hardware: edge-npu
hardware_space:
  sram.size: [64 KiB, 128 KiB]
  dram.bandwidth: [1 GB/s, 2 GB/s, 4 GB/s]
  npu.rows: [8, 16]
objectives: [energy_j, latency_s]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from codesign.testing.operators import matmul
    from codesign.workload.record import Trace

    op = matmul(2, 16, 8)
    save_trace(Trace("tiny", (op,), tuple(a.tensor for a in op.operands)), tmp_path / "tiny.json")
    (tmp_path / "s.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


RANDOM = ("search", "s.yaml", "--sampler", "random")


def test_a_search_prints_its_front_and_its_hypervolume(folder: Path, codesign: Codesign) -> None:
    limits = ("--reference", "energy_j=1e-6", "--reference", "latency_s = 1e-5")
    ran = codesign(*RANDOM, "-o", "out", "--budget", "5", "--seed", "3", *limits)
    assert (ran.code, ran.err) == (0, "")
    first, second, heads, *_, last = ran.out.splitlines()
    assert first == "tiny on edge-npu: 5 of 12 points replayed, 0 pruned, 0 failed, 0 left out"
    assert second.endswith("on the front")
    assert heads.split()[0] == "point"
    assert last.startswith("hypervolume ")
    assert last.endswith(
        " up to energy_j 1 µJ, latency_s 10 µs; random, seed 3, 5 evaluations: the budget is used"
    )


def test_json_tells_the_whole_search(folder: Path, codesign: Codesign) -> None:
    ran = codesign(*RANDOM, "-o", "out", "--budget", "100", "--json")
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert sorted(told["order"]) == list(range(12))
    assert len(told["hypervolumes"]) == 12
    assert set(told["reference"]) == {"energy_j", "latency_s"}
    assert (told["sampler"], told["seed"], told["done"]) == ("random", 0, 12)
    assert told["ended"] == "the sampler knows no further point"
    assert told["front"]


def test_workers_and_a_kill_change_nothing(folder: Path, codesign: Codesign) -> None:
    asked = (*RANDOM, "--batch", "2", "--json")

    def found(folder: str, budget: str, *words: str) -> Any:
        return json.loads(codesign(*asked, "-o", folder, "--budget", budget, *words).out)

    whole = found("a", "8")
    assert found("b", "8", "--workers", "2") == whole
    assert found("c", "3") != whole
    assert found("c", "8", "--resume") == whole


def test_a_search_stops_and_begins_warm(folder: Path, codesign: Codesign) -> None:
    before = json.loads(codesign(*RANDOM, "-o", "a", "--budget", "12", "--json").out)
    front = [row["index"] for row in before["front"]]
    after = codesign(*RANDOM, "-o", "b", "--warm", "a", "--stop", "4", "--seed", "7", "--json")
    told = json.loads(after.out)
    assert told["order"][: len(front)] == front
    # the first four give the reference, and nothing beats the front
    assert told["ended"] == "4 evaluations brought no hypervolume"


def test_a_gaussian_process_searches(folder: Path, codesign: Codesign) -> None:
    pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    asked = ("search", "s.yaml", "--budget", "12", "--json", "--storage", "shared.journal")
    told = json.loads(codesign(*asked, "-o", "out").out)
    assert (told["sampler"], sorted(told["order"])) == ("gp", list(range(12)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sampler", "bayes"), "error: unknown sampler 'bayes'"),
        (("--workers", "3", "--batch", "2"), "error: 3 workers cannot share batches of 2; give"),
        (("--reference", "energy_j"), "error: --reference takes OBJECTIVE=FIGURE, got 'energy_j'"),
        (("--reference", "a=1", "--reference", "a=2"), "error: --reference gives 'a' twice"),
        (("--reference", "energy_j=1"), "error: reference: 'latency_s' is missing"),
        (("--warm", "nowhere"), "error: nowhere/journal.jsonl: cannot be read"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, codesign: Codesign, words: tuple[str, ...], message: str
) -> None:
    ran = codesign(*RANDOM, "-o", "out", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(message)
    assert ran.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_a_folder_is_gone_on_with_only_if_asked(folder: Path, codesign: Codesign) -> None:
    codesign(*RANDOM, "-o", "out", "--budget", "2")
    ran = codesign(*RANDOM, "-o", "out", "--budget", "2")
    assert ran.code == 2
    assert ran.err.startswith("error: out has the journal of a study; go on with it")


def test_what_constraints_leave_out_is_not_untried(folder: Path, codesign: Codesign) -> None:
    (folder / "s.yaml").write_text(STUDY + "constraints: [npu.rows <= 8]\n")
    first = "tiny on edge-npu: 6 of 6 points replayed, 0 pruned, 0 failed, 6 left out"
    assert codesign(*RANDOM, "-o", "out", "--budget", "100").out.splitlines()[0] == first
    again = codesign("pareto", "out", "--effects")
    assert again.out.splitlines()[0] == first
    assert "main effects over 6 points" in again.out
    swept = codesign("sweep", "s.yaml", "-o", "swept", "--exhaustive")
    assert swept.out.splitlines()[0] == first


def test_the_front_of_a_search_can_be_read_again(folder: Path, codesign: Codesign) -> None:
    ran = codesign(*RANDOM, "-o", "out", "--budget", "5")
    again = codesign("pareto", "out", "--effects")
    assert (again.code, again.err) == (0, "")
    assert again.out.startswith(ran.out[: ran.out.index("hypervolume")])
    assert "7 points were not tried" in again.out
