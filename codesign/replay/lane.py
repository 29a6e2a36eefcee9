"""The tile pipeline of one engine as explicit state: load, compute, store, in order.

Tile i of an operator may load when at most ``slots_in - 1`` tiles of it wait or compute, compute
when it is loaded, the engine is free and an output slot is, and store when it is computed. The
first tiles of the next operator load meanwhile, if the buffer has room for both; loads of what an
earlier operator has still to write, and all computing, wait until the operator is open.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from codesign.hardware.plan import Room
from codesign.replay.job import Job
from codesign.replay.template import Parts, Step

if TYPE_CHECKING:
    from codesign.replay.record import Trail


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
        occupies: memories that it has for itself while it computes.
        busy_ticks: ticks computed so far.
        trail: what the recorder notes of the compute; None where there is no recorder.
    """

    __slots__ = (
        "busy_ticks",
        "compute_end",
        "computing",
        "draining",
        "index",
        "load_alone",
        "load_busy",
        "load_late",
        "load_parts",
        "loaded",
        "loading",
        "name",
        "occupies",
        "queue",
        "store_parts",
        "storing",
        "to_store",
        "trail",
    )

    def __init__(self, name: str, index: int = 0, occupies: tuple[str, ...] = ()) -> None:
        self.name, self.index, self.occupies = name, index, occupies
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
        self.load_alone: Parts = ()
        self.load_busy = False
        self.store_parts: Parts = ()
        self.compute_end = -1
        self.trail: Trail | None = None

    def next_parts(self) -> Parts | None:
        """Takes the loads of the present tile that may go now; None if some must wait."""
        if self.loading is None:
            return ()
        job, step = self.loading
        found, self.load_parts = self.load_parts, ()
        if not found and not job.waits:
            found, self.load_late = self.load_late, ()
        if not found and self.load_alone and not self._is_at_work(job, step):
            found, self.load_alone = self.load_alone, ()
        return found or (None if self.load_late or self.load_alone else ())

    def _is_at_work(self, job: Job, step: Step) -> bool:
        """Whether the place of what loads alone is in use, or its content not there yet."""
        late = step.load.alone_late and bool(job.waits)
        return late or self.computing is not None or bool(self.loaded)

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
        if plan.rooms and not self._has_rooms(job, plan.rooms):
            return False
        taken = sum(older.bytes_left() for older in self.draining)
        room = min(older.template.budget_bytes for older in self.draining)
        need = plan.held_bytes + (job.in_flight + 1) * plan.slot_in_bytes
        need += plan.slots_out * plan.slot_out_bytes
        return taken + need <= min(room, job.template.budget_bytes)

    def _has_rooms(self, job: Job, rooms: tuple[Room, ...]) -> bool:
        """Whether the next inputs of a job fit the further memories beside those of older jobs."""
        for room in rooms:
            taken = room.held_bytes + (job.in_flight + 1) * room.slot_in_bytes
            for older in self.draining:
                plan = older.template.plan
                for other in plan.rooms if plan and older.in_flight else ():
                    if other.memory == room.memory:
                        taken += other.held_bytes + older.in_flight * other.slot_in_bytes
            if taken > room.granted_bytes:
                return False
        return True
