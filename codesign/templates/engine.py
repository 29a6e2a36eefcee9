"""An engine that multiplies and accumulates in a row of lanes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from codesign import Budget, Component, Engine, Op, TilePlan, hookimpl
from codesign.mapping.emit import emit
from codesign.mapping.tiling import ArrayModel, search
from codesign.units import Count, Hertz, Joules


@dataclass(frozen=True, kw_only=True)
class MyPlugin(Engine):
    """Lanes that do one multiply-accumulate a cycle; both factors come from the buffer.

    Attributes:
        lanes: multiply-accumulates per cycle.
        clock: clock of the lanes.
        mac_energy: energy of one multiply-accumulate; 8-bit, 45 nm (Horowitz, ISSCC 2014).
    """

    kind: ClassVar[str] = "my_plugin"
    lanes: Count = 16
    clock: Hertz = 500e6
    mac_energy: Joules = 0.23e-12

    def supports(self, op: Op) -> str | None:
        """None, or the reason why not."""
        return None if op.kind == "contraction" else f"takes contractions only, not {op.kind}"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The tiles that search finds, and what they cost."""
        read = sum(access.tensor.dtype.storage_bytes(op.macs) for access in op.inputs[:2])
        written = sum(access.bytes for access in op.outputs)
        port = (read + written) / op.macs * self.clock / budget.port_bytes_per_s

        def cycles(sizes: Any) -> Any:  # of a tile: its lanes, or its bytes at the buffer port
            return np.ceil(np.prod(sizes, axis=0) * max(1 / self.lanes, port)).astype(np.int64)

        model = ArrayModel(cycles, lambda sizes: sizes[0] > 0, self.clock, (1, 1, 1, self.lanes))
        tiles = emit(op, search(op, budget, model), budget, lambda *sizes: int(cycles(sizes)))
        rooms = (tiles.held_bytes, tiles.slot_in_bytes, tiles.slot_out_bytes, 2, tiles.slots_out)
        actions = (("", "mac", op.macs), ("buffer", "read", read), ("buffer", "write", written))
        plan = TilePlan(tiles.loop, self.clock, *rooms, actions)
        idle = plan.cycles * self.lanes - op.macs
        return replace(plan, slots=(("effective", op.macs), ("idle lanes", idle)))

    def energies_j(self) -> Mapping[str, float]:
        """Joules of each action."""
        return {"mac": self.mac_energy}


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``my_plugin``."""
    return [MyPlugin]
