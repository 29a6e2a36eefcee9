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
from collections.abc import Callable, Iterator
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
from codesign.mapping.tile_cost import Rows, cost_of, depends_on, moved_joules, rank, rounded
from codesign.workload.record import Op

Array = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)
Sizes = tuple[Array, Array, Array, Array]
"""Tile sizes (g, m, k, n) as products over the loops of each class, one entry per candidate."""

GROUP, ROW, INNER, COLUMN = range(4)
_FEW = 256
"""Candidates scored first, to tell which others need not be (measured)."""
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
    fitting = np.flatnonzero(model.fits(_sizes(op, space.tiles)))
    if not len(fitting) and not _is_fixed(budget):
        raise MappingError(
            f"{op.name}: not even one result at a time fits the engine's own stores, such as its "
            "accumulator; enlarge them"
        )
    compute = _compute_cycles(space, model) / model.clock_hz
    scene = _Scene(op, budget, model, space, compute)
    best = scene.best(scene.promising(fitting))
    if best is None and _is_fixed(budget):
        raise _overflow(scene, fitting)
    if best is None:
        smallest = int(sum(one.bytes.min() for one in footprints(op, space.tiles, 1)))
        raise MappingError(
            f"{op.name}: no tile fits the {budget.buffer_bytes} B of buffer it is granted "
            f"(the smallest takes about {smallest} B a slot); enlarge the buffer"
        )
    return best


def _is_fixed(budget: Budget) -> bool:
    return budget.fixed is not None and not budget.fixed.is_open


@dataclass(frozen=True, slots=True)
class _Scene:
    """A search.

    Attributes:
        op: a contraction.
        budget: of its buffer.
        model: the engine.
        space: all candidates.
        compute: seconds that each of them computes, without fill and drain of the engine.
    """

    op: Op
    budget: Budget
    model: ArrayModel
    space: _Space
    compute: NDArray[np.float64]

    @property
    def fill_s(self) -> float:
        """Seconds to fill and drain the engine, paid once by every candidate."""
        return self.model.fill_cycles / self.model.clock_hz

    @property
    def objective(self) -> Objective:
        """What is made small."""
        return self.budget.objective or LATENCY

    def promising(self, rows: Array) -> Array:
        """Those of some candidates that may still win: the others compute longer than one takes."""
        if self.objective.weighs_energy or len(rows) <= _FEW:
            return rows
        quick = np.sort(rows[np.argsort(self.compute[rows], kind="stable")[:_FEW]])
        best = self.best(quick)
        return rows if best is None else rows[self.compute[rows] + self.fill_s <= best.latency_s]

    def best(self, rows: Array) -> Tiling | None:
        """The best of some candidates; None if none of them fits the buffer."""
        best: tuple[tuple[float, ...], Tiling] | None = None
        inside = self._inside_joules(rows)
        for order, held, costs in self.costs(rows):
            feasible = costs.room <= self.budget.buffer_bytes
            if not feasible.any():
                continue
            energy = None if inside is None else inside + moved_joules(self.budget, costs)
            latency = costs.latency + self.fill_s
            score = latency if energy is None else rounded(self.objective.score(latency, energy))
            row, figures = rank(np.where(feasible, score, np.inf), latency, costs)
            key = (*figures, len(held))
            if best is None or key < best[0]:
                joules = None if energy is None else float(energy[row])
                cost = float(latency[row]), joules
                best = key, _tiling(self.space, int(rows[row]), order, held, cost)
        return best[1] if best else None

    def costs(
        self, rows: Array
    ) -> Iterator[tuple[tuple[int, int, int, int], frozenset[int], Rows]]:
        """What some candidates cost under every order and choice of what is held."""
        op, budget = self.op, self.budget
        counts, compute = self.space.counts[rows], self.compute[rows]
        touched = footprints(op, self.space.tiles[rows], budget.burst_bytes, budget.shares)
        for order in allowed_orders(op, budget.fixed, _ORDERS) if budget.fixed else _ORDERS:
            for held in _held_choices(budget):
                yield order, held, cost_of(op, budget, counts, touched, compute, order, held)

    def _inside_joules(self, rows: Array) -> NDArray[np.float64] | None:
        """Joules of all tiles beyond their moves; None where the objective weighs no energy."""
        if not self.objective.weighs_energy:
            return None
        total = np.zeros(len(self.space.index))
        return (_summed(self.space, self.model.joules, total) if self.model.joules else total)[rows]


def _overflow(scene: _Scene, fitting: Array) -> MappingError:
    """Which capacity the tiles of a fixed mapping exceed."""
    op, budget, space = scene.op, scene.budget, scene.space
    fixed = budget.fixed or FixedMapping()
    if not len(fitting):
        smallest = int(np.argmin(np.prod(space.tiles, axis=1)))
        sizes = _sizes(op, space.tiles[smallest : smallest + 1])
        return MappingError(f"{fixed.place}: tile: {scene.model.overflow(sizes)}; make it smaller")
    room = np.min([costs.room for _, _, costs in scene.costs(fitting)], axis=0)
    least = int(fitting[np.argmin(room)])
    tile = [
        (
            0 if budget.is_resident(number) else int(one.bytes[least]),
            int(np.prod(np.where(depends_on(op, number), space.counts[least], 1))),
        )
        for number, one in enumerate(footprints(op, space.tiles, 1))
    ]
    return MappingError(no_room(op, budget, fixed, int(room.min()), tile))


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
