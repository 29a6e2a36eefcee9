"""The type of a field that names a DRAM device: a memory's, or that of units next to its banks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from codesign.errors import HardwareError
from codesign.hardware.dram_file import DeviceFile, find_device
from codesign.hardware.surroundings import Surroundings


def _load(value: object, info: ValidationInfo) -> DeviceFile:
    """A device file as it is, or by its name or path."""
    if isinstance(value, DeviceFile):
        return value
    if not isinstance(value, str):
        raise ValueError(
            f"must be the name or path of a DRAM device, got {value!r}; known: codesign memory list"
        )
    try:
        return find_device(value, Surroundings.of(info))
    except HardwareError as error:
        raise ValueError(str(error)) from error


def _numbers(file: DeviceFile) -> dict[str, Any]:
    """What the digest of the hardware covers: every number, no name and no source."""
    return {key: value for key, value in asdict(file.device).items() if key != "name"}


DramDevice = Annotated[DeviceFile, PlainValidator(_load), PlainSerializer(_numbers)]
"""A device file, given by its name or its path: ``lpddr5-6400``."""
