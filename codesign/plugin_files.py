"""Files of plugins: which a folder holds, what is in them, and how one is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from codesign.errors import PluginError


def plugin_paths(folder: Path) -> list[Path]:
    """Files and packages of a folder that may be plugins, in order; or the one that is given.

    Args:
        folder: a folder, a file ``*.py``, or the ``__init__.py`` of a package.

    Raises:
        PluginError: there is no such folder or file.
    """
    if folder.suffix == ".py" and folder.is_file():
        return [folder.parent if folder.name == "__init__.py" else folder]
    if not folder.is_dir():
        raise PluginError(
            f"plugin folder {folder} does not exist; give a folder of *.py files, or one file"
        )
    packages = (path.parent for path in folder.glob("*/__init__.py"))
    found = sorted([*folder.glob("*.py"), *packages])
    return [path for path in found if not path.name.startswith("_")]


def no_plugin(folder: Path, paths: Sequence[Path]) -> str:
    """What to do about a folder, or a file, that holds no plugin at all.

    Args:
        folder: what the user gave.
        paths: what it holds.
    """
    if not paths:
        return (
            f"plugin folder {str(folder)!r} holds no plugin: no file *.py and no package whose "
            "name begins without an underscore; give the folder that holds them"
        )
    names = ", ".join(path.name for path in paths[:3]) + (", ..." if len(paths) > 3 else "")
    return (
        f"{str(folder)!r} holds no plugin: nothing in {names} is marked with @hookimpl; mark a "
        "function of a name of docs/hooks.md, or begin with: codesign plugins new"
    )


def contents(path: Path) -> dict[str, bytes]:
    """Files of a plugin by name: one, or all of a package, whatever they hold.

    Args:
        path: a file, or the folder of a package.
    """
    if path.name == "__init__.py":
        path = path.parent
    if not path.is_dir():
        return {path.name: path.read_bytes()}
    files = [file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def load_path(path: Path) -> object:
    """Loads a Python file, or a package with its modules.

    Args:
        path: the file, or the folder of the package.

    Raises:
        PluginError: it is no Python file.
    """
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    name = f"codesign_folder_{path.stem}_{place}"
    file, inside = (path / "__init__.py", [str(path)]) if path.is_dir() else (path, None)
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    for stale in [known for known in sys.modules if known.startswith(f"{name}.")]:
        del sys.modules[stale]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
