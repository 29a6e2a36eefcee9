"""What crosses the ports of an array: operands, partial sums and results, and how long it takes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign import Budget, Op
from codesign.mapping.emit import Emitted
from codesign.mapping.footprint import fused_bytes
from codesign.mapping.tiling import INNER, Array, Sizes, whole_cycles
from codesign.workload.work import format_pair

from .layout import Layout, one

if TYPE_CHECKING:
    from .engine import Systolic

Amount: TypeAlias = "Array | NDArray[np.floating[Any]]"
_NOISE = 1e-6
"""Cycles that rounding of rates may add; less than any byte takes."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Traffic of the tiles of one operator.

    The streamed operand is read anew for every block across the array, the stationary one once;
    of ``os`` both stream. Nothing is held beyond a fold.

    Attributes:
        engine: the arrays.
        op: a contraction that they support.
        budget: what the operator is granted, with the rate of the port to the buffer.
        layout: of the operator on the arrays.
    """

    engine: Systolic
    op: Op
    budget: Budget
    layout: Layout

    def inputs(self, sizes: Sizes) -> Array:
        """Bytes of the first operand that a tile reads from the buffer."""
        g, m, k, n = sizes
        again = 1 if self.engine.dataflow == "is" else -(-n // self.engine.cols)
        read: Array = self.op.inputs[0].tensor.dtype.storage_bytes(g * m * k) * again
        return read

    def weights(self, sizes: Sizes) -> Array:
        """Bytes of the second operand that a tile reads from the buffer."""
        g, m, k, n = sizes
        cells = {"ws": None, "is": self.engine.cols, "os": self.engine.rows}[self.engine.dataflow]
        again = -(-m // cells) if cells else 1
        read: Array = self.op.inputs[1].tensor.dtype.storage_bytes(g * k * n) * again
        return read

    def results(self, sizes: Sizes) -> Array:
        """Bytes of results that a tile writes to the buffer once its reduction is whole."""
        g, m, _, n = sizes
        written: Array = self.op.outputs[0].tensor.dtype.storage_bytes(g * m * n)
        return written

    def sums(self, sizes: Sizes, finished: Amount | bool) -> tuple[Amount, Amount]:
        """Partial sums that a tile writes to the accumulator, and reads there to add to them.

        Those of ``os`` stay in the cells until they are whole.

        Args:
            sizes: of the tile.
            finished: part of its results that have their first sum written, 0 to 1.
        """
        g, m, _, n = sizes
        results = g * m * n * finished
        if self.engine.dataflow == "os":
            return results, np.zeros_like(g)
        role = self.layout.role(sizes)
        written = g * m * n * role.passes * -(-role.down // self.layout.depth)
        return written, written - results

    def cycles(self, sizes: Sizes) -> dict[str, Array]:
        """Cycles that a tile takes at each port that has a width.

        Results leave while the reduction proceeds: a tile with a share of the reduction is charged
        that share of them.
        """
        inputs, weights, share = (
            self.inputs(sizes),
            self.weights(sizes),
            sizes[INNER] / self.layout.reduction,
        )
        engine, found = self.engine, {}
        if engine.input_width:
            found["input port"] = inputs / engine.input_width
        if engine.weight_width:
            found["weight port"] = weights / engine.weight_width
        if engine.accumulator_width:
            written, read = self.sums(sizes, share)
            size = (written + read) * engine.accumulator_bits / 8
            found["accumulator port"] = size / engine.accumulator_width
        if self.budget.port_bytes_per_s < math.inf:
            touched = inputs + weights + (fused_bytes(self.op, sizes) + self.results(sizes)) * share
            found["buffer port"] = touched * (engine.clock / self.budget.port_bytes_per_s)
        return {name: whole_cycles(cycles - _NOISE) for name, cycles in found.items()}

    def amounts(self, sizes: Sizes, finished: Amount | bool) -> dict[tuple[str, str], Amount]:
        """What tiles do, by component and action, as ``TilePlan.actions``.

        Args:
            sizes: of the tiles.
            finished: as for ``sums``; that part of their results leaves.
        """
        g, m, k, n = sizes
        written, read = self.sums(sizes, finished)
        fused = fused_bytes(self.op, sizes) * finished
        return {
            ("", f"mac {format_pair(self.op)}"): g * m * k * n,
            ("buffer", "read"): self.inputs(sizes) + self.weights(sizes) + fused,
            ("buffer", "write"): self.results(sizes) * finished,
            ("", "accumulator write"): written * self.engine.accumulator_bits / 8,
            ("", "accumulator read"): read * self.engine.accumulator_bits / 8,
            ("", "function"): g * m * n * len(self.op.functions) * finished,
        }

    def joules(self, sizes: Sizes) -> NDArray[np.float64]:
        """Energy of tiles beyond their loads and stores.

        A tile is charged for that share of its results which its share of the reduction is: over
        all tiles of a result this adds up to what the last of them is charged for in a plan.
        """
        priced = {("", name): price for name, price in self.engine.energies_j().items()}
        for buffer in self.budget.stores[:1]:
            priced |= {("buffer", "read"): buffer.read_j, ("buffer", "write"): buffer.write_j}
        total = np.zeros(len(sizes[0]))
        share = sizes[INNER] / self.layout.reduction
        for action, count in self.amounts(sizes, share).items():
            total += count * priced.get(action, 0.0)
        return total

    def actions(self, tiles: Emitted) -> tuple[tuple[str, str, int], ...]:
        """MACs, bytes at the port of the buffer and in the accumulator, fused functions."""
        total: Counter[tuple[str, str]] = Counter()
        for (*sizes, final), times in tiles.sizes.items():
            for action, count in self.amounts(one(tuple(sizes)), final).items():
                total[action] += times * count[0].item()  # in integers of any length
        return tuple((*action, int(count)) for action, count in total.items() if int(count))
