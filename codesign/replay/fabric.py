"""Tile pipelines and transfers of the whole machine, advanced in integer ticks.

There is no generator and no SimPy here: one call of ``advance`` moves the explicit state from event
to event. An event is a transfer that ends, one that begins to share after its set-up, or a compute
that ends: a tile costs at most three, and one more for each transfer set up beside another.
"""

from __future__ import annotations

from collections.abc import Callable

from codesign.errors import CodesignError
from codesign.replay.lane import Job, Lane
from codesign.replay.shares import WORK_PER_BYTE, Shares


class Flow:
    """A transfer under way.

    Attributes:
        number: its class in ``Shares``.
        work: units of work still to do at tick ``mark``.
        mark: tick of the last account; the first byte's tick while that lies ahead.
        rate: units per tick since then.
        end: tick at which it ends at the present rate.
        owner: what ``done`` is called with when the last byte has arrived.
    """

    __slots__ = ("done", "end", "mark", "number", "owner", "rate", "work")

    def __init__(
        self, number: int, work: int, mark: int, owner: Lane, done: Callable[[Lane], None]
    ) -> None:
        self.number, self.work, self.mark, self.owner, self.done = number, work, mark, owner, done
        self.rate = 0
        self.end = -1


_OUTSIDE = Lane("outside")  # stands for the lane in transfers that belong to none


class Fabric:
    """All lanes and transfers.

    Attributes:
        now: the present tick.
        events: events handled so far.
        moved: bytes moved by transfer class.
        ended: jobs that ended since the last call of ``advance``, in order.
    """

    def __init__(self, shares: Shares, engines: tuple[str, ...]) -> None:
        self.now = 0
        self.events = 0
        self.moved: dict[int, int] = {}
        self.ended: list[Job] = []
        self.lanes = {name: Lane(name) for name in engines}
        self._lanes = tuple(self.lanes.values())
        self._shares = shares
        self._flows: list[Flow] = []  # sharing now, or the only one and about to start
        self._ahead: list[Flow] = []  # set up but not yet at their first byte
        self._changed = False
        self._flow_end = -1
        self._notified = False

    # -- what the outside may do ----------------------------------------------------------------

    def submit(self, engine: str, job: Job) -> None:
        """Appends a job to an engine's program."""
        self.lanes[engine].queue.append(job)

    def start(self, engine: str) -> None:
        """Lets an engine begin what it can."""
        self._pump(self.lanes[engine])

    def transfer(self, number: int, size: int, done: Callable[[], None]) -> None:
        """Starts a transfer for someone outside; ``done`` is called within ``advance``."""

        def finished(_: Lane) -> None:
            self._notified = True
            done()

        self._begin(number, size, _OUTSIDE, finished)

    def finish(self, engine: str, job: Job) -> None:
        """Ends the job of an engine that is a process."""
        self.lanes[engine].queue.popleft()
        job.unfinished = 0
        self._end(job)
        self._pump(self.lanes[engine])

    def waiting(self, engine: str) -> Job | None:
        """The process job whose turn it is: open, and all before it ended."""
        lane = self.lanes[engine]
        busy = any(job.unfinished for job in lane.draining)
        if busy or not lane.queue or lane.queue[0].template is not None:
            return None
        return lane.queue[0] if lane.queue[0].open and lane.queue[0].start < 0 else None

    # -- time ------------------------------------------------------------------------------------

    def advance(self, until: int | None) -> bool:
        """Moves to the next tick at which a job or an outside transfer ends, or to ``until``.

        Args:
            until: tick not to pass, or None for no limit.

        Returns:
            Whether something ended at ``now``.
        """
        self._notified = False
        while not self.ended and not self._notified:
            tick = self._next()
            if tick is None or (until is not None and tick > until):
                if until is not None:
                    self._move_to(until)
                return False
            self._move_to(tick)
            self._happen()
        return True

    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._next() is None

    def _next(self) -> int | None:
        if self._changed:
            self._share()
        tick = self._flow_end
        for lane in self._lanes:
            if lane.compute_end >= 0 and (lane.compute_end < tick or tick < 0):
                tick = lane.compute_end
        for flow in self._ahead:
            if flow.mark < tick or tick < 0:
                tick = flow.mark
        return tick if tick >= 0 else None

    def _move_to(self, tick: int) -> None:
        if tick < self.now:
            raise CodesignError(f"the replay went back from tick {self.now} to {tick}; report it")
        self.now = tick

    def _happen(self) -> None:
        """Everything that is due now: transfers, then computes, in a fixed order."""
        if self._flow_end == self.now:
            self._end_flows()
        if self._ahead:
            self._start_flows()
        for lane in self._lanes:
            if lane.compute_end == self.now:
                self.events += 1
                self._computed(lane)
                self._pump(lane)

    # -- transfers -------------------------------------------------------------------------------

    def _begin(self, number: int, size: int, owner: Lane, done: Callable[[Lane], None]) -> None:
        self.moved[number] = self.moved.get(number, 0) + size
        start = self.now + self._shares.setups[number]
        flow = Flow(number, size * WORK_PER_BYTE, start, owner, done)
        if self._flows and self._flows[0].mark > self.now:
            self._ahead.append(self._flows.pop())  # no longer alone: it must share from its start
        if flow.mark <= self.now or not (self._flows or self._ahead):
            self._flows.append(flow)
        else:
            self._ahead.append(flow)
        self._changed = True

    def _share(self) -> None:
        """Accounts the work done at the old rates, then sets the new ones."""
        self._changed = False
        if not self._flows and len(self._ahead) == 1:
            self._flows.append(self._ahead.pop())
        if not self._flows:
            self._flow_end = -1
            return
        now = self.now
        rates = self._shares.rates(tuple(sorted([flow.number for flow in self._flows])))
        first = -1
        for flow in self._flows:
            if flow.mark < now:
                flow.work -= flow.rate * (now - flow.mark)
                flow.mark = now
            flow.rate = rates[flow.number]
            flow.end = flow.mark - (-flow.work // flow.rate)
            if flow.end < first or first < 0:
                first = flow.end
        self._flow_end = first

    def _start_flows(self) -> None:
        started = [flow for flow in self._ahead if flow.mark <= self.now]
        self._ahead = [flow for flow in self._ahead if flow.mark > self.now]
        self._flows += started
        self.events += len(started)
        self._changed = self._changed or bool(started)

    def _end_flows(self) -> None:
        over = [flow for flow in self._flows if flow.end <= self.now]
        self._flows = [flow for flow in self._flows if flow.end > self.now]
        self._changed = True
        self._flow_end = -1
        self.events += len(over)
        for flow in over:
            flow.done(flow.owner)

    # -- pipelines -------------------------------------------------------------------------------

    def _pump(self, lane: Lane) -> None:
        """Starts whatever the lane can start now, until nothing more changes."""
        while self._compute(lane) or self._load(lane) or self._store(lane):
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
            if job.waits == 0:
                lane.load_parts, lane.load_late = step.load.whole, ()
            else:
                lane.load_parts, lane.load_late = step.load.early, step.load.late
        return not lane.load_busy and self._next_load_part(lane)

    def _next_load_part(self, lane: Lane) -> bool:
        """Starts the next transfer of the tile that loads; True if the tile is complete."""
        if lane.loading is None:
            return False
        job = lane.loading[0]
        if not lane.load_parts and lane.load_late and job.waits == 0:
            lane.load_parts, lane.load_late = lane.load_late, ()
        if lane.load_parts:
            (number, size), lane.load_parts = lane.load_parts[0], lane.load_parts[1:]
            lane.load_busy = True
            if job.start < 0:
                job.start = self.now
            self._begin(number, size, lane, self._load_part_over)
            return False
        if lane.load_late:
            return False
        lane.loaded.append(lane.loading)
        lane.loading = None
        return True

    def _load_part_over(self, lane: Lane) -> None:
        lane.load_busy = False
        self._next_load_part(lane)
        self._pump(lane)

    def _compute(self, lane: Lane) -> bool:
        if lane.computing is not None or not lane.loaded:
            return False
        job, step = lane.loaded[0]
        if job.waits or (step.stores and job.out_flight >= job.slots_out):
            return False
        lane.computing = lane.loaded.popleft()
        if job.start < 0:
            job.start = self.now
        lane.busy_ticks += step.ticks
        lane.compute_end = self.now + step.ticks
        job.out_flight += bool(step.stores)
        if step.ticks == 0:
            self._computed(lane)
        return True

    def _computed(self, lane: Lane) -> None:
        if lane.computing is None:
            return
        job, step = lane.computing
        lane.computing, lane.compute_end = None, -1
        job.in_flight -= 1
        if step.stores:
            lane.to_store.append((job, step))
        else:
            self._tile_over(job)

    def _store(self, lane: Lane) -> bool:
        if lane.storing is not None or not lane.to_store:
            return False
        lane.storing = lane.to_store.popleft()
        lane.store_parts = lane.storing[1].stores
        self._next_store_part(lane)
        return True

    def _next_store_part(self, lane: Lane) -> None:
        if lane.storing is None:
            return
        if lane.store_parts:
            (number, size), lane.store_parts = lane.store_parts[0], lane.store_parts[1:]
            self._begin(number, size, lane, self._store_part_over)
            return
        job, _ = lane.storing
        lane.storing = None
        job.out_flight -= 1
        self._tile_over(job)

    def _store_part_over(self, lane: Lane) -> None:
        self._next_store_part(lane)
        self._pump(lane)

    def _tile_over(self, job: Job) -> None:
        job.unfinished -= 1
        if job.unfinished == 0:
            self._end(job)

    def _end(self, job: Job) -> None:
        job.end = self.now
        job.start = self.now if job.start < 0 else job.start
        self.ended.append(job)
