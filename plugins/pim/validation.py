"""Validation: processing in memory beside two simulators and published energies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.validation import Validation

from .validation_aim import RUNS
from .validation_hbm import PROGRAMS, STREAMS
from .validation_places import ENERGIES

__all__ = ["codesign_validations"]


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """Programs of HBM-PIM and the stream they compete with, AiM, and energy by place."""
    return {
        "pim-hbm": PROGRAMS,
        "pim-host": STREAMS,
        "pim-aim": RUNS,
        "pim-energy": ENERGIES,
    }
