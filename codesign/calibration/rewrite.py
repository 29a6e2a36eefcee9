"""Changes to the lines of a YAML file that leave everything else as it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from codesign.errors import CalibrationError
from codesign.hardware.yaml_source import Node

Changes: TypeAlias = dict[int, list[str]]
"""What comes into the place of lines, by their numbers from 1."""

_BEHIND = re.compile(
    r"""[^:]*:\s*                                        # the key
    (?: "(?:[^"\\]|\\.)*" | '(?:[^']|'')*' | .*? )       # a value of one line
    (\s+\#.*)?$""",
    re.VERBOSE,
)
"""An entry with what is said behind it."""


def edited(lines: Sequence[str], changes: Changes) -> list[str]:
    """Lines of which some are exchanged."""
    return [line for number, old in enumerate(lines, 1) for line in changes.get(number, [old])]


def new_scalars(lines: Sequence[str], root: Node, values: Mapping[str, str]) -> Changes:
    """Sets entries of the outermost map anew; what is said behind them stays.

    Args:
        lines: of the file.
        root: what they say.
        values: by key, as they are to be written. The first is there; another one that is not
            comes behind it.
    """
    entries, changes, first = _entries(root), Changes(), next(iter(values))
    for key, value in values.items():
        if key in entries:
            number = entries[key].line
            behind = _BEHIND.match(lines[number - 1])
            remark = (behind[1] or "") if behind else ""
            changes |= _replaced(lines, root, number, [f"{key}: {value}{remark}"])
        else:
            changes[entries[first].line].append(f"{key}: {value}")
    return changes


def new_fields(lines: Sequence[str], root: Node, part: str, new: Mapping[str, str]) -> Changes:
    """Sets fields of a component anew, each in its place; those that are new come behind the last.

    Comments on lines of their own stay, those behind a value on its lines go with it.

    Args:
        lines: of the file.
        root: what they say.
        part: the component.
        new: by field, the whole entry as it is to be written.

    Raises:
        CalibrationError: the component is not written in lines of its own.
    """
    node = _entries(_entries(root)["components"])[part]
    own = {field: entry.line for field, entry in _entries(node).items()}
    first = lines[min(own.values()) - 1]
    indent = first[: len(first) - len(first.lstrip())]
    is_apart = len(set(own.values())) == len(own) and node.line < min(own.values())
    if not indent or not is_apart or first.lstrip().startswith("{"):
        raise CalibrationError(
            f"engine {part!r} must stand in lines of its own, one field each; rewrite it"
        )
    changes = Changes()
    for field in new.keys() & own.keys():
        changes |= _replaced(lines, root, own[field], [indent + new[field]])
    last = _lines_of(lines, root, max(own.values()))[-1]
    changes.setdefault(last, [lines[last - 1]])
    changes[last] += [indent + entry for field, entry in new.items() if field not in own]
    return changes


def _replaced(lines: Sequence[str], root: Node, number: int, new: list[str]) -> Changes:
    """Puts lines in the place of those of the entry that begins in a line."""
    gone = _lines_of(lines, root, number)
    return {line: [] for line in gone} | {number: new}


def _lines_of(lines: Sequence[str], root: Node, number: int) -> list[int]:
    """Numbers of the lines of an entry, without those that only hold a comment."""
    starts = [*(line for line in _starts(root) if line > number), len(lines) + 1]
    return [
        line
        for line in range(number, min(starts))
        if lines[line - 1].strip() and not lines[line - 1].lstrip().startswith("#")
    ]


def _starts(root: Node) -> list[int]:
    """Lines in which entries of the file, of its components and of their fields begin."""
    parts = _entries(_entries(root)["components"])
    fields = [field for part in parts.values() for field in _entries(part).values()]
    return [node.line for node in (*_entries(root).values(), *parts.values(), *fields)]


def _entries(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}
