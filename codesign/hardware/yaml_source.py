"""YAML from strangers: plain maps, lists and scalars with line numbers, and nothing that expands.

The nodes are built from parser events, so no YAML constructor, tag or alias ever runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from codesign.errors import HardwareError, did_you_mean, no_file

MAX_BYTES = 2**20
"""Largest hardware file."""
MAX_DEPTH = 16
"""Deepest nesting of maps and lists."""
MAX_NODES = 20_000
"""Most maps, lists and scalars in one file."""

Scalar: TypeAlias = bool | int | float | str | None

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_REAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file.

    Attributes:
        value: a scalar, a list of nodes, or a map from key to node.
        line: line of the value, or of its key where it has one, from 1.
        text: a scalar as it was written.
    """

    value: Scalar | list[Node] | dict[str, Node]
    line: int
    text: str = ""

    def plain(self) -> object:
        """The value without line numbers."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read_yaml(path: Path, label: str, what: str = "hardware") -> Node:
    """Reads one YAML document.

    Args:
        path: the file.
        label: what errors call it.
        what: what it describes, for the error that it is empty.

    Raises:
        HardwareError: no such file, not YAML, a duplicate key, an anchor, alias or tag, or over
            one of the limits of this module; one line with file, line and remedy.
    """
    try:
        if not path.is_file():
            raise HardwareError(f"{label}: {no_file(path)}; give a hardware file or a preset name")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise HardwareError(f"{label}: cannot be read: {error.strerror}; check the path") from error
    if len(data) > MAX_BYTES:
        raise HardwareError(
            f"{label}: must be at most {MAX_BYTES:,} bytes; remove what is not used"
        )
    return parse_yaml(data, label, what)


def parse_yaml(data: bytes, label: str, what: str = "hardware") -> Node:
    """Like ``read_yaml``, from bytes."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise HardwareError(f"{label}:{line}: not UTF-8; save the file as UTF-8") from error
    try:
        return _Builder(label, what).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise HardwareError(f"{label}:{line}: not valid YAML: {error.problem}; mend it") from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise HardwareError(f"{label}:{line}: not valid YAML: {error.reason}; mend it") from error


def read_keys(root: Node, keys: Collection[str], label: str) -> dict[str, Node]:
    """The entries of a file that is a map from some of the known keys.

    Args:
        root: the document.
        keys: all that may stand in it.
        label: what errors call the file.

    Raises:
        HardwareError: another type or key, with the line and the nearest known key.
    """
    if not isinstance(root.value, dict):
        raise HardwareError(f"{label}:1: must be a map with the keys {', '.join(keys)}")
    for key, node in root.value.items():
        if key not in keys:
            hint = did_you_mean(key[:60], keys)
            raise HardwareError(f"{label}:{node.line}: unknown key {key[:60]!r}{hint}")
    return root.value


class _Builder:
    """Turns parser events into nodes; the stack is its own, so depth cannot overflow Python's."""

    def __init__(self, label: str, what: str) -> None:
        self.label, self.what = label, what
        self.nodes = 0
        self.documents = 0
        self.open: list[tuple[Node, Node | None]] = []
        self.root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node:
        key: Node | None = None
        for event in events:
            self.check(event)
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                line = key.line if key else _line(event)
                mapping = isinstance(event, yaml.MappingStartEvent)
                self.open.append((Node({} if mapping else [], line), key))
                key = None
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                key = self.attach(*self.open.pop())
            elif isinstance(event, yaml.ScalarEvent):
                node = _scalar(event, key.line if key else _line(event))
                key = self.attach(node, key)
        if self.root is None:
            text = f"the file is empty; describe the {self.what} in it"
            raise HardwareError(f"{self.label}:1: {text}")
        return self.root

    def attach(self, node: Node, key: Node | None) -> Node | None:
        """Puts a node where it belongs; returns it if it is a key that awaits its value."""
        if not self.open:
            self.root = node
            return None
        parent = self.open[-1][0].value
        if isinstance(parent, list):
            parent.append(node)
        elif key is None:
            return self.check_key(node)
        elif isinstance(parent, dict):
            parent[key.text] = node
        return None

    def check_key(self, node: Node) -> Node:
        parent = self.open[-1][0].value
        if isinstance(node.value, (list, dict)) or not node.text.isprintable() or not node.text:
            raise HardwareError(
                f"{self.label}:{node.line}: a key must be a word; write 'word: value'"
            )
        if isinstance(parent, dict) and node.text in parent:
            raise HardwareError(
                f"{self.label}:{node.line}: duplicate key {node.text[:60]!r}, first on line "
                f"{parent[node.text].line}; remove one"
            )
        return node

    def check(self, event: yaml.Event) -> None:
        place = f"{self.label}:{_line(event)}"
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise HardwareError(f"{place}: must be one YAML document; remove the line '---'")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise HardwareError(f"{place}: anchors and aliases are not read; write the value out")
        tag = getattr(event, "tag", None)
        if tag:
            raise HardwareError(f"{place}: tags such as {tag[:60]!r} are not read; remove it")
        if isinstance(event, yaml.NodeEvent):
            self.nodes += 1
        if self.nodes > MAX_NODES:
            raise HardwareError(f"{place}: must hold at most {MAX_NODES:,} values; make it smaller")
        if len(self.open) > MAX_DEPTH:
            raise HardwareError(f"{place}: must nest at most {MAX_DEPTH} deep; flatten it")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent, line: int) -> Node:
    text = str(event.value)
    if event.style is not None:  # quoted or block text stays text
        return Node(text, line, text)
    if text in _WORDS:
        return Node(_WORDS[text], line, text)
    if _INTEGER.fullmatch(text):
        return Node(int(text), line, text)
    return Node(float(text) if _REAL.fullmatch(text) else text, line, text)
