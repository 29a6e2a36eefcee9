"""The one place that knows numba: hot functions are compiled where it is installed.

Hot functions keep to the subset that numba compiles, and give the same integers without it. The
compiled code is cached in a folder named after a digest of this package's source: numba looks at
the file of a function only, and a change to a function that it calls would go unseen.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER = Path(__file__).parent


def has_compiler() -> bool:
    """Whether numba is installed, so that the kernel is compiled."""
    return _numba() is not None


def compiled(function: F) -> F:
    """Compiles a hot function that only hot functions call; as it is where numba is missing.

    Args:
        function: takes and returns integers, integer arrays and named tuples of such arrays.
    """
    # a call that is not inlined copies the whole state
    return _compile(function, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def entry(function: F) -> F:
    """Compiles a hot function that Python calls, and keeps its machine code for later runs."""
    numba = _numba()
    if numba is None:
        return function
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_FOLDER / "__pycache__" / f"numba-{_digest()}")
    try:
        return _compile(function, cache=True)
    finally:
        numba.config.CACHE_DIR = before


def _compile(function: F, **options: bool) -> F:
    numba = _numba()
    if numba is None:
        return function
    # hot functions allocate nothing, and counting references would take most of their time
    result: F = numba.njit(nogil=True, error_model="numpy", _nrt=False, **options)(function)
    return result


@cache
def _numba() -> Any:
    try:
        return importlib.import_module("numba")
    except ImportError:
        return None


@cache
def _digest() -> str:
    sources = sorted(_FOLDER.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
