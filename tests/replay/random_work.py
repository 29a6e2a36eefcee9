"""Random machines, programs and foreign processes for the laws of exactness, from a seed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from codesign_plugins.systolic import Systolic
from strategies import LATE, LOADED, STORED, machine
from test_process import with_process

from codesign.hardware.component import Descriptor, Direction, Memory, Rest, Service
from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement, Residence, Step
from codesign.replay.run import Invocation, Replay, Session
from codesign.workload.dtype import DType
from codesign.workload.record import Carry, Op, Region, Tensor, Trace

BYTE = DType.parse("int8")
MOST_TILES, MOST_IN_REGION = 40, 160
"""Tiles of an operator and of all steps of a region, so that exact replays stay quick."""

Visit = tuple[int, int, bool]
"""A foreign transfer: ticks waited before it, bytes, whether it goes on chip."""


@dataclass(frozen=True, kw_only=True)
class Moody(Memory):
    """A memory whose joint rate, actions and power states depend on who moves, and that rests."""

    kind: ClassVar[str] = "moody"
    rate: int
    first: int
    second: int

    def classify(self, descriptor: Descriptor) -> object:
        return descriptor.direction, descriptor.row_bytes % 3

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        kinds = {self.classify(one) for one in descriptors}
        crowd = len(kinds)
        factor = (4, 5, 3, 2, 4, 3, 4)[crowd]  # two kinds together are faster, more are slower
        shares = ("active", Fraction(crowd, 7)), ("half", Fraction(1, 7))
        return Service(self.rate * factor // 4, (("activate", Fraction(crowd, 97)),), shares)

    def latency_s(self, direction: Direction) -> float:
        return 9e-11 if direction == "read" else 4e-11

    def energies_j(self) -> dict[str, float]:
        return {"read": 0.0, "write": 0.0, "activate": 1e-9}

    @property
    def rests(self) -> tuple[Rest, ...]:
        states = Rest("doze", self.first, 500), Rest("sleep", self.first + self.second, 70_001)
        return states if self.second else states[:1] if self.first else ()


@dataclass(frozen=True, kw_only=True)
class Owner(Systolic):  # type: ignore[misc]  # plugins are untyped here
    """An engine that has memories for itself while it computes."""

    kind: ClassVar[str] = "owner"
    owns: tuple[str, ...]

    @property
    def occupies(self) -> tuple[str, ...]:
        return self.owns


@dataclass(frozen=True)
class Work:
    """A machine, programs with the ticks at which they are asked for, and foreign transfers."""

    hardware: Hardware
    programs: dict[str, Placement]
    arrivals: dict[str, list[int]]
    foreigners: list[list[Visit]]


def tensor(name: str, role: str = "activation", size: int = 1) -> Tensor:
    return Tensor(name, (size,), BYTE, role)  # type: ignore[arg-type]


def plan(draw: Random, doors: Random) -> TilePlan:
    """One to three levels of loops, often long, over tiles that load, compute or store.

    Args:
        draw: for all but what follows.
        doors: for what loads alone; apart, so that all else is as without it.
    """

    def tile() -> Tile:
        loads = draw.choice([(), (LOADED,), (LOADED,), (LATE,), (LOADED, LATE)])
        moves = tuple(Move(operand, draw.choice([64, 100, 333, 1000])) for operand in loads)
        stores = (Move(STORED, draw.choice([50, 128, 700])),) if draw.random() < 0.4 else ()
        return Tile(draw.choice([0, 10, 64, 100, 333]), moves, stores)

    def loop(depth: int) -> Loop:
        body: list[Tile | Loop] = [tile() for _ in range(draw.randint(1, 2))]
        if depth:
            body.insert(draw.randint(0, len(body)), loop(depth - 1))
        return Loop(
            tuple(body), draw.choice([1, 2, 3, 20, 40]) if depth < 2 else draw.randint(1, 3)
        )

    whole = loop(draw.choice([0, 0, 1, 2]))
    while TilePlan(whole, 1e9).tiles > MOST_TILES:
        whole = loop(draw.choice([0, 0, 1]))
    every = [tile for tile, _ in TilePlan(whole, 1e9).counts]
    return TilePlan(
        whole,
        draw.choice([1e9, 9.4e8]),
        held_bytes=draw.choice([0, 200]),
        slot_in_bytes=max(sum(m.bytes for m in tile.loads) for tile in every),
        slot_out_bytes=max(sum(m.bytes for m in tile.stores) for tile in every),
        slots_in=draw.randint(1, 3),
        slots_out=draw.randint(1, 2),
        exclusive=doors.choice([(), (), (LOADED,), (LATE,), (LOADED, LATE)]),
    )


_NONE = Trace("", (), ())


class Writer:
    """Writes the operators of one program; some read what an earlier one wrote."""

    def __init__(
        self,
        draw: Random,
        name: str,
        engines: int,
        processes: float = 0,
        doors: Random | None = None,
    ) -> None:
        self.draw, self.name, self.engines, self.processes = draw, name, engines, processes
        apart = doors or Random("doors")
        self.plans = [plan(draw, apart) for _ in range(draw.randint(1, 3))]
        self.made: list[Tensor] = []
        self.count = 0

    def op(self, extra: Tensor | None = None) -> Assignment:
        draw, number = self.draw, self.count
        self.count += 1
        weight = tensor(f"{self.name}.w{number}", "weight", draw.choice([1, 300]))
        late = extra or (
            draw.choice(self.made)
            if self.made and draw.random() < 0.6
            else tensor(f"{self.name}.x{number}")
        )
        out = (
            draw.choice(self.made)
            if self.made and draw.random() < 0.1
            else tensor(f"{self.name}.y{number}")
        )
        self.made.append(out)
        op = Op(f"{self.name}.{number}", "move", (weight.access(), late.access()), (out.access(),))
        if draw.random() < self.processes:
            return Assignment(op, "vector", None, ("dram",) * 3, 2**20)
        chosen = draw.choice(self.plans)
        budget = chosen.buffer_bytes + draw.choice([0, 500, 5000])
        engine = f"npu{draw.randrange(self.engines)}"
        homes = ("dram", "dram", draw.choice(["dram", "dram", "sram0"]))
        return Assignment(op, engine, chosen, homes, budget)

    def block(self, depth: int = 1) -> Block:
        draw, number = self.draw, self.count
        state = tensor(f"{self.name}.s{number}", "state")
        body: list[Step] = [self.op(state)]
        body += [self.op() for _ in range(draw.randint(0, 3))]
        if depth and draw.random() < 0.3:
            body.insert(draw.randint(0, len(body)), self.block(depth - 1))
        last = next(one for one in reversed(body) if isinstance(one, Assignment))
        initial = draw.choice([None, *self.made[:1]])
        carry = Carry(state, last.op.outputs[0].tensor, initial)
        items = tuple(one.op if isinstance(one, Assignment) else one.region for one in body)
        every = Placement(_NONE, tuple(body), "").assignments()
        once = sum(a.plan.tiles * n if a.plan else 5 * n for a, n in every)
        steps = min(draw.choice([1, 2, 5, 30, 60]), max(1, MOST_IN_REGION // once))
        region = Region(f"{self.name}.r{number}", steps, items, (carry,))
        if draw.random() < 0.5:
            return Block(region, tuple(body))
        first, last_move = self.op(), self.op()
        stays = (Residence(state, "sram0", region.name),)
        return Block(region, tuple(body), first, last_move, stays)

    def placement(self) -> Placement:
        draw = self.draw
        steps = tuple(
            self.block() if draw.random() < 0.35 else self.op() for _ in range(draw.randint(1, 4))
        )
        items = tuple(one.op if isinstance(one, Assignment) else one.region for one in steps)
        setup = (self.op(),) if draw.random() < 0.1 else ()
        return Placement(Trace(self.name, items, ()), steps, "dram", (), setup)


def work(seed: int) -> Work:
    """One to three engines, one or two programs asked for once or several times, 0-2 foreigners.

    In a sixth of the cases some operators run on an engine that is a process.
    """
    draw, doors = Random(seed), Random(f"doors {seed}")
    processes = draw.choice([0, 0, 0, 0, 0, 0.2])
    engines = draw.randint(1, 3)
    buffers = draw.randint(1, engines)
    hardware = machine(
        systolics=engines,
        formats=("int8",) * engines,
        buffers=buffers,
        links=draw.randint(1, buffers),
        bandwidth=draw.choice([1e9, 1e9, 3.7e9]),
        duplex=draw.choice(["half", "full"]),
        setup=draw.choice([0.0, 0.0, 32e-9]),
        memory_rate=draw.choice([1e14, 2e9]),
    )
    names = ["a", "b"][: draw.choice([1, 1, 2])]
    programs = {name: Writer(draw, name, engines, processes, doors).placement() for name in names}
    arrivals = {
        name: sorted(
            draw.choice([0, draw.randint(0, 10**8)]) for _ in range(draw.choice([1, 1, 3]))
        )
        for name in names
    }
    foreigners = [
        [
            (draw.randint(0, 10**7), draw.randint(1, 5000), draw.random() < 0.7)
            for _ in range(draw.randint(1, 4))
        ]
        for _ in range(draw.choice([0, 0, 1, 2]))
    ]
    hardware = with_process(hardware) if processes else hardware
    if draw.random() < 0.5:
        rests = draw.choice([(0, 0), (1, 0), (20_000, 0), (1_000, 1), (50_000, 300_000)])
        moody = Moody(name="dram", size=2**40, rate=10**9, first=rests[0], second=rests[1])
        parts = {**hardware.components, "dram": moody}
        hardware = Hardware(hardware.name, "", hardware.precision, parts)
    if doors.random() < 0.4:
        hardware = with_owners(hardware, doors)
    return Work(hardware, programs, arrivals, foreigners)


def with_owners(hardware: Hardware, draw: Random) -> Hardware:
    """The same machine with engines that have the DRAM, their buffer or both for themselves."""
    parts = dict(hardware.components)
    for engine in hardware.engines:
        if isinstance(engine, Systolic) and draw.random() < 0.6:
            owns = draw.choice([("dram",), ("dram",), (engine.buffer,), ("dram", engine.buffer)])
            parts[engine.name] = Owner(name=engine.name, buffer=engine.buffer, owns=owns)
    return Hardware(hardware.name, "", hardware.precision, parts)


def play(case: Work, *, exact_events: bool) -> tuple[dict[str, Replay], list[tuple[int, int]]]:
    """Replays a case; also when each foreign transfer and each invocation was over."""
    session = Session(case.hardware, case.programs, exact_events=exact_events)
    heard: list[tuple[int, int]] = []

    def asks(name: str) -> Generator[Any, Any, None]:
        for tick in case.arrivals[name]:
            yield session.env.timeout(tick - int(session.env.now))
            session.process(hears(session.invoke(name)))

    def hears(over: Any) -> Generator[Any, Any, None]:
        invocation: Invocation = yield over
        assert invocation.end == session.env.now
        heard.append((int(session.env.now), -1))

    def visits(index: int, plan: list[Visit]) -> Generator[Any, Any, None]:
        for wait, size, inwards in plan:
            yield session.env.timeout(wait)
            ends = ("dram", "sram0") if inwards else ("sram0", "dram")
            yield session.transfer(*ends, Move(0, size))
            heard.append((int(session.env.now), index))

    for name in case.programs:
        session.process(asks(name))
    for index, visit in enumerate(case.foreigners):
        session.process(visits(index, visit))
    replays = session.run()
    asked = sum(len(ticks) for ticks in case.arrivals.values())
    assert len(heard) == asked + sum(len(visits) for visits in case.foreigners)
    return replays, heard
