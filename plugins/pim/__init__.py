"""Processing in memory: units next to DRAM banks, processors in DIMMs, and the way to them."""

from __future__ import annotations

from codesign import Component, hookimpl

from .link import HostPim
from .near_bank import PimNearBank
from .upmem import PimUpmem

__all__ = ["HostPim", "PimNearBank", "PimUpmem", "codesign_components"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kinds ``pim_near_bank``, ``pim_upmem`` and ``host_pim``."""
    return [PimNearBank, PimUpmem, HostPim]
