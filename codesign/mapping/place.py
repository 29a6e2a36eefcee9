"""From a trace and hardware to a placement: each operator goes where it finishes soonest alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from codesign.errors import MappingError, TraceError
from codesign.hardware.plan import Loop, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.capacity import check_capacity
from codesign.mapping.choice import Choice, choose, refusals
from codesign.mapping.emit import make_move
from codesign.mapping.paths import Paths
from codesign.mapping.placement import Assignment, Block, Placement, Residence, Step
from codesign.mapping.prices import check_prices
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
    placement = Placement(trace, program, placer.paths.home, _notes(program, placer.paths))
    check_prices(placement, hardware)
    return placement


class _Placer:
    """One placement; operators of equal content are planned once."""

    def __init__(self, trace: Trace, hardware: Hardware, residency: Residency) -> None:
        self.trace, self.hardware, self.residency = trace, hardware, residency
        self.paths = Paths(hardware)
        self.choices: dict[tuple[object, ...], Choice] = {}

    def check(self) -> None:
        """There is work, tensors fit their home, every operator has an engine: before planning."""
        if next(self.trace.ops(), None) is None:
            raise TraceError(
                f"trace {self.trace.name!r} must hold at least one operator, got none; "
                "capture a model with codesign.trace or add an operator"
            )
        check_capacity(self.trace, self.paths.home_memory, self.parts)
        refused: Counter[str] = Counter()
        first: dict[str, str] = {}
        for op, _ in self.trace.ops():
            for part in self.parts(op):
                reasons = refusals(part, self.hardware.engines)
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
        if op.kind != "attention" or len(refusals(op, self.hardware.engines)) < len(
            self.hardware.engines
        ):
            return (op,)
        return attention_parts(op)

    def assign(self, op: Op, taken: int, resident: frozenset[str]) -> Assignment:
        """The engine on which the operator alone would finish first."""
        here = tuple(access.tensor.name in resident for access in op.operands)
        key = (op.content, taken, here)
        if key not in self.choices:
            self.choices[key] = choose(op, self.paths, taken, here)
        choice = self.choices[key]
        homes = tuple(choice.engine.buffer if stays else self.paths.home for stays in here)
        return Assignment(op, choice.engine.name, choice.plan, homes, choice.budget_bytes)

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
        engine = self.hardware.engines[0]
        away = (self.paths.home,) * len(parts)
        homes = away if load else (engine.buffer,) * len(parts) + away
        # the tile computes nothing, so any clock will do; its bytes are those that stay
        return Assignment(op, engine.name, TilePlan(Loop((tile,)), 1e9), homes, taken)


def _notes(program: tuple[Step, ...], paths: Paths) -> tuple[str, ...]:
    """What stays on chip and what does not."""
    blocks = [step for step in program if isinstance(step, Block)]
    stay = [block for block in blocks if block.residences]
    leave = [block for block in blocks if not block.residences]
    home = paths.home
    found = [f"every operator takes its operands from {home} and stores its results there"]
    if stay:
        most = max(sum(r.tensor.bytes for r in block.residences) for block in stay)
        found.append(
            f"but what {_named(stay)} reads or carries at every step stays on chip meanwhile: "
            f"{most:,} B at most"
        )
    if leave:
        buffers = dict.fromkeys(engine.buffer for engine in paths.hardware.engines)
        needed = max(sum(t.bytes for t in stationary(block.region)) for block in leave)
        why = f"up to {needed:,} B would have to fit beside the tiles"
        if len(buffers) > 1:
            why = f"only engines that share a buffer can keep it, these have {', '.join(buffers)}"
        found.append(f"{_named(leave)} keeps nothing on chip and fetches anew at every step: {why}")
    return tuple(found)


def _named(blocks: list[Block]) -> str:
    names = [block.region.name for block in blocks]
    return names[0] if len(names) == 1 else f"each of {len(names)} regions ({names[0]}, ...)"
