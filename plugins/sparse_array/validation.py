"""Validation: skipping zeros beside published chips, a cycle simulator and exact statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.validation import Validation

from .validation_dstc import PAIRS
from .validation_eyeriss import LAYERS
from .validation_lanes import FACTORS
from .validation_sigma import PRODUCTS

__all__ = ["codesign_validations"]


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """Pairs of densities, layers of a sparse PE, imbalance of lanes, a flexible array."""
    return {
        "dstc": PAIRS,
        "eyeriss-v2": LAYERS,
        "lane-imbalance": FACTORS,
        "sigma-like": PRODUCTS,
    }
