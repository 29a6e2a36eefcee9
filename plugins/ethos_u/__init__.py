"""Arm Ethos-U class NPUs: small MAC engines that work out of a shared SRAM, block by block."""

from __future__ import annotations

from codesign import Component, hookimpl

from .engine import EthosU

__all__ = ["EthosU", "codesign_components"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``ethos_u``."""
    return [EthosU]
