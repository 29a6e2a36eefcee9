"""Engines with a price list instead of a model, and a machine around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram

from codesign.errors import MappingError
from codesign.hardware.component import Component, Engine
from codesign.hardware.fields_only import fields_only
from codesign.hardware.plan import Budget, Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.testing import compulsory_bytes
from codesign.units import Bytes, Count
from codesign.workload.record import Op


@fields_only
@dataclass(frozen=True, kw_only=True)
class Priced(Engine):
    """Takes the kinds it has a price for, in one tile of so many cycles.

    Attributes:
        cycles: cycles of an operator by kind.
        tile: bytes of buffer that any operator takes.
    """

    kind: ClassVar[str] = "priced"
    asked: ClassVar[list[tuple[str, str, Budget]]] = []

    cycles: Mapping[str, Count] = field(default_factory=dict)
    tile: Bytes = 1

    def supports(self, op: Op) -> str | None:
        if op.kind in self.cycles:
            return None
        return f"has no price for {op.kind}"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        self.asked.append((self.name, op.name, budget))
        if self.tile > budget.buffer_bytes:
            raise MappingError(f"{op.name}: no room for {self.tile} B")
        moves = [Move(i, compulsory_bytes(op, i)) for i in range(len(op.operands))]
        kept = [move for move in moves if not budget.is_resident(move.operand)]
        loads = tuple(move for move in kept if move.operand < len(op.inputs))
        stores = tuple(move for move in kept if move.operand >= len(op.inputs))
        tile = Tile(self.cycles[op.kind], loads, stores)
        return TilePlan(Loop((tile,)), 1e9, held_bytes=self.tile)


def machine(*engines: Engine, buffer: int = 4096, home: int = 1 << 20) -> Hardware:
    """Engines with the buffer ``sram`` before a memory ``dram``."""
    parts: list[Component] = [
        *engines,
        Sram(name="sram", size=buffer, bandwidth=4e9),
        Bus(name="bus", connects=("dram", "sram"), bandwidth=2e9, setup=1e-8),
        FlatDram(name="dram", device="toy", size=home, bandwidth=8e9, efficiency=0.5),
    ]
    return Hardware("toy", "", None, {part.name: part for part in parts})


def priced(name: str = "cpu", tile: int = 1, **cycles: int) -> Priced:
    """An engine with buffer ``sram`` and a price for each kind."""
    return Priced(name=name, buffer="sram", cycles=cycles, tile=tile)
