"""What the modules of a plugin import of codesign: public names, and no other plugin."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from codesign.testing.rules import expect

_CLOSED = ("cli",)
"""Parts of codesign that are for people, not for plugins."""


def check_imports(files: Iterable[Path]) -> None:
    """Checks that the modules of a plugin import only public names of codesign.

    A name is public that begins with no underscore, in a module whose path has none either; of
    ``codesign`` itself, those of ``__all__``. Another plugin is none, nor is the command line.

    Args:
        files: Python files of a plugin.

    Raises:
        AssertionError: names the file, the line and the import, and says what to import.
    """
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for module, name in _imported(node):
                _check(f"{file.name}:{getattr(node, 'lineno', 1)}", module, name)


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Modules and names that a statement imports; the name is empty for a whole module."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield from ((node.module, alias.name) for alias in node.names)


def _check(place: str, module: str, name: str) -> None:
    first, *parts = module.split(".")
    if first == "codesign_plugins":
        raise AssertionError(
            f"{place}: imports {module}, another plugin; a plugin stands alone: offer a hook, or "
            "copy what it needs"
        )
    if first != "codesign":
        return
    full = f"{module}.{name}" if name else module
    expect(
        not any(part.startswith("_") for part in (*parts, name)) and parts[:1] != [*_CLOSED][:1],
        f"{place}: imports {full}, which is private; import a name that docs/plugins.md has",
    )
    expect(_is_module(module), f"{place}: imports {module}, which does not exist")
    if not name:
        return
    found = import_module(module)
    is_there = hasattr(found, name) or _is_module(full)
    expect(is_there, f"{place}: imports {full}, which does not exist; see docs/plugins.md")
    expect(
        parts or name in found.__all__,
        f"{place}: imports {full}, which is not in codesign.__all__; import it from its module",
    )


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what stands before the last dot is no package
        return False
