"""The tile pipeline of one engine as explicit state: load, compute, store, in order.

Tile i of an operator may load when at most ``slots_in - 1`` tiles of it wait or compute, compute
when it is loaded, the engine is free and an output slot is, and store when it is computed. The
first tiles of the next operator load meanwhile, if the buffer has room for both; loads of what an
earlier operator has still to write, and all computing, wait until the operator is open.

Nothing here is a generator: the place in a plan is a few integers, so that two moments of a replay
can be compared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from codesign.replay.template import Parts, Step, Template

LONG = 16
"""Repeats still to come from which a loop is worth watching for a recurring state (measured)."""


@dataclass(slots=True)
class Invocation:
    """One run of a whole program, in ticks.

    Attributes:
        stream: name of the program.
        number: how many runs of it were asked for before.
        asked: when it was asked for.
        start: first transfer or compute; -1 before.
        end: when all its results were stored; -1 before.
        left: its jobs under way.
        issued: whether all its jobs have been issued.
    """

    stream: str
    number: int
    asked: int
    start: int = -1
    end: int = -1
    left: int = 0
    issued: bool = False


class Job:
    """One run of one operator on one engine.

    Attributes:
        template: what it shares with other runs.
        lane: the engine's pipeline.
        op: index of the operator in its program.
        waits: earlier jobs that must end before this one is open.
        followers: later jobs that wait for this one.
        barrier: whether even early loads wait until it is open.
        number: which run of its program it is.
        invocation: the run of the whole program that it belongs to.
        start: tick of its first transfer or compute; -1 before.
        over: whether it has ended.
        place: index among the jobs under way, where somebody has just numbered them.
        pc: index of the next item of the template's code.
        left: tiles like ``ahead`` still to load.
        counters: repeats still to come of each loop of the code.
        came_round: whether a long loop has begun anew since somebody looked.
    """

    __slots__ = (
        "ahead",
        "barrier",
        "came_round",
        "counters",
        "followers",
        "in_flight",
        "invocation",
        "lane",
        "left",
        "number",
        "op",
        "out_flight",
        "over",
        "pc",
        "place",
        "start",
        "template",
        "unfinished",
        "waits",
    )

    def __init__(self, template: Template, lane: Lane, op: int, invocation: Invocation) -> None:
        self.template, self.lane, self.op, self.invocation = template, lane, op, invocation
        self.number = 0
        self.over = False
        self.waits: list[Job] = []
        self.followers: list[Job] = []
        self.barrier = False
        self.start = -1
        self.place = -1
        self.in_flight = self.out_flight = 0
        self.unfinished = template.tiles
        self.ahead: Step | None = None
        self.pc = self.left = 0
        self.counters = list(template.repeats)
        self.came_round = False

    def peek(self) -> Step | None:
        """The next tile to load, or None when all are loaded."""
        if self.left:
            return self.ahead
        code = self.template.code
        while self.pc < len(code):
            step, count, loop = code[self.pc]
            if step is not None:
                self.pc += 1
                self.ahead, self.left = step, count
                return step
            rest = self.counters[loop] - 1
            if rest:
                self.counters[loop] = rest
                self.pc = count
                self.came_round = self.came_round or rest >= LONG
            else:
                self.counters[loop] = self.template.repeats[loop]
                self.pc += 1
        self.ahead = None
        return None

    def bytes_left(self) -> int:
        """Most buffer bytes that a job whose tiles are all loaded or loading can still take."""
        plan = self.template.plan
        if plan is None:
            return 0
        outputs = min(plan.slots_out, self.in_flight + self.out_flight)
        held = plan.held_bytes if self.in_flight else 0
        return held + self.in_flight * plan.slot_in_bytes + outputs * plan.slot_out_bytes


class Lane:
    """State of one engine's pipeline; the Fabric moves it.

    Attributes:
        queue: jobs with tiles still to load, in order.
        draining: jobs whose tiles are all loaded and that have not ended.
        loaded: tiles that wait for the engine.
        to_store: tiles that wait for the store channel.
        loading: the tile that loads, with the parts still to transfer and whether one does.
        computing: the tile that computes, until tick ``compute_end``.
        storing: the tile that stores.
        busy_ticks: ticks computed so far.
    """

    __slots__ = (
        "busy_ticks",
        "compute_end",
        "computing",
        "draining",
        "index",
        "load_busy",
        "load_late",
        "load_parts",
        "loaded",
        "loading",
        "name",
        "queue",
        "store_parts",
        "storing",
        "to_store",
    )

    def __init__(self, name: str, index: int = 0) -> None:
        self.name, self.index = name, index
        self.busy_ticks = 0
        self.clear()

    def clear(self) -> None:
        """Forgets all work; what was counted stays."""
        self.queue: deque[Job] = deque()
        self.draining: deque[Job] = deque()
        self.loaded: deque[tuple[Job, Step]] = deque()
        self.to_store: deque[tuple[Job, Step]] = deque()
        self.loading: tuple[Job, Step] | None = None
        self.computing: tuple[Job, Step] | None = None
        self.storing: tuple[Job, Step] | None = None
        self.load_parts: Parts = ()
        self.load_late: Parts = ()
        self.load_busy = False
        self.store_parts: Parts = ()
        self.compute_end = -1

    def next_load(self) -> tuple[Job, Step] | None:
        """The tile that may start loading now, or None."""
        while self.queue:
            job = self.queue[0]
            step = job.peek()
            if step is None:
                if job.template.plan is None:
                    return None
                self.queue.popleft()
                if job.unfinished:
                    self.draining.append(job)
                continue
            return (job, step) if self._has_room(job) else None
        return None

    def _has_room(self, job: Job) -> bool:
        plan = job.template.plan
        if plan is None or (job.barrier and job.waits):
            return False
        if job.in_flight >= plan.slots_in:
            return False
        if not self.draining:
            return True
        taken = sum(older.bytes_left() for older in self.draining)
        room = min(older.template.budget_bytes for older in self.draining)
        need = plan.held_bytes + (job.in_flight + 1) * plan.slot_in_bytes
        need += plan.slots_out * plan.slot_out_bytes
        return taken + need <= min(room, job.template.budget_bytes)
