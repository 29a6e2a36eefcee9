"""Reads a DRAM device file strictly: every mistake with its line, every value with its origin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import HardwareError, no_file
from codesign.hardware.dram_sections import ABSENT, SECTIONS, build_device, defaults
from codesign.hardware.provenance import Leaf, Provenance, read_field
from codesign.hardware.refusals import Lines
from codesign.hardware.yaml_source import Node, parse_yaml, read_keys, read_yaml
from codesign.memory.device import Device

_KEYS = ("name", "description", *SECTIONS)


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A device and where its numbers come from.

    Attributes:
        device: checked.
        description: one sentence.
        provenance: origin of every value; the component is the name of the device, the field is
            ``timings.trp`` or ``rails.vdd.idd0``.
    """

    device: Device
    description: str
    provenance: tuple[Provenance, ...]


def read_device(path: Path, label: str) -> DeviceFile:
    """Reads one device file, and checks the device.

    Args:
        path: the file.
        label: what errors call it.

    Raises:
        HardwareError: see ``load_device``.
    """
    with suppress(OSError):  # of a path that cannot be looked at, the next reader says why
        if not path.is_file():
            text = f"{no_file(path)}; give a device file or the name of a device"
            raise HardwareError(f"{label}: {text}")
    return _build(read_yaml(path, label, "device"), label)


def parse_device(data: bytes, label: str) -> DeviceFile:
    """Like ``read_device``, from bytes."""
    return _build(parse_yaml(data, label, "device"), label)


def _build(document: Node, label: str) -> DeviceFile:
    root = _root(document, label)
    name = _text(root["name"], "name", label)
    values: dict[str, object] = {}
    leaves: list[Leaf] = []

    def refuse(node: Node, path: tuple[str, ...]) -> tuple[float, Provenance]:
        place = f"{label}:{node.line}: {'.'.join(path)}"
        raise HardwareError(f"{place}: the energy tables know no DRAM; write the value itself")

    for section in SECTIONS:
        values[section], found = read_field(root[section], name, section, label, refuse)
        leaves += found
    places = {(section,): root[section].line for section in SECTIONS}
    lines = Lines(label, root["name"].line, places | {leaf.path: leaf.line for leaf in leaves})
    device = build_device(name, values, lines)
    try:
        device.check()
    except HardwareError as error:
        raise HardwareError(f"{lines.place(_culprit(str(error), lines))}{error}") from error
    origins = [leaf.origin for leaf in leaves]
    description = _text(root["description"], "description", label)
    return DeviceFile(device, description, (*origins, *_left_out(device, origins)))


def _left_out(device: Device, given: Iterable[Provenance]) -> Iterable[Provenance]:
    """Origins of the values that the file leaves out: no number comes from nowhere."""
    fields = {row.field for row in given}
    for field, value in defaults(device).items():
        if field not in fields and field.rpartition(".")[2] not in ABSENT:
            source = "default of the device model"
            yield Provenance(device.name, field, str(value), source, "assumed")


def _culprit(message: str, lines: Lines) -> tuple[str, ...]:
    """The value of the file, or else the section, that the message of a check names first."""
    for path in sorted(lines.lines, key=len, reverse=True):
        name = ".".join(path[-2:]).removeprefix("command_")
        if re.search(rf"\b{re.escape(name)}\b", message.partition(": ")[2]):
            return path
    return ()


def _root(root: Node, label: str) -> dict[str, Node]:
    entries = read_keys(root, _KEYS, label)
    for key in _KEYS:
        if key not in entries:
            raise HardwareError(f"{label}:1: section {key!r} is missing; add it")
    return entries


def _text(node: Node, key: str, label: str) -> str:
    if not isinstance(node.value, str) or not node.value.isprintable() or not node.value:
        raise HardwareError(f"{label}:{node.line}: {key} must be a line of text; put it in quotes")
    return node.value
