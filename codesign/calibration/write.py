"""A hardware file with fitted constants: the file it came from, with some fields set anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from codesign.calibration.run import Calibration
from codesign.errors import CalibrationError
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.whole_file import write_whole

_SUFFIXES = (".yaml", ".yml")


def write_hardware(found: Calibration, source: Path, target: Path) -> None:
    """Writes the file of a hardware with the constants of a calibration.

    All else stays as it is written, comments included. Each new value says what it was fitted to,
    and the name of the hardware becomes that of the new file.

    Args:
        found: the calibration.
        source: the file that the hardware was read from.
        target: a new ``.yaml`` file.

    Raises:
        CalibrationError: another suffix, no folder, the source itself, or a source whose engine is
            not written in lines of its own.
    """
    check_target(source, target)
    text = calibrated_text(found, read_yaml(source, str(source)), source.read_text("utf-8"))
    named = _renamed(text.splitlines(), read_yaml(source, str(source)), target.stem)
    write_whole(target, lambda draft: draft.write_text("\n".join([*named, ""]), "utf-8"))


def check_target(source: Path, target: Path) -> None:
    """Checks that a file can be written, before anything is fitted.

    Raises:
        CalibrationError: another suffix, no folder, or the source itself.
    """
    if target.suffix not in _SUFFIXES:
        raise CalibrationError(f"a hardware file is called *.yaml, got {target}; rename it")
    if not target.parent.is_dir():
        raise CalibrationError(f"folder {target.parent} does not exist; make it first")
    if target.exists() and target.samefile(source):
        raise CalibrationError(f"{target} is the file that is calibrated; name another one")


def calibrated_text(found: Calibration, root: Node, text: str) -> str:
    """The text of a hardware file with the fields of an engine set anew.

    Args:
        found: the calibration.
        root: the file.
        text: the same as text.

    Raises:
        CalibrationError: the engine does not stand in lines of its own.
    """
    lines = text.splitlines()
    part = _entries(_entries(root)["components"])[found.engine]
    own = _entries(part)
    ends = [*sorted(node.line for node in _all_entries(root)), len(lines) + 1]
    gone: set[int] = set()
    for field in found.changes.keys() & own.keys():
        first = own[field].line
        last = next(line for line in ends if line > first) - 1
        gone |= set(range(first, last + 1))
    first = min(node.line for node in own.values())
    indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
    if not indent or lines[first - 1].lstrip().startswith("{") or part.line >= first:
        raise CalibrationError(
            f"engine {found.engine!r} must stand in lines of its own, one field each; rewrite it"
        )
    kept = [line for number, line in enumerate(lines, 1) if number not in gone]
    place = sum(number not in gone for number in range(1, first))
    written = [f"{indent}{line}" for line in _fields(found)]
    return "\n".join([*kept[:place], *written, *kept[place:]])


def _fields(found: Calibration) -> list[str]:
    """A line for each field, with where it comes from."""
    fit = found.fit
    source = f"{', '.join(fit.fitted.sources)}; {len(fit.fitted)} points, digest {fit.digest[:12]}"
    return [
        f"{field}: {{value: {json.dumps(value, ensure_ascii=False)}, source: {json.dumps(source)}, "
        "status: fitted}"
        for field, value in found.changes.items()
    ]


def _entries(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}


def _all_entries(root: Node) -> list[Node]:
    """The keys of the file, of its parts and of their fields, each with its line."""
    parts = _entries(_entries(root)["components"])
    fields = [field for part in parts.values() for field in _entries(part).values()]
    return [*_entries(root).values(), *parts.values(), *fields]


def _renamed(lines: Sequence[str], root: Node, name: str) -> list[str]:
    line = _entries(root)["name"].line
    return [f"name: {name}" if number == line else text for number, text in enumerate(lines, 1)]
