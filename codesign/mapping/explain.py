"""Why an operator costs what it costs: its plan as figures, by operand, memory, cause and bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, NestLoop, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.charges import charged
from codesign.mapping.choice import budget_of, estimate_s, transfers_s
from codesign.mapping.fixed_cut import operand_names
from codesign.mapping.fixed_notes import Compared
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment
from codesign.workload.record import Op


@dataclass(frozen=True, slots=True)
class Operand:
    """What happens to one operand.

    Attributes:
        name: ``input``, ``weight``, ``output`` and further ones by number.
        tensor: name of its tensor.
        dtype: number format.
        bytes: of all of it in a buffer; home may hold it in a codec.
        home: memory that holds it.
        stage: memory that it is loaded into, or stored from.
        chunk: most bytes that come or go at a time; 0 where it lies in its stage already.
        times: how often some come or go.
        moved: bytes in a buffer that come or go in all.
    """

    name: str
    tensor: str
    dtype: str
    bytes: int
    home: str
    stage: str
    chunk: int
    times: int
    moved: int


@dataclass(frozen=True, slots=True)
class Action:
    """What one component does for the operator.

    Attributes:
        component: its name.
        kind: its kind.
        action: ``read``, ``write`` and ``move`` count bytes.
        count: how often, or how many bytes.
        energy_j: at the price of the action; a DRAM adds rows that it opens.
    """

    component: str
    kind: str
    action: str
    count: int
    energy_j: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes of one memory that tiles take.

    Attributes:
        memory: its name.
        granted: bytes that tiles may take.
        held: from the first load to the last compute.
        slots: (how many at once, bytes of one) of inputs and of results.
    """

    memory: str
    granted: int
    held: int
    slots: tuple[tuple[int, int], tuple[int, int]]

    @property
    def bytes(self) -> int:
        """All that is taken."""
        return self.held + sum(count * size for count, size in self.slots)


@dataclass(frozen=True)
class Explanation:
    """One operator, or a part of one, on its engine.

    Attributes:
        one: the assignment.
        times: how often it runs in a run of the model.
        engine: that runs it.
        plan: its tiles.
        budget: what it is granted.
        hardware: the machine.
        compared: its fixed mapping beside the best one found; None if it is not fixed.
    """

    one: Assignment
    times: int
    engine: Engine
    plan: TilePlan
    budget: Budget
    hardware: Hardware
    compared: Compared | None = None

    @property
    def op(self) -> Op:
        """The operator."""
        return self.one.op

    @property
    def nest(self) -> tuple[NestLoop, ...]:
        """Loops from the outermost to the innermost; empty for one loop over elements."""
        return self.plan.nest

    @cached_property
    def operands(self) -> tuple[Operand, ...]:
        """Every operand, inputs first."""
        names, found = operand_names(self.op), []
        for number, access in enumerate(self.op.operands):
            chunk, times, moved = _moves(self.plan).get(number, (0, 0, 0))
            stage = self.one.stage(number, self.engine)
            tensor, home = access.tensor, self.one.homes[number]
            row = (tensor.name, str(tensor.dtype), access.bytes, home, stage)
            found.append(Operand(names[number], *row, chunk, times, moved))
        return tuple(found)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What every component does: moves first, from home to the engine, then its own."""
        return tuple(_actions(self.one, self.plan, self.hardware))

    @property
    def energy_j(self) -> float:
        """Joules of all actions."""
        return sum(action.energy_j for action in self.actions)

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What tiles take of the buffer and of further memories."""
        plan = self.plan
        slots = (plan.slots_in, plan.slot_in_bytes), (plan.slots_out, plan.slot_out_bytes)
        buffer = Taken(self.engine.buffer, self.one.budget_bytes, plan.held_bytes, slots)
        more = [
            Taken(
                r.memory, r.granted_bytes, r.held_bytes, ((plan.slots_in, r.slot_in_bytes), (0, 0))
            )
            for r in plan.rooms
        ]
        return (buffer, *more)

    @property
    def cycles(self) -> tuple[tuple[str, float], ...]:
        """Compute cycles by cause; their sum is that of the plan."""
        slots, cycles = dict(self.plan.slots), self.plan.cycles
        issued = sum(slots.values())
        if not issued:
            return (("work", float(cycles)),)
        return tuple((cause, cycles * count / issued) for cause, count in slots.items())

    @property
    def seconds(self) -> float:
        """Estimated time of the operator alone."""
        return estimate_s(self.plan, self.budget)

    @property
    def limits(self) -> Mapping[str, float]:
        """Seconds that each resource is busy: none of them can be undercut with this plan."""
        plan, budget = self.plan, self.budget
        loads, stores = transfers_s(plan, budget)
        found = {"compute": plan.cycles / plan.clock_hz}
        if budget.shared_link:
            found["loads and stores"] = loads + stores
        else:
            found |= {"loads": loads, "stores": stores}
        port = sum(a.count for a in self.actions if self._is_port(a)) - self._through
        return found | {f"port of {self.engine.buffer}": port / budget.port_bytes_per_s}

    @property
    def bound(self) -> str:
        """The resource that is busy longest."""
        return max(self.limits, key=lambda name: self.limits[name])

    def _is_port(self, action: Action) -> bool:
        return action.component == self.engine.buffer and action.action in ("read", "write")

    @property
    def _through(self) -> int:
        """Bytes that transfers, not the engine, read and write in the buffer."""
        buffer = self.engine.buffer
        return sum(x.moved for x in self.operands if x.stage == buffer and x.home != buffer)


def explain(
    one: Assignment, times: int, paths: Paths, compared: Compared | None = None
) -> Explanation | None:
    """The explanation of an assignment; None for an engine that is a process and has no plan."""
    if one.plan is None:
        return None
    engine = paths.hardware.engine(one.engine)
    budget = budget_of(engine, one.op, paths, {}, one.homes)
    return Explanation(one, times, engine, one.plan, budget, paths.hardware, compared)


def _moves(plan: TilePlan) -> dict[int, tuple[int, int, int]]:
    """By operand the most bytes at a time, how often some move, and all of them."""
    found: dict[int, tuple[int, int, int]] = {}
    for tile, times in plan.counts:
        for move in (*tile.loads, *tile.stores):
            chunk, count, moved = found.get(move.operand, (0, 0, 0))
            moved += move.bytes * times
            found[move.operand] = max(chunk, move.bytes), count + times, moved
    return found


def _actions(one: Assignment, plan: TilePlan, hardware: Hardware) -> Iterator[Action]:
    for (name, action), count in charged(one, plan, hardware).items():
        part = hardware.components[name]
        yield Action(name, part.kind, action, count, part.energy_j(action, count))
