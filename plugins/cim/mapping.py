"""From a contraction to a tile plan: every cut of the rows that fits, and the one that is best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from codesign import Budget, Op, TilePlan
from codesign.errors import MappingError
from codesign.hardware.objective import LATENCY
from codesign.hardware.plan import NestLoop, Room, Tile
from codesign.mapping.choice import end_to_end_s
from codesign.mapping.splits import splits

from .chunks import Chunks, Pace
from .rounds import Round, weight_rounds
from .work import Work

if TYPE_CHECKING:
    from .engine import Macros

_CUTS = 24
"""Cuts of the rows that are tried (assumed)."""


def map_contraction(engine: Macros, op: Op, budget: Budget) -> TilePlan:
    """The plan with the best score of those that fit.

    Raises:
        MappingError: the cells hold no tile, or not even one output pixel fits the buffer.
    """
    work = engine.work(op)
    rounds = weight_rounds(work.layout, _most(engine, op, budget, work), op.inputs[1].bytes)
    filling = tuple(engine.filling_cycles(one) for one in rounds)
    pace = Pace(
        passes=work.passes,
        macros=engine.macros,
        clock_hz=engine.clock_hz,
        sum_bytes=engine.partial_sum_bytes,
        input_bytes=work.input_bytes(rounds),
        filling=filling,
        fills_beside=engine.double_buffer,
    )
    _, rows, _, _ = op.loops.classes(len(op.inputs))
    cuts = splits(op.loops.extents, rows, 1, _CUTS)
    every = [Chunks(op, budget, work.layout, rounds, cut, pace) for cut in cuts]
    fitting = [chunks for chunks in every if chunks.room <= budget.buffer_bytes]
    if not fitting:
        least = min(chunks.room for chunks in every)
        raise MappingError(
            f"{op.name}: the inputs, sums and results of one output pixel take {least:,} B and the "
            f"buffer grants {budget.buffer_bytes:,} B; enlarge the buffer"
        )
    plans = [_plan(engine, work, chunks) for chunks in fitting]
    return min(plans, key=lambda plan: _score(engine, plan, budget))


def _most(engine: Macros, op: Op, budget: Budget, work: Work) -> int:
    """Tiles that the cells hold at once."""
    if budget.is_resident(1):
        return work.layout.count
    stores = {store.memory: store.bytes for store in budget.stores}
    granted = stores.get(engine.stages[0], engine.cells.size)
    most = granted // engine.tile_bytes
    if most < 1:
        raise MappingError(
            f"{op.name}: the cells of {engine.name} grant {granted:,} B beside what stays there, "
            f"and one weight tile takes {engine.tile_bytes:,} B; let less stay, or add macros"
        )
    return min(most, work.layout.count)


def _plan(engine: Macros, work: Work, chunks: Chunks) -> TilePlan:
    loop = chunks.loop()
    split, rounds, layout = chunks.split, chunks.rounds, work.layout
    products = [chunks.products(split.tile)] * split.full_count
    products += [chunks.products(split.edge)] * split.edge_count if split.edge else []
    # zeros between packed blocks are counted once for every tile: a further chunk finds them there
    filling = work.filling() if chunks.reloads else 0
    actions = work.actions(rounds, split.count)
    if filling:
        actions[engine.stages[0], "write"] = filling
    plan = TilePlan(
        loop,
        engine.clock_hz,
        held_bytes=chunks.held_bytes,
        slot_in_bytes=chunks.slot_in_bytes,
        slot_out_bytes=chunks.slot_out_bytes,
        slots_out=chunks.slots_out,
        actions=tuple((*name, count) for name, count in actions.items()),
        note=f"{layout.row_tiles} x {layout.column_tiles} weight tiles in {len(rounds)} rounds",
        rooms=tuple(_rooms(engine, chunks)),
        nest=tuple(_nest(engine, chunks)),
        exclusive=(1,) if chunks.reloads and not engine.double_buffer else (),
    )
    slots = work.slots(plan.cycles, rounds, products)
    return replace(plan, slots=tuple((cause, count) for cause, count in slots.items() if count))


def _rooms(engine: Macros, chunks: Chunks) -> Iterator[Room]:
    """What the weights of a round take of the cells."""
    size = max(one.tiles for one in chunks.rounds) * engine.tile_bytes
    for store in chunks.budget.stores if chunks.reloads else ():
        if store.memory == engine.stages[0]:
            yield Room(store.memory, store.bytes, size, 0)


def _nest(engine: Macros, chunks: Chunks) -> Iterator[NestLoop]:
    """Loops over chunks, over rounds, and what runs side by side."""
    op, split, rounds = chunks.op, chunks.split, chunks.rounds
    home = chunks.budget.stores[-1].memory if chunks.budget.stores else "home"
    moved = [*op.distinct_inputs, *range(len(op.inputs), len(op.operands))]
    moved = [operand for operand in moved if not chunks.budget.is_resident(operand)]
    _, rows, inner, columns = op.loops.classes(len(op.inputs))
    names = op.loops.dims
    for dim, size in zip(rows, split.tile, strict=True):
        count = -(-op.loops.extents[dim] // size)
        if count > 1:
            brings = tuple(n for n in moved if n != 1 or len(rounds) > 1)
            yield NestLoop(names[dim], count, home, False, brings, () if 1 in brings else (1,))
    long = [dim for dim in (*columns, *inner) if op.loops.extents[dim] > 1]
    if len(rounds) > 1:
        name = " ".join(names[dim] for dim in long) or "tiles"
        yield NestLoop(name, len(rounds), home, False, tuple(n for n in (1,) if n in moved))
    yield from _beside(engine, chunks.rounds, [names[dim] for dim in long] or ["tiles"])


def _beside(engine: Macros, rounds: tuple[Round, ...], names: list[str]) -> Iterator[NestLoop]:
    most = max(one.tiles for one in rounds)
    steps, together = -(-most // engine.macros), min(most, engine.macros)
    name = " ".join(names)
    if steps > 1:
        yield NestLoop(name, steps, engine.stages[0])
    if together > 1:
        yield NestLoop(name, together, "macros", spatial=True)


def _score(engine: Macros, plan: TilePlan, budget: Budget) -> tuple[float, ...]:
    """What the objective makes of a plan, then its traffic and its tiles; the least is the best."""
    objective = budget.objective or LATENCY
    seconds = max(_seconds(engine, plan, budget), _step_by_step_s(plan, budget))
    moved = sum(plan.loaded.values()) + sum(plan.stored.values())
    joules = _joules(engine, plan, budget) if objective.weighs_energy else 0.0
    return float(objective.score(seconds, joules)), moved, plan.tiles


def _seconds(engine: Macros, plan: TilePlan, budget: Budget) -> float:
    """End to end. Cells that are slow to write say nothing of how fast all else comes.

    The budget has one rate for all loads, that of the slowest way; stores go the other way of what
    is no weight.
    """
    slow = budget.load_bytes_per_s
    if engine.cells.service(()).bytes_per_s > slow:
        return end_to_end_s(plan, budget)
    others = replace(budget, load_bytes_per_s=max(slow, budget.store_bytes_per_s))
    seconds, weights = end_to_end_s(plan, others), plan.loaded.get(1, 0)
    if plan.exclusive:
        return seconds + weights / slow - weights / others.load_bytes_per_s
    return max(seconds, weights / slow)


def _step_by_step_s(plan: TilePlan, budget: Budget) -> float:
    """Each tile with the longer of its loads and its compute; 0 where some loads go alone."""
    if plan.exclusive:
        return 0.0
    return sum(
        times * max(_bytes(tile) / budget.load_bytes_per_s, tile.cycles / plan.clock_hz)
        for tile, times in plan.counts
    )


def _bytes(tile: Tile) -> int:
    return sum(move.bytes for move in tile.loads)


def _joules(engine: Macros, plan: TilePlan, budget: Budget) -> float:
    """Energy of a plan's moves and actions."""
    if not budget.stores:
        return 0.0
    buffer, home = budget.stores[0], budget.stores[-1]
    prices = engine.energies_j()
    port = {"read": buffer.read_j, "write": buffer.write_j}
    cells = engine.cells.write_energy
    total = sum(plan.stored.values()) * (buffer.read_j + home.write_j)
    for operand, size in plan.loaded.items():
        total += size * (home.read_j + (cells if operand == 1 else buffer.write_j))
    for component, action, count in plan.actions:
        price = {"": prices, "buffer": port}.get(component, {"write": cells})
        total += count * price[action]
    return total
