"""Points on a Dask cluster come to the same as in this process, whatever becomes of a worker."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import executor_parts
import pytest
import study_parts
from executor_parts import below, indexes, is_alive, told
from study_parts import study

from codesign.errors import StudyError
from codesign.explore.executors import Kept, find_executor
from codesign.explore.study import Study

distributed = pytest.importorskip(
    "distributed", reason="needs Dask: pip install 'codesign[cluster]'"
)

ASKED: dict[str, Any] = {
    "objectives": [
        "energy_j",
        study_parts.quality,
        study_parts.raises_at_3,
        ("macs_of_result", lambda point, result: result.macs),
    ],
    "schedule_space": {"residency": ["region", "none"]},
}


def kept(**given: Any) -> Kept:
    """A Dask executor."""
    found = find_executor("dask", **given)
    assert isinstance(found, Kept)
    return found


@pytest.fixture(scope="module")
def two() -> Iterator[Kept]:
    """Two workers of this machine, for all tests."""
    with kept(workers=2) as dask:
        yield dask


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a cluster of somebody else, whose worker runs in another folder."""
    code = "import sys; sys.path[:0] = sys.argv[1:2]; del sys.argv[1]; " + (
        "from distributed.cli.dask_worker import main; main()"
    )
    options = ["--no-nanny", "--nthreads", "2", "--no-dashboard"]
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster:
        words = [str(Path(__file__).parent), cluster.scheduler_address, *options]
        with subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path_factory.mktemp("elsewhere"),
            stderr=subprocess.DEVNULL,
        ) as worker:
            yield cluster.scheduler_address
            worker.kill()


def test_workers_of_dask_find_the_same(two: Kept, tmp_path: Path) -> None:
    alone = study(**ASKED).run(tmp_path / "alone")
    assert (len(alone.done), len(alone.failed)) == (20, 4)
    assert study(**ASKED).run(tmp_path / "2", executor=two).digest == alone.digest
    assert sorted(indexes(tmp_path / "2")) == list(range(24))


def test_three_of_which_some_are_killed_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ASKED | {"objectives": [*ASKED["objectives"], study_parts.kills_once]}
    found = study(**asked).run(tmp_path / "3", executor=kept(workers=3))
    assert len(list(tmp_path.glob("killed *"))) == 4
    assert found.digest == study(**asked).run(tmp_path / "alone").digest
    assert sorted(indexes(tmp_path / "3")) == list(range(24))


def test_processes_and_what_they_remember_outlive_a_run(two: Kept, tmp_path: Path) -> None:
    asked = {"objectives": [study_parts.process, study_parts.has_torch]}
    seen = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        assert len(study(**asked).run(folder, executor=two).done) == 12
        assert told(folder, "has_torch") == {0}
        seen |= told(folder, "process")
    assert os.getpid() not in seen
    assert len(seen) == 2
    assert all(map(is_alive, seen))


def test_a_point_that_ends_every_worker_fails_and_no_other(two: Kept, tmp_path: Path) -> None:
    made = study(objectives=["energy_j", executor_parts.ends_at_3])
    found = made.run(tmp_path, executor=two)
    assert [(row["dram.bandwidth"], row["width"]) for row in found.failed] == [("3 GB/s", 16)]
    assert found.failed[0]["message"] == "ended 4 workers"
    assert sorted(indexes(tmp_path)) == list(range(12))


def test_where_no_folder_is_shared_the_traces_travel(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone = study(**ASKED).run("alone")
    there = study(**ASKED).run("there", executor=kept(address=elsewhere))
    assert there.digest == alone.digest


def test_a_module_that_the_workers_lack_is_told(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here_alone.py").write_text("def one(point, result):\n    return 1.0\n")
    made = study(objectives=["here_alone:one"])
    with pytest.raises(StudyError, match=r"cannot start: ModuleNotFoundError: .*'here_alone'; it"):
        made.run("out", executor=kept(address=elsewhere))


def test_a_scheduler_that_goes_is_told(tmp_path: Path) -> None:
    cluster = distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", protocol="tcp://"
    )

    def go(*counts: int) -> None:
        cluster.close()

    with closing(cluster):
        executor = kept(address=cluster.scheduler_address)
        with pytest.raises(StudyError, match=r"scheduler at .* is gone; go on with resume=True"):
            study(**ASKED).run(tmp_path, executor=executor, watch=go)
    assert study(**ASKED).run(tmp_path, resume=True).points == 24


@pytest.mark.parametrize("address", ["", "nobody", "nowhere://there:1", "tcp://127.0.0.1:1"])
def test_an_address_where_nobody_answers_is_told_in_one_line(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign_plugins.executor_dask.cluster.PATIENCE_S", 0.01)
    with pytest.raises(StudyError, match=f"no Dask scheduler answers at '{address}': .*") as error:
        study().run(tmp_path, executor=kept(address=address))
    assert "\n" not in str(error.value)
    assert "start one with 'dask scheduler'" in str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"workers": 2, "address": "a:1"}, "'a:1' has workers of its own, got workers=2; leave"),
    ],
)
def test_what_means_nothing_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        kept(**given)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyError, match=r"needs .* with: pip install 'codesign\[cluster\]'$"):
        kept(workers=2)


def test_a_run_that_is_left_early_leaves_no_process(tmp_path: Path) -> None:

    def stop(*counts: int) -> None:
        raise KeyboardInterrupt

    asked = [study_parts.process, executor_parts.parent]
    with pytest.raises(KeyboardInterrupt):
        study(objectives=asked).run(tmp_path, executor=kept(workers=2), watch=stop)
    processes = told(tmp_path, "process") | told(tmp_path, "parent")
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert not any(map(is_alive, processes))


@pytest.mark.nightly
@pytest.mark.parametrize("workers", [2, 3])
def test_kills_of_any_process_at_any_instant_lose_and_repeat_nothing(
    workers: int, tmp_path: Path
) -> None:
    rates = [f"{n} MB/s" for n in range(1, 501)]

    def wide() -> Study:
        return study(hardware_space={"dram.bandwidth": rates})

    draw, kills = random.Random(workers), 0
    before = set(below(os.getpid()))

    def kill(done: int, *counts: int) -> None:
        nonlocal kills
        victims = sorted(set(below(os.getpid())) - before)
        if victims and draw.random() < 0.02:
            os.kill(draw.choice(victims), signal.SIGKILL)
            kills += 1

    alone = wide().run(tmp_path / "alone", exhaustive=True)
    executor = kept(workers=workers)
    found = wide().run(tmp_path / "out", executor=executor, exhaustive=True, watch=kill)
    assert kills >= 10
    assert found.digest == alone.digest
    assert sorted(indexes(tmp_path / "out")) == list(range(1000))
