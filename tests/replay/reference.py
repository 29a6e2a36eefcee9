"""The replay once more, slow and idiomatic: one SimPy process per stage, tokens for slots.

It shares no code with the Fabric and keeps rates as fractions, so equal ticks mean something. It
knows engines with all the buffer they want, and channels whose only limit is their own rate.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from typing import Any, Protocol

import simpy

from codesign.hardware.plan import Loop, Move, Tile, TilePlan

PS = 10**12
Wait = Generator[simpy.Event, Any, None]


class Pipe(Protocol):
    """A channel of a link."""

    def transfer(self, size: int, setup: int) -> Wait:
        """Ends when the last byte has arrived."""


class Fluid:
    """Processor sharing: each active transfer has an equal share; ends are rounded up to ticks."""

    def __init__(self, env: simpy.Environment, rate: int) -> None:
        self.env, self.rate = env, Fraction(rate, PS)
        self.left: dict[simpy.Event, Fraction] = {}
        self.mark, self.version = 0, 0

    def transfer(self, size: int, setup: int) -> Wait:
        yield self.env.timeout(setup)
        over = self.env.event()
        self._account()
        self.left[over] = Fraction(size)
        self._watch()
        yield over

    def _account(self) -> None:
        share = self.rate / max(1, len(self.left)) * (int(self.env.now) - self.mark)
        self.left = {over: left - share for over, left in self.left.items()}
        self.mark = int(self.env.now)

    def _watch(self) -> None:
        self.version += 1
        if self.left:
            self.env.process(self._wait(self.version))

    def _wait(self, version: int) -> Wait:
        first = min(self.left.values()) / (self.rate / len(self.left))
        yield self.env.timeout(max(0, math.ceil(first)))
        if version != self.version:
            return
        self._account()
        for over in [event for event, left in self.left.items() if left <= 0]:
            del self.left[over]
            over.succeed()
        self._watch()


class RoundRobin:
    """Bursts of 256 B in turn: what a real interconnect does; a fluid channel is its limit."""

    def __init__(self, env: simpy.Environment, rate: int, burst: int = 256) -> None:
        self.env, self.rate, self.burst = env, rate, burst
        self.queue: deque[tuple[simpy.Event, int]] = deque()
        self.busy = False

    def transfer(self, size: int, setup: int) -> Wait:
        yield self.env.timeout(setup)
        over = self.env.event()
        self.queue.append((over, size))
        if not self.busy:
            self.env.process(self._serve())
        yield over

    def _serve(self) -> Wait:
        self.busy = True
        while self.queue:
            over, left = self.queue.popleft()
            piece = min(left, self.burst)
            yield self.env.timeout(math.ceil(Fraction(piece * PS, self.rate)))
            if left > piece:
                self.queue.append((over, left - piece))
            else:
                over.succeed()
        self.busy = False


class Work:
    """One operator: its plan, which operators it waits for, and which operand is late."""

    def __init__(
        self, env: simpy.Environment, plan: TilePlan, after: list[Work], late: int
    ) -> None:
        self.env, self.plan, self.late = env, plan, late
        self.open: simpy.Event = env.all_of([work.over for work in after])
        self.over: simpy.Event = env.event()
        self.slots_in = simpy.Container(env, plan.slots_in, plan.slots_in)
        self.slots_out = simpy.Container(env, plan.slots_out, plan.slots_out)
        self.left = sum(1 for _ in tiles(plan.loop))
        self.end = -1

    def tile_over(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.end = int(self.env.now)
            self.over.succeed()


class Pipeline:
    """One engine: a loader, a computer and a storer, joined by queues."""

    def __init__(
        self, env: simpy.Environment, works: list[Work], loads: Pipe, stores: Pipe, setup: int
    ) -> None:
        self.env, self.works, self.setup = env, works, setup
        self.loads, self.stores = loads, stores
        self.loaded: simpy.Store = simpy.Store(env)
        self.computed: simpy.Store = simpy.Store(env)
        for stage in (self._load, self._compute, self._store):
            env.process(stage())

    def _move(self, pipe: Pipe, moves: list[Move]) -> Wait:
        if moves:
            yield from pipe.transfer(sum(move.bytes for move in moves), self.setup)

    def _load(self) -> Wait:
        for work in self.works:
            for tile in tiles(work.plan.loop):
                yield work.slots_in.get(1)
                early, late = list(tile.loads), []
                if not work.open.processed:
                    late = [move for move in tile.loads if move.operand == work.late]
                    early = [move for move in tile.loads if move.operand != work.late]
                yield from self._move(self.loads, early)
                if late:
                    yield work.open
                    yield from self._move(self.loads, late)
                yield self.loaded.put((work, tile))

    def _compute(self) -> Wait:
        while True:
            work, tile = yield self.loaded.get()
            yield work.open
            if tile.stores:
                yield work.slots_out.get(1)
            yield self.env.timeout(math.ceil(Fraction(tile.cycles * PS, int(work.plan.clock_hz))))
            yield work.slots_in.put(1)
            if tile.stores:
                yield self.computed.put((work, tile))
            else:
                work.tile_over()

    def _store(self) -> Wait:
        while True:
            work, tile = yield self.computed.get()
            yield from self._move(self.stores, list(tile.stores))
            yield work.slots_out.put(1)
            work.tile_over()


def tiles(loop: Loop) -> Iterator[Tile]:
    """Every tile of a loop, one by one."""
    for _ in range(loop.repeats):
        for part in loop.body:
            if isinstance(part, Tile):
                yield part
            else:
                yield from tiles(part)


def ends(
    programs: list[list[tuple[TilePlan, list[tuple[int, int]]]]],
    rate: int,
    *,
    separate: bool,
    setup: int,
    late: int,
    pipe: Callable[[simpy.Environment, int], Pipe] = Fluid,
) -> list[list[int]]:
    """Ticks at which each operator of each engine ends.

    Args:
        programs: for each engine its operators in order: a plan and the (engine, position) of the
            operators it depends on, each of them earlier in the reading order.
        rate: bytes per second of a channel, shared by all engines.
        separate: whether stores have a channel of their own.
        setup: ticks before the first byte of each transfer.
        late: the operand that waits until the operator is open.
        pipe: the sharing policy.
    """
    env = simpy.Environment()
    loads = pipe(env, rate)
    stores = pipe(env, rate) if separate else loads
    works: dict[tuple[int, int], Work] = {}
    order = sorted(
        (
            (place, engine)
            for engine, program in enumerate(programs)
            for place in range(len(program))
        )
    )
    for place, engine in order:
        plan, after = programs[engine][place]
        works[engine, place] = Work(env, plan, [works[key] for key in after], late)
    for engine, program in enumerate(programs):
        Pipeline(env, [works[engine, p] for p in range(len(program))], loads, stores, setup)
    env.run()
    return [[works[e, p].end for p in range(len(program))] for e, program in enumerate(programs)]
