"""One program as it is issued: its place, and which jobs under way touch which tensor."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from codesign.errors import CodesignError
from codesign.replay.job import Invocation, Job
from codesign.replay.lane import Lane
from codesign.replay.log import Log
from codesign.replay.program import Back, Fence, Issue, Program, Rename

WINDOW = 32
"""Operators of a program under way at once: how far a command processor looks ahead (assumed)."""
MANY = 4
"""Steps still to come from which a region is worth watching for a recurring state (assumed)."""


class Stream:
    """A program under way.

    Attributes:
        program: what is run, once for each invocation, one after the other.
        counters: repeats still to come of each loop.
        under_way: how many of its jobs have been issued and have not ended.
        came_round: whether a loop has begun anew since somebody looked.
        log: runs that have ended.
        issued: how many runs have been issued.
    """

    def __init__(self, name: str, program: Program, lanes: Mapping[str, Lane]) -> None:
        self.name, self.program = name, program
        self.counters = list(program.repeats)
        self.under_way = 0
        self.came_round = False
        self.log = Log()
        self.issued = 0
        self._lanes = lanes
        self._pc = 0
        self._asked: deque[Invocation] = deque()
        self._invocations = 0
        self._present: Invocation | None = None
        self._writer: dict[str, Job] = {}
        self._readers: dict[str, list[Job]] = {}
        self._fences: dict[str, tuple[Job, ...]] = {}

    def ask(self, now: int) -> Invocation:
        """Appends a run of the program to those that were asked for."""
        invocation = Invocation(self.name, self._invocations, now)
        self._invocations += 1
        self._asked.append(invocation)
        return invocation

    def fence(self, jobs: tuple[Job, ...]) -> None:
        """The next job on every lane waits for these."""
        self._fences = dict.fromkeys(self._lanes, jobs)

    def upcoming(self) -> Issue | Fence | None:
        """The next item that others must agree to; None if nothing is left to issue.

        Everything before it has been done on the way.
        """
        if self._present is None:
            if not self._asked:
                return None
            self._present = self._asked.popleft()
        code = self.program.code
        while self._pc < len(code):
            item = code[self._pc]
            if isinstance(item, (Issue, Fence)):
                return item
            self._pc = self._after(item)
        self._present.issued = True
        self._present = None
        self._pc = self.program.first
        return self.upcoming()

    def passed(self) -> None:
        """The fence that came up has been put up."""
        self._pc += 1

    def issue(self, item: Issue) -> Job:
        """The job of the operator that came up, with what it must wait for."""
        if self._present is None:
            raise CodesignError(f"{self.name} issues an operator outside a run; report it")
        lane = self._lanes[item.assignment.engine]
        job = Job(item.template, lane, item.op, self._present)
        job.number = self.issued
        self.issued += 1
        self._pc += 1
        self.under_way += 1
        self._present.left += 1
        before = [self._writer[name] for name in item.touches if name in self._writer]
        for name in item.changes:
            before += self._readers.get(name, ())
        fence = self._fences.pop(lane.name, ())
        job.barrier = any(not earlier.over for earlier in fence)
        job.waits = [one for one in dict.fromkeys((*before, *fence)) if not one.over]
        for name in item.reads:
            readers = [reader for reader in self._readers.get(name, ()) if not reader.over]
            self._readers[name] = [*readers, job]
        for name in item.writes:
            self._writer[name] = job
            self._readers[name] = []
        return job

    def ended(self, job: Job, now: int) -> Invocation | None:
        """Notes that a job has ended; the invocation that is over with it, if one is."""
        self.under_way -= 1
        self.log.add(job.number, job.op, job.start, now)
        invocation = job.invocation
        invocation.left -= 1
        if invocation.start < 0 or job.start < invocation.start:
            invocation.start = job.start
        if not invocation.left and not invocation.issued:
            self.upcoming()  # its last job may end before anyone has looked for a further one
        if invocation.left or not invocation.issued:
            return None
        invocation.end = now
        return invocation

    def content(self) -> tuple[object, ...]:
        """What decides which jobs come next and what they wait for, but for the counters.

        The jobs under way must have been numbered by ``Job.place``.
        """
        writers = [(name, job.place) for name, job in self._writer.items() if not job.over]
        readers = [
            (name, tuple([job.place for job in jobs if not job.over]))
            for name, jobs in self._readers.items()
        ]
        fences = [
            (lane, tuple([job.place for job in jobs if not job.over]))
            for lane, jobs in self._fences.items()
        ]
        return (
            self._pc,
            len(self._asked),
            len(self._writer),  # only ever grows: a name is handed on once it has been written
            tuple(sorted(writers)),
            tuple(sorted(entry for entry in readers if entry[1])),
            tuple(sorted(entry for entry in fences if entry[1])),
        )

    def _after(self, item: Rename | Back) -> int:
        """Does an item that needs nobody else; the index of the next one."""
        if isinstance(item, Rename):
            self._hand_on(item)
            return self._pc + 1
        rest = self.counters[item.loop] - 1
        if rest == 0:
            self.counters[item.loop] = self.program.repeats[item.loop]
            return self._pc + 1
        self.counters[item.loop] = rest
        self.came_round = self.came_round or rest >= MANY
        return item.target

    def _hand_on(self, item: Rename) -> None:
        """Gives names to what others have written, and their bytes to who writes next."""
        writers = [self._writer.get(source) for source, _ in item.pairs]
        readers = [self._readers.get(source, []) for source, _ in item.pairs]
        freed = [self._readers.get(target, []) for _, target in item.freed]
        for (_, target), writer, reading in zip(item.pairs, writers, readers, strict=True):
            self._readers[target] = reading
            if writer is not None:
                self._writer[target] = writer
        for (source, _), reading in zip(item.freed, freed, strict=True):
            self._readers[source] = reading
