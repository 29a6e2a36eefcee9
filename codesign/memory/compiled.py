"""The one place that knows numba: hot functions are compiled where it is installed.

Hot functions keep to the subset that numba compiles, and compute the same integers without it. They
see the state of a run as a pointer, which costs nothing to pass on and needs no check of an index.

Machine code is kept in a folder named after a digest of every file that it can come from: numba
looks at the file of one function only, and a change to a function that it calls would go unseen.
"""

from __future__ import annotations

import ast
import ctypes
import hashlib
import importlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.memory.layout import State

F = TypeVar("F", bound=Callable[..., Any])
Run = Callable[[NDArray[np.int64]], None]
"""Runs on the numbers of a state and leaves its end there."""

_FOLDER = Path(__file__).parent
_OPTIONS = {"error_model": "numpy", "nogil": True, "_nrt": False}
"""Hot functions raise nothing and allocate nothing; counting references would take their time."""


def has_compiler() -> bool:
    """Whether numba is installed, so that the kernel is compiled."""
    return _numba() is not None


def compiled(function: F) -> F:
    """Compiles a hot function that only hot functions call; as it is where numba is missing.

    All are inlined: that takes a fifth off the instructions of a run, and compiling takes one and a
    half times as long.

    Args:
        function: takes the state and integers, and returns integers or nothing.
    """
    if not has_compiler():
        return function
    hidden = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    result: F = _numba().njit(forceinline=True, **hidden, **_OPTIONS)(function)
    return result


@cache
def executable(module: str) -> Run:
    """The function ``run`` of a hot module: compiled, taken from the cache, or in plain Python.

    Args:
        module: name in this package.
    """
    function = importlib.import_module(f"{__package__}.{module}").run
    if not has_compiler():
        return _on_list(function)
    numba, folder = _numba(), cache_folder(module)
    with _cached_in(folder):
        signature = numba.void(numba.types.CPointer(numba.int64))
        machine_code = numba.cfunc(signature, cache=folder is not None, **_OPTIONS)(function)
    call, pointer = machine_code.ctypes, ctypes.POINTER(ctypes.c_int64)

    def run(numbers: NDArray[np.int64]) -> None:
        call(numbers.ctypes.data_as(pointer))

    return run


def _on_list(function: Callable[[State], None]) -> Run:
    def run(numbers: NDArray[np.int64]) -> None:
        # plain Python is several times faster on a list than on an array
        values = numbers.tolist()
        function(values)
        numbers[:] = values

    return run


def is_cached(module: str) -> bool:
    """Whether the machine code of a hot module lies in the cache; False without a compiler."""
    folder = cache_folder(module) if has_compiler() else None
    return folder is not None and any(folder.rglob("*.nbc"))


def cache_folder(module: str) -> Path | None:
    """Where the machine code of a hot module is kept; None where nothing can be written.

    That is the folder that numba has been told to use; else one beside the package; else, where
    that is read-only, one in the cache of the user.

    Args:
        module: name in this package.
    """
    numba = _numba()
    told = numba.config.CACHE_DIR
    users = importlib.import_module("numba.misc.appdirs").user_cache_dir("codesign", False)
    places = [Path(told)] if told else [_FOLDER / "__pycache__", Path(users)]
    name = f"{module}-{_digest(module)}"
    return next((place / name for place in places if _is_writable(place / name)), None)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextmanager
def _cached_in(folder: Path | None) -> Iterator[None]:
    config = _numba().config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder or "")
    try:
        yield
    finally:
        config.CACHE_DIR = before


@cache
def _numba() -> Any:
    try:
        return importlib.import_module("numba")
    except ImportError:
        return None


@cache
def _digest(module: str) -> str:
    """Of all that the machine code depends on: sources, compiler and processor."""
    processor = importlib.import_module("llvmlite.binding")
    parts = [
        _numba().__version__,
        processor.get_host_cpu_name(),
        processor.get_host_cpu_features().flatten(),
        *(path.read_text(encoding="utf-8") for path in sources(module)),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def sources(module: str) -> tuple[Path, ...]:
    """The files that a module of this package can take code from: its own and all that it imports.

    Args:
        module: name in this package.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _FOLDER / f"{waiting.pop()}.py"
        if path not in found and path.exists():
            found.add(path)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    waiting += [str(node.module).rpartition(".")[2], *(n.name for n in node.names)]
    return tuple(sorted(found))
