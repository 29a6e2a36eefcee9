"""Engines that skip the zeros of their operands, and what they wait for."""

from __future__ import annotations

from codesign import Component, hookimpl

from .array import SparseArray
from .outer import DualSideSparse

__all__ = ["DualSideSparse", "SparseArray", "codesign_components"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kinds ``sparse_array`` and ``dual_side_sparse``."""
    return [SparseArray, DualSideSparse]
