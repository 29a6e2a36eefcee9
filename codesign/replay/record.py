"""The recorder of a replay: notes for every activity when it began, went on and ended, and why.

The Fabric, its transfers and the dispatcher tell it what happens where somebody asked for the
critical path; in other replays there is none. Records of what is no longer under way and led to
nothing are forgotten at once; the others are added up where they grow many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codesign.replay.job import Job
from codesign.replay.path import chain, refs, resolved, under_way, way
from codesign.replay.template import Parts, Step
from codesign.replay.trail import (
    CAUSE,
    COMPUTE,
    LOADS,
    PROCESS,
    RUN,
    STAND,
    STORE,
    WAIT,
    Activity,
    Before,
    Cut,
    Doing,
    Ends,
    Frame,
    Held,
    Jump,
    Link,
    Mode,
    Past,
    Ref,
    Skip,
    Sum,
    Table,
)

if TYPE_CHECKING:
    from codesign.replay.fabric import Fabric
    from codesign.replay.flows import Flow

MOST_LINKS = 1 << 15
"""Records of one frame that are kept before they are added up (assumed)."""
MOST_FRAMES = 1 << 16
"""Frames that are kept before they are added up (assumed)."""
LONG_FRAME = 64
"""Records from which a frame is added up when it ends, as it may be kept for long (assumed)."""


class Trail:
    """An activity under way: what it is, and the time accounted so far since the last cut."""

    __slots__ = ("at", "before", "doing", "job", "pieces", "place", "wait")

    def __init__(self, before: Before, job: Job, doing: Doing, at: int, wait: int = 0) -> None:
        self.before, self.job, self.at, self.wait = before, job, at, wait
        self.doing: Doing | Held = doing
        self.place = job.place
        self.pieces: dict[Mode, int] = {}

    def note(self, now: int, mode: Mode) -> None:
        """Accounts the time since the last account: first what is left to wait, then ``mode``."""
        passed = now - self.at
        if not passed:
            return
        self.at = now
        if self.wait:
            waited = min(passed, self.wait)
            self.wait -= waited
            passed -= waited
            self.pieces[WAIT] = self.pieces.get(WAIT, 0) + waited
        if passed:
            self.pieces[mode] = self.pieces.get(mode, 0) + passed

    def cut(self) -> Link:
        """The record of what is accounted; what follows gets a record of its own."""
        self.before = made = Link(self.before, self.place, self.doing, self.pieces)
        self.pieces = {}
        return made


class Recorder:
    """Records one run of a program on a machine.

    Attributes:
        table: all frames that have ended.
    """

    def __init__(self, setups: Sequence[int]) -> None:
        """Begins at tick 0 with nothing under way; ``setups``: set-up ticks by class."""
        self._setups = setups
        self.table: Table = Past({CAUSE: []})
        self._cause: Before = CAUSE
        self._over: dict[Job, Before] = {}
        self._openers: dict[Job, Before] = {}
        self._processes: dict[Job, Trail] = {}
        self._steps: dict[Step, int] = {}
        self._issued: frozenset[Job] | None = None  # while jobs begin that could not before
        self._ops: tuple[int, ...] = ()
        self._open = False
        self._links = self._frames = 0

    # -- activities ------------------------------------------------------------------------------

    def load(self, flow: Flow, tile: tuple[Job, Step], part: tuple[int, int], now: int) -> None:
        """A transfer of a tile's loads begins."""
        job, step = tile
        forced = self._issued is not None and job not in self._issued and not job.waits
        self._transfer(flow, tile, _phase(step, part), forced, now)

    def store(self, flow: Flow, tile: tuple[Job, Step], now: int) -> None:
        """A transfer of a tile's stores begins."""
        job = tile[0]
        self._transfer(flow, tile, STORE, job.unfinished == 1 and bool(job.followers), now)

    def _transfer(
        self, flow: Flow, tile: tuple[Job, Step], phase: str, forced: bool, now: int
    ) -> None:
        job, step = tile
        wait = max(0, flow.mark - now)
        doing = Activity(
            self._step(job, step), phase, flow.number, forced, wait - self._setups[flow.number]
        )
        flow.trail = Trail(self._before(job), job, doing, now, wait)

    def compute(self, tile: tuple[Job, Step], wake: int, now: int) -> Trail:
        """A tile begins to compute, or to wait for memories that it has for itself to wake up."""
        job, step = tile
        doing = Activity(self._step(job, step), COMPUTE, wake=wake)
        return Trail(self._before(job), job, doing, now)

    def process(self, job: Job, now: int) -> None:
        """A process engine begins."""
        trail = Trail(self._before(job), job, Activity(-1, PROCESS), now)
        self._processes[job] = trail

    def process_over(self, job: Job, now: int) -> None:
        """A process engine has ended its job."""
        self.end(self._processes.pop(job), now, RUN)
        self.job_over(job)

    def end(self, trail: Trail, now: int, mode: Mode = RUN) -> None:
        """An activity ends; what begins from now on at this tick begins because of it."""
        trail.note(now, mode)
        self._cause = trail.cut()
        self._links += 1

    def share(self, sharing: Sequence[Flow], mix: Mode, now: int) -> None:
        """Accounts transfers before their rates change."""
        for flow in sharing:
            if flow.trail is not None:
                flow.trail.note(now, mix if flow.rate else STAND)

    # -- jobs ------------------------------------------------------------------------------------

    def job_over(self, job: Job) -> None:
        """A job ends."""
        self._over[job] = self._cause

    def release(self, ended: Job, follower: Job) -> None:
        """A job that waited for another one has nothing left to wait for."""
        self._openers[follower] = self._over.get(ended, self._cause)

    # -- frames ----------------------------------------------------------------------------------

    def open(self, fabric: Fabric, window: Sequence[Job], issued: Sequence[Job]) -> None:
        """Begins a frame; jobs may begin until ``begun`` is called.

        Args:
            fabric: stands at the present state.
            window: jobs under way.
            issued: those of them that have just been issued.
        """
        if self._open:
            self.close(fabric, window)
        for place, job in enumerate(window):
            job.place = place
        self._ops = tuple([job.op for job in window])
        for slot, trail in enumerate(self._trails(fabric)):
            trail.before, trail.doing, trail.place = Ref("slot", slot), slot, trail.job.place
        self._cause, self._issued, self._open = CAUSE, frozenset(issued), True

    def begun(self) -> None:
        """What could begin has begun."""
        self._issued = None

    def close(self, fabric: Fabric, window: Sequence[Job]) -> Ends:
        """Ends the frame.

        Args:
            fabric: stands at the present state.
            window: jobs under way.
        """
        fabric.next()  # so that transfers are in the order in which a state has them
        trails = self._cut(fabric)
        places = {job: place for place, job in enumerate(window)}
        openers = {places[job]: one for job, one in self._openers.items() if job in places}
        records: list[Before] = [trail.before for trail in trails]
        doing = tuple([resolved(trail.doing) for trail in trails])
        ends = Ends(tuple(records), doing, self._cause, openers)
        if self._links > LONG_FRAME:
            ends = _added_up(ends)
        self.follow(ends, self._ops)
        self._openers, self._over = {}, {}
        self._open, self._links = False, 0
        return ends

    def follow(self, ends: Ends, ops: tuple[int, ...]) -> None:
        """Appends a frame, which may have been seen before with other operators."""
        self.table = Frame(ends, ops, self.table)
        self._frames += 1

    def attach(self, fabric: Fabric) -> None:
        """Takes up the activities of a state that a fabric has been put into."""
        now = fabric.now
        for flow in (*fabric.flows.sharing, *fabric.flows.ahead):
            tile = _tile(flow)
            if tile is not None:
                flow.trail = Trail(CAUSE, tile[0], 0, now, max(0, flow.mark - now))
        for lane in fabric.lanes.values():
            lane.trail = Trail(CAUSE, lane.computing[0], 0, now) if lane.computing else None

    # -- what is skipped -------------------------------------------------------------------------

    def moment(self, fabric: Fabric) -> Cut:
        """Cuts the records of what is under way at the present tick."""
        trails = self._cut(fabric)
        records: list[Before] = [trail.before for trail in trails]
        cut = Cut(tuple(records), tuple([trail.doing for trail in trails]))
        for slot, trail in enumerate(trails):
            trail.doing = Held(cut, slot)
        return cut

    def jump(self, fabric: Fabric, start: Cut, end: Cut, times: int) -> None:
        """Periods of tiles have been skipped."""
        for slot, trail in enumerate(self._trails(fabric)):
            trail.before, trail.at = Jump(start, end, times, slot), fabric.now

    def skip(self, start: Table, end: Table, times: int) -> None:
        """Periods of frames have been skipped."""
        self.table = Skip(start, end, times)

    # -- memory ----------------------------------------------------------------------------------

    @property
    def is_long(self) -> bool:
        """Whether the frame has so many records that they should be added up."""
        return self._links > MOST_LINKS

    def shorten(self, fabric: Fabric) -> None:
        """Adds up the records of the present frame; what was seen of it is void."""
        for trail in self._cut(fabric):
            trail.before = _sum(trail.before)
        self._links = LONG_FRAME

    @property
    def is_full(self) -> bool:
        """Whether so many frames are kept that they should be added up."""
        return self._frames > MOST_FRAMES

    def forget(self) -> None:
        """Adds up all frames; what was seen of them is void."""
        ways = {ref: way(self.table, ref) for ref in refs(self.table)}
        self.table = Past(ways, under_way(self.table))
        self._frames = 0

    # -- helpers ---------------------------------------------------------------------------------

    def _before(self, job: Job) -> Before:
        return self._cause if self._issued is None else Ref("open", job.place)

    def _step(self, job: Job, step: Step) -> int:
        if step not in self._steps:
            every = (one for one, _ in job.template.counts)
            self._steps |= {one: number for number, one in enumerate(every)}
        return self._steps[step]

    def _trails(self, fabric: Fabric) -> list[Trail]:
        """What is under way, in the order in which a state has it."""
        flows = (*fabric.flows.sharing, *fabric.flows.ahead)
        found = [flow.trail for flow in flows if flow.trail is not None]
        found += [lane.trail for lane in fabric.lanes.values() if lane.trail is not None]
        return found + list(self._processes.values())

    def _cut(self, fabric: Fabric) -> list[Trail]:
        """Accounts all that is under way up to now and begins new records."""
        flows = fabric.flows
        self.share(flows.sharing, flows.mix, fabric.now)
        found = self._trails(fabric)
        for trail in found:
            trail.note(fabric.now, RUN)  # transfers not yet at their first byte wait
            trail.cut()
        return found


def _tile(flow: Flow) -> tuple[Job, Step] | None:
    if flow.lane is None:
        return None
    return flow.lane.loading if flow.is_load else flow.lane.storing


def _phase(step: Step, part: tuple[int, int]) -> str:
    """Which part of a tile's loads a transfer is; where two hold the same, the first."""
    load = step.load
    groups: tuple[Parts, ...] = (load.whole, load.early, load.late, load.alone)
    return next(name for name, parts in zip(LOADS, groups, strict=True) if part in parts)


def _sum(record: Before) -> Before:
    if isinstance(record, Ref):
        return record
    return Sum(*chain(record))


def _added_up(ends: Ends) -> Ends:
    openers = {place: _sum(one) for place, one in ends.openers.items()}
    return Ends(tuple([_sum(one) for one in ends.slots]), ends.doing, _sum(ends.cause), openers)
