"""A study measures every point once, as single runs would, and tells what failed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import study_parts
from study_parts import RATES, quality, study, tiny

import codesign
from codesign.errors import StudyError
from codesign.explore.journal import read_journal
from codesign.explore.pareto import on_front
from codesign.explore.swept import Swept


def test_every_point_has_the_figures_of_a_single_run(tmp_path: Path) -> None:
    made = study(schedule_space={"residency": ["region", "none"]})
    found = made.run(tmp_path / "out", exhaustive=True)
    rows = found.table()
    assert len(rows) == 24
    for row in rows:
        alone = codesign.simulate(
            tiny(row["width"]),
            "edge-npu",
            settings={"dram.bandwidth": row["dram.bandwidth"]},
            residency=row["residency"],
        )
        assert row["latency_s"] == alone.latency_s
        assert row["energy_j"] == alone.energy_j
        assert row["offchip_bytes"] == sum(alone.offchip_bytes.values())
        assert (row["trace"], row["hardware"]) == (alone.trace_digest, alone.hardware_digest)
        assert row["params"] == 8 * row["width"]
        assert row["macs"] == alone.macs
    assert [row["index"] for row in rows] == list(range(24))


def test_annotations_and_formats_are_those_of_a_single_run(tmp_path: Path) -> None:
    space = {"weight_bits": [None, 8], "matmul*:sparsity": [None, "0.5"], "dtype": [None, "int8"]}
    found = study(hardware_space={}, schedule_space=space).run(tmp_path)
    assert not found.failed
    assert len(found.done) == 16
    for row in found.table():
        said = {
            key.removeprefix("matmul*:"): row[key]
            for key in ("weight_bits", "matmul*:sparsity")
            if row[key] is not None
        }
        told = {"matmul*" if "sparsity" in said else "*": said} if said else None
        alone = codesign.simulate(
            tiny(row["width"]), "edge-npu", annotations=told, dtype=row["dtype"]
        )
        assert row["energy_j"] == alone.energy_j


def test_the_front_is_that_of_the_rows(tmp_path: Path) -> None:
    found = study(objectives=["energy_j", "latency_s", ("-good", quality)]).run(tmp_path)
    rows = found.table()
    values = np.array([[r["energy_j"], r["latency_s"], -r["good"]] for r in rows])
    expected = {n for n, kept in enumerate(on_front(values)) if kept}
    front = found.pareto()
    assert {row["index"] for row in front} == expected
    assert 1 < len(front) < len(rows)
    assert [row["energy_j"] for row in front] == sorted(row["energy_j"] for row in front)


def test_facts_leave_points_out_and_results_mark_them(tmp_path: Path) -> None:
    all_of_it = study().run(tmp_path / "all", exhaustive=True)
    limit = sorted(row["latency_s"] for row in all_of_it.table())[3]
    constraints = ["params <= 128", f"latency_s <= {limit!r}"]
    found = study(constraints=constraints).run(tmp_path / "some", exhaustive=True)
    assert (found.points, found.left_out, len(found.done)) == (6, 6, 6)
    feasible = [row for row in found.table() if row["feasible"]]
    assert 0 < len(feasible) < 6
    assert {row["violated"] for row in found.table()} == {"", constraints[1]}
    assert all(row["feasible"] for row in found.pareto())


def test_constraints_on_parameters_leave_points_out_before_all_else(tmp_path: Path) -> None:
    found = study(constraints=["width > 16"]).run(tmp_path)
    assert {row["width"] for row in found.table()} == {32}
    assert len(list((tmp_path / "traces").iterdir())) == 1


@pytest.mark.parametrize("limit", ["width > 99", "params > 9999"])
def test_constraints_that_leave_nothing_are_told(limit: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the constraints leave none of 12"):
        study(constraints=[limit]).run(tmp_path / "out")
    assert not (tmp_path / "out" / "results.parquet").exists()


def test_a_space_that_never_ends_is_refused(tmp_path: Path) -> None:
    paths = ("npu.rows", "npu.cols", "npu.arrays", "npu.accumulator")
    made = study(hardware_space={path: range(1, 51) for path in paths})
    with pytest.raises(StudyError, match="at most 10,000,000 combinations, got 12,500,000"):
        made.run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_point_is_captured_once(tmp_path: Path) -> None:
    asked = []

    def model(width: int) -> Any:
        asked.append(width)
        return tiny(width)

    found = study(model=model).run(tmp_path, exhaustive=True)
    assert asked == [16, 32]
    names = {path.name for path in (tmp_path / "traces").iterdir()}
    assert names == {f"{tiny(width).digest}.json.gz" for width in asked}
    assert len(found.done) == 12


def test_a_model_that_fails_fails_its_points_and_is_asked_once(tmp_path: Path) -> None:
    asked = []

    def model(width: int) -> Any:
        asked.append(width)
        if width == 16:
            raise RuntimeError("16 is odd\nsomehow")
        return tiny(width)

    found = study(model=model).run(tmp_path)
    assert asked == [16, 32]
    assert {row["message"] for row in found.failed} == {"RuntimeError: 16 is odd"}
    assert (len(found.done), len(found.failed)) == (6, 6)


@pytest.mark.parametrize("made", [None, (1, 2), ("a",)])
def test_a_model_that_returns_something_else_is_told(made: Any, tmp_path: Path) -> None:
    def model(width: int) -> Any:
        return made

    found = study(model=model).run(tmp_path)
    assert not found.done
    assert "model must return a trace, (module, args)" in found.failed[0]["message"]
    assert found.pareto() == []


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (study_parts.raises_at_3, "RuntimeError: no data for 3"),
        (study_parts.is_nan_at_3, "objective 'is_nan_at_3' must be a finite number, got nan"),
        (study_parts.exits_at_3, "SystemExit: 2"),
    ],
)
@pytest.mark.parametrize("travels", [True, False])
def test_an_objective_that_fails_fails_its_point_alone(
    measure: Any, message: str, travels: bool, tmp_path: Path
) -> None:
    named = ("is_nan_at_3", lambda point, result: measure(point, result))
    found = study(objectives=["energy_j", measure if travels else named]).run(tmp_path)
    assert [row["dram.bandwidth"] for row in found.failed] == ["3 GB/s"] * 2
    assert all(row["message"].startswith(message) for row in found.failed)
    assert len(found.done) == 10


def test_text_is_no_figure(tmp_path: Path) -> None:
    found = study(objectives=[study_parts.says_text]).run(tmp_path)
    assert len(found.failed) == 12
    assert "must be a finite number, got '1.0'" in found.failed[0]["message"]


def test_a_function_cannot_change_the_point(tmp_path: Path) -> None:
    def spoils(point: dict[str, Any], result: Any) -> float:
        point.clear()
        return 1.0

    found = study(objectives=["energy_j", spoils]).run(tmp_path)
    assert all("width" in row for row in found.table())


def test_the_table_is_written_whole_with_what_failed(tmp_path: Path) -> None:
    values = [1e9, "2 GB/s", "3 GB/s"]
    goals = ["energy_j", study_parts.raises_at_3]
    found = study(hardware_space={"dram.bandwidth": values}, objectives=goals).run(tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "results.parquet").to_pylist()
    assert [row["index"] for row in table] == list(range(6))
    assert [row["dram.bandwidth"] for row in table[:2]] == ["1000000000.0", "2 GB/s"]
    assert [row["message"] is None for row in table] == [True, True, False] * 2
    assert [row["energy_j"] for row in table if row["energy_j"]] == found.columns()["energy_j"]


def test_a_conditional_parameter_is_empty_where_it_is_not_there(tmp_path: Path) -> None:
    found = study(conditions={"dram.bandwidth": "width == 32"}).run(tmp_path)
    assert found.columns()["dram.bandwidth"] == [None, *RATES]


def test_progress_counts_up_to_the_number_of_points(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int, int]] = []
    study(objectives=[study_parts.raises_at_3]).run(
        tmp_path, watch=lambda *counts: seen.append(counts)
    )
    assert [done + failed for done, failed, *_ in seen] == list(range(1, 13))
    assert seen[-1] == (10, 2, 0, 12)


def test_the_journal_says_where_each_row_comes_from(tmp_path: Path) -> None:
    made = study()
    found = made.run(tmp_path, exhaustive=True)
    header = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[0])
    assert header["study"] == made.digest
    records = [r for r in read_journal(tmp_path / "journal.jsonl") if r["event"] == "done"]
    assert len(records) == 12
    for record in records:
        assert set(record) >= {"trace", "hardware", "version", "seconds", "figures", "point"}
        content = json.dumps(record["point"], sort_keys=True).encode()
        assert record["key"] == hashlib.sha256(content).hexdigest()
        assert record["seconds"] > 0
    assert Swept.read(tmp_path).digest == found.digest


def test_a_journal_is_gone_on_with_only_if_asked(tmp_path: Path) -> None:
    found = study().run(tmp_path)
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(StudyError, match="has the journal of a study; go on with it"):
        study().run(tmp_path)
    again = study().run(tmp_path, resume=True)
    assert again.digest == found.digest
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_the_journal_of_another_study_is_refused_and_nothing_is_overwritten(
    tmp_path: Path,
) -> None:
    study().run(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StudyError, match="is the journal of another study"):
        study(objectives=["energy_j"]).run(tmp_path, resume=True)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_a_journal_cut_at_any_line_is_finished_to_the_same_table(tmp_path: Path) -> None:
    whole = study(objectives=["energy_j", study_parts.raises_at_3]).run(tmp_path / "a")
    lines = (tmp_path / "a" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 3):
        folder = tmp_path / f"b{count}"
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:count]) + lines[count][:7])
        again = study(objectives=["energy_j", study_parts.raises_at_3]).run(folder, resume=True)
        assert again.digest == whole.digest
        assert (again.points, again.left_out) == (whole.points, whole.left_out)
        ended = [r["index"] for r in read_journal(folder / "journal.jsonl") if "index" in r]
        assert sorted(ended) == list(range(12))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(codesign.CodesignError, match="is not a folder"):
        study().run(tmp_path / "file" / "out")


def test_a_folder_without_a_study_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read: No such file"):
        Swept.read(tmp_path)
    (tmp_path / "journal.jsonl").write_text('{"format":"codesign-journal","version":1}\n')
    with pytest.raises(StudyError, match="has measured no point yet"):
        Swept.read(tmp_path)
