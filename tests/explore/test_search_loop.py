"""A search asks, measures and tells, whatever optimiser it is given."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import study_parts
from search_parts import Climber, Scripted, search, wide

from codesign.errors import StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.journal import read_journal
from codesign.explore.pareto import on_front
from codesign.explore.pool import Pool

POINT = {"width": 16, "dram.bandwidth": "2 GB/s"}


class Killed(Exception):  # noqa: N818 - what a signal does
    """The driver ends here."""


class Mortal(Serial):
    """Ends the driver in the middle of its so-manieth point."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self._left = points

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        for done in super().run(job, tasks):
            if not self._left:
                raise Killed
            self._left -= 1
            yield done


class Shuffled(Serial):
    """Tells points in another order than they are sent in."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        found = list(super().run(job, tasks))
        random.Random(len(found)).shuffle(found)
        yield from found


def test_a_search_spends_its_budget_on_different_points(tmp_path: Path) -> None:
    found = search(wide(), tmp_path)
    assert len(found.order) == len(set(found.order)) == len(found.done) == 20
    assert found.ended == "the budget is used"
    assert (found.points, found.left_out, found.sampler, found.seed) == (2880, 0, "random", 0)
    assert repr(found).startswith("<Searched tiny on edge-npu by random, seed 0: 20 of 2880 points")


def test_a_seed_decides_the_sequence(tmp_path: Path) -> None:
    one, same, other = (search(wide(), tmp_path / f"{n}", seed=n // 2) for n in range(3))
    assert one.order == same.order
    assert one.digest == same.digest
    assert one.order != other.order


def test_rows_come_in_the_order_of_evaluation(tmp_path: Path) -> None:
    study = study_parts.study(objectives=["energy_j", study_parts.raises_at_3])
    found = search(study, tmp_path, budget=12)
    rows = found.sequence()
    assert [row["index"] for row in rows] == list(found.order) != sorted(found.order)
    failed = [row for row in rows if "message" in row]
    assert len(failed) == len(found.failed) == 2
    assert all(row["dram.bandwidth"] == "3 GB/s" for row in failed)


def test_the_table_is_written_as_a_sweep_writes_it(tmp_path: Path) -> None:
    found = search(wide(), tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "results.parquet")
    assert table["index"].to_pylist() == sorted(found.order)


def test_an_optimiser_is_told_everything_once_and_in_order(tmp_path: Path) -> None:
    study = study_parts.study(
        constraints=["width != 32 or params != 256", "offchip_bytes < 176"],
        objectives=["energy_j", study_parts.raises_at_3],
    )
    points: list[dict[str, Any]] = [
        POINT,
        POINT | {"dram.bandwidth": "3 GB/s"},
        POINT,
        POINT | {"width": 32},
    ]
    script = Scripted(*points)
    found = search(study, tmp_path, sampler=script)
    assert [point for point, _ in script.told] == points
    outcomes = [outcome for _, outcome in script.told]
    assert [one.state for one in outcomes] == ["done", "failed", "done", "left_out"]
    assert [one.again for one in outcomes] == [False, False, True, False]
    assert [one.feasible for one in outcomes] == [False] * 4
    assert outcomes[2].figures == outcomes[0].figures
    assert found.order == (1, 2)
    assert (found.left_out, found.ended) == (1, "the sampler knows no further point")


def test_what_constraints_exclude_and_what_is_known_costs_no_budget(tmp_path: Path) -> None:
    study = study_parts.study(constraints=["width + 0 == 16"])
    points = [POINT, POINT | {"width": 32}, POINT, POINT | {"dram.bandwidth": "5 GB/s"}]
    found = search(study, tmp_path, sampler=Scripted(*points), budget=2)
    assert found.order == (1, 4)


def test_one_that_insists_is_given_up(tmp_path: Path) -> None:
    found = search(study_parts.study(), tmp_path, sampler=Scripted(*[POINT] * 2000))
    assert found.order == (1,)
    assert found.ended == "1000 points in a row brought no evaluation"


def test_one_that_insists_within_a_batch_is_given_up(tmp_path: Path) -> None:
    found = search(study_parts.study(), tmp_path, sampler=Scripted(*[POINT] * 3000), batch=2)
    assert found.order == (1,)
    assert "brought no evaluation" in found.ended


def test_a_space_that_is_used_up_ends_a_search(tmp_path: Path) -> None:
    found = search(study_parts.study(), tmp_path, budget=100)
    assert sorted(found.order) == list(range(12))
    assert found.ended == "the sampler knows no further point"
    swept = study_parts.study().run(tmp_path / "swept", exhaustive=True)
    assert found.pareto() == swept.pareto()


def test_the_table_of_a_search_is_that_of_a_sweep(tmp_path: Path) -> None:
    study = study_parts.study(constraints=["params <= 200"])
    found = search(study, tmp_path / "searched", budget=100)
    swept = study.run(tmp_path / "swept", exhaustive=True)
    assert found.table() == swept.table()
    assert found.left_out == swept.left_out == 6


def test_constraints_that_leave_nothing_are_told(tmp_path: Path) -> None:
    study = study_parts.study(constraints=["params < 1"])
    with pytest.raises(StudyError, match="leave none of the 12 points that were asked for"):
        search(study, tmp_path)


@pytest.mark.parametrize("batch", [1, 5])
def test_neither_workers_nor_their_order_change_a_search(tmp_path: Path, batch: int) -> None:
    def run(name: str, executor: Any) -> Any:
        study = wide()
        sampler = Climber(study, seed=3)
        return search(study, tmp_path / name, executor, sampler=sampler, batch=batch)

    one, two, other = run("one", Serial()), run("two", Pool(2)), run("other", Shuffled())
    assert one.order == two.order == other.order
    assert one.digest == two.digest == other.digest
    assert one.hypervolumes == two.hypervolumes == other.hypervolumes


@pytest.mark.parametrize("points", [0, 1, 4, 5, 13])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_search_that_was_killed_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, points: int, batch: int
) -> None:
    study = wide()
    undisturbed = search(study, tmp_path / "a", sampler=Climber(study, 1), batch=batch)
    with pytest.raises(Killed):
        search(study, tmp_path / "b", Mortal(points), sampler=Climber(study, 1), batch=batch)
    resumed = search(study, tmp_path / "b", sampler=Climber(study, 1), batch=batch, resume=True)
    assert resumed.order == undisturbed.order
    assert resumed.digest == undisturbed.digest
    done = [one["key"] for one in read_journal(tmp_path / "b/journal.jsonl") if "key" in one]
    assert len(done) == len(set(done)) == 20


@pytest.mark.parametrize("batch", [1, 4])
def test_a_larger_budget_goes_on_with_the_same_points(tmp_path: Path, batch: int) -> None:
    study = wide()
    whole = search(study, tmp_path / "a", sampler=Climber(study, 1), batch=batch, budget=17)
    search(study, tmp_path / "b", sampler=Climber(study, 1), batch=batch, budget=6)
    more = search(
        study, tmp_path / "b", sampler=Climber(study, 1), batch=batch, budget=17, resume=True
    )
    assert more.order == whole.order


def test_several_searches_share_a_folder_and_what_it_has(tmp_path: Path) -> None:
    study, counts = study_parts.study(), []
    for seed in range(3):
        found = search(study, tmp_path, seed=seed, budget=8, resume=True)
        assert len(found.order) == len(found.done) == 8
        counts.append(len([r for r in read_journal(tmp_path / "journal.jsonl") if "key" in r]))
    assert counts[0] == 8
    assert counts[-1] <= 12
    alone = search(study, tmp_path / "alone", seed=2, budget=8)
    assert (found.order, found.digest) == (alone.order, alone.digest)


def test_a_search_after_a_sweep_runs_nothing(tmp_path: Path) -> None:
    study = study_parts.study()
    study.run(tmp_path, exhaustive=True)
    found = search(study, tmp_path, Mortal(0), resume=True, budget=10)
    assert len(found.done) == 10


def test_a_sweep_after_a_search_runs_what_is_left(tmp_path: Path) -> None:
    study = study_parts.study()
    search(study, tmp_path, budget=7)
    swept = study.run(tmp_path, executor=Mortal(5), resume=True, exhaustive=True)
    assert swept.digest == study.run(tmp_path / "whole", exhaustive=True).digest


def test_a_sampler_that_asks_otherwise_than_before_is_refused(tmp_path: Path) -> None:
    study = wide()
    search(study, tmp_path, sampler=Climber(study, 1))
    with pytest.raises(StudyError, match="does not ask for what it asked for"):
        search(study, tmp_path, sampler=Climber(study, 2), resume=True)


def test_a_folder_with_a_journal_needs_resume(tmp_path: Path) -> None:
    search(wide(), tmp_path, budget=2)
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(StudyError, match="has the journal of a study; go on with it"):
        search(wide(), tmp_path)
    with pytest.raises(StudyError, match="is the journal of another study"):
        search(study_parts.study(), tmp_path, resume=True)
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_watchers_are_told_every_evaluation(tmp_path: Path) -> None:
    told: list[tuple[int, ...]] = []
    study = study_parts.study(
        objectives=["energy_j", study_parts.raises_at_3], constraints=["params <= 200"]
    )
    search(study, tmp_path, budget=6, watch=lambda *counts: told.append(counts))
    assert told[-1] == (5, 1, 0, 6)
    counts = [done + failed for done, failed, _, _ in told]
    assert counts == sorted(counts)  # what is left out moves nothing
    assert set(counts) - {0} == set(range(1, 7))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"budget": 0}, "budget must be a whole number of at least 1, got 0"),
        ({"budget": 2.5}, "budget must be a whole number of at least 1, got 2.5"),
        ({"batch": 0}, "batch must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of 0 to 4294967295, got -1"),
        ({"seed": True}, "seed must be a whole number"),
        ({"stop": 0}, "stop must be a whole number of at least 1, got 0"),
        ({"sampler": "rando"}, "unknown sampler 'rando'; did you mean 'random'?"),
        ({"sampler": 7}, "a sampler must be one of gp, nsga2, random, tpe, a sampler of Optuna"),
        ({"reference": {"energy_j": 1.0}}, "reference: 'latency_s' is missing"),
        ({"reference": {"energy": 1.0}}, "reference: 'energy' is no objective; did you mean"),
        ({"storage": Path("x")}, "only samplers of Optuna's share a storage"),
        ({"warm": [{"width": 16}]}, "'dram.bandwidth' is missing"),
        ({"warm": "nowhere"}, "nowhere/journal.jsonl: cannot be read"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        search(wide(), tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_more_objectives_than_a_hypervolume_has_are_refused(tmp_path: Path) -> None:
    names = ["energy_j", "latency_s", "params", "macs", "offchip_bytes"]
    with pytest.raises(StudyError, match="at most 4 objectives, got 5"):
        search(study_parts.study(objectives=names), tmp_path / "out")


def test_the_front_is_that_of_what_keeps_to_constraints(tmp_path: Path) -> None:
    found = search(wide(constraints=["offchip_bytes <= 1000"]), tmp_path)
    kept = [row for row in found.table() if row["feasible"]]
    assert 0 < len(kept) < 20
    scores = np.array([[row["energy_j"], row["latency_s"], row["narrow"]] for row in kept])
    front = {row["index"] for row, is_on in zip(kept, on_front(scores), strict=True) if is_on}
    assert {row["index"] for row in found.pareto()} == front


@pytest.mark.parametrize("budget", [3, 20])
def test_warm_points_come_first_and_count(tmp_path: Path, budget: int) -> None:
    study = wide()
    warm = [study.space.point(n) for n in (100, 5, 100, 2000, 7)]
    found = search(study, tmp_path, warm=[one for one in warm if one], budget=budget)
    assert found.order[:4] == (100, 5, 2000, 7)[:budget]
    assert len(found.order) == len(set(found.order)) == budget


def test_a_study_is_warm_from_the_front_of_an_earlier_one(tmp_path: Path) -> None:
    narrower = wide(model_space={"width": [8, 24, 1000]})
    before = search(narrower, tmp_path / "before", budget=30)
    front = [row for row in before.pareto() if row["width"] != 1000]
    study = wide()
    found = search(study, tmp_path / "after", warm=tmp_path / "before", budget=len(front) + 1)
    names = ("width", "dram.bandwidth", "sram.size")
    rows = found.sequence()
    assert [[row[n] for n in names] for row in rows[:-1]] == [[r[n] for n in names] for r in front]


def test_a_front_without_a_point_of_the_space_is_refused(tmp_path: Path) -> None:
    search(wide(model_space={"width": [1000]}), tmp_path / "before", budget=5)
    with pytest.raises(StudyError, match="no point of its front is in the space of this study"):
        search(wide(), tmp_path / "after", warm=tmp_path / "before")


def test_random_points_are_a_fair_draw() -> None:
    from codesign.explore.search.random_points import RandomPoints

    space = study_parts.study().space
    first = [RandomPoints(space, seed).ask() for seed in range(600)]
    counts = [sum(one == space.point(n) for one in first) for n in range(12)]
    # 600 draws of 12: a mean of 50 and a deviation of 6.8
    assert all(20 < count < 80 for count in counts)


def test_a_search_that_gains_nothing_stops(tmp_path: Path) -> None:
    study = wide()
    points = [study.space.point(n) for n in (2879, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)]
    script = Scripted(*[one for one in points if one])
    reference = {"energy_j": 1e-12, "latency_s": 1e-12, "narrow": 1.0}
    found = search(study, tmp_path, sampler=script, stop=4, reference=reference)
    assert found.ended == "4 evaluations brought no hypervolume"
    assert len(found.order) == 4
    assert found.hypervolumes == (0.0,) * 4
