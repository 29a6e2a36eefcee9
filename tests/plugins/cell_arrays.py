"""Cell arrays of several shapes, and machines around them."""

from __future__ import annotations

from typing import Any

from codesign_plugins.array import CellArray
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram

from codesign.hardware.component import Component
from codesign.hardware.machine import Hardware

SUMS: dict[str, Any] = {
    "holds": {"sums": "result"},
    "store_size": {"sums": 2},
    "store_shared": {"sums": "none"},
    "store_access": {"sums": 16},
    "store_read": {"sums": 1e-14},
    "store_write": {"sums": 1e-14},
}
NEAR: dict[str, Any] = {
    "holds": {"sums": "result", "near": "weight", "far": "weight"},
    "store_size": {"sums": 2, "near": 1, "far": 256},
    "store_shared": {"sums": "y", "near": "none", "far": "x y"},
    "store_access": {"sums": 16, "near": 8, "far": 64},
    "store_read": {"sums": 1e-14, "near": 1e-14, "far": 1e-13},
    "store_write": {"sums": 1e-14, "near": 1e-14, "far": 2e-13},
}
SQUARE: dict[str, Any] = {
    "axes": {"x": 8, "y": 8},
    "unroll": {"x": "columns groups", "y": "reduction"},
}
CUBE: dict[str, Any] = {
    "axes": {"x": 4, "y": 2, "z": 4},
    "unroll": {"x": "columns groups", "y": "reduction", "z": "rows"},
}
SHAPES: dict[str, dict[str, Any]] = {
    "bare": SQUARE,
    "sums": {**SQUARE, **SUMS},
    "sums, for energy": {**SQUARE, **SUMS, "objective": "energy"},
    "weights in cells": {
        **SQUARE,
        **SUMS,
        "weight_buffer": "registers",
        "weight_in_cells": True,
    },
    "levels": {**CUBE, **NEAR, "objective": "edp"},
}


def cell_array(**fields: Any) -> CellArray:
    return CellArray(name="array", buffer="sram", **{**SQUARE, **SUMS, **fields})


def machine(registers: int = 4096, own_weights: bool = True, **fields: Any) -> Hardware:
    """An array with a memory for weights in its cells beside the buffer, or without."""
    own = {"weight_buffer": "registers", "weight_in_cells": True} if own_weights else {}
    cells = Sram(
        name="registers", size=registers, bandwidth=1e12, read_energy=1e-13, write_energy=2e-13
    )
    ends = ("dram", "sram", "registers") if own_weights else ("dram", "sram")
    parts: list[Component] = [
        cell_array(**{**own, **fields}),
        Sram(name="sram", size=16384, bandwidth=64e9),
        *([cells] if own_weights else []),
        Bus(name="bus", connects=ends, bandwidth=4e9, setup=0.0),
        FlatDram(name="dram", device="toy", size=1 << 24, bandwidth=4e9, efficiency=1.0),
    ]
    return Hardware("cells", "", None, {part.name: part for part in parts})
