"""Programs built by hand: operators with a given plan, regions, placements, and who plays them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from strategies import machine

from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement, Residence, Step
from codesign.replay.dispatch import Dispatch
from codesign.replay.fabric import Fabric
from codesign.replay.forward import Forward
from codesign.replay.job import Invocation, Job
from codesign.replay.program import Program
from codesign.replay.run import Replay, Session, replay
from codesign.replay.shares import Shares
from codesign.replay.transfers import Templates
from codesign.workload.dtype import DType
from codesign.workload.record import Carry, Op, Region, Role, Tensor, Trace

NS = 1000
"""Ticks of a nanosecond; at 1 GB/s a byte takes one, at 1 GHz a cycle does."""

ROOMY = 2**40
BYTE = DType.parse("int8")


def tensor(name: str, role: Role = "activation") -> Tensor:
    return Tensor(name, (1,), BYTE, role)


def operator(
    name: str,
    plan: TilePlan | None,
    *,
    reads: Tensor | None = None,
    writes: Tensor | None = None,
    engine: str = "npu0",
    budget: int = ROOMY,
    reuses: tuple[str, ...] = (),
) -> Assignment:
    """An operator that reads a weight and ``reads`` and writes ``writes``, by default its own."""
    weight = tensor(f"{name}.weight", "weight")
    late, out = reads or tensor(f"{name}.late"), writes or tensor(f"{name}.out")
    op = Op(name, "move", (weight.access(), late.access()), (out.access(),))
    return Assignment(op, engine, plan, ("dram",) * 3, budget, reuses)


def block(
    name: str,
    steps: int,
    *body: Step,
    carries: Sequence[Carry] = (),
    preload: Assignment | None = None,
    writeback: Assignment | None = None,
    stays: Tensor | None = None,
) -> Block:
    """A region of ``body``; during it ``stays`` lies in the first buffer."""
    region = Region(name, steps, _items(body), tuple(carries))
    here = (Residence(stays, "sram0", name),) if stays else ()
    return Block(region, body, preload, writeback, here)


def placement(*steps: Step, setup: tuple[Assignment, ...] = ()) -> Placement:
    return Placement(Trace("built", _items(steps), ()), steps, "dram", (), setup)


def _items(steps: Sequence[Step]) -> tuple[Op | Region, ...]:
    return tuple(one.op if isinstance(one, Assignment) else one.region for one in steps)


class Bench:
    """A machine on which fabrics and dispatchers share their templates, so that states compare."""

    def __init__(self, hardware: Hardware) -> None:
        memories = {memory.name: memory for memory in hardware.memories}
        self.shares = Shares(memories, {link.name: link for link in hardware.links})
        self.templates = Templates(hardware, self.shares)
        self.engines = tuple(engine.name for engine in hardware.engines)

    def fabric(
        self, *work: Assignment, exact_events: bool = False, now: int = 0
    ) -> tuple[Fabric, list[Job]]:
        """A fabric that begins at ``now`` with operators that wait for nobody, and their jobs."""
        fabric = Fabric(self.shares, self.engines, None if exact_events else Forward())
        fabric.now = now
        jobs = []
        for number, one in enumerate(work):
            lane = fabric.lanes[one.engine]
            template = self.templates.template(one, (), {})
            jobs.append(Job(template, lane, number, Invocation("", 0, 0)))
            lane.queue.append(jobs[-1])
        fabric.start()
        return fabric, jobs

    def program(self, placed: Placement) -> Program:
        return Program(placed, self.templates)

    def dispatcher(
        self, placements: Mapping[str, Placement], *, exact_events: bool = False
    ) -> Dispatch:
        """A dispatcher of placements by name, without SimPy."""
        found = {name: self.program(placed) for name, placed in placements.items()}
        return Dispatch(self.shares, self.engines, found, exact_events=exact_events)


def ended(fabric: Fabric, until: int | None = None) -> list[tuple[int, int]]:
    """Plays a fabric to a tick or its end; the operators that ended, each with its tick."""
    found = []
    while fabric.advance(until):
        found += [(job.op, fabric.now) for job in fabric.ended]
        fabric.ended = []
    return found


def runs(found: Replay) -> list[tuple[str, int, int]]:
    """Every run of every operator in program order: name, first tick, last tick."""
    return [(span.assignment.op.name, span.start, span.end) for span in found.spans]


def agreeing(placed: Placement, hardware: Hardware) -> tuple[Replay, Replay]:
    """Replays with every event and with the accelerations, checked to be equal."""
    plain = replay(placed, hardware, exact_events=True)
    fast = replay(placed, hardware)
    assert runs(fast) == runs(plain)
    assert (fast.makespan, fast.busy, fast.moved) == (plain.makespan, plain.busy, plain.moved)
    assert fast.uses == plain.uses
    assert fast.totals == plain.totals
    return plain, fast


def at(session: Session, tick: int, stream: str, times: int = 1) -> None:
    """Asks for runs of a placement at a tick."""

    def asks() -> Generator[Any, Any, None]:
        yield session.env.timeout(tick)
        for _ in range(times):
            session.invoke(stream)

    session.process(asks())


def slow_link() -> Hardware:
    """One engine behind a half-duplex link of a byte a nanosecond."""
    return machine(bandwidth=1e9)
