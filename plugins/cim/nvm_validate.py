"""Validation: compute-in-memory in non-volatile cells, beside a simulator and a chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.validation import Validation

from .nvm_mnsim import MNSIM
from .nvm_neurram import NEURRAM

__all__ = ["codesign_validations"]


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """A network on an RRAM chip as MNSIM 2.0 describes it, and the chip NeuRRAM."""
    return {"cim-nvm-mnsim": MNSIM, "cim-nvm-neurram": NEURRAM}
