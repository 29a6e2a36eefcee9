"""The DRAM device of an engine: the same file that its memory names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import ValidationInfo

from codesign.errors import HardwareError
from codesign.hardware.dram_file import DeviceFile, find_device
from codesign.hardware.surroundings import Surroundings


def load(value: object, info: ValidationInfo) -> DeviceFile:
    """A device file as it is, or by its name or path.

    Raises:
        ValueError: there is none; the reader of the hardware file says where it was asked for.
    """
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


def numbers(file: DeviceFile) -> dict[str, Any]:
    """What the digest of the hardware covers: every number, no name and no source."""
    return {key: value for key, value in asdict(file.device).items() if key != "name"}
