"""A tensor core that skips the zeros of both operands: outer products of what is left.

At each step of the reduction a column of the first factor meets a row of the second. Both are
condensed, and the core multiplies a few elements of the one by some of the other in each cycle:

    cycles of a step = E[ceil(nnz_A / 8)] * E[ceil(nnz_B / 16)]     on a tile of 32 x 32

(Wang et al., Dual-side sparse tensor core, ISCA 2021, section 4: outer products of bitmaps, with
8 x 16 multipliers). No constant is fitted. The product of densities, which leaves out the rounding
to whole groups of lanes, is 24 % off in the mean.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from codesign import Access, Op
from codesign.mapping.nest import Lane
from codesign.mapping.tiling import COLUMN, ROW, Array, Sizes
from codesign.units import Count
from codesign.workload.work import format_pair

from .engine import Skipping
from .factors import ACTIVATION, WEIGHT, Factors
from .masks import per_step
from .spread import whole_tiles
from .work import Floats, Slots, Work, blocks


@dataclass(frozen=True, kw_only=True)
class DualSideSparse(Skipping):
    """Cores that multiply condensed columns of one factor by condensed rows of the other.

    Attributes:
        cores: that work on tiles of the result side by side.
        tile_rows: rows of the result that a core takes at a time.
        tile_cols: columns of the result that it takes at a time.
        lane_rows: elements of the first factor that it multiplies in a cycle.
        lane_cols: elements of the second factor that it multiplies each of them by.
    """

    kind: ClassVar[str] = "dual_side_sparse"
    expected_error: ClassVar[str] = (
        "on nine published pairs of densities times are 6 % off in the mean, 11 % at most"
    )

    cores: Count = 1
    tile_rows: Count = 32
    tile_cols: Count = 32
    lane_rows: Count = 8
    lane_cols: Count = 16

    def decodes(self, op: Op, operand: int) -> tuple[str, ...]:
        """The codec of its own masks, for both factors."""
        return ("bitmap",) if operand < 2 and op.inputs[operand].tensor.sparsity else ()

    def work(self, op: Op) -> Work:
        """A contraction on these cores."""
        lanes = self.lane_rows * self.lane_cols * self.cores
        rate = self.macs_per_lane[format_pair(op)]
        return OuterWork(op, Factors.of(op), lanes * rate, self)

    def places_bits(self, work: Work, factor: int) -> float:
        """A bit of a mask for every element."""
        return 1.0


@dataclass(frozen=True, slots=True)
class OuterWork(Work):
    """One contraction on such cores.

    Attributes:
        engine: the cores.
    """

    engine: DualSideSparse

    @property
    def skips(self) -> Collection[int]:
        """Both."""
        return ACTIVATION, WEIGHT

    @property
    def gates(self) -> Collection[int]:
        """None."""
        return ()

    @property
    def grain(self) -> tuple[int, int, int, int]:
        """One tile of a core."""
        return 1, self.engine.tile_rows, 1, self.engine.tile_cols

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Multipliers of a core."""
        return (COLUMN, "columns", self.engine.lane_cols), (ROW, "rows", self.engine.lane_rows)

    def open_sums(self, sizes: Sizes) -> Array:
        """Those of the tiles that the cores work on."""
        g, m, _, n = sizes
        engine = self.engine
        tiles = np.minimum(engine.cores, g * -(-m // engine.tile_rows) * -(-n // engine.tile_cols))
        block = np.minimum(m, engine.tile_rows) * np.minimum(n, engine.tile_cols)
        found: Array = tiles * block
        return found

    def spent(self, sizes: Sizes) -> Slots:
        """Tiles of the result are dealt to the cores in rounds, the longest first."""
        g, m, k, n = sizes
        engine = self.engine
        counts, cycles = [], []
        for down, rows in blocks(m, engine.tile_rows):
            for across, columns in blocks(n, engine.tile_cols):
                counts.append(g * down * across)
                cycles.append(k * self._step(rows, columns))
        order = np.argsort(-np.array(cycles), axis=0, kind="stable")
        count = np.take_along_axis(np.array(counts), order, axis=0)
        cycle = np.take_along_axis(np.array(cycles), order, axis=0)
        begun = np.diff(-(-np.cumsum(count, axis=0) // engine.cores), axis=0, prepend=0)
        per_core = self.slots_per_cycle / engine.cores
        rounds, busy = (begun * cycle).sum(axis=0), (count * cycle).sum(axis=0)
        work = g * m * k * n * self.factors.both
        return {
            "work": work,
            "quantisation": np.maximum(0.0, busy * per_core - work),
            "idle cores": np.maximum(0.0, (engine.cores * rounds - busy) * per_core),
        }

    def _step(self, rows: Array, columns: Array) -> Floats:
        """Cycles of a step of the reduction on blocks of so many rows and columns, in the mean."""
        engine = self.engine
        first = self._groups(ACTIVATION, rows, engine.lane_rows)
        second = self._groups(WEIGHT, columns, engine.lane_cols)
        rate = self.slots_per_cycle / (engine.cores * engine.lane_rows * engine.lane_cols)
        step: Floats = first * second * self._together() / rate
        return step

    def _groups(self, factor: int, extents: Array, lanes: int) -> Floats:
        """Groups of lanes that the non-zeros of blocks fill, in the mean."""
        sizes, places = np.unique(extents, return_inverse=True)
        access = self.op.inputs[factor]
        row = _is_row(self.op, factor)
        found = np.array([groups(access, row, int(size), lanes) for size in sizes])
        filled: Floats = found[places.reshape(-1)]
        return filled

    def _together(self) -> float:
        """How much more the two factors take because they are dense at the same steps, or less."""
        engine = self.engine
        first = per_step(self.op, ACTIVATION, engine.tile_rows, engine.lane_rows)
        second = per_step(self.op, WEIGHT, engine.tile_cols, engine.lane_cols)
        if first is None or second is None or not first.any() or not second.any():
            return 1.0
        return float((first * second).mean() / (first.mean() * second.mean()))


@lru_cache(maxsize=4096)
def groups(access: Access, is_row: bool, size: int, lanes: int) -> float:
    """Expected ``ceil(non-zeros / lanes)`` of a block of a factor across the results.

    Args:
        access: the factor.
        is_row: whether the block lies along the last axis of the tensor.
        size: elements of the block.
        lanes: elements of a group.
    """
    sparsity = access.tensor.sparsity
    if sparsity is None or not size:
        return float(-(-size // lanes))
    law = whole_tiles(sparsity.density, (1, size) if is_row else (size, 1))
    return float(law @ -(-np.arange(len(law)) // lanes))


def _is_row(op: Op, factor: int) -> bool:
    """Whether neighbours across the results lie beside each other in the tensor."""
    across = set(op.loops.classes(len(op.inputs))[ROW if factor == ACTIVATION else COLUMN])
    return any(
        stride == 1 and across & {dim for dim, _ in axis.terms}
        for axis, stride in zip(op.loops.operands[factor], op.operands[factor].strides, strict=True)
    )
