"""From a layer to a plan: the block, where weights stay, and what is charged for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codesign import Budget, Op, TilePlan
from codesign.errors import MappingError
from codesign.hardware.plan import Move
from codesign.mapping.emit import with_fill

from .blocks import Blocks
from .core import DEEP, FORMATS, TAPS, Core
from .cycles import Pace
from .layer import Layer
from .needs import needs
from .parts import WEIGHTS, Parts
from .tiles import Tiles

_SUM_BYTES = 4
_AHEAD = 16
"""Tiles whose inputs may wait in the buffer (assumed): weights are fetched ahead of their use, as
Arm's compiler has them fetched while the operator before runs. Chosen with the networks of the
validation in view: with 4 one of them, DS-CNN on u55-256, is 14 % slower than there."""


@dataclass(frozen=True, slots=True)
class Planner:
    """What plans of one layer share.

    Attributes:
        core: the configuration.
        clock_hz: its clock.
        op: a contraction or a pooling that it takes.
        budget: what the operator is granted.
        per_result: cycles of the output stage for each result.
        latency: cycles that records of channels take to come.
    """

    core: Core
    clock_hz: float
    op: Op
    budget: Budget
    per_result: float
    latency: int

    def plan(self) -> TilePlan:
        """The fastest of the plans with weights that stream and with weights that are held.

        Raises:
            MappingError: not even the smallest block fits the RAM inside and the buffer.
        """
        layer = Layer.of(self.op)
        plans = list(self._plans(layer, holds=False))
        if layer.form in ("convolution", "vector") and not self.budget.is_resident(WEIGHTS):
            plans += self._plans(layer, holds=True)
        if not plans:
            raise MappingError(
                f"{self.op.name}: no block of results fits the {self.core.banks} KiB inside the "
                f"core and, twice with its inputs, the {self.budget.buffer_bytes} B of buffer it "
                "is granted; enlarge the buffer, or take a larger configuration"
            )
        return min(plans, key=self._seconds)

    def _plans(self, layer: Layer, *, holds: bool) -> Iterator[TilePlan]:
        """Plans with the block that reads least in the buffer, in half of it, and so on.

        Smaller blocks read more, but the first one is there sooner.
        """
        blocks = Blocks.of(self.core, layer)
        needed = needs(self.op, self.budget, layer, blocks, holds=holds)
        if holds and layer.repeats == 1:  # what is read once need not be held
            is_whole = (blocks.height >= layer.height.pixels) & (blocks.width >= layer.width.pixels)
            needed = np.where(is_whole, self.budget.buffer_bytes + 1, needed)
        latency = 0 if holds else self.latency  # records come ahead with what is held
        room = self.budget.buffer_bytes
        while room and (fit := np.flatnonzero(needed <= room)).size:
            best = int(fit[0])
            pace = Pace(self.core, layer, blocks[best], self.per_result, latency)
            yield self._written(Tiles(Parts(self.op, self.budget, pace, holds), self.clock_hz))
            while room and room >= needed[best]:
                room //= 2

    def _seconds(self, plan: TilePlan) -> float:
        """Time of the operator alone: of its cycles, or of its transfers in whole bursts."""
        budget, moved, transfers = self.budget, [0, 0], 0
        for tile, times in plan.counts:
            for direction, moves in enumerate((tile.loads, tile.stores)):
                moved[direction] += times * sum(self._bursts(move) for move in moves)
                transfers += times * bool(moves)
        load, store = moved
        seconds = load / budget.load_bytes_per_s, store / budget.store_bytes_per_s
        link = sum(seconds) if budget.shared_link else max(seconds)
        return max(link + transfers * budget.setup_s, plan.cycles / plan.clock_hz)

    def _bursts(self, move: Move) -> int:
        row, burst = -(-move.bytes // move.rows), self.budget.burst_bytes
        return -(-row // burst) * burst * move.rows

    def _written(self, tiles: Tiles) -> TilePlan:
        block, fill, drain = tiles.parts.pace.block, tiles.fill(), tiles.drain()
        held = tiles.parts.weights(tiles.parts.pace.layer.depth) if tiles.parts.holds else 0
        loop = with_fill(tiles.loop(), fill, drain)
        slot_in, slot_out = tiles.slots()
        free = self.budget.buffer_bytes - held - 2 * slot_out
        cycles = TilePlan(loop, self.clock_hz).cycles
        is_fetched = self.op.macs and not self.budget.is_resident(WEIGHTS)
        weights = f", weights {'held' if held else 'streamed'}" if is_fetched else ""
        return TilePlan(
            loop,
            self.clock_hz,
            held_bytes=held,
            slot_in_bytes=slot_in,
            slot_out_bytes=slot_out,
            slots_in=min(_AHEAD, free // slot_in) if slot_in else 2,
            actions=tuple(action for action in self._actions(tiles) if action[2]),
            slots=self._slots(tiles, cycles, fill, drain) if self.op.macs else (),
            note=f"blocks (h, w, c) = ({block.height}, {block.width}, {block.depth}){weights}",
        )

    def _actions(self, tiles: Tiles) -> tuple[tuple[str, str, int], ...]:
        """MACs, functions, bytes at the port and in the RAM inside.

        Cells side by side along the channels share an input; a sum is read and written once for
        the products of one pass.
        """
        macs, layer, spent = self.op.macs, tiles.parts.pace.layer, tiles.spent()
        sums = _SUM_BYTES * -(-macs // (TAPS if layer.is_flat else DEEP))
        shared = 1 if layer.is_flat else self.core.microblock[2]
        results, behind = self.op.outputs[0].elements, len(self.op.functions)
        done = results * behind if macs else results * (behind - 1) + self.op.loops.points
        return (
            ("", f"mac {FORMATS}", macs),
            ("", "function", done),
            ("", "internal read", -(-macs // shared) + sums),
            ("", "internal write", spent["read"] + sums),
            ("buffer", "read", spent["read"]),
            ("buffer", "write", spent["written"]),
        )

    def _slots(
        self, tiles: Tiles, cycles: int, fill: int, drain: int
    ) -> tuple[tuple[str, int], ...]:
        """MAC slots by cause: ``edge`` is what cells without work leave, in all passes."""
        spent, rate = tiles.spent(), self.core.macs
        waits = {
            "output stage": (spent["output stage"] + drain) * rate,
            "buffer port": (spent["buffer port"] + fill) * rate,
        }
        edge = cycles * rate - self.op.macs - sum(waits.values())
        every = {"effective": self.op.macs, "edge": edge} | waits
        return tuple((cause, count) for cause, count in every.items() if count)
