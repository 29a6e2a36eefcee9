"""The replay: SimPy drives operators, the Fabric drives tiles. The only import of simpy."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import simpy

from codesign.errors import CodesignError
from codesign.hardware.component import Direction
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.prices import check_charge
from codesign.replay.bounds import lower_bound, serial_bound
from codesign.replay.fabric import Fabric
from codesign.replay.process_check import check_process
from codesign.replay.program import Program, Run, build
from codesign.replay.shares import Shares
from codesign.units import cycles_to_ticks


@dataclass(frozen=True, slots=True)
class Span:
    """When one run of one operator was at work, in ticks."""

    assignment: Assignment
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What the replay measured.

    Attributes:
        makespan: ticks from the first event to the last.
        lower: ticks that no schedule of these tiles can beat.
        serial: ticks if nothing overlapped.
        events: fabric events handled.
        spans: every run of every operator in order.
        busy: compute ticks by engine.
        moved: bytes moved by (source memory, target memory).
        actions: (assignment, component, action, count) charged by process engines.
        moves: (assignment, operand, bytes, is a load) made by process engines.
    """

    makespan: int
    lower: int
    serial: int
    events: int
    spans: tuple[Span, ...]
    busy: dict[str, int]
    moved: dict[tuple[str, str], int]
    actions: tuple[tuple[Assignment, str, str, int], ...]
    moves: tuple[tuple[Assignment, int, int, bool], ...]


Watcher = Callable[[int, int], None]
"""Called with (operators ended, operators in all)."""


def replay(placement: Placement, hardware: Hardware, watch: Watcher | None = None) -> Replay:
    """Plays a placement through.

    Args:
        placement: what runs where.
        hardware: the same hardware that it was placed on.
        watch: told about progress, operator by operator.
    """
    memories = {memory.name: memory for memory in hardware.memories}
    shares = Shares(memories, {link.name: link for link in hardware.links})
    program = build(placement, hardware, shares)
    player = _Player(program, hardware, shares, watch)
    return player.play()


class _Player:
    """One replay: a SimPy environment, the Fabric's process, and one event per operator."""

    def __init__(
        self, program: Program, hardware: Hardware, shares: Shares, watch: Watcher | None
    ) -> None:
        self.program, self.hardware, self.shares, self.watch = program, hardware, shares, watch
        self.env = simpy.Environment()
        self.fabric = Fabric(shares, tuple(engine.name for engine in hardware.engines))
        self.done = {run.job.number: self.env.event() for run in program.runs}
        self.engine_of = {run.job.number: run.assignment.engine for run in program.runs}
        self.runs = {run.job.number: run for run in program.runs}
        self.arrived: list[simpy.Event] = []
        self.actions: list[tuple[Assignment, str, str, int]] = []
        self.moves: list[tuple[Assignment, int, int, bool]] = []

    def play(self) -> Replay:
        for run in self.program.runs:
            self.done[run.job.number].callbacks.append(self._opener(run))
            self.fabric.submit(run.assignment.engine, run.job)
        self.env.process(self._host())
        self.env.run()
        stuck = [run.job.name for run in self.program.runs if run.job.end < 0]
        if stuck:
            raise CodesignError(
                f"the replay stopped with {len(stuck)} operators waiting, first {stuck[0]!r}: "
                "its tiles do not fit the buffer or a process engine never ended"
            )
        return self._result()

    def _host(self) -> Generator[simpy.Event, Any, None]:
        """Owns the Fabric: lets it run ahead to the next operator's end or foreign event."""
        for name in self.fabric.lanes:
            self.fabric.start(name)
            self._launch(name)
        while True:
            until = self._horizon()
            if self.fabric.advance(until):
                yield self.env.timeout(self.fabric.now - self.env.now)
                self._announce()
                yield self.env.timeout(0)  # after the callbacks of what ended
            elif until is not None:
                yield self.env.timeout(until - self.env.now)
            else:
                return

    def _horizon(self) -> int | None:
        """Tick of the next foreign event, which the Fabric must not pass; None without one."""
        tick = self.env.peek()
        if tick == float("inf"):
            return None
        if tick != int(tick):
            raise CodesignError(
                f"a process engine waits until tick {tick}; times must be whole picoseconds, "
                "use ports.compute or an integer"
            )
        return int(tick)

    def _announce(self) -> None:
        """Tells SimPy what ended in the Fabric, once SimPy's clock has caught up with it."""
        over = [self.done[job.number] for job in self.fabric.ended] + self.arrived
        self.fabric.ended.clear()
        self.arrived.clear()
        for event in over:
            event.succeed()

    def _opener(self, run: Run) -> Callable[[simpy.Event], None]:
        return lambda _: self._ended(run)

    def _ended(self, run: Run) -> None:
        """Opens what waited for this operator."""
        touched = {run.assignment.engine: None}
        for follower in run.job.followers:
            follower.waits -= 1
            if follower.open:
                touched[self.engine_of[follower.number]] = None
        for engine in touched:
            self.fabric.start(engine)
            self._launch(engine)
        if self.watch:
            self.watch(run.job.number + 1, len(self.program.runs))

    def _launch(self, engine: str) -> None:
        """Starts the process of an engine whose turn it is, if it is one."""
        job = self.fabric.waiting(engine)
        if job is not None:
            job.start = self.fabric.now
            self.env.process(self._drive(self.runs[job.number]))

    def _drive(self, run: Run) -> Generator[simpy.Event, Any, None]:
        engine = self.hardware.engine(run.assignment.engine)
        first = len(self.moves)
        ports = _Ports(self, run)
        yield self.env.process(engine.process(self.env, run.assignment.op, ports))
        yield self.env.all_of(ports.started)  # also those that it did not wait for
        moves = [move[1:] for move in self.moves[first:] if move[0] is run.assignment]
        here = tuple(home == engine.buffer for home in run.assignment.homes)
        check_process(run.assignment.op, moves, here)
        self.fabric.finish(engine.name, run.job)

    def transfer(self, run: Run, move: Move, load: bool) -> simpy.Event:
        """A transfer for a process engine, as a SimPy event."""
        if not 0 <= move.operand < len(run.assignment.homes):
            raise CodesignError(
                f"{run.job.name}: a process moves operand {move.operand}, the operator has "
                f"{len(run.assignment.homes)}; count inputs, then outputs, from 0"
            )
        over = self.env.event()
        direction: Direction = "read" if load else "write"
        parts = self.program.transfers.parts(run.assignment, (move,), direction)
        if not parts:
            return over.succeed()
        ((number, size),) = parts
        self.moves.append((run.assignment, move.operand, move.bytes, load))
        self.fabric.transfer(number, size, partial(self.arrived.append, over))
        return over

    def _result(self) -> Replay:
        spans = tuple(Span(r.assignment, r.job.start, r.job.end) for r in self.program.runs)
        moved: dict[tuple[str, str], int] = {}
        for number, size in self.fabric.moved.items():
            ends = self.shares.ends(number)
            moved[ends] = moved.get(ends, 0) + size
        busy = {name: lane.busy_ticks for name, lane in self.fabric.lanes.items()}
        return Replay(
            max((span.end for span in spans), default=0),
            lower_bound(self.program, self.shares),
            serial_bound(self.program, self.shares),
            self.fabric.events,
            spans,
            busy,
            moved,
            tuple(self.actions),
            tuple(self.moves),
        )


class _Ports:
    """``Ports`` for one run of one process engine."""

    def __init__(self, player: _Player, run: Run) -> None:
        self._player, self._run = player, run
        self._lane = player.fabric.lanes[run.assignment.engine]
        self.started: list[simpy.Event] = []

    def load(self, operand: int, bytes: int) -> simpy.Event:
        return self._transfer(Move(operand, bytes), load=True)

    def store(self, operand: int, bytes: int) -> simpy.Event:
        return self._transfer(Move(operand, bytes), load=False)

    def _transfer(self, move: Move, load: bool) -> simpy.Event:
        self.started.append(self._player.transfer(self._run, move, load))
        return self.started[-1]

    def compute(self, cycles: int, clock_hz: float) -> simpy.Event:
        duration = cycles_to_ticks(cycles, clock_hz)
        self._lane.busy_ticks += duration
        return self._player.env.timeout(duration)

    def act(self, component: str, action: str, count: int) -> None:
        check_charge(component, action, self._run.assignment, self._player.hardware)
        self._player.actions.append((self._run.assignment, component, action, count))
