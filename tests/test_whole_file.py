"""A file appears whole or not at all, and nothing is left beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.whole_file import write_whole


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
