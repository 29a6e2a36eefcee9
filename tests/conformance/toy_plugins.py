"""The smallest honest engine, memory and link: what the faults of the tests are made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest

from codesign import (
    Budget,
    Descriptor,
    Engine,
    Link,
    Loop,
    Memory,
    Move,
    Op,
    Service,
    Tile,
    TilePlan,
)
from codesign.errors import MappingError
from codesign.testing import compulsory_bytes
from codesign.units import BytesPerSecond, Count, Hertz, Joules, JoulesPerByte


@dataclass(frozen=True, kw_only=True)
class Dot(Engine):
    """One MAC a cycle, on operators that fit its buffer whole.

    Attributes:
        clock: clock of the one cell.
        mac_energy: energy of one multiply-accumulate.
    """

    kind: ClassVar[str] = "dot"

    clock: Hertz = 1e9
    mac_energy: Joules = 1e-12

    def supports(self, op: Op) -> str | None:
        return None if op.kind == "contraction" else f"takes contractions only, not {op.kind}"

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        count = len(op.operands)
        moves = [Move(i, compulsory_bytes(op, i)) for i in range(count)]
        moved = [move for move in moves if not budget.is_resident(move.operand)]
        loads = tuple(move for move in moved if move.operand < len(op.inputs))
        stores = tuple(move for move in moved if move.operand >= len(op.inputs))
        needed = sum(move.bytes for move in moved)
        if needed > budget.buffer_bytes:
            raise MappingError(f"{op.name}: takes {needed} B, the buffer grants less; enlarge it")
        return TilePlan(
            Loop((Tile(op.macs, loads, stores),)),
            self.clock,
            slot_in_bytes=sum(move.bytes for move in loads),
            slot_out_bytes=sum(move.bytes for move in stores),
            slots_in=1,
            slots_out=1,
            actions=(("", "mac", op.macs), ("buffer", "read", 2 * op.macs)),
            slots=(("effective", op.macs),),
        )

    def energies_j(self) -> Mapping[str, float]:
        return {"mac": self.mac_energy}


@dataclass(frozen=True, kw_only=True)
class Store(Memory):
    """A memory of one rate and one energy.

    Attributes:
        bandwidth: rate of all transfers together.
        energy: energy per byte.
    """

    kind: ClassVar[str] = "store"

    bandwidth: BytesPerSecond = 1e9
    energy: JoulesPerByte = 1e-12

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        return Service(round(self.bandwidth))

    def energies_j(self) -> Mapping[str, float]:
        return dict.fromkeys(("read", "write"), self.energy)


@dataclass(frozen=True, kw_only=True)
class Wire(Link):
    """A link of whole bytes per second.

    Attributes:
        lanes: lanes of 1 GB/s.
        energy: energy per byte.
    """

    kind: ClassVar[str] = "wire"

    lanes: Count = 1
    energy: JoulesPerByte = 1e-12

    @property
    def bytes_per_s(self) -> int:
        return self.lanes * 10**9

    def energies_j(self) -> Mapping[str, float]:
        return {"move": self.energy}


def dot(kind: type[Dot] = Dot) -> Dot:
    """An engine of a kind."""
    return kind(name="dot", buffer="sram")


def caught(check: Callable[[], object], rule: str) -> None:
    """Fails unless a check fails with a message, of one line, that holds ``rule``."""
    with pytest.raises(AssertionError, match=re.escape(rule)) as fault:
        check()
    assert "\n" not in str(fault.value)
