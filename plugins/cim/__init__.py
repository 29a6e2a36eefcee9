"""Compute-in-memory macros: digital and analog SRAM, and non-volatile cells."""

from __future__ import annotations

from codesign import Component, hookimpl

from .analog import CimAnalogSram
from .digital import CimDigitalSram
from .nvm import CimNvm
from .nvm_buffered_engine import CimNvmBuffered
from .nvm_phase_engine import CimNvmPhases

__all__ = [
    "CimAnalogSram",
    "CimDigitalSram",
    "CimNvm",
    "CimNvmBuffered",
    "CimNvmPhases",
    "codesign_components",
]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The five kinds."""
    return [CimDigitalSram, CimAnalogSram, CimNvm, CimNvmBuffered, CimNvmPhases]
