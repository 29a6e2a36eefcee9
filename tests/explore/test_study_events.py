"""The bound on events of a point's replay: who needs more fails, and may be run again with more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from strategies import Sketch
from study_parts import study

from codesign.errors import CodesignError
from codesign.explore.journal import read_journal
from codesign.explore.study import Study
from codesign.explore.swept import JOURNAL, Swept
from codesign.replay.budget import MOST_EVENTS
from codesign.workload.record import Trace

FEW, ENOUGH = 45, 1_000


def layers(count: int) -> Trace:
    """So many products one after the other: each counts for at least ten events."""
    sketch = Sketch("layers")
    x = sketch.input("x", 4, 8)
    for layer in range(count):
        x = sketch.matmul(f"mm{layer}", x, 8)
    return sketch.trace()


def made(most_events: int = MOST_EVENTS, **changes: Any) -> Study:
    """Two points of one layer and two of nine."""
    given = {
        "model": layers,
        "model_space": {"count": [1, 9]},
        "hardware_space": {"dram.bandwidth": ["1 GB/s", "2 GB/s"]},
    }
    return study(**(given | changes), most_events=most_events)


def counts(found: Swept) -> tuple[list[int], list[int]]:
    return [row["index"] for row in found.done], [row["index"] for row in found.failed]


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder of a run whose long points had too few events."""
    found = made(FEW).run(tmp_path / "out", exhaustive=True)
    assert counts(found) == ([0, 1], [2, 3])
    assert all("raise most_events (--most-events)" in row["message"] for row in found.failed)
    return tmp_path / "out"


def test_more_events_run_again_what_had_too_few_and_nothing_else(
    short: Path, tmp_path: Path
) -> None:
    again = made(ENOUGH).run(short, exhaustive=True, resume=True)
    assert counts(again) == ([0, 1, 2, 3], [])
    assert again.digest == made().run(tmp_path / "whole", exhaustive=True).digest
    ended = [one["index"] for one in read_journal(short / JOURNAL) if "index" in one]
    assert sorted(ended) == [0, 1, 2, 2, 3, 3]
    assert counts(Swept.read(short)) == ([0, 1, 2, 3], [])


@pytest.mark.parametrize("most", [1, FEW])
def test_as_many_events_or_fewer_run_nothing_again(most: int, short: Path) -> None:
    before = (short / JOURNAL).read_bytes()
    again = made(most).run(short, exhaustive=True, resume=True)
    assert counts(again) == ([0, 1], [2, 3])
    assert (short / JOURNAL).read_bytes() == before


def test_what_fails_twice_is_one_failure(short: Path) -> None:
    again = made(FEW + 10).run(short, exhaustive=True, resume=True)
    assert counts(again) == ([0, 1], [2, 3])
    assert counts(Swept.read(short)) == ([0, 1], [2, 3])


def test_points_that_fail_otherwise_are_not_run_again(tmp_path: Path) -> None:
    def refused(count: int) -> Trace:
        if count > 1:
            raise ValueError("too many")
        return layers(count)

    before = made(FEW, model=refused).run(tmp_path, exhaustive=True)
    assert len(before.failed) == 2
    journal = (tmp_path / JOURNAL).read_bytes()
    made(ENOUGH, model=refused).run(tmp_path, exhaustive=True, resume=True)
    assert (tmp_path / JOURNAL).read_bytes() == journal


def test_the_bound_decides_no_figure_and_so_makes_no_other_study() -> None:
    assert made(FEW).digest == made(ENOUGH).digest == made().digest


def test_workers_have_the_bound_too(tmp_path: Path) -> None:
    found = made(FEW).run(tmp_path / "out", exhaustive=True, workers=2)
    assert counts(found) == ([0, 1], [2, 3])


def test_a_search_with_another_bound_is_another_search_in_the_same_folder(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"sampler": "random", "budget": 4, "resume": True}
    short = made(FEW).search(tmp_path, **asked)
    assert len(short.failed) == 2
    found = made().search(tmp_path, **asked)
    assert (len(found.done), found.failed) == (4, ())
    assert found.order == short.order


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "many"])
def test_a_bound_is_a_whole_number_of_at_least_one(most: Any) -> None:
    with pytest.raises(CodesignError, match="most_events must be a whole number >= 1, got"):
        made(most)
