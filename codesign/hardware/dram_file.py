"""DRAM devices as data: one YAML file each, found by name, every value with source and status.

A folder that offers hardware presets offers devices in its subfolder ``dram``; a device is named
by its file. Anyone adds one by adding a file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware.dram_reader import DeviceFile, parse_device, read_device
from codesign.hardware.surroundings import Surroundings
from codesign.hardware.yaml_source import MAX_BYTES
from codesign.memory.device import Device
from codesign.plugins import registry

__all__ = [
    "DeviceFile",
    "DevicePreset",
    "find_device",
    "list_devices",
    "load_device",
    "load_device_file",
    "read_device",
]

_FOLDER = "dram"


@dataclass(frozen=True, slots=True)
class DevicePreset:
    """A device that can be loaded by name.

    Attributes:
        name: its name, which is the file name without ``.yaml``.
        description: one sentence.
        peak_bytes_per_s: of all its channels.
        capacity_bytes: of all its channels.
        path: the file.
    """

    name: str
    description: str
    peak_bytes_per_s: float
    capacity_bytes: int
    path: Path


def load_device(name_or_path: str | Path, plugins: Sequence[Path | str] = ()) -> Device:
    """Loads a device by name, or by a path that ends in ``.yaml`` or has a folder in it.

    Args:
        name_or_path: ``lpddr5-6400`` or ``parts/mine.yaml``.
        plugins: folders of plugin files that may offer folders of devices.

    Raises:
        HardwareError: no such device or file, or a file that breaks a rule; one line with the
            file, the line and the remedy.
        PluginError: a plugin that cannot be loaded.
    """
    return load_device_file(name_or_path, plugins).device


def load_device_file(name_or_path: str | Path, plugins: Sequence[Path | str] = ()) -> DeviceFile:
    """As ``load_device``, with description and provenance."""
    return find_device(name_or_path, Surroundings(presets=registry(plugins).folders()))


def find_device(name_or_path: str | Path, around: Surroundings) -> DeviceFile:
    """As ``load_device_file``, for a value of a hardware.

    Args:
        name_or_path: a path is read from the folder of the surroundings, a name is looked up in
            their presets.
        around: what surrounds the value.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or os.sep in text or text.endswith((".yaml", ".yml")):
        path = text if around.folder == Path() else os.path.join(around.folder, text)
        return _cached(Path(path), path)
    presets = _presets(around.preset_folders)
    if text not in presets:
        raise HardwareError(
            f"unknown DRAM device {text[:80]!r}{did_you_mean(text[:80], presets)}; "
            "or give the path of a .yaml file"
        )
    return _preset(presets[text])


def list_devices(plugins: Sequence[Path | str] = ()) -> tuple[DevicePreset, ...]:
    """All devices that can be loaded by name.

    Raises:
        HardwareError: a file breaks a rule, or two have one name.
        PluginError: a plugin that cannot be loaded.
    """
    found = [(path, _preset(path)) for path in _presets(registry(plugins).folders()).values()]
    return tuple(
        DevicePreset(
            file.device.name,
            file.description,
            file.device.peak_bytes_per_s,
            file.device.organisation.capacity_bytes,
            path,
        )
        for path, file in found
    )


def _presets(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / _FOLDER).glob("*.yaml")):
            if path.stem in found:
                raise HardwareError(
                    f"DRAM device {path.stem!r} is offered by both {found[path.stem]} and {path}; "
                    "rename one"
                )
            found[path.stem] = path
    return dict(sorted(found.items()))


def _preset(path: Path) -> DeviceFile:
    try:
        file = _cached(path, path.name)
    except HardwareError as error:  # which begins with the name of the file; say where that is
        raise HardwareError(f"{path.parent}{os.sep}{error}") from error
    if file.device.name != path.stem:
        raise HardwareError(
            f"{path}: name must equal the file name {path.stem!r}, got {file.device.name!r}; "
            "rename one"
        )
    return file


def _cached(path: Path, label: str) -> DeviceFile:
    """A file whose content has not changed is read once."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return read_device(path, label)
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        return read_device(path, label)  # which says what is wrong with it
    return _parsed(data, label) if len(data) <= MAX_BYTES else read_device(path, label)


@lru_cache(maxsize=64)
def _parsed(data: bytes, label: str) -> DeviceFile:
    return parse_device(data, label)
