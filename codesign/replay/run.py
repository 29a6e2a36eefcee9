"""The replay: SimPy drives arrivals, completions and processes, the dispatcher everything else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import simpy

from codesign.errors import CodesignError
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.allocate import Addresses, allocate
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.bounds import lower_bound, serial_bound
from codesign.replay.budget import MOST_EVENTS, OPERATOR, BudgetError, check_most
from codesign.replay.dispatch import Dispatch
from codesign.replay.job import Invocation, Job
from codesign.replay.path import way
from codesign.replay.ports import Ports
from codesign.replay.program import Program
from codesign.replay.record import Recorder
from codesign.replay.result import Replay, Span, Use
from codesign.replay.shares import Shares
from codesign.replay.trail import CAUSE, Past, Stretch
from codesign.replay.transfers import Templates, Transfers
from codesign.replay.uses import memory_uses, moved_bytes
from codesign.units import PS_PER_S

__all__ = ["Invocation", "Recording", "Replay", "Session", "Span", "Watcher", "record", "replay"]

Watcher = Callable[[int, int], None]
"""Called with (operators ended, operators in all)."""

_MAIN = ""
MOST_DRAWN = 256
"""Stretches that a critical path is folded into (assumed)."""


def replay(
    placement: Placement,
    hardware: Hardware,
    watch: Watcher | None = None,
    *,
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
) -> Replay:
    """Plays a placement through once.

    Args:
        placement: what runs where.
        hardware: the same hardware that it was placed on.
        watch: told about progress.
        exact_events: handle every event instead of skipping what recurs; the figures are the same.
        most_events: how many it may handle.
    """
    session = _once(placement, hardware, watch, exact_events, most_events)
    return session.run()[_MAIN]


@dataclass(frozen=True)
class Recording:
    """A replay with its critical path.

    Attributes:
        replay: what was measured.
        stretches: the path from tick 0 to the end of the last operator, folded into few stretches;
            keys name operators by their numbers in the program.
        shares: rates of the classes of transfers, and what bounds them.
        transfers: classes of the transfers.
        addresses: of the operands.
        written: names of the tensors that some operator writes.
    """

    replay: Replay
    stretches: tuple[Stretch, ...]
    shares: Shares
    transfers: Transfers
    addresses: Addresses
    written: frozenset[str]


def record(
    placement: Placement,
    hardware: Hardware,
    watch: Watcher | None = None,
    *,
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
) -> Recording:
    """Plays a placement through once and finds its critical path.

    Args:
        placement: what runs where.
        hardware: the same hardware that it was placed on.
        watch: told about progress.
        exact_events: handle every event; the path has the same parts.
        most_events: how many it may handle.
    """
    session = _once(placement, hardware, watch, exact_events, most_events, record=True)
    return session.recording(_MAIN, session.run()[_MAIN])


class Session:
    """Placements on one machine, run when somebody asks for it.

    Attributes:
        env: the SimPy environment; its clock counts picoseconds.
    """

    def __init__(
        self,
        hardware: Hardware,
        placements: Mapping[str, Placement],
        *,
        exact_events: bool = False,
        most_events: int = MOST_EVENTS,
        watch: Callable[[int], None] | None = None,
        record: bool = False,
    ) -> None:
        check_most(most_events)
        memories = {memory.name: memory for memory in hardware.memories}
        self.env = simpy.Environment()
        self._hardware, self._placements = hardware, dict(placements)
        self._shares = Shares(memories, {link.name: link for link in hardware.links})
        self._templates = Templates(hardware, self._shares)
        self._recorder = Recorder(self._shares.setups) if record else None
        self._programs = {
            name: Program(placement, self._templates) for name, placement in placements.items()
        }
        occupied = {engine.name: engine.occupies for engine in hardware.engines}
        self._dispatch = Dispatch(
            self._shares,
            tuple(occupied),
            self._programs,
            exact_events=exact_events,
            watch=watch,
            occupied=occupied,
            recorder=self._recorder,
            most_events=most_events,
        )
        self._most = most_events
        self._asked: dict[str, list[tuple[Invocation, simpy.Event]]] = {n: [] for n in placements}
        self._arrived: list[simpy.Event] = []
        self._ports: list[tuple[Job, Ports]] = []

    def invoke(self, stream: str) -> simpy.Event:
        """Asks for one run of a placement, behind those asked for before.

        Args:
            stream: its name.

        Returns:
            An event that occurs when the run is over, with its ``Invocation``.
        """
        event = self.env.event()
        self._asked[stream].append((self._dispatch.ask(stream), event))
        return event

    def transfer(self, source: str, target: str, move: Move, initiator: str = "") -> simpy.Event:
        """Starts a transfer that belongs to no placement: a host, a camera, another chip's DMA.

        Args:
            source: memory that is read.
            target: memory that is written; the links between them are shared with the engines.
            move: bytes and access shape; its operand means nothing here.
            initiator: who asks, for memories that tell initiators apart.

        Returns:
            An event that occurs when the last byte has arrived.
        """
        over = self.env.event()
        number = self._templates.transfers.number(source, target, move, initiator)
        self._transfer(number, move.bytes, over)
        return over

    def process(self, generator: Generator[simpy.Event, Any, Any]) -> simpy.Event:
        """Starts a SimPy process, for example one that invokes placements as time goes by."""
        return self.env.process(generator)

    def run(self, until: int = 0) -> dict[str, Replay]:
        """Plays until nothing is left to do.

        Args:
            until: tick up to which the machine stands by at least; its memories rest meanwhile.

        Returns:
            What was measured, by stream.

        Raises:
            CodesignError: operators that never end.
            BudgetError: more events than it may handle.
        """
        self.env.process(self._host())
        try:
            self.env.run()
        except BudgetError:
            raise BudgetError(self._how_far()) from None
        stuck = self._dispatch.window
        if stuck:
            names = [self._assignment(job).op.name for job in stuck]
            raise CodesignError(
                f"the replay stopped with {len(stuck)} operators waiting, first {names[0]!r}: "
                "its tiles do not fit the buffer or a process engine never ended"
            )
        # transfers of others may go on after the last operator
        end = max(self._dispatch.last_end, self._dispatch.fabric.flows.last, until)
        tally = self._dispatch.close(end)
        uses = memory_uses(self._hardware, self._shares, tally, end)
        return {name: self._result(name, uses) for name in self._placements}

    def recording(self, stream: str, measured: Replay) -> Recording:
        """What was recorded of a stream; the session has ended and was asked to record.

        Args:
            stream: its name.
            measured: what ``run`` returned for it.
        """
        table = self._recorder.table if self._recorder else Past({CAUSE: []})
        stretches = tuple(reversed(way(table, CAUSE, MOST_DRAWN)))
        addresses = allocate(self._placements[stream], self._hardware)
        written = self._programs[stream].written
        return Recording(
            measured, stretches, self._shares, self._templates.transfers, addresses, written
        )

    def _how_far(self) -> str:
        """What a replay says that has used up its events."""
        asked = {name: len(runs) for name, runs in self._asked.items()}
        total = sum(
            asked[name] * times
            for name, placement in self._placements.items()
            for _, times in placement.assignments()
        )
        dispatch = self._dispatch
        return (
            f"the replay was given up after {self._most:,} events at {dispatch.now / PS_PER_S:g} s "
            f"with {dispatch.jobs_over:,} of {total:,} runs of operators over, as too little "
            f"recurs in it (the end of one counts {OPERATOR}); make the model smaller or its "
            "tiles larger, or raise most_events (--most-events)"
        )

    # -- the host process ------------------------------------------------------------------------

    def _host(self) -> Generator[simpy.Event, Any, None]:
        """Owns the machine: lets it run ahead to the next end that matters or foreign event."""
        while True:
            until = self._horizon()
            if self._dispatch.advance(until):
                yield self.env.timeout(self._dispatch.now - self.env.now)
                self._announce()
                yield self.env.timeout(0)  # after the callbacks of what ended
            elif until is not None:
                yield self.env.timeout(until - self.env.now)
            else:
                return

    def _horizon(self) -> int | None:
        """Tick of the next foreign event, which the machine must not pass; None without one."""
        tick = self.env.peek()
        if tick == float("inf"):
            return None
        if tick != int(tick):
            raise CodesignError(
                f"a process waits until tick {tick}; times must be whole picoseconds, "
                "use ports.compute or an integer"
            )
        return int(tick)

    def _announce(self) -> None:
        """Tells SimPy what happened in the machine, once its clock has caught up with it."""
        for event in self._arrived:
            event.succeed()
        self._arrived.clear()  # the same list: transfers under way will be added to it
        over, self._dispatch.over = self._dispatch.over, []
        for invocation in over:
            self._asked[invocation.stream][invocation.number][1].succeed(invocation)
        ready, self._dispatch.ready = self._dispatch.ready, []
        for job in ready:
            self.env.process(self._drive(job))

    # -- process engines -------------------------------------------------------------------------

    def _drive(self, job: Job) -> Generator[simpy.Event, Any, None]:
        assignment = self._assignment(job)
        engine = self._hardware.engine(assignment.engine)
        transfers = self._templates.transfers
        ports = Ports(assignment, self._hardware, transfers, self.env, self._transfer)
        self._ports.append((job, ports))
        yield self.env.process(engine.process(self.env, assignment.op, ports))
        yield self.env.all_of(ports.started)  # also those that it did not wait for
        ports.check()
        job.lane.busy_ticks += ports.busy
        self._dispatch.finish(job)

    def _transfer(self, number: int, size: int, over: simpy.Event) -> None:
        self._dispatch.transfer(number, size, partial(self._arrived.append, over))

    def _assignment(self, job: Job) -> Assignment:
        return self._programs[job.invocation.stream].issues[job.op].assignment

    # -- the result ------------------------------------------------------------------------------

    def _result(self, name: str, uses: Mapping[str, Use]) -> Replay:
        program, stream = self._programs[name], self._dispatch.streams[name]
        fabric, placement = self._dispatch.fabric, self._placements[name]
        templates = {id(issue.assignment): issue.template for issue in program.issues}
        own = [(job, ports) for job, ports in self._ports if job.invocation.stream == name]
        assignments = tuple(issue.assignment for issue in program.issues)
        rows = stream.log.rows() if own else []
        processes = sum(r.end - r.start for r in rows if assignments[r.op].plan is None)
        return Replay(
            self._dispatch.last_end,
            lower_bound(placement, templates, self._shares),
            serial_bound(placement, templates, self._shares, processes),
            fabric.events,
            assignments,
            stream.log,
            {engine: lane.busy_ticks for engine, lane in fabric.lanes.items()},
            moved_bytes(self._shares, fabric.flows.tally),
            tuple((assignments[j.op], *action) for j, ports in own for action in ports.actions),
            tuple((assignments[j.op], *move) for j, ports in own for move in ports.moves),
            tuple(invocation for invocation, _ in self._asked[name]),
            uses,
        )


def _once(
    placement: Placement,
    hardware: Hardware,
    watch: Watcher | None,
    exact_events: bool,
    most_events: int,
    record: bool = False,
) -> Session:
    """A session that was asked for one run of one placement."""
    total = sum(times for _, times in placement.assignments())
    session = Session(
        hardware,
        {_MAIN: placement},
        exact_events=exact_events,
        most_events=most_events,
        watch=(lambda ended: watch(ended, total)) if watch else None,
        record=record,
    )
    session.invoke(_MAIN)
    return session
