"""What the code of a plugin raised, and where in its own files, in words for one line."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from textwrap import dedent
from types import FrameType, ModuleType
from typing import Any

from codesign.errors import one_line

_OURS = "codesign"
_CALL = re.compile(r"([\w.]+)\(\) (?:takes|missing|got) ")


def raised(error: BaseException, *owners: object) -> str:
    """An error as ``errors.one_line`` tells it, and where it arose.

    Args:
        error: what was caught.
        owners: whose code ran, see ``place_of``.

    Example:
        ``ZeroDivisionError: division by zero at /home/me/engine.py:41 in plan``
    """
    return one_line(error) + place_of(error, *owners)


def place_of(error: BaseException, *owners: object) -> str:
    """`` at FILE:LINE in FUNCTION``: the innermost frame in a file of the owner; "" if none is.

    FILE begins in the current folder if it lies there. Of a function that took other arguments it
    is where that begins.

    Args:
        error: what was caught.
        owners: whose code ran: files or folders, or what a plugin gave: an object, a class, a
            function or a module. Of a class its own file counts before those of its bases; code of
            codesign itself is nobody's.
    """
    homes = list(dict.fromkeys(home for owner in owners for home in _homes(owner)))
    if isinstance(error, SyntaxError) and error.filename:  # it has no frame where it is
        is_own = _is_in(error.filename, homes)
        return f" at {shown(error.filename)}:{error.lineno}" if is_own else ""
    found = list(frames(error))
    for home in homes:
        for frame, line in reversed(found):
            code = frame.f_code
            if _is_in(code.co_filename, [home]):
                inside = "" if code.co_name == "<module>" else f" in {code.co_name}"
                return f" at {shown(code.co_filename)}:{line}{inside}"
    if isinstance(error, TypeError):  # a call that its signature refuses has no frame of its own
        found_at = next(filter(None, map(defined_at, owners)), "")
        called = _CALL.match(str(error))
        return found_at or (_written_at(called[1].split("."), homes) if called else "")
    return ""


def _written_at(names: list[str], homes: Iterable[str]) -> str:
    """Where some files, or those of some folders, have ``Class.function``; "" if none has."""
    for home in map(Path, homes):
        for file in sorted(home.rglob("*.py")) if home.is_dir() else [home]:
            with suppress(OSError, SyntaxError, ValueError):
                nodes = ast.parse(file.read_bytes()).body
                for name in names:
                    (node,) = (one for one in nodes if getattr(one, "name", "") == name)
                    nodes = getattr(node, "body", [])
                return f" at {shown(str(file))}:{node.lineno}"
    return ""


def defined_at(owner: object) -> str:
    """`` at FILE:LINE``: where a function is written; "" of anything else."""
    code = getattr(getattr(owner, "__func__", owner), "__code__", None)
    return f" at {shown(code.co_filename)}:{code.co_firstlineno}" if code else ""


def frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """The frames that an error came through, the outermost first, with their lines."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        trace = found.__traceback__
        while trace is not None:
            yield trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        cause = found.__cause__
        # SimPy raises a copy
        is_copy = type(cause) is type(found) and cause is not None and cause.args == found.args
        found = cause if is_copy else None


def _homes(owner: object) -> Iterator[str]:
    """The file, or the folder of the package, that an owner is written in."""
    while isinstance(owner, partial):
        owner = owner.func
    if isinstance(owner, Path):
        yield str(owner)
    elif isinstance(owner, ModuleType):
        yield from _home(owner)
    else:
        own: Any = owner if hasattr(owner, "__qualname__") else type(owner)
        for one in getattr(own, "__mro__", (own,)):
            yield from _home(sys.modules.get(str(getattr(one, "__module__", ""))))


def _home(module: ModuleType | None) -> Iterator[str]:
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__.partition(".")[0] == _OURS:
        return
    is_alone = not getattr(module, "__package__", "")
    yield file if is_alone else os.path.dirname(file)


def shown(file: str) -> str:
    """A path as a reader would type it: what lies in the current folder begins there."""
    path = Path(os.path.abspath(file))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _is_in(file: str, homes: list[str]) -> bool:
    """Whether a file is one of some files, or lies below one of some folders."""
    path = Path(os.path.abspath(file))
    return any(path.is_relative_to(os.path.abspath(home)) for home in homes)


def class_place(cls: type, field: str = "") -> str:
    """``FILE:LINE: `` of the line that gives a class a field, or of the class; "" without a file.

    Of several classes the nearest counts that annotates the field.

    Args:
        cls: a class.
        field: name of one of its fields.
    """
    owners = [one for one in cls.__mro__ if field in inspect.get_annotations(one)]
    owner = owners[0] if owners else cls
    try:
        lines, start = inspect.getsourcelines(owner)
        file = inspect.getsourcefile(owner)
    except (OSError, TypeError):  # typed at a prompt, or built
        return ""
    (found,) = ast.parse(dedent("".join(lines))).body[:1]
    said = (node for node in getattr(found, "body", ()) if isinstance(node, ast.AnnAssign))
    own = [node.lineno - 1 for node in said if getattr(node.target, "id", "") == field]
    return f"{shown(str(file))}:{start + (own or [0])[0]}: "


def unwritten(part: object, function: str) -> NotImplementedError:
    """What every class of its sort has to write, and that of an object has not.

    Args:
        part: the object.
        function: what is missing, with its arguments.
    """
    place, name = class_place(type(part)), type(part).__qualname__
    return NotImplementedError(f"{place}class {name} has no {function}; write it")
