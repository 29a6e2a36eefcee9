"""Optuna's samplers as optimisers: seeded, told the truth, and never the same point twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import study_parts
from search_parts import search, two, wide

from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import Serial
from codesign.explore.journal import read_journal
from codesign.explore.search import loop
from codesign.explore.search.optuna_points import OptunaPoints
from codesign.explore.search.outcome import Outcome
from codesign.explore.study import Study

optuna = pytest.importorskip("optuna", reason="the extra 'search' is not installed")


NAMES = ("tpe", "nsga2", "gp")


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


def shared(study: Study, name: str, folder: Path, **options: Any) -> OptunaPoints:
    return OptunaPoints(study, name, storage=folder / "optuna.journal", **options)


def told(study: Study, folder: Path) -> Any:
    """What Optuna knows: its study, from the storage."""
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.journal"))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name=study.digest, storage=storage)


def figures(study: Study, index: int) -> dict[str, float]:
    """Made up: with the number of the combination all objectives fall, and the last one rises."""
    names = [goal.name for goal in study.goals]
    made = dict.fromkeys(names, 1000.0 - index)
    return made | {names[-1]: float(index)}


def done(study: Study, index: int, excess: dict[str, float] | None = None) -> Outcome:
    point = study.space.point(index)
    assert point is not None
    return Outcome(point, index, "done", figures(study, index), excess or {})


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_decides_the_sequence(tmp_path: Path, name: str) -> None:
    asked: dict[str, Any] = {"sampler": name, "budget": 13}
    one, same, other = (search(two(), tmp_path / f"{n}", seed=n // 2, **asked) for n in range(3))
    assert one.order == same.order
    assert one.digest == same.digest
    assert one.hypervolumes == same.hypervolumes
    assert one.order != other.order
    assert len(set(one.order)) == 13
    assert one.sampler == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_search_that_was_killed_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, name: str, batch: int
) -> None:
    asked: dict[str, Any] = {"sampler": name, "budget": 15, "batch": batch, "seed": 4}
    undisturbed = search(two(), tmp_path / "a", **asked)
    with pytest.raises(Killed):
        search(two(), tmp_path / "b", Mortal(12), **asked)
    resumed = search(two(), tmp_path / "b", resume=True, **asked)
    assert resumed.order == undisturbed.order
    assert resumed.digest == undisturbed.digest
    keys = Counter(one["key"] for one in read_journal(tmp_path / "b/journal.jsonl") if "key" in one)
    assert len(keys) == 15
    assert set(keys.values()) == {1}


def test_two_points_of_a_gaussian_process_are_worth_more_than_twelve_at_random(
    tmp_path: Path,
) -> None:
    asked: dict[str, Any] = {
        "budget": 12,
        "reference": {"latency_s": 2e-6, "quality": 0.0},
        "resume": True,
    }
    volumes = {
        name: [search(two(), tmp_path, sampler=name, seed=n, **asked).hypervolume for n in range(4)]
        for name in ("gp", "random")
    }
    assert min(volumes["gp"]) > max(volumes["random"])


def test_a_gaussian_process_takes_three_objectives_and_a_constraint(tmp_path: Path) -> None:
    study = wide(constraints=["offchip_bytes <= 1000"])
    found = search(study, tmp_path, sampler="gp", budget=13)
    assert sum(row["feasible"] for row in found.sequence()[10:]) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_a_small_space_is_walked_to_its_end(tmp_path: Path, name: str) -> None:
    found = search(study_parts.study(), tmp_path, sampler=name, budget=100)
    assert sorted(found.order) == list(range(12))
    assert found.ended == "the sampler knows no further point"


@pytest.mark.parametrize("name", NAMES)
def test_what_facts_leave_of_a_small_space_is_walked_to_its_end(tmp_path: Path, name: str) -> None:
    study = study_parts.study(constraints=["params <= 200"])
    found = search(study, tmp_path, sampler=name, budget=100)
    assert sorted(found.order) == list(range(6))
    assert found.ended == "the sampler knows no further point"


@pytest.mark.parametrize("name", NAMES)
def test_what_constraints_on_parameters_exclude_is_never_asked_for(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is excluded is told at once, if it is asked for
    monkeypatch.delattr(loop, "excluded")
    study = two(constraints=["width <= 64 or sram.size == '64 KiB'"])
    found = search(study, tmp_path, sampler=name, budget=13)
    assert (found.points, found.left_out) == (1440, 1440)
    assert all(row["width"] <= 64 or row["sram.size"] == "64 KiB" for row in found.table())


def test_a_gaussian_process_keeps_to_what_is_known_before_a_replay() -> None:
    study, refused = two(), []

    def keeps(index: int) -> bool:
        point = study.space.point(index)
        assert point is not None
        if point["width"] > 80:
            refused.append(point["width"])
        return bool(point["width"] <= 80)

    points = OptunaPoints(study, "gp", keeps=keeps)
    asked = []
    for _ in range(13):
        point = points.ask()
        assert point is not None
        asked.append(point["width"])
        points.tell(point, done(study, indices(study, point)))
    assert max(asked[:10]) > 80  # at random, before it has a model
    assert max(asked[10:]) <= 80
    assert refused  # what promises most is beyond


@pytest.mark.parametrize("name", NAMES)
def test_failures_are_told_as_failures_and_never_as_figures(tmp_path: Path, name: str) -> None:
    from optuna.trial import TrialState

    study = study_parts.study()
    points = shared(study, name, tmp_path)
    point = points.ask()
    assert point is not None
    points.tell(point, Outcome(point, indices(study, point), "failed", message="no data"))
    (trial,) = told(study, tmp_path).trials
    assert (trial.state, trial.values) == (TrialState.FAIL, None)
    assert trial.user_attrs["message"] == "no data"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_out_is_told_as_pruned(tmp_path: Path, name: str) -> None:
    from optuna.trial import TrialState

    study = study_parts.study()
    points = shared(study, name, tmp_path)
    point = points.ask()
    assert point is not None
    points.tell(point, Outcome(point, indices(study, point), "left_out", message="too many"))
    (trial,) = told(study, tmp_path).trials
    assert (trial.state, trial.values) == (TrialState.PRUNED, None)


def test_constraints_are_told_by_how_far_a_point_is_beyond_them(tmp_path: Path) -> None:
    study = wide(constraints=["offchip_bytes <= 1000", "latency_s > 0"])
    points = shared(study, "tpe", tmp_path)
    beyond = {"offchip_bytes <= 1000": 0.5, "latency_s > 0": 0.0}
    points.tell({}, done(study, 7, beyond))
    (trial,) = told(study, tmp_path).trials
    assert trial.constraints == beyond
    assert trial.values == list(figures(study, 7).values())
    assert told(study, tmp_path).best_trials == []


def indices(study: Study, point: dict[str, Any]) -> int:
    return next(n for n in range(study.space.size) if study.space.point(n) == point)


def test_a_group_in_order_is_a_number_and_another_a_category(tmp_path: Path) -> None:
    study = wide(
        schedule_space={"residency": ["region", "none"], "schedule": [None]},
        zipped=[("dram.bandwidth", "width")],
        model_space={"width": list(range(8, 248, 8))},
    )
    assert shared(study, "tpe", tmp_path).ask() is not None
    (trial,) = told(study, tmp_path).trials
    shown = {name: type(one).__name__ for name, one in trial.distributions.items()}
    assert shown == {
        "dram.bandwidth+width": "IntDistribution",
        "sram.size": "IntDistribution",
        "residency": "CategoricalDistribution",
    }
    assert trial.distributions["dram.bandwidth+width"].high == 29


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_that_is_not_there_is_not_suggested(tmp_path: Path, name: str) -> None:
    study = wide(
        conditions={"sram.size": "dram.bandwidth == '1 GB/s'"},
        model_space={"width": [8, 16, 32, 64]},
        objectives=["energy_j", "latency_s"],
        hardware_space={
            "dram.bandwidth": ["1 GB/s", "2 GB/s", "4 GB/s"],
            "sram.size": ["64 KiB", "1 MiB"],
        },
    )
    points = shared(study, name, tmp_path, seed=1)
    for _ in range(12):
        point = points.ask()
        assert point is not None
        points.tell(point, done(study, indices(study, point)))
    for trial in told(study, tmp_path).trials:
        there = trial.params["dram.bandwidth"] == 0
        assert ("sram.size" in trial.params) == there
    found = search(study, tmp_path / "out", sampler=name, budget=100)
    assert len(found.order) == 4 * 4


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_is_never_asked_for_and_counts_for_the_model(
    tmp_path: Path, name: str
) -> None:
    study = study_parts.study()
    points = shared(study, name, tmp_path)
    for index in (3, 4, 5):
        points.tell({}, done(study, index))
        points.tell({}, done(study, index))  # told twice, noted once
    assert [trial.state.name for trial in told(study, tmp_path).trials] == ["COMPLETE"] * 3
    asked = []
    while (point := points.ask()) is not None:
        asked.append(indices(study, point))
        points.tell(point, done(study, asked[-1]))
    assert sorted(asked) == [n for n in range(12) if n not in (3, 4, 5)]


def test_warm_points_belong_to_the_first_generation(tmp_path: Path) -> None:
    study = wide()
    points = shared(study, "nsga2", tmp_path)
    for index in range(20):
        points.tell({}, done(study, index))
    population = optuna.samplers.NSGAIISampler().get_population(told(study, tmp_path), 0)
    assert len(population) == 20


def test_points_of_a_batch_differ(tmp_path: Path) -> None:
    for name in NAMES:
        points = OptunaPoints(wide(), name)
        asked = [points.ask() for _ in range(30)]
        assert len({repr(one) for one in asked}) == 30
