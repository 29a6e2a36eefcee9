"""The code that a function may run: a digest that changes when any file of it does."""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import packages_distributions, version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import codesign
from codesign.errors import CaptureError

_COUNTED = {"torch", "codesign", *sys.stdlib_module_names}
"""Packages that are in every digest."""
_LOADED: dict[str, tuple[object, str]] = {}
_INSTALLED = ("stdlib", "platstdlib", "purelib", "platlib")


def code_of(build: Callable[..., Any]) -> str:
    """Where a function or class is, and a digest of the code that it may run.

    Raises:
        CaptureError: it cannot be found again by its name, or has no source file.
    """
    place, name = getattr(build, "__module__", None) or "", getattr(build, "__qualname__", "")
    if getattr(sys.modules.get(place), name, None) is not build:
        raise CaptureError(
            f"{name or repr(build)[:60]} must stand at the top of a module to be kept in a folder; "
            "move it there, or give no folder"
        )
    if place == "__main__" and not hasattr(sys.modules[place], "__file__"):
        raise CaptureError(
            f"{name} was typed at a prompt, where nobody can tell when it changes; put it in a "
            "file, or give no folder"
        )
    return f"{place}.{name} {_as_loaded(place)}"


def _as_loaded(module: str) -> str:
    """The digest of a module, taken once each time that it is loaded.

    A file that changes while a process runs does not change what runs in it.
    """
    spec = getattr(sys.modules[module], "__spec__", None)
    if module not in _LOADED or _LOADED[module][0] is not spec:
        _LOADED[module] = spec, code_digest(module)
    return _LOADED[module][1]


def code_digest(module: str) -> str:
    """Digest of a module and of what it imports, at any depth.

    Of installed packages the versions count, of codesign every file. Imports are read from the
    source, so that it does not matter what a process has loaded.
    """
    digest = hashlib.sha256(f"{version('torch')} {_own_digest()}".encode())
    seen, waiting, foreign = {module}, [module], set[str]()
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is None:
            foreign.add(name.partition(".")[0])
            continue
        text = path.read_bytes()
        digest.update(f"{name} {len(text)} ".encode() + text)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found = sorted(set(_imported(text, package)) - seen)
        seen.update(found)
        waiting += found
    digest.update(" ".join(_versions(foreign - _COUNTED)).encode())
    return digest.hexdigest()


def _versions(packages: set[str]) -> list[str]:
    """Versions of what is installed under the top names of some packages."""
    if not packages:
        return []
    owners = {owner for name in packages for owner in _owners().get(name, ())}
    return [f"{owner} {version(owner)}" for owner in sorted(owners)]


@lru_cache(maxsize=1)
def _owners() -> Mapping[str, list[str]]:
    return packages_distributions()


@lru_cache(maxsize=1)
def _own_digest() -> str:
    folder = Path(codesign.__file__).parent
    digest = hashlib.sha256(codesign.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(text)} ".encode() + text)
    return digest.hexdigest()


def _imported(text: bytes, package: str) -> Iterator[str]:
    """Names that may be modules, of all import statements of a source."""
    tree = ast.Module([], [])
    with suppress(SyntaxError, ValueError):  # whoever imports it will say so
        tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in _ancestors(alias.name))
        elif isinstance(node, ast.ImportFrom):
            with suppress(ImportError):  # a relative import beyond the top, which nobody runs
                base = resolve_name("." * node.level + (node.module or ""), package)
                yield from _ancestors(base)
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _ancestors(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _source(name: str) -> Path | None:
    """The file of a module, unless it is one of codesign, of Python or of an installed package."""
    if name.partition(".")[0] == "codesign":
        return None
    file = getattr(sys.modules.get(name), "__file__", None) or _found(name)
    if not file or not file.endswith(".py"):
        return None
    path = Path(file).resolve()
    return None if any(path.is_relative_to(folder) for folder in _installed()) else path


def _found(name: str) -> str | None:
    """The file of a module that is not loaded, without loading it or what is above it."""
    within: Sequence[str] | None = None
    origin = None
    for part in _ancestors(name):
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        specs = (find(part, within) for find in finders if find)
        spec = next((spec for spec in specs if spec), None)
        if spec is None:
            return None
        within, origin = spec.submodule_search_locations or (), spec.origin
    return origin


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in _INSTALLED})
