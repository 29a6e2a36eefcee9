"""Tile search: every tiling of a contraction's loop nest that fits, scored by its makespan.

The loops are sorted into groups G, rows M, reduction K and columns N. A class is split in one of
its loops: loops inside it are whole, loops outside it advance one by one. K stays innermost so
that partial sums never leave the accumulator; M outside N keeps the first operand in place, N
outside M the second. An operand may also be *held*: its tiles stay once loaded, at the price of its
whole footprint.

The score is the makespan with fill and drain, not the traffic: minimising traffic made larger
scratchpads slower by 5 to 30 % on three networks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.hardware.plan import Budget
from codesign.mapping.footprint import Footprint, footprints
from codesign.mapping.splits import Split, choices
from codesign.workload.record import Op

Array = NDArray[np.int64]
Sizes = tuple[Array, Array, Array, Array]
"""Tile sizes (g, m, k, n) as products over the loops of each class, one entry per candidate."""

GROUP, ROW, INNER, COLUMN = range(4)


@dataclass(frozen=True, slots=True)
class Tiling:
    """A choice of the search.

    Attributes:
        splits: how each class (G, M, K, N) is cut.
        order: classes from the outermost loop to the innermost.
        held: operands whose tiles stay in the buffer once loaded.
        latency_s: the score: predicted makespan of the operator alone.
    """

    splits: tuple[Split, Split, Split, Split]
    order: tuple[int, int, int, int]
    held: frozenset[int]
    latency_s: float


@dataclass(frozen=True, slots=True)
class ArrayModel:
    """What the search needs to know of an engine.

    Attributes:
        cycles: steady compute cycles of a tile of sizes (g, m, k, n), vectorised.
        fits: whether the engine's own stores (accumulators) take such a tile, vectorised.
        clock_hz: clock of those cycles.
        grain: natural multiples of tile sizes (g, m, k, n), for example the array's rows for k.
        fill_cycles: fill and drain paid once per operator.
    """

    cycles: Callable[[Sizes], Array]
    fits: Callable[[Sizes], NDArray[np.bool_]]
    clock_hz: float
    grain: tuple[int, int, int, int]
    fill_cycles: int = 0


@dataclass(frozen=True, slots=True)
class _Space:
    """All candidates of one operator, one row each."""

    choices: tuple[tuple[Split, ...], ...]
    index: Array
    tiles: Array
    counts: Array


def search(op: Op, budget: Budget, model: ArrayModel) -> Tiling:
    """Finds the tiling with the least predicted makespan, then least traffic, then fewest tiles.

    Args:
        op: a contraction.
        budget: buffer bytes and nominal rates.
        model: the engine.

    Raises:
        MappingError: not even the smallest tile fits the buffer.
    """
    space = _space(op, model)
    best: tuple[tuple[float, int, int, int], Tiling] | None = None
    fitting = model.fits(_sizes(op, space.tiles))
    compute = _compute_cycles(space, model) / model.clock_hz
    touched = footprints(op, space.tiles, budget.burst_bytes)
    for order in ((GROUP, ROW, COLUMN, INNER), (GROUP, COLUMN, ROW, INNER)):
        for held in _held_choices(budget):
            rows = _score(op, budget, space, touched, compute, order, held)
            latency, traffic, tiles, feasible = rows
            feasible &= fitting
            if not feasible.any():
                continue
            latency = np.where(feasible, latency + model.fill_cycles / model.clock_hz, np.inf)
            winner = int(np.lexsort((tiles, traffic, latency))[0])
            key = (float(latency[winner]), int(traffic[winner]), int(tiles[winner]), len(held))
            if best is None or key < best[0]:
                best = key, _tiling(space, winner, order, held, key[0])
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


def _space(op: Op, model: ArrayModel) -> _Space:
    classes = op.loops.classes(len(op.inputs))
    cuts = choices(op.loops.extents, classes, model.grain)
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


def _compute_cycles(space: _Space, model: ArrayModel) -> Array:
    """Exact sum over full and edge tiles of every class."""
    total = np.zeros(len(space.index), dtype=np.int64)
    tables = [
        (
            np.array([[option.size, option.edge_size] for option in options]),
            np.array([[option.full_count, option.edge_count] for option in options]),
        )
        for options in space.choices
    ]
    for parts in itertools.product((0, 1), repeat=4):
        times = np.ones_like(total)
        for c in range(4):
            times *= tables[c][1][space.index[:, c], parts[c]]
        rows = np.flatnonzero(times)
        if len(rows):
            g, m, k, n = (tables[c][0][space.index[rows, c], parts[c]] for c in range(4))
            total[rows] += times[rows] * model.cycles((g, m, k, n))
    return total


def _held_choices(budget: Budget) -> list[frozenset[int]]:
    free = [i for i in (0, 1) if not budget.is_resident(i)]
    picks = itertools.chain.from_iterable(itertools.combinations(free, r) for r in range(3))
    return [frozenset(pick) for pick in picks]


def _reloads(counts: Array, depends: Sequence[bool], order: Sequence[int]) -> Array:
    """How often an operand is fetched: loops outside its innermost own loop repeat it."""
    running = np.ones(len(counts), dtype=np.int64)
    fetched = np.ones(len(counts), dtype=np.int64)
    for number in order:
        running = running * counts[:, number]
        if depends[number]:
            fetched = np.where(counts[:, number] > 1, running, fetched)
    return fetched


def _depends(op: Op, operand: int) -> list[bool]:
    used = op.loops.uses(operand)
    return [bool(used & set(dims)) for dims in op.loops.classes(len(op.inputs))]


def _score(
    op: Op,
    budget: Budget,
    space: _Space,
    touched: Sequence[Footprint],
    compute: NDArray[np.float64],
    order: Sequence[int],
    held: frozenset[int],
) -> tuple[NDArray[np.float64], Array, Array, NDArray[np.bool_]]:
    """Makespan (max-plus with fill and drain), traffic, tiles, and what fits, per candidate."""
    outputs = range(len(op.inputs), len(op.operands))
    loads = np.zeros(len(space.index), dtype=np.int64)
    first = np.zeros_like(loads)
    space_in = np.zeros_like(loads)
    for operand in op.distinct_inputs:
        if budget.is_resident(operand):
            continue
        depends, tile = _depends(op, operand), touched[operand]
        distinct = np.prod(np.where(depends, space.counts, 1), axis=1)
        fetched = distinct if operand in held else _reloads(space.counts, depends, order)
        loads += fetched * tile.moved
        first += tile.moved
        slots = np.where(fetched == 1, 1, 2)
        space_in += (distinct if operand in held else slots) * tile.bytes
    stored = [touched[o] for o in outputs if not budget.is_resident(o)]
    runs = np.prod(space.counts[:, [GROUP, ROW, COLUMN]], axis=1)
    last = sum((tile.moved for tile in stored), np.zeros_like(loads))
    stores = last * runs
    space_out = np.where(runs == 1, 1, 2) * sum(
        (tile.bytes for tile in stored), np.zeros_like(loads)
    )
    tiles = np.prod(space.counts, axis=1)
    load_s = loads / budget.load_bytes_per_s + budget.setup_s * tiles
    store_s = stores / budget.store_bytes_per_s + budget.setup_s * runs * bool(stored)
    link = load_s + store_s if budget.shared_link else np.maximum(load_s, store_s)
    head = first / budget.load_bytes_per_s + budget.setup_s
    tail = last / budget.store_bytes_per_s + budget.setup_s * bool(stored)
    latency = np.maximum(link, head + compute + tail)
    latency = np.maximum(latency, _bound_by_tile(head, tail, link, compute, tiles))
    return latency, loads + stores, tiles, space_in + space_out <= budget.buffer_bytes


def _bound_by_tile(
    head: NDArray[np.float64],
    tail: NDArray[np.float64],
    link: NDArray[np.float64],
    compute: NDArray[np.float64],
    tiles: Array,
) -> NDArray[np.float64]:
    """The link is busy all along, then the last tile computes and drains."""
    bound: NDArray[np.float64] = link - tail + compute / tiles + tail
    return np.maximum(bound, head + tail)


def _tiling(
    space: _Space, row: int, order: tuple[int, int, int, int], held: frozenset[int], score: float
) -> Tiling:
    g, m, k, n = (space.choices[c][int(space.index[row, c])] for c in range(4))
    return Tiling((g, m, k, n), order, held, score)
