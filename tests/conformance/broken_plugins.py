"""Plugins written by ``plugins new``, and the same with one fault."""

from __future__ import annotations

from pathlib import Path

from codesign.templates import write_plugin
from codesign.testing.offered import Outcome
from codesign.testing.suite import plugin_checks


def written(folder: Path, kind: str = "engine", *changes: tuple[str, str]) -> Path:
    """The module of a new plugin ``probe`` in which some words are replaced.

    Every replacement has to be of words that are there.
    """
    write_plugin(kind, "probe", folder / "dist")
    module = folder / "dist" / "probe.py"
    text = module.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    module.write_text(text)
    return module


def outcomes(plugin: str | Path, of: str = "*") -> list[Outcome]:
    """What comes of all checks of a plugin."""
    return [check.outcome() for check in plugin_checks(plugin, of)]


def failures(plugin: str | Path) -> str:
    """The messages of what fails, a line each."""
    return "\n".join(one.message for one in outcomes(plugin) if one.state == "failed")
