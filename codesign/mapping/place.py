"""From a trace and hardware to a placement: each operator goes where it finishes soonest alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from codesign.errors import MappingError, TraceError
from codesign.hardware.component import Memory
from codesign.hardware.plan import Budget, Loop, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.emit import make_move
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment, Block, Placement, Residence, Step
from codesign.mapping.residency import Residency, fetched, kept, stationary
from codesign.workload.attention import attention_parts
from codesign.workload.record import Item, Op, Region, Tensor, Trace


def place(trace: Trace, hardware: Hardware, residency: Residency = "region") -> Placement:
    """Places a trace.

    Args:
        trace: operators in order.
        hardware: engines, memories and links.
        residency: which tensors may stay on chip across steps.

    Raises:
        TraceError: the trace holds no operator.
        MappingError: an operator that no engine takes (each engine's reason is given), a tile that
            fits no buffer, or tensors that fit no memory.
    """
    if residency not in get_args(Residency):
        raise MappingError(
            f"residency must be one of {', '.join(get_args(Residency))}, got {residency!r}"
        )
    placer = _Placer(trace, hardware, residency)
    placer.check()
    program = placer.steps(trace.items, 0, frozenset())
    return Placement(trace, program, placer.paths.home, placer.notes())


class _Placer:
    """One placement; operators of equal content are planned once."""

    def __init__(self, trace: Trace, hardware: Hardware, residency: Residency) -> None:
        self.trace, self.hardware, self.residency = trace, hardware, residency
        self.paths = Paths(hardware)
        self.choices: dict[tuple[object, ...], tuple[str, TilePlan | None, int]] = {}

    def check(self) -> None:
        """There is work, tensors fit their home, every operator has an engine: before planning."""
        if next(self.trace.ops(), None) is None:
            raise TraceError(
                f"trace {self.trace.name!r} must hold at least one operator, got none; "
                "capture a model with codesign.trace or add an operator"
            )
        _check_capacity(self.trace, self.paths.home_memory)
        refused: Counter[str] = Counter()
        first: dict[str, str] = {}
        for op, _ in self.trace.ops():
            for part in self.parts(op):
                reasons = self.reasons(part)
                if len(reasons) == len(self.hardware.engines):
                    why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
                    refused[why] += 1
                    first.setdefault(why, part.name)
        if refused:
            lines = [f"{count} x e.g. {first[why]!r} ({why})" for why, count in refused.items()]
            raise MappingError(
                f"no engine of {self.hardware.name} takes: {' | '.join(lines)}; "
                "add an engine that does, or change the precision with --dtype"
            )

    def notes(self) -> tuple[str, ...]:
        """Assumptions of this placement."""
        stays = {
            "region": "weights and state of a recurrent region stay on chip if they all fit",
            "none": "nothing stays on chip",
        }[self.residency]
        return (f"operands come from {self.paths.home} and results go back there; {stays}",)

    def steps(
        self, items: tuple[Item, ...], taken: int, resident: frozenset[str]
    ) -> tuple[Step, ...]:
        """Places items while ``taken`` bytes of buffer hold the tensors named in ``resident``."""
        found: list[Step] = []
        for item in items:
            if isinstance(item, Op):
                found += [self.assign(op, taken, resident) for op in self.parts(item)]
            elif isinstance(item, Region):
                found.append(self.block(item, taken, resident))
            else:
                found += self.steps(item.likelier, taken, resident)
        return tuple(found)

    def parts(self, op: Op) -> tuple[Op, ...]:
        """The operator, or the parts of an attention that no engine takes whole."""
        if op.kind != "attention" or len(self.reasons(op)) < len(self.hardware.engines):
            return (op,)
        return attention_parts(op)

    def reasons(self, op: Op) -> dict[str, str]:
        """Engines that refuse an operator, with their reasons."""
        answers = {engine.name: engine.supports(op) for engine in self.hardware.engines}
        return {name: reason for name, reason in answers.items() if reason is not None}

    def assign(self, op: Op, taken: int, resident: frozenset[str]) -> Assignment:
        """The engine on which the operator alone would finish first."""
        here = tuple(access.tensor.name in resident for access in op.operands)
        key = (op.content, taken, here)
        if key not in self.choices:
            self.choices[key] = self.choose(op, taken, here)
        engine, plan, budget_bytes = self.choices[key]
        return Assignment(op, engine, plan, here, budget_bytes)

    def choose(
        self, op: Op, taken: int, here: tuple[bool, ...]
    ) -> tuple[str, TilePlan | None, int]:
        best: tuple[float, str, TilePlan | None, int] | None = None
        trouble: list[str] = []
        for engine in self.hardware.engines:
            if engine.supports(op) is not None:
                continue
            budget = self.paths.budget(engine, taken, here)
            if engine.process is not None:
                estimate, plan = float("inf"), None
            else:
                try:
                    plan = engine.plan(op, budget)
                except MappingError as error:
                    trouble.append(f"{engine.name}: {error}")
                    continue
                estimate = estimate_s(plan, budget)
            if best is None or estimate < best[0]:
                best = estimate, engine.name, plan, budget.buffer_bytes
        if best is None:
            raise MappingError(" | ".join(trouble))
        return best[1:]

    def block(self, region: Region, taken: int, resident: frozenset[str]) -> Block:
        """A region, with its tensors resident if all of them fit."""
        if self.residency == "region" and not resident:
            placed = self.resident_block(region)
            if placed is not None:
                return placed
        # a state that an outer region keeps on chip still begins with its initial value
        initial = [c.initial for c in region.carries if c.initial and c.state.name in resident]
        missing = [tensor for tensor in initial if tensor.name not in resident]
        first = self.transfer(f"{region.name}.preload", missing, taken, load=True)
        return Block(region, self.steps(region.body, taken, resident), first)

    def resident_block(self, region: Region) -> Block | None:
        tensors = stationary(region)
        buffers = {engine.buffer for engine in self.hardware.engines}
        needed = sum(tensor.bytes for tensor in tensors)
        names = frozenset(tensor.name for tensor in tensors)
        if len(buffers) != 1 or not tensors or self.paths.home in buffers:
            return None
        buffer = next(iter(buffers))
        if needed >= self.paths.memory(buffer).size:
            return None
        try:
            body = self.steps(region.body, needed, names)
        except MappingError:
            return None  # the tiles do not fit beside it: the caller places the region without
        stays = tuple(Residence(tensor, buffer, region.name) for tensor in tensors)
        begin, end = fetched(region, tensors), kept(self.trace, region, tensors)
        first = self.transfer(f"{region.name}.preload", begin, needed, load=True)
        last = self.transfer(f"{region.name}.writeback", end, needed, load=False)
        return Block(region, body, first, last, stays)

    def transfer(
        self, name: str, tensors: Iterable[Tensor], taken: int, *, load: bool
    ) -> Assignment | None:
        """One tile of the buffer's first engine that loads or stores whole tensors."""
        parts = tuple(tensor.access() for tensor in tensors)
        if not parts:
            return None
        op = Op(name, "move", parts, () if load else parts, functions=("move",))
        first = 0 if load else len(parts)
        moves = tuple(make_move(first + n, part, part.shape) for n, part in enumerate(parts))
        tile = Tile(0, loads=moves) if load else Tile(0, stores=moves)
        here = (not load,) * len(parts) + (False,) * len(op.outputs)
        return Assignment(
            op, self.hardware.engines[0].name, TilePlan(Loop((tile,)), 1e9), here, taken
        )


def _check_capacity(trace: Trace, home: Memory) -> None:
    stored = [t for t in trace.tensors if t.role != "activation"]
    largest = max(trace.tensors, key=lambda t: t.bytes, default=None)
    total = sum(tensor.bytes for tensor in stored)
    if largest is not None and largest.bytes > home.size:
        raise MappingError(
            f"tensor {largest.name!r} takes {largest.bytes:,} B and the largest memory, "
            f"{home.name}, has {home.size:,} B; enlarge {home.name}.size"
        )
    if total > home.size:
        raise MappingError(
            f"weights, state, inputs and outputs take {total:,} B and {home.name} has "
            f"{home.size:,} B; enlarge {home.name}.size or lower the precision with --dtype"
        )


def estimate_s(plan: TilePlan, budget: Budget) -> float:
    """Seconds of an operator alone: its link time or its compute, whichever is longer."""
    transfers = sum(bool(tile.loads) * n for tile, n in plan.counts)
    transfers += sum(bool(tile.stores) * n for tile, n in plan.counts)
    link = sum(plan.loaded.values()) / budget.load_bytes_per_s
    link += sum(plan.stored.values()) / budget.store_bytes_per_s + transfers * budget.setup_s
    return max(link, plan.cycles / plan.clock_hz)
