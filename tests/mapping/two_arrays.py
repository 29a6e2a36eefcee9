"""Hardware with several arrays, each with a buffer of its own, before one memory."""

from __future__ import annotations

from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector

from codesign.hardware.component import Component
from codesign.hardware.spec import Hardware

KIB = 1024


def arrays(*rows: int, bandwidth: float = 25e9) -> Hardware:
    """An array of 16 columns and so many rows, and a vector unit, on each of several buffers."""
    parts: list[Component] = []
    for n, size in enumerate(rows):
        sram = f"sram{n}"
        parts += [
            Systolic(name=f"npu{n}", buffer=sram, rows=size, cols=16),
            Vector(name=f"vector{n}", buffer=sram),
            Sram(name=sram, size=64 * KIB, bandwidth=64e9),
            Bus(name=f"bus{n}", connects=("dram", sram), bandwidth=16e9, setup=2e-8),
        ]
    dram = FlatDram(name="dram", device="toy", size=1 << 30, bandwidth=bandwidth, efficiency=1.0)
    return Hardware("arrays", "", None, {part.name: part for part in (*parts, dram)})
