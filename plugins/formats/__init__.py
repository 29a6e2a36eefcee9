"""Codecs of tensors, and the comparison of their sizes with published ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.validation import Validation
from codesign.workload.formats import Format

from .composites import FORMATS
from .validation import STORAGE

__all__ = ["codesign_formats", "codesign_validations"]


@hookimpl
def codesign_formats() -> Mapping[str, Format]:
    """Bit masks, coordinates, run lengths, n:m slots and code books."""
    return FORMATS


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """The family ``sparse-storage``."""
    return {"sparse-storage": STORAGE}
