"""A contraction on lanes: blocks of results, barriers, and what lanes do meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.nest import Lane
from codesign.mapping.tiling import COLUMN, ROW, Array, Sizes

from .factors import ACTIVATION, WEIGHT
from .lanes import Skipped, wait
from .spread import Spread
from .work import Floats, Slots, Work, blocks

if TYPE_CHECKING:
    from .array import SparseArray


@dataclass(frozen=True, slots=True)
class LaneWork(Work):
    """One contraction on one array of lanes.

    Attributes:
        engine: the array.
        skipped: what its lanes multiply.
        scope: steps of a lane over which its work evens out.
    """

    engine: SparseArray
    skipped: Skipped
    scope: int

    @property
    def skips(self) -> Collection[int]:
        """Those with the feature ``skip``."""
        return self._with("skip")

    @property
    def gates(self) -> Collection[int]:
        """Those with the feature ``gate``."""
        return self._with("gate")

    @property
    def grain(self) -> tuple[int, int, int, int]:
        """One block of results, from barrier to barrier."""
        return 1, self.engine.rows, self.engine.sync, self.engine.cols

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Results of a block."""
        return (COLUMN, "columns", self.engine.cols), (ROW, "rows", self.engine.rows)

    def open_sums(self, sizes: Sizes) -> Array:
        """One in each lane."""
        _, m, _, n = sizes
        found: Array = np.minimum(m, self.engine.rows) * np.minimum(n, self.engine.cols)
        return found

    def spent(self, sizes: Sizes) -> Slots:
        """Each kind of block, full or at an edge, keeps its lanes busy from barrier to barrier."""
        g, m, k, n = sizes
        rate = self.skipped.rate
        search = "intersection" if len(self._sparse) == 2 else "decode"
        causes = ("work", "quantisation", "imbalance", search, "edge")
        spent = {cause: np.zeros(len(g)) for cause in causes}
        for down, rows in blocks(m, self.engine.rows):
            for across, columns in blocks(n, self.engine.cols):
                steps, busy = g * down * across * k, rows * columns
                mean, longest, found = self._waits(steps, rows, columns)
                spent["work"] += busy * steps * self.skipped.share
                spent["quantisation"] += busy * (mean * rate - steps * self.skipped.share)
                spent["imbalance"] += busy * rate * (longest - mean)
                spent[search] += busy * rate * (found - longest)
                spent["edge"] += (self.slots_per_cycle - busy * rate) * found
        return spent

    def actions(self, sizes: Sizes) -> dict[tuple[str, str], Floats]:
        """Slots that are gated, operands that lanes read, and cycles of finding pairs."""
        g, m, k, n = sizes
        macs = (g * m * k * n).astype(float)
        read = self.multiplied if self.engine.gate_at == "store" else self.issued
        width = sum(access.tensor.dtype.bits for access in self.op.inputs[:2]) / 8
        return {
            ("", "gated mac"): macs * (self.issued - self.multiplied),
            ("", "operand byte"): macs * read * width,
            ("", "intersection cycle"): macs * self._finding_per_step(),
        }

    @property
    def _sparse(self) -> list[Spread]:
        """Skipped factors that come as non-zeros and their places."""
        return [spread for spread in self.skipped.spreads if spread.sparsity is not None]

    def _finding_per_step(self) -> float:
        """Cycles of a lane per step in which it matches two factors."""
        if len(self._sparse) < 2:
            return 0.0
        return self.skipped.search or 1 / self.engine.intersection_rate

    def _waits(self, steps: Array, rows: Array, columns: Array) -> tuple[Floats, Floats, Floats]:
        """Cycles of lanes for all their steps: in the mean, of the slowest, with what finds them.

        Lanes differ along the rows if activations are uneven, and along the columns if weights are.
        """
        lanes = np.ones_like(steps)
        for factor, extent in ((ACTIVATION, rows), (WEIGHT, columns)):
            if factor in self.skips and not self.factors.spreads[factor].is_even:
                lanes = lanes * extent
        total = np.zeros((3, len(steps)))
        for length, times in (
            (np.full_like(steps, self.scope), steps // self.scope),
            (steps % self.scope, (steps % self.scope > 0).astype(np.int64)),
        ):
            total += times * self._looked_up(lanes, length, times > 0)
        mean, longest, found = total
        return mean, longest, found

    def _looked_up(self, lanes: Array, length: Array, taken: NDArray[np.bool_]) -> Floats:
        asked = np.where(taken, lanes * (self.scope + 1) + length, self.scope + 2)
        keys, places = np.unique(asked, return_inverse=True)
        pairs = zip(*(part.tolist() for part in np.divmod(keys, self.scope + 1)), strict=True)
        known = np.array([wait(self.skipped, count, steps) for count, steps in pairs])
        found: Floats = known[places.reshape(-1)].T
        return found

    def _with(self, feature: str) -> tuple[int, ...]:
        features = {ACTIVATION: self.engine.activation, WEIGHT: self.engine.weight}
        return tuple(factor for factor, own in features.items() if own == feature)
