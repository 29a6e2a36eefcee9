"""Devices like a GPU: matrix cores behind a shared cache, described by a few fitted constants."""

from __future__ import annotations

from codesign import Component, hookimpl

from .engine import Gpu
from .sparse import SparseTensorCore

__all__ = ["Gpu", "SparseTensorCore", "codesign_components"]


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kinds ``gpu`` and ``sparse_tensor_core``."""
    return [Gpu, SparseTensorCore]
