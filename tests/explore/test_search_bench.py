"""A bench measures whatever point it is given, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import study_parts

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.journal import read_journal
from codesign.explore.search.bench import Bench
from codesign.explore.study import Study

POINT = {"width": 16, "dram.bandwidth": "2 GB/s"}


class Counting(Serial):
    """Notes what it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[int] = []

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        self.ran += [task.index for task in tasks]
        return super().run(job, tasks)


def bench(folder: Path, resume: bool = False, **changes: Any) -> tuple[Bench, Counting]:
    executor = Counting()
    return Bench(study_parts.study(**changes), folder, executor, resume=resume), executor


def test_a_point_is_measured_as_a_sweep_measures_it(tmp_path: Path) -> None:
    opened, _ = bench(tmp_path / "bench")
    with opened:
        outcome = opened.measure(POINT)
    assert (outcome.state, outcome.point, outcome.index) == ("done", POINT, 1)
    assert outcome.feasible
    assert not outcome.again
    swept = study_parts.study().run(tmp_path / "swept", exhaustive=True)
    row = next(row for row in swept.table() if row["index"] == 1)
    assert {name: row[name] for name in outcome.figures} == outcome.figures


def test_a_point_is_never_run_twice(tmp_path: Path) -> None:
    opened, executor = bench(tmp_path)
    with opened:
        first, twice = opened.measure_all([POINT, POINT])
        again = opened.measure(POINT)
    assert (first.again, twice.again) == (False, True)
    assert first.figures == twice.figures == again.figures
    assert executor.ran == [1]
    resumed, executor = bench(tmp_path, resume=True)
    with resumed:
        assert resumed.measure(POINT).figures == first.figures
    assert not executor.ran


def test_outcomes_come_in_the_order_of_the_points(tmp_path: Path) -> None:
    points = [POINT | {"dram.bandwidth": rate} for rate in reversed(study_parts.RATES)]
    opened, _ = bench(tmp_path)
    with opened:
        assert [one.point for one in opened.measure_all(points)] == points


def test_a_failure_is_an_outcome_with_its_reason(tmp_path: Path) -> None:
    opened, _ = bench(tmp_path, objectives=["energy_j", study_parts.raises_at_3])
    with opened:
        outcome = opened.measure(POINT | {"dram.bandwidth": "3 GB/s"})
    assert (outcome.state, outcome.figures, outcome.feasible) == ("failed", {}, False)
    assert outcome.message.startswith("RuntimeError: no data for 3")
    (record,) = [
        one for one in read_journal(tmp_path / "journal.jsonl") if one["event"] == "failed"
    ]
    assert record["message"] == outcome.message


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("width != 16", "a constraint on parameters excludes it"),
        ("params > 200", "a constraint on what is known before a replay excludes it"),
    ],
)
def test_what_a_constraint_excludes_is_not_run(
    tmp_path: Path, constraint: str, message: str
) -> None:
    opened, executor = bench(tmp_path, constraints=[constraint])
    with opened:
        outcome = opened.measure(POINT)
        assert opened.measure(POINT | {"width": 32}).state == "done"
    assert (outcome.state, outcome.message, outcome.point) == ("left_out", message, POINT)
    assert executor.ran == [7]


def test_a_limit_says_how_far_a_point_is_beyond_it(tmp_path: Path) -> None:
    texts = ["offchip_bytes <= 100", "offchip_bytes < 176", "offchip_bytes > 0", "latency_s < 0"]
    opened, _ = bench(tmp_path, constraints=texts)
    with opened:
        outcome = opened.measure(POINT)
    assert outcome.figures["offchip_bytes"] == 176  # 2 x 16, 16 x 8 and 2 x 8
    beyond = outcome.excess
    assert beyond["offchip_bytes <= 100"] == pytest.approx(0.76)
    assert 0 < beyond["offchip_bytes < 176"] < 1e-12  # at the limit, which it must be below
    assert beyond["offchip_bytes > 0"] == 0
    assert beyond["latency_s < 0"] == 1  # of a limit of 0 there is no share
    assert not outcome.feasible


def test_a_limit_that_is_kept_says_how_much_is_left(tmp_path: Path) -> None:
    opened, _ = bench(tmp_path, constraints=["offchip_bytes <= 352"])
    with opened:
        outcome = opened.measure(POINT)
    assert outcome.excess == {"offchip_bytes <= 352": pytest.approx(-0.5)}
    assert outcome.feasible


def test_a_mistake_is_told_before_anything_runs(tmp_path: Path) -> None:
    opened, executor = bench(tmp_path)
    with opened, pytest.raises(StudyError, match=r"width must be one of \[16, 32\], got 17"):
        opened.measure_all([POINT, POINT | {"width": 17}])
    assert not executor.ran


def test_a_folder_with_a_journal_needs_resume(tmp_path: Path) -> None:
    bench(tmp_path)[0].__exit__(None, None, None)
    with pytest.raises(StudyError, match="has the journal of a study"):
        bench(tmp_path)


def capture_fails(width: int) -> Study:
    raise ValueError(f"no width {width}")


def test_a_model_that_cannot_be_captured_is_left_to_fail(tmp_path: Path) -> None:
    opened, _ = bench(tmp_path, model=capture_fails, constraints=["params > 0"])
    with opened:
        assert opened.keeps(1)
        assert opened.measure(POINT).message == "ValueError: no width 16"
