"""Placement: which engine runs which operator in which tiles, and what stays on chip meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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
    """

    op: Op
    engine: str
    plan: TilePlan | None
    homes: tuple[str, ...]
    budget_bytes: int


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
    """

    trace: Trace
    program: tuple[Step, ...]
    home: str
    notes: tuple[str, ...] = ()

    def assignments(self) -> list[tuple[Assignment, int]]:
        """Every assignment with the number of times it runs, preloads and write-backs included."""
        found: list[tuple[Assignment, int]] = []
        _walk(self.program, 1, found)
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
