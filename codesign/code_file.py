"""Code of a user by its file: the module that a path means, and what is written in it.

``speech.py:make`` is the module ``speech``, if the file lies in the current folder. What is written
in a file is read from its syntax, and nothing of it is run.
"""

from __future__ import annotations

import ast
import keyword
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from codesign.errors import ModelError, no_file

SUFFIX = ".py"
_MOST_BYTES = 2**20
_SHOWN = 8


def split_code(spec: str) -> tuple[str, str]:
    """``MODULE`` and ``NAME`` of ``MODULE:NAME``; a path to a file may hold colons of its own."""
    path, _, name = spec.rpartition(":") if f"{SUFFIX}:" in spec else spec.partition(":")
    return path, name


def module_name(path: str) -> str:
    """The module that ``package.module`` or the path of a file means, from the current folder.

    Args:
        path: a module as it is, or a path that ends in ``.py``; of a file elsewhere it is the name
            that the file has in its own folder.
    """
    if not path.endswith(SUFFIX):
        return path
    place = os.path.relpath(os.path.abspath(path)).removesuffix(SUFFIX)
    parts = place.split(os.sep)
    is_module = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return ".".join(parts) if is_module else parts[-1]


def import_code(path: str) -> ModuleType:
    """Imports a module, or the file that a path means; its own folder is looked at, too.

    Args:
        path: ``package.module`` as it is imported from the current folder, or a path that ends in
            ``.py``.

    Raises:
        ModelError: no such file, a name that cannot be imported, or another module of that name.
        BaseException: whatever the code raises while it is imported.
    """
    if not path.endswith(SUFFIX):
        with importable(path):
            return import_module(path)
    if not os.path.isfile(path):
        raise ModelError(
            f"{path}: {no_file(path)}; give FILE{SUFFIX}:FUNCTION of a file that exists"
        )
    if "." in Path(path).stem:
        raise ModelError(f"{path}: a file of code must have one dot in its name; rename it")
    name = module_name(path)
    with importable(path):
        module = import_module(name)
    found = getattr(module, "__file__", None)
    if found is None or os.path.realpath(found) != os.path.realpath(path):
        raise ModelError(
            f"{path}: another module is called {name!r}, {found or 'which Python brings'}; "
            "rename the file"
        )
    return module


@contextmanager
def importable(path: str) -> Iterator[None]:
    """The current folder, and that of the file that a path means, come first in imports.

    Args:
        path: as for ``import_code``.
    """
    folders = [os.getcwd()]
    if path.endswith(SUFFIX):
        folders.append(os.path.dirname(os.path.abspath(path)))
    sys.path[:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            with suppress(ValueError):  # the code itself may have taken it out
                sys.path.remove(folder)


@dataclass(frozen=True, slots=True)
class Written:
    """What is written at the top of a file.

    Attributes:
        makers: functions that return several things, as a factory does.
        functions: all others that have a name for others.
        classes: names of classes.
    """

    makers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def what_to_give(path: str) -> str:
    """How to name a model that is written in a file, in words for one line.

    Args:
        path: of a file of Python code; it is read, and not run.
    """
    try:
        with open(path, "rb") as stream:
            tree = ast.parse(stream.read(_MOST_BYTES))
    except SyntaxError as error:
        return f"{path} is no valid Python: {error.msg} at line {error.lineno}; mend it"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return f"{path} cannot be read ({type(error).__name__}); give another file"
    rule = f"{path} is Python code, and a model is a function in it; give {path}:FUNCTION"
    return rule + _told(path, _written(tree))


def _told(path: str, written: Written) -> str:
    functions = (*written.makers, *written.functions)
    example = "def make(): return (module, (input,))"
    if not functions:
        some = f" beside the class {written.classes[0]}" if written.classes else ""
        return f" once you have written one{some}, such as {example}"
    if not written.makers:
        return f", where FUNCTION returns (module, args), as in {example}; it has {_few(functions)}"
    others = f", other functions: {_few(written.functions)}" if written.functions else ""
    return f", such as {path}:{written.makers[0]}; it has {_few(written.makers)}{others}"


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _written(tree: ast.Module) -> Written:
    found: dict[bool, list[str]] = {True: [], False: []}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found[_is_maker(node)].append(node.name)
    classes = tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    return Written(tuple(found[True]), tuple(found[False]), classes)


def _is_maker(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Return)
        and isinstance(node.value, ast.Tuple)
        and len(node.value.elts) in (2, 3)
        for node in ast.walk(function)
    )
