"""A study on a kind that codesign does not ship keeps that in its journal, and moves no digest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from study_parts import study, tiny

from codesign.errors import StudyError
from codesign.explore.journal_check import read_records
from codesign.explore.search.bench import Bench
from codesign.explore.study import Study
from codesign.explore.swept import JOURNAL, Swept
from codesign.hardware.own_kinds import own_kind_notes
from codesign.templates import write_plugin


@pytest.fixture
def row(tmp_path: Path) -> Path:
    """The folder of a plugin with an engine of its own, and a hardware file that names it."""
    write_plugin("engine", "mac_row", tmp_path / "mac_row")
    return tmp_path / "mac_row"


def on(folder: Path, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "model": tiny(),
        "model_space": {},
        "hardware": folder / "mac_row.yaml",
        "plugins": [folder],
        "hardware_space": {"sram.size": ["61 KiB", "62 KiB"]},
    }
    return study(**(given | changes))


def told(folder: Path) -> list[list[str]]:
    return [one["lines"] for one in read_records(folder / JOURNAL) if one["event"] == "own_kinds"]


def test_what_a_study_says_is_what_each_of_its_results_says(row: Path, tmp_path: Path) -> None:
    heard = []

    def hear(point: object, result: Any) -> float:
        heard.append(result.own_kinds)
        return 1.0

    found = on(row, objectives=["energy_j", hear]).run(tmp_path / "out")
    assert heard == [found.own_kinds] * 2
    assert found.own_kinds == own_kind_notes(on(row).machine) != ()
    assert Swept.read(tmp_path / "out").own_kinds == found.own_kinds


def test_it_is_told_once_for_all_points_and_workers(row: Path, tmp_path: Path) -> None:
    alone = on(row).run(tmp_path / "a")
    shared = on(row).run(tmp_path / "b", workers=2)
    assert told(tmp_path / "a") == told(tmp_path / "b") == [list(alone.own_kinds)]
    assert (alone, alone.digest) == (shared, shared.digest)


def test_going_on_says_it_again_only_if_it_is_another(row: Path, tmp_path: Path) -> None:
    first = on(row).run(tmp_path / "out")
    assert on(row).run(tmp_path / "out", resume=True) == first
    assert len(told(tmp_path / "out")) == 1
    there = Path(shutil.copytree(row, tmp_path / "there"))
    again = on(there).run(tmp_path / "out", resume=True)
    assert again.own_kinds == (*first.own_kinds, *own_kind_notes(on(there).machine))
    assert len(set(again.own_kinds)) == 2
    assert again.digest == first.digest


def test_a_journal_of_before_is_read_and_gone_on_with(row: Path, tmp_path: Path) -> None:
    first = on(row).run(tmp_path / "out")
    path = tmp_path / "out" / JOURNAL
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"own_kinds"' not in line))
    before = Swept.read(tmp_path / "out")
    assert (before.own_kinds, before.digest) == ((), first.digest)
    assert on(row).run(tmp_path / "out", resume=True) == first


def test_a_search_and_a_bench_say_it_too(row: Path, tmp_path: Path) -> None:
    notes = own_kind_notes(on(row).machine)
    found = on(row).search(tmp_path / "a", sampler="random", budget=2)
    assert found.own_kinds == notes
    with Bench(on(row), tmp_path / "b") as bench:
        bench.measure({"sram.size": "61 KiB"})
    assert Swept.read(tmp_path / "b").own_kinds == notes


def test_a_study_on_shipped_kinds_notes_nothing(row: Path, tmp_path: Path) -> None:
    space = {"dram.bandwidth": ["1 GB/s", "2 GB/s"]}
    found = on(row, hardware="edge-npu", hardware_space=space).run(tmp_path / "out")
    assert (found.own_kinds, told(tmp_path / "out")) == ((), [])


@pytest.mark.parametrize("lines", ["text", [1], None, {"a": "b"}])
def test_a_record_that_holds_no_lines_is_refused_with_its_place(
    lines: object, row: Path, tmp_path: Path
) -> None:
    on(row).run(tmp_path / "out")
    path = tmp_path / "out" / JOURNAL
    with path.open("a") as file:
        file.write(json.dumps({"event": "own_kinds", "lines": lines}) + "\n")
    last = len(path.read_text().splitlines())
    with pytest.raises(StudyError, match=rf"journal\.jsonl:{last}: lines must be a list of texts"):
        Swept.read(tmp_path / "out")
