"""What tiles bring through the buffer port and into the engine's own stores, and its energy."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign import Budget, Op
from codesign.mapping.emit import Emitted
from codesign.mapping.footprint import fused_bytes
from codesign.mapping.tiling import INNER, Array, Sizes
from codesign.workload.work import format_pair

from .factors import ACTIVATION, WEIGHT
from .work import Work

if TYPE_CHECKING:
    from .engine import Skipping

Amount: TypeAlias = "Array | NDArray[np.floating[Any]]"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes, bits and products of the tiles of one operator.

    A factor whose zeros are skipped comes as its non-zeros and their places; any other as it is.

    Attributes:
        engine: that runs them.
        op: a contraction that it supports.
        budget: what the operator is granted.
        work: the same operator on the engine.
    """

    engine: Skipping
    op: Op
    budget: Budget
    work: Work

    def read_bits(self, factor: int, elements: Array) -> tuple[Amount, Amount]:
        """Bits of values and of metadata that so many elements of a factor are read as."""
        plain = self.op.inputs[factor].tensor.dtype.storage_bits(elements)
        if factor not in self.work.skips or self.op.inputs[factor].tensor.sparsity is None:
            return plain, np.zeros_like(elements)
        share = self.work.factors.spreads[factor].share
        return plain * share, elements * self.engine.places_bits(self.work, factor)

    def reads(self, sizes: Sizes) -> tuple[Amount, Amount]:
        """Bits of values and of metadata of both factors that tiles read from the buffer."""
        g, m, k, n = sizes
        _, down, _, across = self.work.grain
        first = self.read_bits(ACTIVATION, g * m * k * -(-n // across))
        second = self.read_bits(WEIGHT, g * k * n * -(-m // down))
        return first[0] + second[0], first[1] + second[1]

    def results(self, sizes: Sizes) -> Array:
        """Bytes of results of tiles."""
        g, m, _, n = sizes
        written: Array = self.op.outputs[0].tensor.dtype.storage_bytes(g * m * n)
        return written

    def port_cycles(self, sizes: Sizes) -> Array:
        """Cycles that tiles take at the port of the buffer; 0 where it has no limit.

        Results leave while the reduction proceeds, each tile with its share of them.
        """
        if self.budget.port_bytes_per_s == math.inf:
            return np.zeros_like(sizes[0])
        values, places = self.reads(sizes)
        share = sizes[INNER] / self.op.gemm[2]
        touched = (values + places) / 8 + share * (
            fused_bytes(self.op, sizes) + self.results(sizes)
        )
        rate = self.budget.port_bytes_per_s / self.engine.clock
        cycles: Array = np.ceil(touched / rate - 1e-6).astype(np.int64)
        return cycles

    def amounts(self, sizes: Sizes, finished: Amount | bool) -> dict[tuple[str, str], Amount]:
        """What tiles do, by component and action.

        Args:
            sizes: of the tiles.
            finished: part of their results that leaves.
        """
        g, m, k, n = sizes
        macs, sums = g * m * k * n, g * m * n
        values, places = self.reads(sizes)
        fused = fused_bytes(self.op, sizes) * finished
        width = self.engine.accumulator_bits / 8
        return {
            ("", f"mac {format_pair(self.op)}"): macs * self.work.multiplied,
            ("buffer", "read"): (values + places) / 8 + fused,
            ("buffer", "write"): self.results(sizes) * finished,
            ("", "metadata bit"): places,
            ("", "accumulator write"): sums * width,
            ("", "accumulator read"): (sums - sums * finished) * width,
            ("", "function"): sums * len(self.op.functions) * finished,
            **self.work.actions(sizes),
        }

    def joules(self, sizes: Sizes) -> NDArray[np.float64]:
        """Energy of tiles beyond their loads and stores, with their share of the results."""
        priced = {("", name): price for name, price in self.engine.energies_j().items()}
        for buffer in self.budget.stores[:1]:
            priced |= {("buffer", "read"): buffer.read_j, ("buffer", "write"): buffer.write_j}
        total = np.zeros(len(sizes[0]))
        for action, count in self.amounts(sizes, sizes[INNER] / self.op.gemm[2]).items():
            total += count * priced.get(action, 0.0)
        return total

    def actions(self, tiles: Emitted) -> tuple[tuple[str, str, int], ...]:
        """Everything that all tiles do, in whole numbers."""
        total: defaultdict[tuple[str, str], float] = defaultdict(float)
        for (*sizes, final), times in tiles.sizes.items():
            for action, count in self.amounts(one(tuple(sizes)), final).items():
                total[action] += times * float(count[0])
        return tuple((*action, round(count)) for action, count in total.items() if round(count))


def one(sizes: tuple[int, ...]) -> Sizes:
    """Sizes (g, m, k, n) of a single tile."""
    g, m, k, n = (np.array([size], dtype=np.int64) for size in sizes)
    return g, m, k, n


def scaled(spent: Mapping[str, Amount], times: int) -> dict[str, float]:
    """Slots of so many tiles like one."""
    return {cause: times * float(count[0]) for cause, count in spent.items()}
