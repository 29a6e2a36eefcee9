"""The tile pipeline of one engine as explicit state: load, compute, store, in order.

Tile i of an operator may load when at most ``slots_in - 1`` tiles of it wait or compute, compute
when it is loaded, the engine is free and an output slot is, and store when it is computed. The
first tiles of the next operator load meanwhile, if the buffer has room for both; loads of what an
earlier operator has still to write, and all computing, wait until the operator is open.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codesign.hardware.plan import Tile, TilePlan
from codesign.units import cycles_to_ticks

Parts = tuple[tuple[int, int], ...]
"""Transfers of a tile as (transfer class, bytes), one after the other."""


@dataclass(frozen=True, slots=True)
class Load:
    """Transfers of a tile's loads.

    Attributes:
        early: those that may go before the operator is open (weights and other inputs at rest).
        late: those that wait for what earlier operators write.
        whole: both, merged by class, for an operator that is open already.
    """

    early: Parts
    late: Parts
    whole: Parts


@dataclass(frozen=True, slots=True)
class Step:
    """A tile as the replay sees it: its transfers and its compute ticks."""

    tile: Tile
    load: Load
    stores: Parts
    ticks: int


class Template:
    """What every run of one assignment shares: its plan, with transfers looked up once a tile."""

    def __init__(
        self,
        plan: TilePlan,
        budget_bytes: int,
        loads: Callable[[Tile], Load],
        stores: Callable[[Tile], Parts],
    ) -> None:
        self.plan, self.budget_bytes = plan, budget_bytes
        self.total = plan.tiles
        self._loads, self._stores = loads, stores
        self._known: dict[int, Step] = {}
        self.totals: tuple[int, Counter[int]] | None = None
        self.least: int | None = None

    def step(self, tile: Tile) -> Step:
        """The tile with its transfers and compute ticks; tiles are shared objects of the plan."""
        known = self._known.get(id(tile))
        if known is None:
            ticks = cycles_to_ticks(tile.cycles, self.plan.clock_hz)
            known = Step(tile, self._loads(tile), self._stores(tile), ticks)
            self._known[id(tile)] = known
        return known


class Job:
    """One run of one operator on one engine.

    Attributes:
        name: for people.
        template: what it shares with other runs; None for an engine that is a process.
        waits: earlier jobs that must end before this one is open.
        barrier: whether even early loads wait until it is open.
        start: tick of its first transfer or compute; -1 before.
        end: tick at which all its results are stored; -1 before.
    """

    __slots__ = (
        "ahead",
        "barrier",
        "end",
        "followers",
        "in_flight",
        "left",
        "name",
        "number",
        "out_flight",
        "segments",
        "slots_out",
        "start",
        "template",
        "unfinished",
        "waits",
    )

    def __init__(self, number: int, name: str, template: Template | None) -> None:
        self.number, self.name, self.template = number, name, template
        self.waits = 0
        self.barrier = False
        self.followers: list[Job] = []
        self.start = self.end = -1
        self.in_flight = self.out_flight = 0
        self.unfinished = template.total if template else 1
        self.slots_out = template.plan.slots_out if template else 1
        self.ahead: Step | None = None
        self.left = 0  # how many tiles like ``ahead`` are still to load
        self.segments: Iterator[tuple[Tile, int]] | None = None

    @property
    def open(self) -> bool:
        """Whether everything it depends on has ended."""
        return self.waits == 0

    def peek(self) -> Step | None:
        """The next tile to load, or None when all are loaded."""
        if self.left == 0 and self.template is not None:
            if self.segments is None:
                self.segments = self.template.plan.segments()
            tile, self.left = next(self.segments, (None, 0))
            self.ahead = self.template.step(tile) if tile is not None else None
        return self.ahead if self.left else None

    def bytes_left(self) -> int:
        """Most buffer bytes that a job whose tiles are all loaded or loading can still take."""
        if self.template is None:
            return 0
        plan = self.template.plan
        outputs = min(plan.slots_out, self.in_flight + self.out_flight)
        held = plan.held_bytes if self.in_flight else 0
        return held + self.in_flight * plan.slot_in_bytes + outputs * plan.slot_out_bytes


class Lane:
    """State of one engine's pipeline; the Fabric moves it."""

    __slots__ = (
        "busy_ticks",
        "compute_end",
        "computing",
        "draining",
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

    def __init__(self, name: str) -> None:
        self.name = name
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
        self.busy_ticks = 0

    def next_load(self) -> tuple[Job, Step] | None:
        """The tile that may start loading now, or None."""
        while self.queue:
            job = self.queue[0]
            step = job.peek()
            if step is None:
                if job.template is None:
                    return None
                self.draining.append(self.queue.popleft())
                continue
            return (job, step) if self._has_room(job) else None
        return None

    def _has_room(self, job: Job) -> bool:
        if job.template is None or (job.barrier and not job.open):
            return False
        plan = job.template.plan
        if job.in_flight >= plan.slots_in:
            return False
        while self.draining and self.draining[0].unfinished == 0:
            self.draining.popleft()
        if not self.draining:
            return True
        taken = sum(older.bytes_left() for older in self.draining)
        room = min(
            job.template.budget_bytes,
            *(older.template.budget_bytes for older in self.draining if older.template),
        )
        need = plan.held_bytes + (job.in_flight + 1) * plan.slot_in_bytes
        return taken + need + plan.slots_out * plan.slot_out_bytes <= room
