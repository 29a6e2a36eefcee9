"""Many macro designs on one operator in one call: a closed form, no mapping search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign import Op

from .layout import Pack, RowSplit, cut_weights
from .physics import Array, Physics


@dataclass(frozen=True, kw_only=True)
class Designs:
    """What each design takes for one operator; arrays of one entry per design.

    Attributes:
        cycles: macro cycles, tiles on different macros at the same time.
        seconds: these cycles; weights are there, inputs come as fast as they are taken.
        joules: of all macros.
        area_m2: of all macros.
        utilization: share of all cells that hold a weight in use, over all products and macros.
    """

    cycles: NDArray[np.int64]
    seconds: NDArray[np.float64]
    joules: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    utilization: NDArray[np.float64]


def evaluate(
    op: Op,
    physics: Physics,
    macros: Array = 1,
    row_split: RowSplit = "linear",
    pack: Pack = "group",
) -> Designs:
    """Cycles, seconds, joules and area of an operator on macros of many designs.

    Args:
        op: a contraction.
        physics: of one macro; its fields are arrays over the designs, or the same for all.
        macros: that work side by side, of each design.
        row_split: how rows are cut, as ``lay`` takes it.
        pack: what shares a macro, as ``lay`` takes it.

    Raises:
        HardwareError: an operand is wider than a macro.
    """
    widths = [access.tensor.dtype.bits for access in op.inputs[:2]]
    prices = physics.prices()
    fields = (physics.rows, physics.columns, physics.clock_s, *prices.values())
    known = (*fields, *physics.counts(1, 1, *widths).values())
    shape = np.broadcast_shapes(*map(np.shape, known))
    sizes = np.broadcast_to(np.stack(np.broadcast_arrays(*fields[:2]), axis=-1), (*shape, 2))
    tiles, rows, columns, pixels = _tiles(op, sizes, row_split, pack)
    counts = physics.counts(rows, columns, *widths)
    joules = sum((count * prices[action] for action, count in counts.items()), 0.0)
    turns = -(-tiles.sum(axis=0) // np.asarray(macros))
    cycles = pixels * turns * physics.passes(widths[0])
    cells = turns * pixels * macros * physics.rows * physics.columns
    whole = np.broadcast_arrays(
        cycles,
        cycles * physics.clock_s,
        pixels * (tiles * joules).sum(axis=0),
        macros * sum(physics.area().values(), 0.0),
        op.macs / cells,
    )
    return Designs(
        cycles=whole[0].astype(np.int64),
        seconds=whole[1],
        joules=whole[2],
        area_m2=whole[3],
        utilization=whole[4],
    )


def _tiles(
    op: Op, sizes: NDArray[Any], row_split: RowSplit, pack: Pack
) -> tuple[NDArray[np.int64], ...]:
    """Counts, rows and columns of alike tiles ``[kind, design]``, and products of a tile.

    Designs of the same size share a layout; one with fewer kinds of tile has none of the others.
    """
    different, index = np.unique(sizes.reshape(-1, 2), axis=0, return_inverse=True)
    cuts = [cut_weights(op, int(r), int(c), row_split, pack) for r, c in different]
    alike = [list(cut.alike()) for cut in cuts]
    longest = max(map(len, alike))
    filled = np.array([kinds + [(0, 1, 1)] * (longest - len(kinds)) for kinds in alike])
    shape = sizes.shape[:-1]
    taken = filled[index.reshape(-1)].reshape(*shape, longest, 3)
    tiles, rows, columns = np.moveaxis(taken, (-2, -1), (1, 0))
    pixels = np.array([cut.pixels for cut in cuts])[index.reshape(-1)].reshape(shape)
    return tiles, rows, columns, pixels
