"""How many points a study has, and how many of them nobody has tried, as its journal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from study_parts import RATES, raises_at_3, study, tiny
from swept_tables import records

from codesign.explore.journal_check import read_records
from codesign.explore.search.bench import Bench
from codesign.explore.swept import JOURNAL, Swept


def header(folder: Path) -> dict[str, Any]:
    """What the journal says of the study."""
    (told,) = (one for one in read_records(folder / JOURNAL) if one["event"] == "study")
    return told


@pytest.mark.parametrize(
    ("changes", "points", "left_out"),
    [
        ({}, 12, 0),
        ({"constraints": ["width <= 16"]}, 6, 6),
        ({"constraints": ["latency_s <= 1", "params <= 128"]}, 12, 0),
        ({"conditions": {"dram.bandwidth": "width > 16"}}, 7, 0),
        (
            {"conditions": {"dram.bandwidth": "width > 16"}, "constraints": ["width > 16"]},
            6, 1,
        ),
    ],
)  # fmt: skip
def test_the_header_counts_what_constraints_on_parameters_leave(
    changes: dict[str, Any], points: int, left_out: int, tmp_path: Path
) -> None:
    with Bench(study(**changes), tmp_path):
        pass
    told = header(tmp_path)
    assert (told["combinations"], told["points"], told["left_out"]) == (12, points, left_out)


def test_combinations_of_a_large_space_are_not_counted(tmp_path: Path) -> None:
    many = {f"npu.{name}": list(range(1, 257)) for name in ("rows", "cols")}
    space = {**many, "dram.bandwidth": RATES[:2]}
    made = study(model=tiny(), model_space={}, hardware_space=space, constraints=["npu.rows <= 8"])
    with Bench(made, tmp_path) as bench:
        bench.measure({"npu.rows": 8, "npu.cols": 8, "dram.bandwidth": RATES[0]})
    assert not {"points", "left_out"} & header(tmp_path).keys()
    found = Swept.read(tmp_path)
    assert (found.points, found.left_out, found.untried) == (2 * 256**2, 0, 2 * 256**2 - 1)


def test_what_a_sweep_leaves_out_is_that_of_all_constraints(tmp_path: Path) -> None:
    made = study(constraints=["dram.bandwidth != '1 GB/s'", "params <= 128"])
    found = made.run(tmp_path, exhaustive=True)
    assert (found.points, found.left_out, found.untried) == (5, 2 + 5, 0)


def test_a_search_does_not_leave_out_the_same_point_twice(tmp_path: Path) -> None:
    made = study(constraints=["dram.bandwidth != '1 GB/s'", "params <= 128"])
    found = made.search(tmp_path, sampler="random", budget=100)
    assert (len(found.done), found.left_out) == (5, 2 + 5)


def test_failed_points_have_been_tried(tmp_path: Path) -> None:
    made = study(objectives=["energy_j", raises_at_3])
    found = made.run(tmp_path, exhaustive=True)
    assert (len(found.done), len(found.failed), found.untried) == (10, 2, 0)


def test_a_journal_of_an_earlier_version_has_all_combinations() -> None:
    told, _, *done = records({"a": [1, 2, 3]}, lambda p: {"energy_j": 1.0})
    found = Swept.of([told | {"combinations": 9}, *done])
    assert (found.points, found.left_out, found.untried) == (9, 0, 6)


def test_a_sweep_of_all_after_a_pruned_one_has_nothing_pruned_and_none_untried(
    tmp_path: Path,
) -> None:
    def made() -> Any:
        rates = [f"{n} GB/s" for n in (1, 2, 4, 8, 16)]
        return study(hardware_space={"dram.bandwidth": rates, "npu.rows": [16, 32, 64]})

    pruned = made().run(tmp_path / "out")
    assert pruned.pruned > 0
    assert pruned.untried == pruned.pruned
    whole = made().run(tmp_path / "out", resume=True, exhaustive=True)
    assert (len(whole.done), whole.pruned, whole.untried, whole.to_come) == (30, 0, 0, 0)
    assert whole.pareto() == pruned.pareto()


def test_what_an_interrupted_sweep_has_left_is_to_come_and_none_at_its_end(tmp_path: Path) -> None:
    def stop(done: int, *_: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study().run(tmp_path / "out", watch=stop)
    assert Swept.read(tmp_path / "out").to_come == 12 - 5
    found = study().run(tmp_path / "out", resume=True)
    assert found.to_come == 0
    assert len(found.done) + found.pruned == 12


def test_a_search_has_nothing_to_come(tmp_path: Path) -> None:
    found = study().search(tmp_path / "out", sampler="random", budget=3)
    assert (len(found.done), found.points, found.to_come) == (3, 12, 0)
    assert Swept.read(tmp_path / "out").to_come == 0
