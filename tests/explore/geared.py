"""An engine with two clocks, in one of which its tiles are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, Loop, Move, Tile, TilePlan
from codesign.units import Hertz
from codesign.workload.record import Op


@dataclass(frozen=True, kw_only=True)
class Geared(Engine):
    """Takes elementwise work in one tile of 10,000 cycles of the core.

    Attributes:
        bus_clock: of something else.
        core_clock: of its cycles.
    """

    kind: ClassVar[str] = "geared"

    bus_clock: Hertz = 2e9
    core_clock: Hertz = 1e9

    def supports(self, op: Op) -> str | None:
        return None if op.kind == "elementwise" else "elementwise work only"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        moves = tuple(Move(n, access.bytes) for n, access in enumerate(op.operands))
        tile = Tile(10_000, moves[: len(op.inputs)], moves[len(op.inputs) :])
        return TilePlan(Loop((tile,)), self.core_clock, slot_in_bytes=128, slot_out_bytes=64)
