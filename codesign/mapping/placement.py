"""Placement: which engine runs which operator in which tiles, and what stays on chip meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from codesign.hardware.component import Engine
from codesign.hardware.plan import TilePlan
from codesign.workload.record import Op, Region, Tensor, Trace


@dataclass(frozen=True, slots=True)
class Residence:
    """A tensor that stays in an on-chip memory for the length of a region.

    Attributes:
        tensor: what stays.
        memory: where.
        region: name of the region during which it stays.
    """

    tensor: Tensor
    memory: str
    region: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A tensor, or part of it, that stays in an on-chip memory from one operator to another.

    Attributes:
        tensor: what stays.
        memory: where.
        bytes: how much of it.
        first: name of the first operator during which it is there.
        last: name of the last one.
        is_for_ever: whether it is still there in the next run.
    """

    tensor: Tensor
    memory: str
    bytes: int
    first: str
    last: str
    is_for_ever: bool = False


@dataclass(frozen=True)
class Assignment:
    """One operator on one engine.

    Attributes:
        op: the operator.
        engine: name of the engine.
        plan: its tiles; None for an engine that is a process instead of a plan.
        homes: for each operand, the memory that holds it; what lies in the engine's own buffer
            moves nothing.
        budget_bytes: buffer bytes granted.
        reuses: names of the tensors on whose on-chip bytes an operand of this operator begins to
            live: whoever still reads or writes them must end first.
        piece: its number among the pieces of one operator that several engines run side by side,
            and how many there are; each writes columns of its own.
        stages: for each operand, the memory that it is staged in, where that is not for the
            engine to say; else empty.
    """

    op: Op
    engine: str
    plan: TilePlan | None
    homes: tuple[str, ...]
    budget_bytes: int
    reuses: tuple[str, ...] = ()
    piece: tuple[int, int] = (0, 1)
    stages: tuple[str, ...] = ()

    def stage(self, operand: int, engine: Engine) -> str:
        """Name of the memory that an operand is loaded into or stored from.

        Args:
            operand: its number, inputs first.
            engine: the engine that the operator runs on.
        """
        return self.stages[operand] if self.stages else engine.stage(self.op, operand)


@dataclass(frozen=True)
class Block:
    """A region of the trace as placed.

    Attributes:
        region: the region.
        body: one step.
        preload: the loads of what stays resident, before the first step; None if nothing does.
        writeback: the stores of what later operators read, after the last step; None if nothing.
        residences: what stays.
    """

    region: Region
    body: tuple[Step, ...]
    preload: Assignment | None = None
    writeback: Assignment | None = None
    residences: tuple[Residence, ...] = ()


Step: TypeAlias = "Assignment | Block"


@dataclass(frozen=True)
class Placement:
    """A trace on a piece of hardware, ready for the replay.

    Attributes:
        trace: the trace; in the program, attentions that no engine takes whole are in parts.
        program: assignments and blocks in execution order.
        home: memory where tensors live by default.
        notes: assumptions made, printed with the result.
        setup: what runs once, before the first of many runs of the program: loads of what then
            stays on chip for ever.
        stays: what stays where, from when to when, in the order in which it begins.
    """

    trace: Trace
    program: tuple[Step, ...]
    home: str
    notes: tuple[str, ...] = ()
    setup: tuple[Assignment, ...] = ()
    stays: tuple[Stay, ...] = ()

    @property
    def home_bytes(self) -> int:
        """Bytes that the plans of one run, without the setup, move to and from ``home``."""
        found: list[tuple[Assignment, int]] = []
        _walk(self.program, 1, found)
        return self._home_bytes(found)

    @property
    def setup_bytes(self) -> int:
        """Bytes that the plans of the setup move from ``home``."""
        return self._home_bytes([(one, 1) for one in self.setup])

    def _home_bytes(self, found: list[tuple[Assignment, int]]) -> int:
        return sum(
            one.op.operands[operand].tensor.home_bytes(size) * times
            for one, times in found
            if one.plan is not None
            for moved in (one.plan.loaded, one.plan.stored)
            for operand, size in moved.items()
            if one.homes[operand] == self.home
        )

    def assignments(self, runs: int = 1) -> list[tuple[Assignment, int]]:
        """Every assignment with the number of times it runs, preloads and write-backs included.

        Args:
            runs: how often the program runs; the setup runs once.
        """
        found = [(one, 1) for one in self.setup]
        _walk(self.program, runs, found)
        return found


def _walk(steps: tuple[Step, ...], times: int, found: list[tuple[Assignment, int]]) -> None:
    for step in steps:
        if isinstance(step, Assignment):
            found.append((step, times))
        else:
            if step.preload:
                found.append((step.preload, times))
            _walk(step.body, times * step.region.steps, found)
            if step.writeback:
                found.append((step.writeback, times))
