"""Systolic arrays: weight-, output- and input-stationary, to the cycle."""

from __future__ import annotations

from codesign import Component, hookimpl

from .engine import Systolic

__all__ = ["Systolic", "codesign_components"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``systolic``."""
    return [Systolic]
