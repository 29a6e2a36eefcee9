"""Wear: how often the cells of memories that wear are written, and how long they last."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codesign.hardware.spec import Hardware
from codesign.mapping.charges import charged
from codesign.mapping.placement import Placement
from codesign.result.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Wear:
    """What one run writes into a memory that wears.

    Attributes:
        memory: its name.
        written_bytes: in each run, zeros and copies beside the weights included.
        size_bytes: of the memory.
        endurance: writes that a cell lasts.
        once_bytes: written before the first run, since they stay from run to run.
    """

    memory: str
    written_bytes: int
    size_bytes: int
    endurance: float
    once_bytes: int = 0

    @property
    def writes(self) -> float:
        """Writes of each cell in one run, if all cells are written alike (wear levelling)."""
        return self.written_bytes / self.size_bytes

    def lifetime_s(self, runs_per_s: float) -> float:
        """Seconds until the cells are worn; infinite if nothing is written.

        Args:
            runs_per_s: how often the model runs, above 0.
        """
        per_s = self.writes * runs_per_s
        return self.endurance / per_s if per_s else math.inf


def find_wear(machine: Hardware, ledger: Ledger, placement: Placement) -> tuple[Wear, ...]:
    """The wear of every memory with an endurance, in the order of the hardware.

    Args:
        machine: the hardware.
        ledger: what was written by one run and what came before it.
        placement: what that was.
    """
    found = []
    for memory in machine.memories:
        if memory.endurance is not None:
            once = _set_up(placement, machine, memory.name)
            size = _written(ledger, memory.name) - once
            found.append(Wear(memory.name, size, memory.size, memory.endurance, once))
    return tuple(found)


def _set_up(placement: Placement, machine: Hardware, memory: str) -> int:
    """Bytes written into a memory before the first run."""
    return sum(
        charged(one, one.plan, machine)[memory, "write"] for one in placement.setup if one.plan
    )


def _written(ledger: Ledger, memory: str) -> int:
    """Bytes written into a memory."""
    rows = (ledger.component == memory) & (ledger.action == "write")
    return int(ledger.count[rows].sum())
