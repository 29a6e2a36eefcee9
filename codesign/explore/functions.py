"""Functions of a user: where to find one, what makes it the same one, and whether it can travel."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

from codesign.code_file import import_code, split_code
from codesign.errors import OF_OTHERS, CodesignError, StudyError, did_you_mean, one_line


def import_function(spec: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` or ``FILE.py:function`` names.

    A module is looked for in the current folder first.

    Raises:
        ModelError: a file that is not there, or that cannot be imported by its name.
        StudyError: no such module or function, or importing it fails.
    """
    path, name = split_code(spec)
    try:
        module = import_code(path)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # the user's code runs here; say what it raised
        raise StudyError(
            f"{spec}: importing {path!r} failed: {one_line(error)}; write package.module:function "
            "as it is imported from the current folder, or FILE.py:function"
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise StudyError(f"{path} has no function {name!r}{did_you_mean(name, known)}")
    return found  # type: ignore[no-any-return]  # callable() has just said so


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called."""
    return str(getattr(function, "__name__", type(function).__name__))


def identity(function: Callable[..., Any]) -> str:
    """Equal for equal functions: where it is, and a digest of its source where there is one."""
    place = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed at a prompt, or an object that can be called
        return place
    return f"{place} {hashlib.sha256(source.encode()).hexdigest()[:16]}"


def travels(function: Callable[..., Any]) -> bool:
    """Whether another process can import the function instead of running the main script."""
    path, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not path or path == "__main__":
        return False
    return getattr(sys.modules.get(path), name, None) is function
