"""Tile pipelines and transfers of the whole machine, advanced in integer ticks.

There is no generator and no SimPy here: one call of ``advance`` moves the explicit state from event
to event. An event is a transfer that ends, one that begins to share after its set-up, or a compute
that ends: a tile costs at most three, and one more for each transfer set up beside another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from codesign.errors import CodesignError
from codesign.replay.budget import MOST_EVENTS, BudgetError
from codesign.replay.flows import Flow, Flows
from codesign.replay.forward import Forward
from codesign.replay.job import LONG, Job
from codesign.replay.lane import Lane
from codesign.replay.shares import Shares

if TYPE_CHECKING:
    from codesign.replay.record import Recorder


class Fabric:
    """All lanes and transfers.

    Attributes:
        now: the present tick.
        events: events handled so far.
        spent: what they and all that was repeated from memory took of the budget.
        ended: jobs that ended since somebody last emptied it, in order.
        lanes: pipelines by engine.
        flows: transfers.
        heard: whether a transfer of someone outside has ended since ``advance`` was called.
        recorder: told what begins and ends; None in ordinary replays.
    """

    def __init__(
        self,
        shares: Shares,
        engines: tuple[str, ...],
        forward: Forward | None,
        occupied: Mapping[str, tuple[str, ...]] | None = None,
        recorder: Recorder | None = None,
        most_events: int = MOST_EVENTS,
    ) -> None:
        """Builds lanes that have nothing to do.

        Args:
            shares: rates of transfers.
            engines: their names, in order.
            forward: what skips periods; None to handle every event.
            occupied: by engine, the memories that it has for itself while it computes.
            recorder: told what begins and ends; None in ordinary replays.
            most_events: the budget.
        """
        has = occupied or {}
        self.now = 0
        self.events = self.spent = 0
        self.ended: list[Job] = []
        self.lanes = {n: Lane(n, place, has.get(n, ())) for place, n in enumerate(engines)}
        self.flows = Flows(shares, recorder)
        self.recorder = recorder
        self.heard = False
        self._lanes = tuple(self.lanes.values())
        self._forward = forward
        self._watched = False
        self._most = most_events

    # -- what the outside may do ----------------------------------------------------------------

    def start(self) -> None:
        """Lets every engine begin what it can."""
        for lane in self._lanes:
            self._pump(lane)

    def transfer(self, number: int, size: int, done: Callable[[], None]) -> None:
        """Starts a transfer for someone outside; ``done`` is called within ``advance``."""
        self.flows.begin(self.now, (number, size), None, done=done)

    def finish(self, job: Job) -> None:
        """Ends the job of an engine that is a process."""
        job.lane.queue.popleft()
        job.unfinished = 0
        self.ended.append(job)
        if self.recorder is not None:
            self.recorder.process_over(job, self.now)

    def waiting(self, lane: Lane) -> Job | None:
        """The process job whose turn it is: open, not begun, and all before it ended."""
        if not lane.queue or lane.draining or lane.queue[0].template.plan is not None:
            return None
        job = lane.queue[0]
        return job if not job.waits and job.start < 0 else None

    # -- time ------------------------------------------------------------------------------------

    def advance(self, until: int | None) -> bool:
        """Moves to the next tick at which a job or an outside transfer ends, or to ``until``.

        Args:
            until: tick not to pass, or None for no limit.

        Returns:
            Whether something ended at ``now``.
        """
        self.heard = False
        while not self.ended and not self.heard:
            tick = self.next()
            if tick is None or (until is not None and tick > until):
                if until is not None:
                    self._move_to(until)
                return False
            if self._watched and self._forward is not None:
                self._watched = False
                if self._forward.leap(self, until):
                    continue
            if self.recorder is not None and self.recorder.is_long:
                self._shorten(self.recorder)
            self._move_to(tick)
            self._happen()
            self.spend(1)
        return True

    def spend(self, events: int) -> None:
        """Takes events from the budget.

        Raises:
            BudgetError: it is used up.
        """
        self.spent += events
        if self.spent > self._most:
            raise BudgetError(f"the replay has handled {self._most:,} events; raise most_events")

    def _shorten(self, recorder: Recorder) -> None:
        """Lets the recorder add up; what was seen refers to what it forgets."""
        recorder.shorten(self)
        if self._forward is not None:
            self._forward.forget()

    def next(self) -> int | None:
        """Tick of the next event; None if nothing is under way."""
        tick = self.flows.next(self.now)
        for lane in self._lanes:
            if lane.compute_end >= 0 and (lane.compute_end < tick or tick < 0):
                tick = lane.compute_end
        return tick if tick >= 0 else None

    def shift(self, ticks: int) -> None:
        """Moves the present and all that is under way later, as if that time had passed."""
        self.now += ticks
        self.flows.shift(ticks)
        for lane in self._lanes:
            if lane.compute_end >= 0:
                lane.compute_end += ticks

    def _move_to(self, tick: int) -> None:
        if tick < self.now:
            raise CodesignError(f"the replay went back from tick {self.now} to {tick}; report it")
        self.now = tick

    def _happen(self) -> None:
        """Everything that is due now: transfers, then computes, in a fixed order."""
        if self.flows.first_end == self.now:
            for flow in self.flows.end(self.now):
                self.events += 1
                self._over(flow)
        if self.flows.ahead:
            self.events += self.flows.start(self.now)
        for lane in self._lanes:
            if lane.compute_end == self.now:
                self.events += 1
                self._computed(lane)
                self._pump(lane)
                for other in self._lanes if lane.occupies else ():
                    self._pump(other)  # one that waited for the same memory may compute

    def _over(self, flow: Flow) -> None:
        if flow.lane is None:
            self.heard = True
            if flow.done is not None:
                flow.done()
            return
        if self.recorder is not None and flow.trail is not None:
            self.recorder.end(flow.trail, self.now, self.flows.mix)
        if flow.is_load:
            flow.lane.load_busy = False
            self._next_load_part(flow.lane)
        else:
            self._next_store_part(flow.lane)
        self._pump(flow.lane)

    # -- pipelines -------------------------------------------------------------------------------

    def _pump(self, lane: Lane) -> None:
        """Starts whatever the lane can start now, until nothing more changes."""
        while (
            (lane.loaded and lane.computing is None and self._compute(lane))
            or self._load(lane)
            or (lane.to_store and lane.storing is None and self._store(lane))
        ):
            pass

    def _load(self, lane: Lane) -> bool:
        """Takes up the next tile, or the late part of one whose operator has opened."""
        if lane.loading is None:
            chosen = lane.next_load()
            if chosen is None:
                return False
            job, step = lane.loading = chosen
            job.left -= 1
            job.in_flight += 1
            if job.left >= LONG or job.came_round:
                self._watched = True
            if not job.waits:
                lane.load_parts, lane.load_late = step.load.whole, ()
            else:
                lane.load_parts, lane.load_late = step.load.early, step.load.late
            lane.load_alone = step.load.alone
        return not lane.load_busy and self._next_load_part(lane)

    def _next_load_part(self, lane: Lane) -> bool:
        """Starts the next transfer of the tile that loads; True if the tile is complete."""
        if lane.loading is None:
            return False
        parts = lane.next_parts()
        if parts is None:
            return False
        if parts:
            part, lane.load_parts = parts[0], parts[1:]
            lane.load_busy = True
            job = lane.loading[0]
            if job.start < 0:
                job.start = self.now
            flow = self.flows.begin(self.now, part, lane, is_load=True)
            if self.recorder is not None:
                self.recorder.load(flow, lane.loading, part, self.now)
            return False
        lane.loaded.append(lane.loading)
        lane.loading = None
        return True

    def _compute(self, lane: Lane) -> bool:
        job, step = lane.loaded[0]
        if job.waits or (step.stores and job.out_flight >= job.template.slots_out):
            return False
        wake = 0
        if lane.occupies:
            if not self.flows.occupied.isdisjoint(lane.occupies):
                return False
            wake = self.flows.occupy(lane.occupies, self.now)
        lane.computing = lane.loaded.popleft()
        if job.start < 0:
            job.start = self.now
        lane.busy_ticks += step.ticks
        lane.compute_end = self.now + wake + step.ticks
        if self.recorder is not None:
            lane.trail = self.recorder.compute(lane.computing, wake, self.now)
        job.out_flight += bool(step.stores)
        if lane.compute_end == self.now:
            self.spend(1)  # no time passes, so no event is counted
            self._computed(lane)
        return True

    def _computed(self, lane: Lane) -> None:
        if lane.computing is None:
            return
        job, step = lane.computing
        lane.computing, lane.compute_end = None, -1
        if self.recorder is not None and lane.trail is not None:
            self.recorder.end(lane.trail, self.now)
            lane.trail = None
        if lane.occupies:
            self.flows.free(lane.occupies, self.now)
        job.in_flight -= 1
        if step.stores:
            lane.to_store.append((job, step))
        else:
            self._tile_over(job)

    def _store(self, lane: Lane) -> bool:
        lane.storing = lane.to_store.popleft()
        lane.store_parts = lane.storing[1].stores
        self._next_store_part(lane)
        return True

    def _next_store_part(self, lane: Lane) -> None:
        if lane.storing is None:
            return
        if lane.store_parts:
            part, lane.store_parts = lane.store_parts[0], lane.store_parts[1:]
            flow = self.flows.begin(self.now, part, lane)
            if self.recorder is not None:
                self.recorder.store(flow, lane.storing, self.now)
            return
        job, _ = lane.storing
        lane.storing = None
        job.out_flight -= 1
        self._tile_over(job)

    def _tile_over(self, job: Job) -> None:
        job.unfinished -= 1
        if job.unfinished == 0:
            self._end(job)

    def _end(self, job: Job) -> None:
        job.start = self.now if job.start < 0 else job.start
        if job in job.lane.draining:
            job.lane.draining.remove(job)
        self.ended.append(job)
        if self.recorder is not None:
            self.recorder.job_over(job)
