"""What the tile search needs to know of an array: cycles, room and joules of its tiles."""

from __future__ import annotations

import numpy as np

from codesign.mapping.tiling import Array, ArrayModel, Sizes

from .folds import Folds
from .layout import one
from .ports import Ports


def find_model(folds: Folds, ports: Ports) -> ArrayModel:
    """The array as the tile search sees it.

    Args:
        folds: of an operator on the array.
        ports: of the same operator, with what it is granted.
    """
    engine, layout = ports.engine, ports.layout

    def paced(sizes: Sizes) -> Array:
        """Cycles of a tile at the pace of the slowest: the array or one of its ports."""
        cycles = folds.cycles(sizes) + engine.tile_overhead
        for limit in ports.cycles(sizes).values():
            cycles = np.maximum(cycles, limit)
        return cycles

    whole = one(ports.op.gemm)
    return ArrayModel(
        paced,
        layout.fits,
        engine.clock,
        layout.grain,
        folds.ends(whole, whole).cycles,
        layout.overflow,
        ports.joules,
    )
