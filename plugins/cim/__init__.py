"""Compute-in-memory macros: digital and analog SRAM, and non-volatile cells."""

from __future__ import annotations

from collections.abc import Mapping

from codesign import Component, hookimpl
from codesign.testing.examples import Example

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
    "codesign_examples",
]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The five kinds."""
    return [CimDigitalSram, CimAnalogSram, CimNvm, CimNvmBuffered, CimNvmPhases]


@hookimpl
def codesign_examples() -> Mapping[str, Example]:
    """A macro of the kind that no preset has, with round figures."""
    return {
        "cim_nvm": Example(
            lambda: CimNvm(
                name="macro",
                buffer="sram",
                adc_time=5e-9,
                dac_energy=1e-14,
                cell_energy=2e-15,
                adc_energy=3e-12,
                shift_energy=5e-15,
                write_time=1e-7,
                write_energy=2e-12,
                clipping=True,
            )
        )
    }
