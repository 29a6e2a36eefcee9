"""Files of studies: strict YAML, every mistake told with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError, HardwareError, StudyError, did_you_mean
from codesign.explore.study import Study
from codesign.hardware.yaml_source import Node, read_yaml

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
    "options",
)
"""What may stand in a file: the arguments of ``codesign.Study``; ``options`` are of the model."""
_NEEDED = KEYS[:3]
_MAPS = ("model_space", "hardware_space", "schedule_space", "conditions", "options")
_LISTS = ("objectives", "zipped", "constraints", "plugins")
_RANGE = ("from", "to", "step")


def read_study(path: str | Path) -> Study:
    """Reads a study.

    Paths in it are relative to the current folder, as on the command line. Values are a list, or
    ``{from: 64, to: 256, step: 64}`` with both ends.

    Raises:
        StudyError: no such file, not YAML, an unknown key, or what ``Study`` refuses; one line with
            file, line and remedy.
    """
    label = str(path)
    try:
        root = read_yaml(Path(path), label, "study")
    except HardwareError as error:  # the reader is that of hardware files
        raise StudyError(
            str(error).replace("a hardware file or a preset name", "a .yaml file")
        ) from error
    given = _arguments(root, label)
    options = given.pop("options", {})
    try:
        return Study(**given, **options)
    except CodesignError as error:
        raise StudyError(f"{label}:{_line(root, str(error))}: {error}") from error


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
    return {key: _value(key, node, label) for key, node in entries.items()}


def _value(key: str, node: Node, label: str) -> Any:
    if key.endswith("_space") and isinstance(node.value, dict):
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
    return list(range(start, stop + 1, step))  # type: ignore[arg-type,operator]  # checked above


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
