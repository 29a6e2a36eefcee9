"""Machine code is kept for exactly as long as nothing that it depends on has changed."""

from __future__ import annotations

import importlib
import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from codesign.memory import compiled
from codesign.memory.compiled import cache_folder, has_compiler, is_cached, sources
from codesign.memory.kernel import compile_style, is_warm

STYLES = {"bank_queues", "shared_queues"}
COLD = {"energy", "power", "kernel", "setup", "counts", "device", "gates", "mapping", "reference"}

with_compiler = pytest.mark.skipif(not has_compiler(), reason="numba is not installed")


def names(module: str) -> set[str]:
    return {path.stem for path in sources(module)}


def plain(value: Any) -> Any:
    """The Python function behind a compiled one."""
    return getattr(value, "py_func", value)


def reached(module: str) -> dict[str, Callable[..., Any]]:
    """All functions of the package that ``run`` can call, by file and name."""
    waiting = [plain(importlib.import_module(f"codesign.memory.{module}").run)]
    found: dict[str, Callable[..., Any]] = {}
    while waiting:
        function = waiting.pop()
        key = f"{inspect.getfile(function)} {function.__name__}"
        if key not in found:
            found[key] = function
            known = function.__globals__
            used = (plain(known[name]) for name in function.__code__.co_names if name in known)
            waiting += [one for one in used if isinstance(one, FunctionType)]
    return found


@pytest.mark.parametrize("module", sorted(STYLES))
def test_every_function_that_is_compiled_lies_in_a_file_that_the_digest_covers(module: str) -> None:
    functions = reached(module)
    assert len(functions) > 30
    assert {Path(inspect.getfile(one)) for one in functions.values()} <= set(sources(module))


@pytest.mark.parametrize("module", sorted(STYLES))
def test_every_constant_that_is_compiled_lies_in_a_file_that_the_digest_covers(module: str) -> None:
    tables = {
        Path(inspect.getfile(value))
        for one in reached(module).values()
        for name, value in plain(one).__globals__.items()
        if name in plain(one).__code__.co_names and isinstance(value, ModuleType)
    }
    assert {path.stem for path in tables} == {"commands", "layout"}
    assert tables <= set(sources(module))


@pytest.mark.parametrize("module", sorted(STYLES))
def test_what_is_not_compiled_does_not_count(module: str) -> None:
    assert not names(module) & (COLD | STYLES - {module})


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package in a folder where its sources may be changed."""
    folder = tmp_path / "memory"
    shutil.copytree(compiled._FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(compiled, "_FOLDER", folder)
    compiled._digest.cache_clear()
    yield folder
    compiled._digest.cache_clear()


def digest_after(folder: Path, edited: str) -> str:
    with (folder / f"{edited}.py").open("a") as file:
        file.write("# another line\n")
    compiled._digest.cache_clear()
    return compiled._digest("bank_queues")


@with_compiler
def test_an_edit_of_a_hot_file_asks_for_new_code_and_any_other_does_not(copy: Path) -> None:
    before = compiled._digest("bank_queues")
    for cold in sorted(COLD | {"shared_queues", "scan"}):
        assert digest_after(copy, cold) == before
    seen = {before} | {digest_after(copy, hot) for hot in sorted(names("bank_queues"))}
    assert len(seen) == 1 + len(names("bank_queues"))


@with_compiler
def test_code_is_kept_beside_the_package(copy: Path) -> None:
    folder = cache_folder("bank_queues")
    assert folder is not None
    assert folder.parent == copy / "__pycache__"
    assert folder != cache_folder("shared_queues")


@with_compiler
def test_a_package_that_cannot_be_written_keeps_its_code_with_the_user(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "__pycache__").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = cache_folder("bank_queues")
    assert folder is not None
    assert folder.parent == tmp_path / "cache" / "codesign"
    (tmp_path / "cache" / "codesign").rename(tmp_path / "moved")
    (tmp_path / "cache" / "codesign").write_text("no folder either")
    assert cache_folder("bank_queues") is None
    assert not is_cached("bank_queues")


@with_compiler
def test_a_folder_that_numba_was_told_to_use_comes_first(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "told"))
    folder = cache_folder("shared_queues")
    assert folder is not None
    assert folder.parent == tmp_path / "told"


@with_compiler
def test_a_style_is_warm_once_its_code_lies_there(copy: Path) -> None:
    assert not is_warm("ramulator")
    folder = cache_folder("shared_queues")
    assert folder is not None
    (folder / "somewhere").mkdir()
    (folder / "somewhere" / "run.nbc").write_bytes(b"")
    assert is_warm("ramulator")
    assert is_warm("ideal")
    assert not is_warm("dramsim3")


@with_compiler
def test_compiling_a_style_makes_it_warm() -> None:
    compile_style("dramsim3")
    assert is_warm("dramsim3")


def test_without_a_compiler_nothing_is_ever_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "has_compiler", lambda: False)
    assert not is_warm("dramsim3")
