"""Tile search: every tiling of a contraction's loop nest that fits, scored by its makespan.

The loops are sorted into groups G, rows M, reduction K and columns N. A class is split in one of
its loops: loops inside it are whole, loops outside it advance one by one. K stays innermost so
that partial sums never leave the accumulator; M outside N keeps the first operand in place, N
outside M the second. An operand may also be *held*: its tiles stay once loaded, at the price of its
whole footprint.

The score is the makespan with fill and drain, not the traffic: minimising traffic made larger
scratchpads slower by 5 to 30 % on three networks. An objective that weighs energy is scored with
the joules of what moves and of what the engine says its tiles take.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.objective import LATENCY, Objective
from codesign.hardware.plan import Budget
from codesign.mapping.fixed_cut import allowed_orders, fixed_splits, no_room
from codesign.mapping.footprint import footprints
from codesign.mapping.splits import Split, choices
from codesign.mapping.tile_cost import cost_of, depends_on, moved_joules, rank, rounded
from codesign.workload.record import Op

Array = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)
Sizes = tuple[Array, Array, Array, Array]
"""Tile sizes (g, m, k, n) as products over the loops of each class, one entry per candidate."""

GROUP, ROW, INNER, COLUMN = range(4)
_ORDERS = ((GROUP, ROW, COLUMN, INNER), (GROUP, COLUMN, ROW, INNER))


@dataclass(frozen=True, slots=True)
class Tiling:
    """A choice of the search.

    Attributes:
        splits: how each class (G, M, K, N) is cut.
        order: classes from the outermost loop to the innermost.
        held: operands whose tiles stay in the buffer once loaded.
        latency_s: predicted makespan of the operator alone.
        energy_j: predicted joules of its actions and moves; None where the objective does not
            weigh them.
    """

    splits: tuple[Split, Split, Split, Split]
    order: tuple[int, int, int, int]
    held: frozenset[int]
    latency_s: float
    energy_j: float | None = None


@dataclass(frozen=True, slots=True)
class ArrayModel:
    """What the search needs to know of an engine.

    Attributes:
        cycles: steady compute cycles of a tile of sizes (g, m, k, n), vectorised.
        fits: whether the engine's own stores (accumulators) take such a tile, vectorised.
        clock_hz: clock of those cycles.
        grain: natural multiples of tile sizes (g, m, k, n), for example the array's rows for k.
        fill_cycles: fill and drain paid once per operator.
        overflow: why one tile that does not fit has no room, for the error of a fixed mapping.
        joules: energy of a tile of sizes (g, m, k, n) beyond its loads and stores, vectorised:
            multiply-accumulates, the port of the buffer, the engine's own stores. Asked for only
            where the objective weighs energy; without it, only what moves is weighed.
    """

    cycles: Callable[[Sizes], Array]
    fits: Callable[[Sizes], NDArray[np.bool_]]
    clock_hz: float
    grain: tuple[int, int, int, int]
    fill_cycles: int = 0
    overflow: Callable[[Sizes], str] = lambda _: "one tile does not fit the engine's own stores"
    joules: Callable[[Sizes], NDArray[np.float64]] | None = None


@dataclass(frozen=True, slots=True)
class _Space:
    """All candidates of one operator, one row each."""

    choices: tuple[tuple[Split, ...], ...]
    index: Array
    tiles: Array
    counts: Array


def search(op: Op, budget: Budget, model: ArrayModel) -> Tiling:
    """Finds the tiling with the best score, then least makespan, least traffic, fewest tiles.

    Args:
        op: a contraction.
        budget: buffer bytes, nominal rates and the objective: latency, if there is none.
        model: the engine.

    Raises:
        MappingError: not even the smallest tile fits the buffer, or a fixed mapping is not in the
            space of the search or fits nowhere.
    """
    space = _space(op, model, budget)
    best: tuple[tuple[float, ...], Tiling] | None = None
    fitting = model.fits(_sizes(op, space.tiles))
    compute = _compute_cycles(space, model) / model.clock_hz
    objective = budget.objective or LATENCY
    inside = _inside_joules(space, model, objective)
    touched = footprints(op, space.tiles, budget.burst_bytes)
    needed: list[Array] = []
    for order in allowed_orders(op, budget.fixed, _ORDERS) if budget.fixed else _ORDERS:
        for held in _held_choices(budget):
            rows = cost_of(op, budget, space.counts, touched, compute, order, held)
            feasible = fitting & (rows.room <= budget.buffer_bytes)
            if not feasible.any():
                needed.append(rows.room)
                continue
            latency = rows.latency + model.fill_cycles / model.clock_hz
            energy = None if inside is None else inside + moved_joules(budget, rows)
            score = latency if energy is None else rounded(objective.score(latency, energy))
            row, figures = rank(np.where(feasible, score, np.inf), latency, rows)
            key = (*figures, len(held))
            if best is None or key < best[0]:
                joules = None if energy is None else float(energy[row])
                best = key, _tiling(space, row, order, held, (float(latency[row]), joules))
    if best is None and budget.fixed and not budget.fixed.is_open:
        raise _overflow(op, budget, model, space, fitting, needed)
    if not fitting.any():
        raise MappingError(
            f"{op.name}: not even one result at a time fits the engine's own stores, such as its "
            "accumulator; enlarge them"
        )
    if best is None:
        smallest = int(sum(one.bytes.min() for one in touched))
        raise MappingError(
            f"{op.name}: no tile fits the {budget.buffer_bytes} B of buffer it is granted "
            f"(the smallest takes about {smallest} B a slot); enlarge the buffer"
        )
    return best[1]


def _overflow(
    op: Op,
    budget: Budget,
    model: ArrayModel,
    space: _Space,
    fitting: NDArray[np.bool_],
    needed: Sequence[Array],
) -> MappingError:
    """Which capacity the tiles of a fixed mapping exceed."""
    fixed = budget.fixed or FixedMapping()
    if not fitting.any():
        smallest = int(np.argmin(np.prod(space.tiles, axis=1)))
        sizes = _sizes(op, space.tiles[smallest : smallest + 1])
        return MappingError(f"{fixed.place}: tile: {model.overflow(sizes)}; make it smaller")
    room = np.where(fitting, np.min(needed, axis=0), np.iinfo(np.int64).max)
    least = int(np.argmin(room))
    tile = [
        (
            0 if budget.is_resident(number) else int(one.bytes[least]),
            int(np.prod(np.where(depends_on(op, number), space.counts[least], 1))),
        )
        for number, one in enumerate(footprints(op, space.tiles, 1))
    ]
    return MappingError(no_room(op, budget, fixed, int(room[least]), tile))


def _cuts(op: Op, model: ArrayModel, budget: Budget) -> tuple[tuple[Split, ...], ...]:
    """Candidate cuts of every class, one where it is fixed."""
    classes = op.loops.classes(len(op.inputs))
    if budget.fixed is None:
        return choices(op.loops.extents, classes, model.grain)
    fixed = fixed_splits(op, budget.fixed)
    left = [() if number in fixed else dims for number, dims in enumerate(classes)]
    found = choices(op.loops.extents, left, model.grain)
    return tuple((fixed[n],) if n in fixed else options for n, options in enumerate(found))


def _space(op: Op, model: ArrayModel, budget: Budget) -> _Space:
    classes = op.loops.classes(len(op.inputs))
    cuts = _cuts(op, model, budget)
    index = np.array(list(itertools.product(*(range(len(c)) for c in cuts))), dtype=np.int64)
    tiles = np.ones((len(index), len(op.loops.dims)), dtype=np.int64)
    counts = np.ones((len(index), 4), dtype=np.int64)
    for number, (dims, options) in enumerate(zip(classes, cuts, strict=True)):
        picked = index[:, number]
        counts[:, number] = np.array([option.count for option in options])[picked]
        if dims:
            tiles[:, list(dims)] = np.array([option.tile for option in options])[picked]
    return _Space(cuts, index, tiles, counts)


def _sizes(op: Op, tiles: Array) -> Sizes:
    g, m, k, n = (
        np.prod(tiles[:, list(dims)], axis=1) if dims else np.ones(len(tiles), dtype=np.int64)
        for dims in op.loops.classes(len(op.inputs))
    )
    return g, m, k, n


def _inside_joules(
    space: _Space, model: ArrayModel, objective: Objective
) -> NDArray[np.float64] | None:
    """Joules of all tiles beyond their moves; None where the objective does not weigh energy."""
    if not objective.weighs_energy:
        return None
    if model.joules is None:
        return np.zeros(len(space.index))
    return _summed(space, model.joules, np.zeros(len(space.index)))


def _compute_cycles(space: _Space, model: ArrayModel) -> Array:
    """Cycles of all tiles."""
    return _summed(space, model.cycles, np.zeros(len(space.index), dtype=np.int64))


def _summed(
    space: _Space, of_tile: Callable[[Sizes], NDArray[Number]], total: NDArray[Number]
) -> NDArray[Number]:
    """Exact sum over full and edge tiles of every class, added to ``total``."""
    tables = [np.array([option.parts for option in options]) for options in space.choices]
    for parts in itertools.product(*(range(table.shape[1]) for table in tables)):
        times = np.ones_like(total)
        for c in range(4):
            times *= tables[c][space.index[:, c], parts[c], 1]
        rows = np.flatnonzero(times)
        if len(rows):
            g, m, k, n = (tables[c][space.index[rows, c], parts[c], 0] for c in range(4))
            total[rows] += times[rows] * of_tile((g, m, k, n))
    return total


def _held_choices(budget: Budget) -> list[frozenset[int]]:
    free = [i for i in (0, 1) if not budget.is_resident(i)]
    if budget.fixed and budget.fixed.held is not None:
        return [budget.fixed.held.intersection(free)]
    picks = itertools.chain.from_iterable(itertools.combinations(free, r) for r in range(3))
    return [frozenset(pick) for pick in picks]


def _tiling(
    space: _Space,
    row: int,
    order: tuple[int, int, int, int],
    held: frozenset[int],
    cost: tuple[float, float | None],
) -> Tiling:
    g, m, k, n = (space.choices[c][int(space.index[row, c])] for c in range(4))
    return Tiling((g, m, k, n), order, held, *cost)
