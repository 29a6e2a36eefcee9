"""A model by the file that its function is written in, and what is told where it is not found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codesign.code_file import import_code, module_name, split_code, what_to_give
from codesign.errors import CodesignError, ModelError
from codesign.models import resolve_model
from codesign.own_code import foreign_model

CODE = """
import torch
from torch import nn

class Net(nn.Linear):
    pass

net = Net(8, 4)

def make(frames=3):
    return Net(8, 4), (torch.zeros(frames, 8),)

def asks(batch, frames, width=8):
    return make(frames)

def helper(x):
    return x

def _hidden():
    return 1, 2

def stops(batch=1):
    return make(1 / 0)

rate = 16000
"""


@pytest.fixture
def speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of code in the current folder, of a name that no other test imports."""
    monkeypatch.chdir(tmp_path)
    name = f"speech_{abs(hash(str(tmp_path)))}"
    Path(f"{name}.py").write_text(CODE)
    return name


def refused(spec: str, **options: int) -> str:
    with pytest.raises(CodesignError) as caught:
        resolve_model(spec, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_function_may_be_named_by_its_file(speech: str) -> None:
    by_module = resolve_model(f"{speech}:make")
    for path in (f"{speech}.py", f"./{speech}.py", str(Path(f"{speech}.py").resolve())):
        found = resolve_model(f"{path}:make")
        assert found.name == f"{path}:make"
        assert found.macs == by_module.macs == 3 * 8 * 4


def test_a_file_elsewhere_finds_its_neighbours_and_leaves_the_path_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "parts_of_far.py").write_text(CODE)
    (there / "far-off.py").write_text(
        "def make():\n    from parts_of_far import make\n    return make()\n"
    )
    monkeypatch.chdir(here)
    before = list(sys.path)
    assert resolve_model("../there/far-off.py:make").macs == 3 * 8 * 4
    assert sys.path == before


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("a.b", "a.b"),
        ("a.py", "a"),
        ("./a.py", "a"),
        ("a/b.py", "a.b"),
        ("a/../c.py", "c"),
        ("my-models/b.py", "b"),
        ("class/b.py", "b"),
        ("../b.py", "b"),
    ],
)
def test_a_path_means_the_module_that_python_finds_from_here(path: str, module: str) -> None:
    assert module_name(path) == module


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("a.b:c", ("a.b", "c")),
        ("a.py:c", ("a.py", "c")),
        ("x:y/a.py:c", ("x:y/a.py", "c")),
        ("a:", ("a", "")),
    ],
)
def test_a_name_is_split_at_its_function(spec: str, parts: tuple[str, str]) -> None:
    assert split_code(spec) == parts


def test_a_name_of_another_module_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("types.py").write_text("raise OSError('ran')")
    assert "another module is called 'types'" in refused("types.py:make")
    assert refused("types.py:make").endswith("rename the file")
    Path("a.b.py").write_text(CODE)
    assert "must have one dot in its name; rename it" in refused("a.b.py:make")


# --- a file without its function ---


def test_a_file_is_told_with_the_functions_that_may_be_meant(speech: str) -> None:
    told = refused(f"{speech}.py")
    assert told == (
        f"{speech}.py is Python code, and a model is a function in it; give {speech}.py:FUNCTION, "
        f"such as {speech}.py:make; it has make, other functions: asks, helper, stops"
    )
    assert refused(speech) == told, "a module without its function"
    assert refused(f"{speech}.py:") == told


def test_a_file_is_not_run_to_say_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("danger.py").write_text("open('ran', 'w')\ndef make():\n    return 1, 2\n")
    assert "such as danger.py:make" in refused("danger.py")
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", "once you have written one, such as def make(): return (module, (input,))"),
        ("class Net: pass", "once you have written one beside the class Net, such as"),
        ("def build(): return net", "where FUNCTION returns (module, args), as in def make()"),
        ("def make(:\n", "is no valid Python: invalid syntax at line 1; mend it"),
        ("x = 1\n\ty = 2", "is no valid Python: unexpected indent at line 2; mend it"),
        ("\0", "source code string cannot contain null bytes"),
        ("(" * 5000, "is no valid Python"),
    ],
)
def test_a_file_without_a_factory_is_told_how_one_looks(
    tmp_path: Path, code: str, told: str
) -> None:
    path = tmp_path / "some.py"
    path.write_text(code)
    found = what_to_give(str(path))
    assert told in found
    assert str(path) in found


def test_many_functions_are_not_all_told(tmp_path: Path) -> None:
    path = tmp_path / "many.py"
    path.write_text("".join(f"def f{n}():\n    return 1, 2\n" for n in range(20)))
    assert what_to_give(str(path)).endswith("it has f0, f1, f2, f3, f4, f5, f6, f7 and 12 more")


# --- functions, and what is none ---


def test_parameters_of_an_own_function_are_told_with_how_to_give_them(speech: str) -> None:
    assert refused(f"{speech}.py:make", steps=10) == (
        f"{speech}.py:make has no parameter steps (got 10); it takes frames, and only batch, "
        "seq_len and steps can be set from outside: rename frames to steps in the file, or name a "
        "function of yours that returns make(frames=10)"
    )


def test_parameters_without_a_value_are_told_before_the_call(speech: str) -> None:
    assert refused(f"{speech}:asks").endswith(
        ":asks needs a value for batch and frames; set batch, and give frames a default in the "
        "file, or name a function that calls asks(frames=...)"
    )
    assert "needs a value for frames; give frames a default" in refused(f"{speech}:asks", batch=2)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Net", "is a class, and a model needs example inputs, too; write a function such as "),
        ("net", "is a module of class Net, and a model needs example inputs, too; write"),
        ("rate", "is of type int, no function; name one that builds the model"),
        ("mak", "has no function 'mak'; did you mean 'make'?"),
        ("stops", "failed to build: ZeroDivisionError: division by zero at "),
    ],
)
def test_what_is_no_factory_is_told_as_what_it_is(speech: str, name: str, told: str) -> None:
    assert told in refused(f"{speech}.py:{name}")


def test_an_import_that_fails_says_whether_the_file_or_a_package_is_at_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("asks_more.py").write_text("import no_such_package_at_all\n")
    Path("no_syntax.py").write_text("def make(:\n")
    told = refused("asks_more.py:make")
    assert "at asks_more.py:1; install no_such_package_at_all, or mend the file" in told
    assert refused("no_syntax.py:make").endswith("at no_syntax.py:1; mend the file")
    assert refused("no_syntax:make").endswith("at no_syntax.py:1; mend the file")
    assert refused("no_syntax.part:make").count("importing") == 1
    assert "write FILE.py:FUNCTION, or package.module:function" in refused("not_here_at_all:make")


@pytest.mark.parametrize("name", ["none.py", "none.py:make", "./none.py:make"])
def test_a_file_that_is_not_there_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "give FILE.py:FUNCTION of a file that exists" in refused(name)


# --- files that name code ---


def test_a_study_may_name_a_file_here_and_none_elsewhere(speech: str) -> None:
    assert foreign_model(f"{speech}.py:make") == ""
    assert "is not in the current folder" in foreign_model("../other.py:make")
    assert "is not in the current folder" in foreign_model("/usr/lib/python3/os.py:system")


def test_a_file_may_not_lend_its_name_to_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_lender.py").write_text("from subprocess import getoutput as make\n")
    assert "was imported from elsewhere" in foreign_model("own_lender.py:make")
    Path("my-parts").mkdir()
    Path("my-parts/subprocess.py").write_text("def getoutput(): return 1, 2\n")
    assert "is installed" in foreign_model("my-parts/subprocess.py:getoutput")


def test_the_same_file_is_imported_once(speech: str) -> None:
    assert import_code(f"{speech}.py") is import_code(speech)
    Path("folder.py").mkdir()
    with pytest.raises(ModelError, match="is a folder"):
        import_code("folder.py")
