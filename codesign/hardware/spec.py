"""Hardware files: presets by name, others by path, read strictly and checked before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codesign.errors import CodesignError, HardwareError, did_you_mean, no_file
from codesign.hardware.brought import with_brought
from codesign.hardware.build import build_component
from codesign.hardware.component import Component
from codesign.hardware.graph import find_fault
from codesign.hardware.machine import Hardware
from codesign.hardware.provenance import Leaf
from codesign.hardware.surroundings import Surroundings
from codesign.hardware.yaml_source import Node, read_keys, read_yaml
from codesign.mistaken import other_than
from codesign.plugins import Registry, registry
from codesign.workload.dtype import DType

__all__ = ["Hardware", "Preset", "list_hardware", "load_hardware", "read_hardware"]

_REQUIRED = ("name", "components")
_KEYS = ("name", "description", "precision", "components")


@dataclass(frozen=True, slots=True)
class Preset:
    """A hardware file that can be loaded by name.

    Attributes:
        name: its name, which is the file name without ``.yaml``.
        description: one sentence.
        path: the file.
    """

    name: str
    description: str
    path: Path


def load_hardware(name_or_path: str | Path, *, plugins: Sequence[Path | str] = ()) -> Hardware:
    """Loads a preset by name, or a file by a path that ends in ``.yaml`` or has a folder in it.

    Args:
        name_or_path: ``edge-npu`` or ``boards/mine.yaml``.
        plugins: folders of plugin files that may offer kinds and presets.

    Raises:
        HardwareError: no such preset or file, or a file that breaks a rule; one line with the
            file, the line and the remedy.
        PluginError: a plugin that cannot be loaded.
    """
    offers = registry(plugins)
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or os.sep in text or text.endswith((".yaml", ".yml")):
        _check_is_hardware(text)
        return read_hardware(Path(text), offers.components(), text, _surroundings(offers))
    presets = _presets(offers)
    if text not in presets:
        _check_is_hardware(text)
        raise HardwareError(
            f"unknown hardware {text[:80]!r}{did_you_mean(text[:80], presets)}; "
            f"or give the path of a .yaml file{offers.lost()}"
        )
    return _preset(presets[text], offers)


def _check_is_hardware(path: str) -> None:
    """Refuses a folder, and what seems to be the file of something else."""
    way = "give a hardware file or a preset name"
    if told := other_than(path, "hardware file"):
        raise HardwareError(f"{path} is no hardware file but seems to be {told}; {way}")
    if os.path.isdir(path):
        raise HardwareError(f"{path}: {no_file(path)}; {way}")


def list_hardware(plugins: Sequence[Path | str] = ()) -> tuple[Preset, ...]:
    """All presets by name.

    Raises:
        HardwareError: a preset file breaks a rule, or two have one name.
        PluginError: a plugin that cannot be loaded.
    """
    offers = registry(plugins)
    found = [(path, _preset(path, offers)) for path in _presets(offers).values()]
    return tuple(Preset(machine.name, machine.description, path) for path, machine in found)


def read_hardware(
    path: Path,
    kinds: Mapping[str, type[Component]],
    label: str,
    around: Surroundings | None = None,
) -> Hardware:
    """Reads one hardware file.

    Args:
        path: the file.
        kinds: component classes by kind.
        label: what errors call the file.
        around: presets and tables that its values may refer to; the installed ones by default.

    Raises:
        HardwareError: see ``load_hardware``.
    """
    around = around or Surroundings()
    beside = replace(around, folder=path.parent)
    root = _root(read_yaml(path, label), label)
    parts = root["components"]
    if not isinstance(parts.value, dict):
        raise HardwareError(
            f"{label}:{parts.line}: components must be a map from name to component"
        )
    components: dict[str, Component] = {}
    leaves: list[Leaf] = []
    for name, node in parts.value.items():
        components[name], found = build_component(name, node, kinds, label, beside)
        leaves += found
    _check_graph(with_brought(components), parts, leaves, label)
    return Hardware(
        _text(root["name"], "name", label),
        _text(root["description"], "description", label) if "description" in root else "",
        _precision(root["precision"], label) if "precision" in root else None,
        components,
        tuple(leaf.origin for leaf in leaves),
        around,
    )


def _presets(offers: Registry) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in offers.folders():
        for path in sorted(folder.glob("*.yaml")):
            if path.stem in found:
                raise HardwareError(
                    f"hardware {path.stem!r} is offered by both {found[path.stem]} and {path}; "
                    "rename one"
                )
            found[path.stem] = path
    return dict(sorted(found.items()))


def _preset(path: Path, offers: Registry) -> Hardware:
    machine = read_hardware(path, offers.components(), path.name, _surroundings(offers))
    if machine.name != path.stem:
        raise HardwareError(
            f"{path.name}: name must equal the file name {path.stem!r}, got {machine.name!r}; "
            "rename one"
        )
    return machine


def _surroundings(offers: Registry) -> Surroundings:
    return Surroundings(
        presets=offers.folders(),
        lost=offers.lost(),
        own=offers.own_kinds(),
        tables=offers.tables(),
    )


def _root(root: Node, label: str) -> dict[str, Node]:
    entries = read_keys(root, _KEYS, label)
    for key in _REQUIRED:
        if key not in entries:
            raise HardwareError(f"{label}:1: key {key!r} is missing; add it")
    return entries


def _text(node: Node, key: str, label: str) -> str:
    if not isinstance(node.value, str) or not node.value.isprintable():
        raise HardwareError(f"{label}:{node.line}: {key} must be a line of text; put it in quotes")
    return node.value


def _precision(node: Node, label: str) -> DType:
    name = _text(node, "precision", label)[:60]
    try:
        return DType.parse(name)
    except CodesignError as error:
        raise HardwareError(f"{label}:{node.line}: precision: {error}") from error


def _check_graph(
    components: Mapping[str, Component], parts: Node, leaves: Sequence[Leaf], label: str
) -> None:
    fault = find_fault(components)
    if fault is None:
        return
    place, rule = fault
    lines = {f"{leaf.origin.component}.{leaf.origin.field}": leaf.line for leaf in leaves}
    if isinstance(parts.value, dict):
        lines |= {name: node.line for name, node in parts.value.items()}
    raise HardwareError(f"{label}:{lines.get(place, parts.line)}: {place} {rule}")
