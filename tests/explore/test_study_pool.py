"""Processes change nothing about a study: not their number, nor their order, nor their deaths."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import study_parts
from study_parts import RATES, study, tiny

from codesign.errors import StudyError
from codesign.explore import pool
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.journal import read_journal
from codesign.explore.pool import Pool


def ended(folder: Path) -> list[int]:
    return [r["index"] for r in read_journal(folder / "journal.jsonl") if "index" in r]


class Shuffled:
    """Points in another order."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``."""
        mixed = list(tasks)
        random.Random(3).shuffle(mixed)
        return Serial().run(job, mixed)


def test_any_number_of_workers_in_any_order_finds_the_same(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "objectives": ["energy_j", study_parts.quality, study_parts.raises_at_3],
        "schedule_space": {"residency": ["region", "none"]},
    }
    alone = study(**asked).run(tmp_path / "1")
    assert len(alone.done) == 20
    for workers in (2, 4):
        assert study(**asked).run(tmp_path / str(workers), workers=workers).digest == alone.digest
        assert sorted(ended(tmp_path / str(workers))) == list(range(24))
    shuffled = study(**asked).run(tmp_path / "s", executor=Shuffled())
    assert ended(tmp_path / "s") != sorted(ended(tmp_path / "s"))
    assert shuffled.digest == alone.digest
    assert shuffled.pareto() == alone.pareto()


def test_functions_that_no_other_process_can_import_are_called_in_this_one(tmp_path: Path) -> None:
    here = os.getpid()
    found = study(
        objectives=[
            ("mine", lambda point, result: float(os.getpid() == here)),
            ("macs_of_result", lambda point, result: result.macs),
            study_parts.process,
        ]
    ).run(tmp_path, workers=2)
    assert not found.failed
    for row in found.table():
        assert row["mine"] == 1.0
        assert row["macs_of_result"] == row["macs"]
        assert row["process"] != here


def test_a_worker_imports_no_torch(tmp_path: Path) -> None:
    found = study(
        model="study_parts:tiny", objectives=[study_parts.has_torch, study_parts.process]
    ).run(tmp_path, workers=2)
    assert not found.failed
    assert {row["has_torch"] for row in found.table()} == {0.0}
    assert os.getpid() not in {row["process"] for row in found.table()}


def test_a_point_that_ends_its_worker_twice_fails_and_no_other(tmp_path: Path) -> None:
    found = study(objectives=["energy_j", study_parts.kills_at_3]).run(tmp_path, workers=2)
    assert [row["dram.bandwidth"] for row in found.failed] == ["3 GB/s"] * 2
    assert {row["message"] for row in found.failed} == {"ended 2 workers (exit code -9)"}
    assert len(found.done) == 10
    assert sorted(ended(tmp_path)) == list(range(12))


def test_a_worker_that_dies_is_replaced_and_its_points_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = study(objectives=["energy_j", study_parts.kills_once]).run(tmp_path / "a", workers=2)
    assert len(list(tmp_path.glob("killed *"))) == 4
    again = study(objectives=["energy_j", study_parts.kills_once]).run(tmp_path / "b")
    assert not found.failed
    assert found.digest == again.digest
    assert sorted(ended(tmp_path / "a")) == list(range(12))


def test_classes_of_plugin_files_reach_the_workers(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "own_link.py").write_text(
        "from dataclasses import dataclass\n"
        "from codesign import hookimpl\n"
        "from codesign_plugins.link import Bus\n"
        "@dataclass(frozen=True)\n"
        "class OwnLink(Bus):\n"
        "    kind = 'own_link'\n"
        "@hookimpl\n"
        "def codesign_components():\n"
        "    return [OwnLink]\n"
    )
    preset = Path(__file__).parents[2] / "hardware" / "edge-npu.yaml"
    text = preset.read_text()
    assert "kind: link" in text
    (tmp_path / "own.yaml").write_text(text.replace("kind: link", "kind: own_link"))
    asked = {"hardware": tmp_path / "own.yaml", "plugins": (tmp_path / "plugins",)}
    alone = study(**asked).run(tmp_path / "1")
    assert len(alone.done) == 12
    assert study(**asked).run(tmp_path / "2", workers=2).digest == alone.digest


def test_a_worker_that_cannot_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone_soon.py").write_text("def one(point, result):\n    return 1.0\n")
    monkeypatch.chdir(tmp_path)
    made = study(objectives=["gone_soon:one"])
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "gone_soon.py").write_text("raise RuntimeError('no more')\n")
    with pytest.raises(StudyError, match="a worker cannot start: RuntimeError: no more"):
        made.run(tmp_path / "out", workers=2)


@pytest.fixture
def first_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Lets so many workers end while they start; returns a file with a sign for each start."""

    def let(count: int) -> Path:
        starts = tmp_path / "starts"
        starts.write_text("")
        code = f"""
import os, signal, pathlib
starts = pathlib.Path({str(starts)!r})
before = len(starts.read_text())
starts.write_text("x" * (before + 1))
if before < {count}: os.kill(os.getpid(), signal.SIGKILL)
"""
        monkeypatch.setattr(pool, "_CODE", code + pool._CODE)
        return starts

    return let


def test_a_worker_that_ends_while_it_starts_is_replaced(
    first_die: Callable[[int], Path], tmp_path: Path
) -> None:
    starts = first_die(2)
    found = study().run(tmp_path / "out", executor=Pool(1))
    assert len(found.done) == 12
    assert starts.read_text() == "xxx"


def test_workers_that_never_start_are_not_replaced_for_ever(
    first_die: Callable[[int], Path], tmp_path: Path
) -> None:
    starts = first_die(99)
    with pytest.raises(StudyError, match=r"5 workers ended before .* \(exit code -9\)"):
        study().run(tmp_path / "out", executor=Pool(1))
    assert starts.read_text() == "xxxxx"


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_a_number_of_workers_that_means_nothing_is_told(workers: Any, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="workers must be at least 1"):
        study().run(tmp_path / "out", workers=workers)
    assert not (tmp_path / "out").exists()


def test_a_pool_measures_every_task_once_however_many_there_are(tmp_path: Path) -> None:
    trace = tiny()
    made = study(model=trace, model_space={})
    made.run(tmp_path)  # leaves the trace behind
    for count in (1, 2):
        points = [{"dram.bandwidth": rate} for rate in RATES[:count]]
        tasks = [Task(n, p, trace.digest, p, made.base) for n, p in enumerate(points)]
        job = Job(made.machine, tmp_path / "traces", (), ("latency_s",))
        found = sorted(Pool(2).run(job, tasks), key=lambda done: done.index)
        expected = list(Serial().run(job, tasks))
        assert [one.figures for one in found] == [one.figures for one in expected]
        assert [one.index for one in found] == list(range(count))


def test_a_pool_that_is_left_early_leaves_no_process(tmp_path: Path) -> None:

    def stop(*counts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study(objectives=[study_parts.process]).run(tmp_path, workers=2, watch=stop)
    told = [r for r in read_journal(tmp_path / "journal.jsonl") if r["event"] == "done"]
    assert len(told) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(told[0]["figures"]["process"]), 0)
