"""Where a number comes from: ``{value, source, status, note}`` around any value of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware.yaml_source import Node

STATUSES = ("standard", "datasheet", "published", "fitted", "assumed")
"""How far a number can be trusted: from a standard's table, a datasheet, a paper or public tool,
a fit to measurements, or somebody's judgement."""
_KEYS = ("value", "source", "status", "note")


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of one value.

    Attributes:
        component: name of the component.
        field: its field, with ``.key`` behind it for an entry of a table.
        value: as written.
        source: where it is from; the file itself if it gives none.
        status: one of ``STATUSES``.
        note: remark in the file.
    """

    component: str
    field: str
    value: str
    source: str
    status: str
    note: str = ""


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


def read_field(node: Node, component: str, field: str, label: str) -> tuple[object, list[Leaf]]:
    """Takes the provenance off a field.

    Args:
        node: the field's value: plain, or ``{value, source, status, note}``; a table may have that
            around the whole and around any entry, and the inner one holds.
        component: name of the component.
        field: name of the field.
        label: what errors call the file.

    Returns:
        The plain value, and one leaf for each scalar or list in it.

    Raises:
        HardwareError: a key of the provenance is missing, unknown or no text.
    """
    leaves: list[Leaf] = []
    origin = Provenance(component, field, "", label, "assumed")
    return _read(node, (field,), origin, label, leaves), leaves


def _read(
    node: Node, path: tuple[str, ...], origin: Provenance, label: str, leaves: list[Leaf]
) -> object:
    value = node.value
    if isinstance(value, dict) and "value" in value:
        return _read(value["value"], path, _origin(node, path, origin, label), label, leaves)
    if isinstance(value, dict):
        return {k: _read(v, (*path, k), origin, label, leaves) for k, v in value.items()}
    text = ", ".join(_words(node))
    written = Provenance(
        origin.component, ".".join(path), text, origin.source, origin.status, origin.note
    )
    leaves.append(Leaf(path, node.line, written))
    return node.plain()


def _words(node: Node) -> Iterator[str]:
    if isinstance(node.value, list):
        for item in node.value:
            yield from _words(item)
    else:
        yield str(node.value) if isinstance(node.value, dict) else node.text


def _origin(node: Node, path: tuple[str, ...], outer: Provenance, label: str) -> Provenance:
    entries = node.value
    place = f"{label}:{node.line}: {outer.component}.{'.'.join(path)}"
    if not isinstance(entries, dict):
        raise HardwareError(f"{place} must be a map with the keys {', '.join(_KEYS)}")
    for key, entry in entries.items():
        if key not in _KEYS:
            raise HardwareError(
                f"{place} has the unknown key {key[:60]!r}{did_you_mean(key, _KEYS)}"
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
