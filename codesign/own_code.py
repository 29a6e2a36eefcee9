"""Code that a file names: what the user has written, and no program that is merely installed.

A study or a scenario may come from anyone. If it could name a function of any module, such as
``subprocess:getoutput``, it would be a program.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

from codesign.code_file import SUFFIX, import_code, importable, module_name, split_code
from codesign.errors import OF_OTHERS

_ELSEWHERE = "is not in the current folder"
_OURS = "codesign"


def foreign_model(name: object) -> str:
    """Why a file may not name this model; empty if it may.

    Args:
        name: as on the command line; a name of the zoo, a trace and ``hf:`` run no code of a user.
    """
    if not isinstance(name, str) or name.endswith((".json", ".json.gz")):
        return ""
    if name.endswith(".pt2"):
        return "" if is_own_path(name) else _refusal(name, _ELSEWHERE, "copy it there")
    is_code = ":" in name and not name.startswith("hf:")
    return foreign_function(name) if is_code else ""


def foreign_function(spec: str) -> str:
    """Why a file may not name ``package.module:function`` or ``FILE.py:function``; empty if it may.

    The module is imported if it is the user's own: what it only imports is no code of the user.
    """
    path, name = split_code(spec)
    if path.endswith(SUFFIX) and not is_own_path(path):
        return _refusal(spec, _ELSEWHERE, "copy it there")
    if not _is_own_module(module_name(path).partition(".")[0]):
        return _refusal(spec, "is installed", "call it in a function of your own and name that")
    found = _found(path, name)
    home = getattr(found, "__module__", None)
    if found is None or (isinstance(home, str) and _is_own_module(home.partition(".")[0])):
        return ""
    remedy = "call it in a function of your own and name that"
    return _refusal(spec, "was imported from elsewhere", remedy)


def foreign_folder(folder: object) -> str:
    """Why a file may not name a folder of plugins; empty if it may."""
    return "" if is_own_path(str(folder)) else _refusal(str(folder), _ELSEWHERE, "link it there")


def is_own_path(path: str) -> bool:
    """Whether a path leads nowhere but into the current folder; links in it are the user's."""
    here = str(Path.cwd())
    found = os.path.normpath(os.path.join(here, path))
    return found == here or found.startswith(here.rstrip(os.sep) + os.sep)


def _found(path: str, name: str) -> object:
    """What a module of the user calls so; None where the import will tell what is wrong."""
    with suppress(*OF_OTHERS):
        return getattr(import_code(path), name, None)
    return None


def _is_own_module(name: str) -> bool:
    """Whether importing a top module would take it from neither Python nor an installed package."""
    if name.startswith(_OURS):  # a checkout of codesign lies elsewhere than what is installed
        return False
    with importable(name):
        try:
            spec = find_spec(name)  # of a top module this runs nothing
        except (ImportError, ValueError):
            return False
    if spec is None:
        return True  # the import says what is wrong
    places = list(spec.submodule_search_locations or [spec.origin or ""])
    return all(os.path.isabs(place) and not _is_installed(place) for place in places)


def _is_installed(place: str) -> bool:
    path = Path(os.path.realpath(place))
    return bool({"site-packages", "dist-packages"} & {*path.parts}) or any(
        path.is_relative_to(os.path.realpath(get_path(name))) for name in ("stdlib", "platstdlib")
    )


def _refusal(name: str, rule: str, remedy: str) -> str:
    return f"{name[:80]!r} is code that {rule}, and a file may name no such; {remedy}"
