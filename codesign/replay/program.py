"""From a placement to jobs with dependencies: which run must end before which may begin."""

from __future__ import annotations

from dataclasses import dataclass, field

from codesign.hardware.component import Descriptor, Direction
from codesign.hardware.plan import Move, Tile
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.replay.lane import Job, Load, Parts, Template
from codesign.replay.shares import Route, Shares
from codesign.units import ticks
from codesign.workload.record import Access, Carry, Tensor

_AT_REST = ("weight", "constant", "input")


class Transfers:
    """Looks up the class of each transfer between a memory and an engine's buffer."""

    def __init__(self, hardware: Hardware, shares: Shares) -> None:
        self.hardware, self.shares = hardware, shares
        self._routes: dict[tuple[str, str, Direction], Route] = {}

    def number(self, engine: str, home: str, move: Move, direction: Direction) -> int:
        """Class of a load (``read``, seen from the home) or store (``write``) of an engine."""
        row = -(-move.bytes // move.rows)
        forth = Descriptor(row, move.rows, move.pitch, "read", initiator=engine)
        back = Descriptor(row, move.rows, move.pitch, "write", initiator=engine)
        return self.shares.classify(self._route(engine, home, direction), forth, back)

    def _route(self, engine: str, home: str, direction: Direction) -> Route:
        key = (engine, home, direction)
        if key not in self._routes:
            buffer = self.hardware.engine(engine).buffer
            names = self.hardware.route(home, buffer)
            links = [link for name in names for link in self.hardware.links if link.name == name]
            channel = int(direction == "write")
            crossed = tuple((link.name, channel * link.separate) for link in links)
            ends = (home, buffer) if direction == "read" else (buffer, home)
            setup = sum(ticks(link.setup_s) for link in links)
            between = self.hardware.crossed(home, buffer)
            self._routes[key] = Route(ends[0], crossed, ends[1], setup, between)
        return self._routes[key]

    def parts(self, assignment: Assignment, moves: tuple[Move, ...], direction: Direction) -> Parts:
        """Transfers of moves, merged by class; none for what lies in the engine's buffer."""
        engine = assignment.engine
        buffer = self.hardware.engine(engine).buffer
        total: dict[int, int] = {}
        for move in moves:
            home = assignment.homes[move.operand]
            if home != buffer:
                number = self.number(engine, home, move, direction)
                total[number] = total.get(number, 0) + move.bytes
        return tuple(total.items())


@dataclass(frozen=True, slots=True)
class Run:
    """A job with the assignment that it is a run of."""

    job: Job
    assignment: Assignment


@dataclass
class Program:
    """All jobs of a replay in execution order.

    Attributes:
        transfers: classes of transfers.
        written: names of the tensors that some operator writes.
        runs: the jobs so far.
    """

    transfers: Transfers
    written: frozenset[str]
    runs: list[Run] = field(default_factory=list)
    _templates: dict[int, Template | None] = field(default_factory=dict)
    _writer: dict[str, Job] = field(default_factory=dict)
    _readers: dict[str, list[Job]] = field(default_factory=dict)
    _last: dict[str, Job] = field(default_factory=dict)
    _fences: dict[str, tuple[Job, ...]] = field(default_factory=dict)

    def add(self, steps: tuple[Step, ...]) -> None:
        """Appends steps, unrolling blocks."""
        for step in steps:
            if isinstance(step, Assignment):
                self._append(step)
            else:
                self._block(step)

    def _block(self, block: Block) -> None:
        fenced = bool(block.residences)
        for carry in block.region.carries:
            if carry.initial is not None:
                self._rename(carry.initial.name, carry.state.name)
        if fenced:
            self._fence()
        if block.preload:
            self._append(block.preload, fill=True)
        for _ in range(block.region.steps):
            self.add(block.body)
            self._carry(block.region.carries)
        if block.writeback:
            self._append(block.writeback)
        if fenced:
            self._fence()

    def _fence(self) -> None:
        """The next job of every engine waits for the last ones of all: the buffer changes hands."""
        last = tuple(self._last.values())
        self._fences = {engine.name: last for engine in self.transfers.hardware.engines}

    def _carry(self, carries: tuple[Carry, ...]) -> None:
        for carry in carries:
            self._rename(carry.update.name, carry.state.name)

    def _rename(self, source: str, target: str) -> None:
        if source != target and source in self._writer:
            self._writer[target] = self._writer[source]

    def _append(self, assignment: Assignment, fill: bool = False) -> None:
        job = Job(len(self.runs), assignment.op.name, self._template(assignment))
        before: dict[int, Job] = {}
        op = assignment.op
        for access in op.inputs:
            self._after(before, self._writer.get(access.tensor.name))
        for access in op.outputs:
            self._after(before, self._writer.get(access.tensor.name))
            for reader in self._readers.get(access.tensor.name, ()):
                self._after(before, reader)
        for last in self._fences.pop(assignment.engine, ()):
            job.barrier = True
            self._after(before, last)
        for earlier in before.values():
            earlier.followers.append(job)
        job.waits = len(before)
        self._note(job, op.inputs, op.inputs if fill else op.outputs)
        self._last[assignment.engine] = job
        self.runs.append(Run(job, assignment))

    @staticmethod
    def _after(before: dict[int, Job], earlier: Job | None) -> None:
        if earlier is not None:
            before[earlier.number] = earlier

    def _note(self, job: Job, reads: tuple[Access, ...], writes: tuple[Access, ...]) -> None:
        for access in reads:
            if access.tensor.name in self.written:
                self._readers.setdefault(access.tensor.name, []).append(job)
        for access in writes:
            self._writer[access.tensor.name] = job
            self._readers[access.tensor.name] = []

    def _template(self, assignment: Assignment) -> Template | None:
        key = id(assignment)
        if key not in self._templates:
            self._templates[key] = self._new_template(assignment)
        return self._templates[key]

    def _at_rest(self, tensor: Tensor) -> bool:
        return tensor.role in _AT_REST and tensor.name not in self.written

    def _new_template(self, assignment: Assignment) -> Template | None:
        plan, operands = assignment.plan, assignment.op.operands
        if plan is None:
            return None

        def loads(tile: Tile) -> Load:
            parts = self.transfers.parts
            early = tuple(m for m in tile.loads if self._at_rest(operands[m.operand].tensor))
            late = tuple(m for m in tile.loads if m not in early)
            return Load(
                parts(assignment, early, "read"),
                parts(assignment, late, "read"),
                parts(assignment, tile.loads, "read"),
            )

        def stores(tile: Tile) -> Parts:
            return self.transfers.parts(assignment, tile.stores, "write")

        return Template(plan, assignment.budget_bytes, loads, stores)


def build(placement: Placement, hardware: Hardware, shares: Shares) -> Program:
    """All jobs of a placement, with what each must wait for."""
    written = {a.tensor.name for one, _ in placement.assignments() for a in one.op.outputs}
    program = Program(Transfers(hardware, shares), frozenset(written))
    program.add(placement.program)
    return program
