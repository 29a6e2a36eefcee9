"""Processes change nothing about a study: not their number, nor their order, nor their deaths."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import executor_parts
import pytest
import study_parts
from executor_parts import below, indexes, is_alive, told
from study_parts import RATES, study, tiny

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.objectives import Measure
from codesign.explore.pool import Pool


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Two workers at a time; what they are forked from is started once for all tests."""
    with Pool(2) as kept:
        yield kept


class Shuffled:
    """Points in another order."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``."""
        mixed = list(tasks)
        random.Random(3).shuffle(mixed)
        return Serial().run(job, mixed)


def some_tasks(
    folder: Path, count: int, measure: Measure = study_parts.process
) -> tuple[Job, list[Task]]:
    """A job that measures something of points, such as their process, and points of it."""
    trace = tiny()
    made = study(model=trace, model_space={})
    if not folder.exists():
        made.run(folder)  # leaves the trace behind
    points = [{"dram.bandwidth": rate} for rate in RATES[:count]]
    tasks = [Task(n, p, trace.digest, p, made.base) for n, p in enumerate(points)]
    measures = ((measure.__name__, measure),)
    return Job(made.machine, folder / "traces", (), ("latency_s",), measures), tasks


def test_any_number_of_workers_in_any_order_finds_the_same(pool: Pool, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "objectives": ["energy_j", study_parts.quality, study_parts.raises_at_3],
        "schedule_space": {"residency": ["region", "none"]},
    }
    alone = study(**asked).run(tmp_path / "alone")
    assert len(alone.done) == 20
    before = below(os.getpid())
    for executor in (Pool(4), pool):
        folder = tmp_path / str(executor.workers)
        assert study(**asked).run(folder, executor=executor).digest == alone.digest
        assert sorted(indexes(folder)) == list(range(24))
        assert executor is pool or below(os.getpid()) == before, "its processes have ended"
    shuffled = study(**asked).run(tmp_path / "s", executor=Shuffled())
    assert indexes(tmp_path / "s") != sorted(indexes(tmp_path / "s"))
    assert shuffled.digest == alone.digest
    assert shuffled.pareto() == alone.pareto()


def test_functions_that_no_other_process_can_import_are_called_in_this_one(
    pool: Pool, tmp_path: Path
) -> None:
    here = os.getpid()
    found = study(
        objectives=[
            ("mine", lambda point, result: float(os.getpid() == here)),
            ("macs_of_result", lambda point, result: result.macs),
            study_parts.process,
        ]
    ).run(tmp_path, executor=pool)
    assert not found.failed
    for row in found.table():
        assert row["mine"] == 1.0
        assert row["macs_of_result"] == row["macs"]
        assert row["process"] != here


def test_a_worker_imports_no_torch(pool: Pool, tmp_path: Path) -> None:
    found = study(
        model="study_parts:tiny", objectives=[study_parts.has_torch, study_parts.process]
    ).run(tmp_path, executor=pool)
    assert not found.failed
    assert {row["has_torch"] for row in found.table()} == {0.0}
    assert os.getpid() not in {row["process"] for row in found.table()}


def test_a_point_that_ends_every_worker_fails_and_no_other(pool: Pool, tmp_path: Path) -> None:
    made = study(objectives=["energy_j", executor_parts.ends_at_3])
    found = made.run(tmp_path, executor=pool)
    assert [(row["dram.bandwidth"], row["width"]) for row in found.failed] == [("3 GB/s", 16)]
    assert found.failed[0]["message"] == "ended 4 workers (exit code -9)"
    assert len(found.done) == 11
    assert sorted(indexes(tmp_path)) == list(range(12))


def test_a_worker_that_dies_is_replaced_and_its_points_run_again(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"objectives": ["energy_j", study_parts.kills_once]}
    found = study(**asked).run(tmp_path / "a", executor=pool)
    assert len(list(tmp_path.glob("killed *"))) == 4
    again = study(**asked).run(tmp_path / "b")
    assert not found.failed
    assert found.digest == again.digest
    assert sorted(indexes(tmp_path / "a")) == list(range(12))


def test_what_a_dead_worker_leaves_is_done_by_one_that_had_nothing_left(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = pool.run(*some_tasks(tmp_path / "out", 2, executor_parts.ends_when_told))
    assert next(run).index == 1
    Path("go").touch()
    assert [(done.index, done.message) for done in run] == [(0, "")]
    assert Path("ended").exists()


def test_the_process_that_workers_are_forked_from_is_replaced_too(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"objectives": ["energy_j", executor_parts.ends_nursery]}
    found = study(**asked).run(tmp_path / "out", executor=pool)
    assert (tmp_path / "ended").exists()
    assert len(found.done) == 12
    assert found.digest == study(**asked).run(tmp_path / "alone").digest


def test_classes_of_plugin_files_reach_the_workers(pool: Pool, tmp_path: Path) -> None:
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
    asked = {
        "hardware": tmp_path / "own.yaml",
        "plugins": (tmp_path / "plugins",),
        "objectives": [study_parts.quality],
    }
    alone = study(**asked).run(tmp_path / "1")
    assert len(alone.done) == 12
    assert study(**asked).run(tmp_path / "2", executor=pool).digest == alone.digest


@pytest.fixture
def imported(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Runs a study whose objective is in a module that has changed; returns points measured."""

    def run(text: str) -> int:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "gone_soon.py").write_text("def one(point, result):\n    return 1.0\n")
        made = study(objectives=["gone_soon:one"])
        (tmp_path / "gone_soon.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        return len(made.run(tmp_path / "out", executor=pool).done)

    return run


DIES = """
import os, pathlib, signal
starts = pathlib.Path("starts")
with starts.open("a") as file: file.write("x")
if len(starts.read_text()) <= {count}: os.kill(os.getpid(), signal.SIGKILL)
def one(point, result): return 1.0
"""


def test_a_worker_that_cannot_start_is_told(imported: Callable[[str], int]) -> None:
    with pytest.raises(StudyError, match="a worker cannot start: RuntimeError: no more"):
        imported("raise RuntimeError('no more')\n")


def test_a_worker_that_ends_while_it_starts_is_replaced(
    imported: Callable[[str], int], tmp_path: Path
) -> None:
    assert imported(DIES.format(count=2)) == 12
    assert (tmp_path / "starts").read_text() == "xxxx"


def test_workers_that_never_start_are_not_replaced_for_ever(
    imported: Callable[[str], int], tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match=r"5 workers ended before .* \(exit code -9\)"):
        imported(DIES.format(count=99))
    assert len((tmp_path / "starts").read_text()) in (5, 6)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True])
def test_a_number_of_workers_that_means_nothing_is_told(workers: Any) -> None:
    with pytest.raises(StudyError, match=r"workers must be at least 1, got .*; give 1 or more"):
        Pool(workers)


def test_a_pool_measures_every_task_once_however_many_there_are(pool: Pool, tmp_path: Path) -> None:
    for count in (1, 2, 5):
        job, tasks = some_tasks(tmp_path / "out", count)
        found = sorted(pool.run(job, tasks), key=lambda done: done.index)
        expected = list(Serial().run(job, tasks))
        assert [one.figures["latency_s"] for one in found] == [
            one.figures["latency_s"] for one in expected
        ]
        assert [one.index for one in found] == list(range(count))


def test_the_process_of_a_job_outlives_its_run_while_the_pool_is_entered(tmp_path: Path) -> None:
    job, tasks = some_tasks(tmp_path / "out", 1)
    other, _ = some_tasks(tmp_path / "out", 1)
    (here,) = Serial().run(job, tasks)
    with Pool(1) as pool:
        seen = [done.figures for one in (job, job, other) for done in pool.run(one, tasks)]
        first, again, last = (int(figures["process"]) for figures in seen)
        assert first == again
        assert last != first, "another job begins with nothing imported"
        assert is_alive(last)
    assert not is_alive(first)
    assert not is_alive(last)
    assert {figures["latency_s"] for figures in seen} == {here.figures["latency_s"]}


def test_a_run_within_a_run_has_workers_of_its_own(pool: Pool, tmp_path: Path) -> None:
    job, tasks = some_tasks(tmp_path / "out", 4)
    outer = pool.run(job, tasks)
    first = next(outer)
    assert sorted(done.index for done in pool.run(job, tasks)) == [0, 1, 2, 3]
    assert sorted([first.index, *(done.index for done in outer)]) == [0, 1, 2, 3]


def test_a_pool_that_is_left_early_leaves_no_process(tmp_path: Path) -> None:

    def stop(*counts: int) -> None:
        raise KeyboardInterrupt

    asked = [study_parts.process, executor_parts.parent]
    with pytest.raises(KeyboardInterrupt):
        study(objectives=asked).run(tmp_path, executor=Pool(2), watch=stop)
    processes = told(tmp_path, "process") | told(tmp_path, "parent")
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert not any(map(is_alive, processes))


def test_a_pool_that_is_left_early_begins_the_next_run_anew(pool: Pool, tmp_path: Path) -> None:
    job, tasks = some_tasks(tmp_path / "out", 4)
    left = pool.run(job, tasks)
    process = next(left).figures["process"]
    assert isinstance(left, Generator)
    left.close()
    assert not is_alive(int(process))
    assert sorted(done.index for done in pool.run(job, tasks)) == [0, 1, 2, 3]
