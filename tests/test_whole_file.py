"""A file appears whole or not at all, and nothing is left beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Codesign

from codesign.errors import CodesignError
from codesign.whole_file import check_folder, write_whole


def half(path: Path) -> None:
    path.write_text("half")
    raise OSError(28, "No space left on device")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("before")
    write_whole(target, lambda draft: draft.write_text("after"))
    assert target.read_text() == "after"
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("before")
    with pytest.raises(OSError, match="No space left"):
        write_whole(target, half)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_that_fails_the_first_time_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "new.txt", half)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_refused_before_any_work(
    tmp_path: Path, codesign: Codesign
) -> None:
    """A folder with a result and a study would have one report, of one of them."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "journal.jsonl").write_text("")
    ran = codesign("simulate", "lstm_lm", "--hardware", "edge-npu", "-o", tmp_path / "study")
    assert (ran.code, ran.out) == (2, "")
    assert "study holds journal.jsonl, which another command has written; give another" in ran.err
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "summary.json").write_text("{}")
    with pytest.raises(CodesignError, match=r"result holds summary\.json, which another command"):
        check_folder(tmp_path / "result", "summary.json")
    check_folder(tmp_path / "result")
