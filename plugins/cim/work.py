"""What a contraction makes macros do: actions by name, and multiply-accumulate slots by cause."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from codesign import Op
from codesign.workload.work import format_pair

from .layout import Layout
from .rounds import Round

if TYPE_CHECKING:
    from .engine import Macros


@dataclass(frozen=True)
class Work:
    """A contraction on macros, whatever its rounds and chunks.

    Attributes:
        engine: the macros.
        op: a contraction that they support.
        layout: of its weights.
    """

    engine: Macros
    op: Op
    layout: Layout

    @property
    def activation_bits(self) -> int:
        """Bits of the first operand."""
        return self.op.inputs[0].tensor.dtype.bits

    @cached_property
    def passes(self) -> int:
        """Macro cycles of one matrix-vector product."""
        return int(self.engine.physics.passes(self.activation_bits))

    @cached_property
    def results(self) -> int:
        """Elements of the first output."""
        return self.op.outputs[0].elements

    @cached_property
    def inside(self) -> dict[str, int]:
        """Actions of the macros themselves, rounded up once each."""
        formats = format_pair(self.op)
        if formats in self.engine.mac_energies_j():
            return {f"mac {formats}": self.op.macs}
        rows, columns, times = (
            np.array([getattr(tiles, field) for tiles in self.layout.tiles], dtype=float)
            for field in ("rows", "columns", "count")
        )
        bits = self.op.inputs[1].tensor.dtype.bits
        counts = self.engine.physics.counts(rows, columns, self.activation_bits, bits)
        products = times * self.layout.pixels
        totals = {action: float(np.sum(count * products)) for action, count in counts.items()}
        return {action: math.ceil(total - 1e-6 * (total > 1)) for action, total in totals.items()}

    @cached_property
    def partial_sums(self) -> int:
        """Sums of one row tile that are added to those of another."""
        last = sum(tiles.columns * tiles.count for tiles in self.layout.tiles if tiles.last)
        every = sum(tiles.columns * tiles.count for tiles in self.layout.tiles)
        return self.layout.pixels * (every - last)

    def input_bytes(self, rounds: Iterable[Round]) -> int:
        """Bytes of inputs that the macros read from the buffer.

        Macros that work on different columns of the same rows at the same time hear one reading.
        """
        bits = self.layout.pixels * sum(t.count * t.rows for t in self.layout.tiles)
        bits *= self.activation_bits
        if self.op.gemm[0] > 1:  # groups share no inputs
            return -(-bits // 8)
        heard = tiles = 0
        for one in rounds:
            full, rest = divmod(one.tiles, self.engine.macros)
            together = min(self.engine.macros, self.layout.row_tiles)
            heard += full * together + min(rest, self.layout.row_tiles)
            tiles += one.tiles
        return -(-bits * heard // (8 * tiles))

    def turns(self, chunks: int) -> dict[str, int]:
        """Actions of turning to another tile, once for each chunk of output pixels."""
        found: dict[str, float] = {}
        for tiles in self.layout.tiles:
            for action, count in self.engine.turning(tiles.rows, tiles.columns).items():
                found[action] = found.get(action, 0.0) + float(count) * tiles.count * chunks
        return {action: math.ceil(count) for action, count in found.items()}

    def actions(self, rounds: tuple[Round, ...], chunks: int) -> dict[tuple[str, str], int]:
        """All actions, by component and name, as ``TilePlan.actions``.

        Args:
            rounds: of the weights.
            chunks: of output pixels.
        """
        spilled = self.layout.pixels * sum(one.spilled for one in rounds)
        waits = spilled * self.engine.partial_sum_bytes
        beside = sum(self.op.operands[n].bytes for n in self.op.distinct_inputs if n > 1)
        written = sum(access.bytes for access in self.op.outputs)
        inside = self.inside | self.turns(chunks)
        found = {("", action): count for action, count in inside.items()}
        found |= {
            ("", "partial sum"): self.partial_sums,
            ("", "requantisation"): self.results,
            ("", "function"): self.results * len(self.op.functions),
            ("buffer", "read"): self.input_bytes(rounds) + beside + waits,
            ("buffer", "write"): written + waits,
        }
        return {action: count for action, count in found.items() if count}

    def filling(self) -> int:
        """Bytes of zeros and copies that are written into the cells beside the weights, once."""
        cells = sum(t.count * t.rows * t.columns for t in self.layout.tiles)
        size = math.ceil(cells * self.engine.weight_bits / 8)
        return max(0, size - self.op.inputs[1].bytes)

    def slots(
        self, cycles: int, rounds: Iterable[Round], products: Iterable[int]
    ) -> dict[str, int]:
        """Multiply-accumulate slots by cause: those of all cells of all macros, in all cycles.

        Args:
            cycles: macro cycles of all tiles.
            rounds: of the weights.
            products: matrix-vector products of each chunk.
        """
        cells = self.engine.rows * self.engine.columns
        every = sum(products)
        steps = sum(-(-one.tiles // self.engine.macros) for one in rounds)
        working = every * self.layout.count * cells
        turning = every * steps * self.engine.macros * cells
        return {
            "effective": self.op.macs,
            "unused cells": max(0, working - self.op.macs),
            "idle macros": turning - working,
            "ports and filling": cycles * self.engine.macros * cells // self.passes - turning,
        }
