"""The dispatcher: issues the operators of all programs and moves the machine from end to end.

With the accelerations on, the machine is moved along remembered edges while that is possible; the
Fabric then stands still and is put into the right state when something new happens. With them off
every event is handled. Both ways give the same ticks, bytes and order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from codesign.replay import memo, state
from codesign.replay.budget import MOST_EVENTS, OPERATOR
from codesign.replay.fabric import Fabric
from codesign.replay.forward import Forward
from codesign.replay.job import Invocation, Job
from codesign.replay.program import Fence, Program
from codesign.replay.record import Recorder
from codesign.replay.shares import Shares
from codesign.replay.stream import WINDOW, Stream
from codesign.replay.tally import Tally
from codesign.replay.turns import Turns, look, skip

Key: TypeAlias = "tuple[int, memo.Signature]"
Watcher: TypeAlias = Callable[[int], None]
"""Called with the number of operators that have ended."""


class Dispatch:
    """Programs on the lanes of one machine.

    Attributes:
        fabric: lanes and transfers.
        streams: programs by name.
        window: jobs issued that have not ended, in order of issue.
        over: invocations that ended since somebody last emptied it.
        ready: jobs of process engines whose turn it is, likewise.
        jobs_over: runs of operators that have ended.
        last_end: tick at which the last of them did.
    """

    def __init__(
        self,
        shares: Shares,
        engines: tuple[str, ...],
        programs: Mapping[str, Program],
        *,
        exact_events: bool,
        watch: Watcher | None = None,
        occupied: Mapping[str, tuple[str, ...]] | None = None,
        recorder: Recorder | None = None,
        most_events: int = MOST_EVENTS,
    ) -> None:
        self._forward = None if exact_events else Forward()
        self._memo = None if exact_events else memo.Memo()
        self._turns = Turns()
        self.fabric = Fabric(shares, engines, self._forward, occupied, recorder, most_events)
        self._recorder = recorder
        lanes = self.fabric.lanes
        self.streams = {name: Stream(name, one, lanes) for name, one in programs.items()}
        self.window: list[Job] = []
        self.over: list[Invocation] = []
        self.ready: list[Job] = []
        self.jobs_over = self.last_end = 0
        self._watch = watch
        self._processes = 0
        self._node = self._look()  # the state before `_issued` were issued, where it is known
        self._stands = True  # whether the Fabric is in that state
        self._issued: list[Job] = []
        self._holder: Stream | None = None
        self._held = 0

    @property
    def now(self) -> int:
        """The present tick."""
        return self.fabric.now

    # -- what the outside may do ----------------------------------------------------------------

    def ask(self, stream: str) -> Invocation:
        """Asks for a run of a program, behind those asked for before."""
        invocation = self.streams[stream].ask(self.now)
        self._turns.forget()
        self._issue()
        return invocation

    def transfer(self, number: int, size: int, done: Callable[[], None]) -> None:
        """Starts a transfer for someone outside; ``done`` is called within ``advance``."""
        self._turns.forget()
        self._wake()
        self.fabric.transfer(number, size, done)

    def finish(self, job: Job) -> None:
        """Ends the job of an engine that is a process."""
        self._turns.forget()
        self._wake()
        self.fabric.finish(job)
        self._processes -= 1
        self._release()
        self._settle()

    # -- time ------------------------------------------------------------------------------------

    def advance(self, until: int | None) -> bool:
        """Moves on until an invocation or an outside transfer ends or a process may begin.

        Args:
            until: tick not to pass, or None for no limit.

        Returns:
            Whether something of that kind happened at ``now``; if not, ``until`` is reached or
            nothing is under way.
        """
        while not (self.over or self.ready):
            if self._recorder is not None and self._recorder.is_full:
                self._recorder.forget()
                self._turns.forget()
            key = self._key()
            if key is not None:
                if self._rest(until):
                    return False
                if self._skip(key, until) or self._follow(key, until):
                    continue
            if not self._live(key, until):
                return self.fabric.heard
        return True

    def _key(self) -> Key | None:
        """The present state and the jobs issued in it, where the state is known."""
        if self._node is None:
            return None
        return self._node, memo.signature(self._issued, self.window)

    def _rest(self, until: int | None) -> bool:
        """Whether nothing is under way; time then passes and the state remains."""
        if self.window:
            return False
        if until is not None and self.fabric.flows.rests:
            self._wake()
            self.fabric.now = until
            self._node = self._look()
        elif until is not None:
            self.fabric.now = until
        return True

    def _skip(self, key: Key, until: int | None) -> bool:
        """Skips steps of regions, if the state recurs."""
        if not self._turns.is_due(self.streams):
            return False
        content = tuple([stream.content() for stream in self.streams.values()])
        present = look(self.fabric, self.streams, self.jobs_over)
        jobs = tuple([self._relative(job) for job in self.window])
        leap = self._turns.leap((key, content, jobs), present, until)
        if leap is None:
            return False
        self.jobs_over += skip(self.fabric, self.streams, self.window, leap)
        return True

    def _relative(self, job: Job) -> tuple[object, ...]:
        """What the log will hold of a job under way, seen from the present."""
        stream = job.invocation.stream
        further = job.number - self.streams[stream].issued
        start = job.start - self.now if job.start >= 0 else None
        return stream, job.op, further, job.invocation.number, start

    def _follow(self, key: Key, until: int | None) -> bool:
        """Takes a known edge, if there is one that ends in time."""
        edge = self._memo.edges.get(key) if self._memo else None
        if edge is None or (until is not None and self.now + edge.elapsed > until):
            return False
        memo.take(self.fabric, self.window, edge)
        self._node, self._stands, self._issued = edge.node, False, []
        self._settle()
        return True

    def _live(self, key: Key | None, until: int | None) -> bool:
        """Moves the Fabric to the next end; False if nobody's operator ended."""
        before = memo.mark(self.fabric, self.window) if key else None
        self._wake()
        if self._find_ready():
            return True
        moved = self.fabric.advance(until)
        if not self.fabric.ended:
            return False
        edge = memo.edge(self.fabric, self.window, before) if before else None
        self._release()
        frame = self._recorder.close(self.fabric, self.window) if self._recorder else None
        self._node = self._look()
        if key and edge and self._memo and self._node is not None:
            self._memo.keep(key, replace(edge, node=self._node, frame=frame))
        self._settle()
        return moved and not self.fabric.heard

    def close(self, end: int) -> Tally:
        """The tally of the transfers up to ``end``, once nothing is under way."""
        self._wake()
        self.fabric.now = max(self.now, end)
        self.fabric.flows.count(self.now)
        return self.fabric.flows.tally

    # -- state -----------------------------------------------------------------------------------

    def _look(self) -> int | None:
        """The number of the Fabric's state, unless somebody outside takes part in it."""
        if self._memo is None or self._processes or self.fabric.flows.outside:
            return None
        return self._memo.node(state.capture(self.fabric, self.window))

    def _wake(self) -> None:
        """Puts the Fabric into the present state, with the issued jobs on their lanes."""
        if not self._stands and self._memo and self._node is not None:
            older = self.window[: len(self.window) - len(self._issued)]
            state.restore(self.fabric, older, self._memo.states[self._node])
            if self._recorder is not None:
                self._recorder.attach(self.fabric)
        self._node, self._stands = None, True
        if self._recorder is not None:
            self._recorder.open(self.fabric, self.window, self._issued)
        for job in self._issued:
            for earlier in job.waits:
                earlier.followers.append(job)
            job.lane.queue.append(job)
        self._issued = []
        if self._forward:
            self._forward.forget()
        self.fabric.start()
        if self._recorder is not None:
            self._recorder.begun()

    def _release(self) -> None:
        """Lets those go on that waited for the jobs that ended."""
        for job in self.fabric.ended:
            for follower in job.followers:
                follower.waits.remove(job)
                if self._recorder is not None and not follower.waits:
                    self._recorder.release(job, follower)
            self.window.remove(job)

    def _find_ready(self) -> bool:
        """Notes process jobs whose turn it is."""
        if self._processes:
            found = [self.fabric.waiting(lane) for lane in self.fabric.lanes.values()]
            self.ready = [job for job in found if job is not None]
            for job in self.ready:
                job.start = self.now
                if self._recorder is not None:
                    self._recorder.process(job, self.now)
        return bool(self.ready)

    # -- ends and issues ---------------------------------------------------------------------------

    def _settle(self) -> None:
        """Notes the jobs that ended and issues those that may follow."""
        ended, self.fabric.ended = self.fabric.ended, []
        self.last_end = self.now if ended else self.last_end
        self.fabric.spend(OPERATOR * len(ended))
        for job in ended:
            job.over = True
            if job in self.window:
                self.window.remove(job)
            self.jobs_over += 1
            invocation = self.streams[job.invocation.stream].ended(job, self.now)
            if invocation is not None:
                self.over.append(invocation)
                self._turns.forget()
        if self._watch:
            self._watch(self.jobs_over)
        self._issue()

    def _issue(self) -> None:
        """Issues operators of all programs in turn while they may be."""
        issuing = True
        while issuing:
            issuing = False
            for stream in self.streams.values():
                item = stream.upcoming() if stream.under_way < WINDOW else None
                if item is None or self._holder not in (None, stream):
                    continue
                issuing = True
                if isinstance(item, Fence):
                    self._fence(stream, item)
                    continue
                job = stream.issue(item)
                self._processes += job.template.plan is None
                self.window.append(job)
                self._issued.append(job)

    def _fence(self, stream: Stream, fence: Fence) -> None:
        """A buffer changes hands: all that follows waits for all that is under way."""
        self._held += fence.holds
        self._holder = stream if self._held else None
        for other in self.streams.values():
            other.fence(tuple(self.window))
        stream.passed()
