"""A run of an operator, and the run of a whole program that it belongs to.

Nothing here is a generator: the place in a plan is a few integers, so that two moments of a replay
can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codesign.replay.template import Step, Template

if TYPE_CHECKING:
    from codesign.replay.lane import Lane

LONG = 8
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
