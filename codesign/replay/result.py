"""What a replay measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from codesign.mapping.placement import Assignment
from codesign.replay.job import Invocation
from codesign.replay.log import Log, Totals

__all__ = ["Invocation", "Replay", "Span", "Totals", "Use"]


@dataclass(frozen=True, slots=True)
class Span:
    """When one run of one operator was at work, in ticks."""

    assignment: Assignment
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a memory did beside reading and writing bytes.

    Attributes:
        rates: actions for each byte asked for, by class of transfers as the memory tells them
            apart; empty for a memory that only reads and writes.
        ticks: time in each power state; together the whole session.
    """

    rates: Mapping[object, Mapping[str, Fraction]]
    ticks: Mapping[str, int]


@dataclass(frozen=True)
class Replay:
    """What the replay measured of one placement.

    Attributes:
        makespan: ticks from the first event of the whole session to the last.
        lower: ticks that no schedule of these tiles can beat in one run.
        serial: ticks of one run if nothing overlapped.
        events: fabric events handled in the whole session.
        program: every operator of the placement once, in order.
        log: when each of them ran.
        busy: compute ticks by engine in the whole session.
        moved: bytes moved by (source memory, target memory) in the whole session.
        actions: (assignment, component, action, count) charged by process engines.
        moves: (assignment, operand, bytes, is a load) made by process engines.
        invocations: runs of the placement, in order.
        uses: what memories with power states or actions of their own did in the whole session.
    """

    makespan: int
    lower: int
    serial: int
    events: int
    program: tuple[Assignment, ...]
    log: Log
    busy: dict[str, int]
    moved: dict[tuple[str, str], int]
    actions: tuple[tuple[Assignment, str, str, int], ...] = ()
    moves: tuple[tuple[Assignment, int, int, bool], ...] = ()
    invocations: tuple[Invocation, ...] = ()
    uses: Mapping[str, Use] = field(default_factory=dict)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Every run of every operator in program order, steps of regions one by one."""
        return tuple(Span(self.program[row.op], row.start, row.end) for row in self.log.rows())

    @cached_property
    def totals(self) -> tuple[tuple[Assignment, Totals], ...]:
        """All runs of each operator together, in program order; nothing is unrolled."""
        return tuple((self.program[op], total) for op, total in self.log.totals().items())

    @cached_property
    def added(self) -> tuple[tuple[Assignment, int], ...]:
        """Ticks that all runs of each operator add to the session, see ``Log.added``."""
        return tuple((self.program[op], ticks) for op, ticks in self.log.added().items())
