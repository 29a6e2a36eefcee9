"""Optuna's storages and samplers: shared between machines, taken as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import study_parts
from search_parts import narrow, search, two, wide
from test_search_optuna import NAMES, Killed, Mortal, optuna, told

from codesign.errors import StudyError


def test_a_sampler_of_optuna_is_taken_as_it_is(tmp_path: Path) -> None:
    sampler = optuna.samplers.RandomSampler(seed=3)
    found = search(wide(), tmp_path, sampler=sampler, budget=8)
    assert (found.sampler, len(found.order)) == ("RandomSampler", 8)


def test_optuna_is_as_loud_as_it_was(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    before = optuna.logging.get_verbosity()
    search(study_parts.study(), tmp_path, sampler="gp", budget=12)
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr() == ("", "")


def test_machines_that_share_a_storage_share_what_they_ask_for(tmp_path: Path) -> None:
    study, storage = study_parts.study(), tmp_path / "optuna.journal"
    asked: dict[str, Any] = {"sampler": "tpe", "storage": storage}
    one = search(study, tmp_path / "one", budget=5, seed=1, **asked)
    two = search(study, tmp_path / "two", budget=4, seed=2, **asked)
    assert not set(one.order) & set(two.order)
    rest = search(study, tmp_path / "one", budget=100, seed=1, resume=True, **asked)
    assert rest.order[:5] == one.order
    states = [trial.state.name for trial in told(study, tmp_path).trials]
    assert states.count("COMPLETE") == 12  # nothing is told twice
    assert sorted([*rest.order, *two.order]) == list(range(12))


def test_a_machine_that_was_killed_asks_again_for_what_it_was_not_told(tmp_path: Path) -> None:
    study, storage = study_parts.study(), tmp_path / "optuna.journal"
    asked: dict[str, Any] = {"sampler": "tpe", "storage": storage, "batch": 3, "budget": 100}
    with pytest.raises(Killed):
        search(study, tmp_path / "one", Mortal(4), **asked)
    resumed = search(study, tmp_path / "one", resume=True, **asked)
    assert sorted(resumed.order) == list(range(12))


def test_a_study_shares_a_storage_with_no_other(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "sampler": "tpe",
        "storage": tmp_path / "optuna.journal",
        "budget": 100,
    }
    search(study_parts.study(), tmp_path / "one", **asked)
    other = study_parts.study(objectives=["energy_j", ("narrow", narrow)])
    found = search(other, tmp_path / "two", **asked)
    assert len(found.order) == 12


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_installed_is_told(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign.explore.search.searchers.find_spec", lambda package: None)
    with pytest.raises(
        StudyError, match=rf"the sampler '{name}' needs optuna, .*codesign\[search\]"
    ):
        search(study_parts.study(), tmp_path / "out", sampler=name)
    assert not (tmp_path / "out").exists()
    assert len(search(study_parts.study(), tmp_path, budget=2).order) == 2


def test_a_gaussian_process_looks_as_far_as_the_reference(tmp_path: Path) -> None:
    # ten small models come first; whether large ones promise anything is for the user to say
    objectives = ["energy_j", ("max:quality", study_parts.quality)]
    study = wide(objectives=objectives)
    small = [
        {"width": 8 * n, "dram.bandwidth": f"{3 * n} GB/s", "sram.size": "64 KiB"}
        for n in range(1, 11)
    ]
    last = {}
    for name, limit in (("far", 1e-6), ("near", 4e-8)):
        asked: dict[str, Any] = {"warm": small, "reference": {"energy_j": limit, "quality": 0.0}}
        found = search(study, tmp_path / name, sampler="gp", budget=16, **asked)
        last[name] = max(row["width"] for row in found.sequence()[12:])
    assert last["far"] > 128
    assert last["near"] <= 80  # 4e-8 J buys 77


def test_optuna_is_left_as_it_was(tmp_path: Path) -> None:
    from optuna._gp import acqf

    before = acqf._get_reference_point
    search(two(), tmp_path, sampler="gp", budget=12)
    assert acqf._get_reference_point is before
