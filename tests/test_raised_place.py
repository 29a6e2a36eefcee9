"""Which frame of an error is the plugin's own: the innermost in a file of the owner."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from failing_plugins import caught

from codesign.plugins import Registry
from codesign.raised import place_of, raised


def module(folder: Path, name: str, text: str) -> ModuleType:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def mine(tmp_path: Path) -> ModuleType:
    text = """
import json

class Base:
    def ask(self):
        return json.loads("{")

class Own(Base):
    pass

def outer(call):
    return call()

def split(number):
    return 1 // number
"""
    return module(tmp_path, "raised_mine", text)


def test_it_is_the_innermost_frame_of_the_owner_not_of_a_library(mine: ModuleType) -> None:
    error = caught(mine.Own().ask)
    assert place_of(error, mine.Own()) == f" at {mine.__file__}:6 in ask"
    assert raised(error, mine.Own) == (
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 "
        f"(char 1) at {mine.__file__}:6 in ask"
    )


def test_the_own_file_of_a_class_comes_before_those_of_its_bases(
    mine: ModuleType, tmp_path: Path
) -> None:
    text = "import raised_mine\nclass Sub(raised_mine.Own):\n    def ask(self):\n        "
    sub = module(tmp_path, "raised_sub", text + "return super().ask()\n")
    assert place_of(caught(sub.Sub().ask), sub.Sub()) == f" at {sub.__file__}:4 in ask"
    text = "import raised_mine\nclass Bare(raised_mine.Own):\n    pass\n"
    bare = module(tmp_path, "raised_bare", text)
    assert place_of(caught(bare.Bare().ask), bare.Bare()) == f" at {mine.__file__}:6 in ask"


def test_functions_partials_modules_files_and_folders_are_owners(
    mine: ModuleType, tmp_path: Path
) -> None:
    error = caught(partial(mine.split, 0))
    place = f" at {mine.__file__}:15 in split"
    owners = (mine.split, partial(mine.split, 0), mine, Path(str(mine.__file__)), tmp_path)
    assert [place_of(error, owner) for owner in owners] == [place] * 5


def test_nobody_is_named_where_no_frame_is_the_owners(mine: ModuleType) -> None:
    def fails() -> None:
        raise ValueError("here")

    assert place_of(caught(fails), mine.Own(), 3, "text", None) == ""
    assert raised(caught(fails), mine) == "ValueError: here"
    assert (
        place_of(caught(lambda: Registry(["nowhere"])), Registry) == ""
    )  # our own code is nobody's


def test_what_an_owner_calls_back_does_not_hide_its_line(mine: ModuleType) -> None:
    error = caught(lambda: mine.outer(partial(int, "x")))
    assert place_of(error, mine) == f" at {mine.__file__}:12 in outer"
