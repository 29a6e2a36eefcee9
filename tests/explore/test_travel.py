"""Points measured where none of the files of a study are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from study_parts import RATES, quality, raises_at_3, study, tiny

from codesign.errors import StudyError
from codesign.explore import travel
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.travel import measure_packed, packed_job, packed_tasks, trace_bytes


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Job, list[Task]]:
    """A job of two traces, and six points."""
    made = study()
    made.run(tmp_path / "out", exhaustive=True)  # leaves the traces behind
    digests = [tiny(width).digest for width in (16, 32)]
    points: list[dict[str, Any]] = [
        {"dram.bandwidth": rate, "width": 16 * (n % 2 + 1)} for n, rate in enumerate(RATES)
    ]
    tasks = [
        Task(n, p, digests[n % 2], {"dram.bandwidth": p["dram.bandwidth"]}, made.base)
        for n, p in enumerate(points)
    ]
    measures = (("quality", quality), ("raises", raises_at_3))
    return Job(made.machine, tmp_path / "out" / "traces", (), ("energy_j",), measures), tasks


def untimed(found: list[Done]) -> list[Done]:
    return [replace(one, seconds=0.0) for one in found]


def test_points_whose_traces_travel_are_measured_as_here(asked: tuple[Job, list[Task]]) -> None:
    job, tasks = asked
    expected = untimed(list(Serial().run(job, tasks)))
    assert [bool(one.message) for one in expected] == [False, False, True, False, False, False]
    packed = packed_job(job, has_folder=False)
    traces = {task.trace: trace_bytes(job, task.trace) for task in tasks}
    shutil.rmtree(job.folder)
    first, *rest = tasks
    found = measure_packed(packed, packed_tasks([first]), {first.trace: traces[first.trace]})
    found += measure_packed(packed, packed_tasks(rest), traces)
    assert untimed(found) == expected
    assert not job.folder.exists()


def test_where_the_folder_is_seen_no_trace_travels(asked: tuple[Job, list[Task]]) -> None:
    job, tasks = asked
    found = measure_packed(packed_job(job, has_folder=True), packed_tasks(tasks), {})
    assert untimed(found) == untimed(list(Serial().run(job, tasks)))


def test_a_worker_with_another_codesign_is_told(
    asked: tuple[Job, list[Task]], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, tasks = asked
    packed = packed_job(job, has_folder=True)
    monkeypatch.setattr(travel, "__version__", "99.0")
    with pytest.raises(StudyError, match=r"start: it has codesign 99\.0, the study [^9]*;"):
        measure_packed(packed, packed_tasks(tasks), {})


def test_a_worker_without_the_folder_of_the_plugins_is_told(
    asked: tuple[Job, list[Task]], tmp_path: Path
) -> None:
    job, tasks = asked
    packed = packed_job(replace(job, plugins=(tmp_path / "gone",)), has_folder=True)
    with pytest.raises(StudyError, match=r"cannot start: plugin folder .*gone does not exist") as e:
        measure_packed(packed, packed_tasks(tasks), {})
    assert "it needs the modules and plugin folders of the study" in str(e.value)
    assert "\n" not in str(e.value)


def test_what_cannot_travel_is_told_before_anything_does(asked: tuple[Job, list[Task]]) -> None:
    job, _ = asked
    untold = replace(job, measures=(("mine", lambda point, result: 1.0),))
    with pytest.raises(StudyError, match=r"the study cannot travel to another process: .*lambda"):
        packed_job(untold, has_folder=True)


class Stays:
    """What exits when it is packed."""

    def __reduce__(self) -> str:
        raise SystemExit(0)

    def __call__(self, point: object, result: object) -> float:
        return 1.0


def test_what_exits_when_it_is_packed_is_told(asked: tuple[Job, list[Task]]) -> None:
    job, _ = asked
    with pytest.raises(StudyError, match="cannot travel to another process: SystemExit: 0"):
        packed_job(replace(job, measures=(("mine", Stays()),)), has_folder=True)
