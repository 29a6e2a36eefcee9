"""Processing in memory: units next to DRAM banks, processors in DIMMs, and the way to them."""

from __future__ import annotations

from collections.abc import Mapping

from codesign import Component, hookimpl
from codesign.testing.examples import Example

from .link import HostPim
from .near_bank import PimNearBank
from .upmem import PimUpmem

__all__ = ["HostPim", "PimNearBank", "PimUpmem", "codesign_components", "codesign_examples"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kinds ``pim_near_bank``, ``pim_upmem`` and ``host_pim``."""
    return [PimNearBank, PimUpmem, HostPim]


@hookimpl
def codesign_examples() -> Mapping[str, Example]:
    """Few units: each of them has a copy of what all of them read, which has to fit."""
    return {
        "pim_upmem": Example(
            lambda: PimUpmem(name="pim", buffer="mram", units=8, mac_instructions={"int8*int8": 8})
        )
    }
