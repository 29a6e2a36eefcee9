"""What the tests share is made once, by whoever asks first, and is nobody's to change."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from shelf import Shelf

from codesign.models import resolve_model


def test_what_is_asked_for_twice_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return [7]

    assert [Shelf(tmp_path).get("seven", make) for _ in range(2)] == [[7], [7]]
    assert made == [1]


def test_everybody_has_a_copy_of_their_own(tmp_path: Path) -> None:
    Shelf(tmp_path).get("list", lambda: [1]).append(2)
    assert Shelf(tmp_path).get("list", lambda: [3]) == [1]


def test_names_that_differ_in_anything_are_kept_apart(tmp_path: Path) -> None:
    names = ["a", "A", "a ", "a/b", "../a", "a" * 1000]
    for name in names:
        Shelf(tmp_path).put(name, name)
    assert [Shelf(tmp_path).get(name, lambda: "new") for name in names] == names
    assert [path.parent for path in tmp_path.rglob("*")] == 2 * len(names) * [tmp_path]


def test_what_could_not_be_made_is_tried_again(tmp_path: Path) -> None:
    def fail() -> int:
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        Shelf(tmp_path).get("day", fail)
    assert Shelf(tmp_path).get("day", lambda: 1) == 1


def _add_a_line(folder: Path) -> int:
    def make() -> int:
        with (folder / "made").open("a") as made:
            made.write("once\n")
        return 5

    return Shelf(folder).get("five", make)


def test_of_many_processes_one_makes_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(_add_a_line, [tmp_path] * 8, chunksize=1) == [5] * 8
    assert (tmp_path / "made").read_text() == "once\n"


def test_a_model_is_captured_for_the_first_who_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve_model("rnnt_8x640_joiner", batch=2)
    monkeypatch.setattr("codesign.workload.capture.trace", None)
    assert resolve_model("rnnt_8x640_joiner", batch=2) == first


def test_a_capture_from_the_shelf_is_that_of_a_new_one(request: pytest.FixtureRequest) -> None:
    kept = resolve_model("lstm_lm")
    request.getfixturevalue("captures_anew")
    new = resolve_model("lstm_lm")
    assert kept == new
    assert kept.digest == new.digest
