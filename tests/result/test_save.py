"""Saved results: some files, each whole or not at all, and readable by others."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet
import pytest
from strategies import Sketch, machine

from codesign import simulate
from codesign.errors import CodesignError
from codesign.result.result import Result

FILES = [
    "components.json",
    "hardware.json",
    "ledger.parquet",
    "operators.parquet",
    "residency.parquet",
    "spans.parquet",
    "summary.json",
    "timeline.json",
    "why.json",
]


def run(width: int = 32) -> Result:
    sketch = Sketch("saved")
    x = sketch.recurrent("rnn", sketch.input("x", 4, width), width)
    sketch.softmax("soft", sketch.matmul("head", x, 24))
    return simulate(sketch.trace(), machine(leakage=1e-3))


@pytest.fixture(scope="module")
def result() -> Result:
    return run()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_files_are_written(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    assert names(tmp_path) == FILES
    assert json.loads((tmp_path / "summary.json").read_text())["digest"] == result.digest


def test_parquet_reads_back_equal(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    assert pyarrow.parquet.read_table(tmp_path / "ledger.parquet").equals(result.to_arrow())
    operators = pyarrow.parquet.read_table(tmp_path / "operators.parquet")
    assert operators.to_pydict() == result.operators


def test_saving_twice_gives_the_same_bytes(result: Result, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        result.save(tmp_path / folder)
    for name in FILES:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second


def failing_write(table: object, where: Path) -> None:
    Path(where).write_bytes(b"half a file")
    raise OSError(28, "No space left on device")


def test_a_failing_write_leaves_no_half_file(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyarrow.parquet.write_table", failing_write)
    with pytest.raises(CodesignError, match="No space left on device; give another folder"):
        result.save(tmp_path)
    assert names(tmp_path) == ["components.json", "hardware.json", "summary.json", "timeline.json"]
    assert json.loads((tmp_path / "timeline.json").read_text())["traceEvents"]


def test_a_failing_write_keeps_the_file_that_was_there(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(16).save(tmp_path)
    before = (tmp_path / "ledger.parquet").read_bytes()
    monkeypatch.setattr("pyarrow.parquet.write_table", failing_write)
    with pytest.raises(CodesignError):
        result.save(tmp_path)
    assert names(tmp_path) == FILES
    assert (tmp_path / "ledger.parquet").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_one_line_error(result: Result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CodesignError, match="give another folder") as caught:
        result.save(tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["file"]


def test_the_saved_timeline_is_that_of_the_result(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    assert json.loads((tmp_path / "timeline.json").read_text()) == result.timeline()


def test_a_slice_tells_its_operator_and_module(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    events = json.loads((tmp_path / "timeline.json").read_text())["traceEvents"]
    head = next(e for e in events if (e["ph"], e["name"]) == ("X", "head"))
    assert head["cat"] == "contraction"
    assert head["args"]["macs"] == 4 * 32 * 24
