"""Files of studies: strict YAML, every mistake told with file and line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError, HardwareError, StudyError, did_you_mean
from codesign.explore.axes import AxisError
from codesign.explore.objectives import split_prefix
from codesign.explore.study import Study
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.mistaken import other_than
from codesign.own_code import foreign_folder, foreign_function, foreign_model

KEYS = (
    "model",
    "hardware",
    "objectives",
    "model_space",
    "hardware_space",
    "schedule_space",
    "zipped",
    "conditions",
    "constraints",
    "residency",
    "engines",
    "dtype",
    "objective",
    "schedule",
    "annotations",
    "plugins",
    "most_events",
    "options",
)
"""What may stand in a file: the arguments of ``codesign.Study``; ``options`` are of the model."""
_NEEDED = KEYS[:3]
_SPACES = ("model_space", "hardware_space", "schedule_space")
_MAPS = (*_SPACES, "conditions", "options")
_LISTS = ("objectives", "zipped", "constraints", "plugins")
_RANGE = ("from", "to", "step")
MOST_VALUES = 100_000
"""Most values of a range (assumed): a text from anyone may not exhaust the memory."""


def read_study(path: str | Path, *, most_events: int | None = None) -> Study:
    """Reads a study.

    Paths in it are relative to the current folder, as on the command line. Values are a list, or
    ``{from: 64, to: 256, step: 64}`` with both ends.

    Code that it names must be the user's: a ``.pt2`` file or plugins in the current folder, or a
    function of a module that is not installed.

    Args:
        path: of the file.
        most_events: in the place of what the file says of it.

    Raises:
        StudyError: no such file, not YAML, an unknown key, code of others, or what ``Study``
            refuses; one line with file, line and remedy.
    """
    label = str(path)
    if told := other_than(path, "study"):
        raise StudyError(f"{label} is no study but seems to be {told}")
    try:
        root = read_yaml(Path(path), label, "study")
    except HardwareError as error:  # the reader is that of hardware files
        raise StudyError(
            str(error).replace("a hardware file or a preset name", "a .yaml file")
        ) from error
    given = _arguments(root, label)
    if most_events is not None:
        given["most_events"] = most_events
    try:
        return Study(**given)
    except CodesignError as error:
        line = _value_line(root, error) or _line(root, str(error))
        raise StudyError(f"{label}:{line}: {error}") from error


def _value_line(root: Node, error: CodesignError) -> int:
    """Line of the value that a fault is about; 0 for other faults."""
    if not isinstance(error, AxisError) or not isinstance(root.value, dict):
        return 0
    for key in _SPACES:
        space = root.value[key].value if key in root.value else None
        if isinstance(space, dict) and error.parameter in space:
            axis = space[error.parameter]
            return axis.value[error.place].line if isinstance(axis.value, list) else axis.line
    return 0


def _check_code(entries: Mapping[str, Node], label: str) -> None:
    """Checks that the code of a study is the user's own.

    Raises:
        StudyError: it names an installed function, or a program or plugins elsewhere.
    """
    for key, node, find in _named_code(entries):
        if told := find(node.plain()):
            raise StudyError(f"{label}:{node.line}: {key}: {told}")


def _foreign_hardware(given: object) -> str:
    """A file leads to other files of its kind only."""
    is_path = isinstance(given, str) and os.sep in given
    if not is_path or str(given).endswith((".yaml", ".yml")):
        return ""
    return f"a hardware file is called *.yaml, got {str(given)[:80]!r}; rename it"


def _named_code(
    entries: Mapping[str, Node],
) -> Iterator[tuple[str, Node, Callable[[Any], str]]]:
    if "model" in entries:
        yield "model", entries["model"], foreign_model
    if "hardware" in entries:
        yield "hardware", entries["hardware"], _foreign_hardware
    for key, find in (("objectives", _foreign_objective), ("plugins", foreign_folder)):
        found = entries[key].value if key in entries else []
        for one in found if isinstance(found, list) else []:
            yield key, one, find


def _foreign_objective(given: object) -> str:
    _, name = split_prefix(given) if isinstance(given, str) else (False, "")
    return foreign_function(name) if ":" in name else ""


def _arguments(root: Node, label: str) -> dict[str, Any]:
    entries = root.value if isinstance(root.value, dict) else {}
    for key, node in entries.items():
        place = f"{label}:{node.line}"
        if key not in KEYS:
            raise StudyError(f"{place}: unknown key {key[:60]!r}{did_you_mean(key[:60], KEYS)}")
        for keys, kind, form in ((_MAPS, dict, "a map"), (_LISTS, list, "a list")):
            if key in keys and not isinstance(node.value, kind):
                raise StudyError(f"{place}: {key} must be {form}, got {repr(node.plain())[:60]}")
    for key in _NEEDED:
        if key not in entries:
            raise StudyError(f"{label}:1: a study needs the key {key!r}; add it")
    _check_code(entries, label)
    return {key: _value(key, node, label) for key, node in entries.items()}


def _value(key: str, node: Node, label: str) -> Any:
    if key in _SPACES and isinstance(node.value, dict):
        return {name: _values(name, one, label) for name, one in node.value.items()}
    return node.plain()


def _values(name: str, node: Node, label: str) -> Any:
    """Values of a parameter; a range has both its ends."""
    if not isinstance(node.value, dict):
        return node.plain()
    parts = [node.value[key].value if key in node.value else None for key in _RANGE]
    start, stop, step = parts
    whole = all(type(part) is int for part in parts) and len(node.value) == len(_RANGE)
    if not whole or not isinstance(step, int) or step < 1:
        raise StudyError(
            f"{label}:{node.line}: {name}: must be a list, or whole numbers from, to and step, got "
            f"{repr(node.plain())[:60]}; write for example {{from: 64, to: 256, step: 64}}"
        )
    found = range(start, stop + 1, step)  # type: ignore[arg-type,operator]  # checked above
    # not len(), which stops at 2**63
    if -((found.start - found.stop) // step) > MOST_VALUES:
        raise StudyError(
            f"{label}:{node.line}: {name}: a range may have at most {MOST_VALUES:,} values, got "
            f"{repr(node.plain())[:60]}; take a larger step"
        )
    return list(found)


def _line(root: Node, message: str) -> int:
    """Line of the longest text of a file that a message quotes, or else begins with; else 1.

    What is checked does not know where it was written, and says what it is about.
    """
    told = [
        (repr(text) in message, len(text), -line)
        for text, line in _texts(root)
        if repr(text) in message or message.startswith(f"{text}:")
    ]
    return -max(told)[-1] if told else root.line


def _texts(node: Node) -> Iterator[tuple[str, int]]:
    """Every key and every text of a file, with its line."""
    if isinstance(node.value, dict):
        for key, one in node.value.items():
            yield key, one.line
            yield from _texts(one)
    elif isinstance(node.value, list):
        for one in node.value:
            yield from _texts(one)
    elif node.text:
        yield node.text, node.line
