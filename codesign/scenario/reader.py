"""Strict reading of YAML nodes: known keys, right types, and the line of every mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from codesign.errors import CodesignError, ScenarioError, did_you_mean
from codesign.hardware.yaml_source import Node
from codesign.mapping.residency import POLICIES
from codesign.scenario.checks import FieldError
from codesign.units import parse_quantity

Scalar = Callable[[Node], Any]
"""Reads one value, or raises a CodesignError without its place."""
Made = TypeVar("Made")


class _EntryError(ScenarioError):
    """A mistake in an entry of a list, on a line of its own."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


class Reader:
    """Reads the nodes of one file.

    Args:
        label: what errors call the file.
    """

    def __init__(self, label: str) -> None:
        self.label = label

    def error(self, line: int, text: str) -> ScenarioError:
        """A mistake on a line."""
        return ScenarioError(f"{self.place(line)}: {text}")

    def place(self, line: int) -> str:
        """The file and a line of it, as in every error."""
        return f"{self.label}:{line}"

    def entries(self, node: Node, what: str) -> dict[str, Node]:
        """The entries of a map."""
        if not isinstance(node.value, dict):
            raise self.error(node.line, f"{what} must be a map; write 'key: value' lines")
        return node.value

    def values(
        self, node: Node, what: str, known: Mapping[str, Scalar], needed: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The entries of a map, each read by its rule.

        Args:
            node: the map.
            what: what errors call it.
            known: how to read each key that there may be.
            needed: keys that there must be.
        """
        entries = self.entries(node, what)
        for key, entry in entries.items():
            if key not in known:
                hint = did_you_mean(key[:60], known)
                raise self.error(entry.line, f"unknown key {key[:60]!r} of {what}{hint}")
        for key in needed:
            if key not in entries:
                raise self.error(node.line, f"{what} needs the key {key!r}; add it")
        return {key: self.value(key, entry, known[key]) for key, entry in entries.items()}

    def value(self, key: str, node: Node, read: Scalar) -> Any:
        """What stands behind a key, read by its rule."""
        try:
            return read(node)
        except CodesignError as error:
            line = error.line if isinstance(error, _EntryError) else node.line
            raise self.error(line, f"{key}: {error}") from error

    def make(
        self,
        cls: Callable[..., Made],
        node: Node,
        values: Mapping[str, Any],
        keys: Mapping[str, str] | None = None,
    ) -> Made:
        """Builds an object that checks its values itself; an error gets the line of its value.

        Args:
            cls: what to build.
            node: the map that the values come from.
            values: they, by field.
            keys: keys of the map whose fields have other names, by field.
        """
        try:
            return cls(**values)
        except FieldError as error:
            key = (keys or {}).get(error.field, error.field)
            raise self.error(line_of(node, (key,)), str(error)) from error
        except CodesignError as error:
            raise self.error(node.line, str(error)) from error


def line_of(node: Node, keys: Iterable[str], word: str = "") -> int:
    """The line of what keys lead to, or of the last of them that is there.

    Args:
        node: where to begin.
        keys: keys of maps, from the outside in.
        word: a scalar to look for below that, but for the kind; the first counts.
    """
    for key in keys:
        if not isinstance(node.value, dict) or key not in node.value:
            return node.line
        node = node.value[key]
    found = next((one.line for one in _scalars(node) if word and one.text == word), None)
    return node.line if found is None else found


def _scalars(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        for key, entry in node.value.items():
            if key != "kind":
                yield from _scalars(entry)
    elif isinstance(node.value, list):
        for entry in node.value:
            yield from _scalars(entry)
    else:
        yield node


def quantity(unit: str) -> Scalar:
    """Reads a number in a unit of ``codesign.units``."""
    return lambda node: parse_quantity(node.plain(), unit)


def whole(node: Node) -> int:
    """Reads a whole number."""
    if not isinstance(node.value, int) or isinstance(node.value, bool):
        digits = node.text.lstrip("+-")
        if digits.isdecimal() and not isinstance(node.value, str):
            raise ScenarioError(
                f"must be a whole number of at most 18 digits, got {len(digits)} of them; lower it"
            )
        raise ScenarioError(f"must be a whole number, got {_got(node)}; write it in digits")
    return node.value


def policy(node: Node) -> str:
    """Reads the name of a residency policy."""
    if node.value not in POLICIES:
        hint = did_you_mean(node.text[:60], POLICIES)
        raise ScenarioError(f"unknown policy {_got(node)}{hint}")
    return text(node)


def whole_bytes(node: Node) -> int:
    """Reads a whole number of bytes."""
    size = parse_quantity(node.plain(), "B")
    if size != int(size):
        raise ScenarioError(f"must be whole bytes, got {_got(node)}; round it")
    return int(size)


def text(node: Node) -> str:
    """Reads a line of text."""
    if not isinstance(node.value, str) or not node.value.isprintable():
        raise ScenarioError(f"must be a line of text, got {_got(node)}; put it in quotes")
    return node.value


def switch(node: Node) -> bool:
    """Reads true or false."""
    if not isinstance(node.value, bool):
        raise ScenarioError(f"must be true or false, got {_got(node)}; choose one")
    return node.value


def texts(node: Node) -> tuple[str, ...]:
    """Reads a list of lines of text."""
    if not isinstance(node.value, list):
        raise ScenarioError(f"must be a list, got {_got(node)}; write [first, second]")
    return tuple(_entry(item) for item in node.value)


def _entry(node: Node) -> str:
    try:
        return text(node)
    except ScenarioError as error:
        raise _EntryError(str(error), node.line) from error


def declared(node: Node) -> object:
    """Reads annotations by pattern of operator names; what they say is checked where they go."""
    if not isinstance(node.value, dict):
        raise ScenarioError(
            f"must be a map by operator name, got {_got(node)}; write for example "
            '{"encoder.*": {weight_bits: 4}}'
        )
    return node.plain()


def as_is(node: Node) -> Node:
    """Leaves a value to a rule of its own."""
    return node


def _got(node: Node) -> str:
    return repr(node.plain())[:60]
