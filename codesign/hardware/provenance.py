"""Where a number comes from: ``{value, source, status, note}`` around any value of a file.

In the place of a number may stand ``{estimate: {...}}``, a question to the energy tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeAlias

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware.yaml_source import Node

STATUSES = ("standard", "datasheet", "published", "fitted", "assumed")
"""How far a number can be trusted: from a standard's table, a datasheet, a paper or public tool,
a fit to measurements, or somebody's judgement."""
_KEYS = ("value", "source", "status", "note")
_NUMBER = re.compile(r"[-+.]?[0-9]")


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of one value.

    Attributes:
        component: name of the component.
        field: its field, with ``.key`` behind it for an entry of a table.
        value: as written.
        source: where it is from; the file itself if it gives none.
        status: one of ``STATUSES``.
        note: remark in the file, or what was done to the rows of an estimate.
        flags: of an estimate, in short: ``interpolated``, ``extrapolated``, ``scaled``,
            ``composed``.
    """

    component: str
    field: str
    value: str
    source: str
    status: str
    note: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value with its place and origin.

    Attributes:
        path: field, and key in a table.
        line: line in the file.
        origin: its provenance.
    """

    path: tuple[str, ...]
    line: int
    origin: Provenance


Resolve: TypeAlias = Callable[[Node, tuple[str, ...]], tuple[float, Provenance]]
"""Answers the question of an ``estimate`` at a path: the number, and its origin."""


def read_field(
    node: Node, component: str, field: str, label: str, resolve: Resolve
) -> tuple[object, list[Leaf]]:
    """Takes the provenance off a field.

    Args:
        node: the field's value: plain, or ``{value, source, status, note}``; a table may have that
            around the whole and around any entry, and the inner one holds.
        component: name of the component.
        field: name of the field.
        label: what errors call the file.
        resolve: answers estimates.

    Returns:
        The plain value, and one leaf for each scalar or list in it.

    Raises:
        HardwareError: a key of the provenance is missing, unknown or no text, or an estimate that
            breaks a rule.
    """
    reader = _Reader(label, resolve)
    origin = Provenance(component, field, "", label, "assumed")
    return reader.read(node, (field,), origin), reader.leaves


class _Reader:
    """Reads one field, and collects its leaves."""

    def __init__(self, label: str, resolve: Resolve) -> None:
        self.label, self.resolve = label, resolve
        self.leaves: list[Leaf] = []

    def read(self, node: Node, path: tuple[str, ...], origin: Provenance) -> object:
        value = node.value
        if isinstance(value, dict) and "value" in value:
            inner = value["value"]
            origin = _origin(node, path, origin, self.label)
            if isinstance(inner.value, dict) and _is_estimate(inner.value):
                place = f"{self.label}:{node.line}: {_name(origin, path)}"
                raise HardwareError(
                    f"{place}: an estimate brings its own source and status; write "
                    "{estimate: ...} alone"
                )
            return self.read(inner, path, origin)
        if isinstance(value, dict) and _is_estimate(value):
            _check_alone(value, f"{self.label}:{node.line}: {_name(origin, path)}")
            number, found = self.resolve(value["estimate"], path)
            self.leaves.append(Leaf(path, node.line, found))
            return number
        if isinstance(value, dict):
            _check_words(value, self.label, _name(origin, path))
            return {key: self.read(entry, (*path, key), origin) for key, entry in value.items()}
        written = replace(origin, field=".".join(path), value=", ".join(_words(node)))
        self.leaves.append(Leaf(path, node.line, written))
        return node.plain()


def _name(origin: Provenance, path: tuple[str, ...]) -> str:
    return f"{origin.component}.{'.'.join(path)}"


def _is_estimate(entries: dict[str, Node]) -> bool:
    """An entry of a table may be called ``estimate`` too, but then it is a number."""
    if "estimate" not in entries:
        return False
    asked = entries["estimate"]
    is_entry = isinstance(asked.value, dict) and "value" in asked.value
    return not is_entry and not _NUMBER.match(asked.text)


def _check_alone(entries: dict[str, Node], place: str) -> None:
    others = [key for key in entries if key != "estimate"]
    if others:
        raise HardwareError(
            f"{place} has {others[0][:60]!r} beside an estimate, which brings its own source and "
            "status; remove it, or write it within the braces of the estimate"
        )


def _check_words(entries: dict[str, Node], label: str, name: str) -> None:
    """Refuses a table that was meant as a value with its origin, or as an estimate."""
    told = entries["status"].text if "status" in entries else ""
    for key, entry in entries.items():
        is_question = isinstance(entry.value, dict) and "component" in entry.value
        if (told in STATUSES and key not in _KEYS) or (is_question and _is_near(key, "estimate")):
            hint = did_you_mean(key[:60], ("estimate",) if is_question else _KEYS)
            raise HardwareError(f"{label}:{entry.line}: {name}: unknown key {key[:60]!r}{hint}")


def _is_near(word: str, known: str) -> bool:
    return bool(get_close_matches(word, (known,), n=1))


def _words(node: Node) -> Iterator[str]:
    if isinstance(node.value, list):
        for item in node.value:
            yield from _words(item)
    else:
        yield str(node.value) if isinstance(node.value, dict) else node.text


def _origin(node: Node, path: tuple[str, ...], outer: Provenance, label: str) -> Provenance:
    entries = node.value
    place = f"{label}:{node.line}: {_name(outer, path)}"
    if not isinstance(entries, dict):
        raise HardwareError(f"{place} must be a map with the keys {', '.join(_KEYS)}")
    for key, entry in entries.items():
        if key not in _KEYS:
            raise HardwareError(
                f"{label}:{entry.line}: {_name(outer, path)} has the unknown key {key[:60]!r}"
                f"{did_you_mean(key[:60], _KEYS)}"
            )
        if key != "value" and not (isinstance(entry.value, str) and entry.text.isprintable()):
            raise HardwareError(f"{place}: {key} must be a line of text; put it in quotes")
    for key in ("source", "status"):
        if key not in entries:
            raise HardwareError(
                f"{place} has a value without {key}; add it, or write the value only"
            )
    source, status = entries["source"].text, entries["status"].text
    if status not in STATUSES:
        raise HardwareError(
            f"{place}: unknown status {status[:60]!r}{did_you_mean(status[:60], STATUSES)}"
        )
    note = entries["note"].text if "note" in entries else ""
    return Provenance(outer.component, outer.field, "", source, status, note)
