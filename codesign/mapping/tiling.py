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
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.objective import LATENCY, Objective
from codesign.hardware.plan import MOST_CYCLES, Budget
from codesign.mapping.fixed_cut import allowed_orders, no_room
from codesign.mapping.footprint import Footprint, footprints
from codesign.mapping.recall import take_step
from codesign.mapping.splits import Split
from codesign.mapping.tile_cost import (
    Common,
    Floats,
    Traffic,
    Way,
    depends_on,
    find_traffic,
    latency_s,
    moved_joules,
    rank,
    rounded,
)
from codesign.mapping.tile_space import Array, Sizes, Space, find_space, sizes_of, sum_tiles
from codesign.workload.record import Op

__all__ = ["Array", "ArrayModel", "Sizes", "Tiling", "search"]

GROUP, ROW, INNER, COLUMN = range(4)
_FEW = 64
"""Candidates scored first, to tell which others need not be (measured)."""
_ROUNDING = 1 / 64
"""Share of the bytes of a tile in a codec by which it may be rounded up (assumed)."""
_ORDERS = ((GROUP, ROW, COLUMN, INNER), (GROUP, COLUMN, ROW, INNER))


def whole_cycles(cycles: NDArray[np.floating]) -> Array:
    """Cycles rounded up; what 64 bits cannot count stays at ``MOST_CYCLES``.

    Such a tile loses every comparison; were it chosen all the same, its plan would be refused.
    """
    found: Array = np.ceil(np.minimum(cycles, MOST_CYCLES)).astype(np.int64)
    return found


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
    if budget.fixed is None and not _goal(budget).weighs_energy:
        # other rates and buffers have the same candidates: who asks again gets all of them computed
        best = take_step(budget, lambda: _computed(_candidates(op, budget, model)), _choice, _bytes)
        if best is not None:
            return best
    scene = _Scene(budget, _candidates(op, budget, model))
    best = scene.best()
    if best is None and _packed(op, budget):  # such tiles do not fit, others may
        scene = _Scene(budget, _candidates(op, budget, model, may_split=True))
        best = scene.best()
    if best is None and _is_fixed(budget):
        raise _overflow(scene)
    if best is None:
        least = _footprints(op, scene.found.space)
        smallest = int(sum(one.bytes.min() for one in least))
        raise MappingError(
            f"{op.name}: no tile fits the {budget.buffer_bytes} B of buffer it is granted "
            f"(the smallest takes about {smallest} B a slot); enlarge the buffer"
        )
    return best


def _is_fixed(budget: Budget) -> bool:
    return budget.fixed is not None and not budget.fixed.is_open


def _goal(budget: Budget) -> Objective:
    return budget.objective or LATENCY


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The tilings that the engine's own stores take, whatever the rates and the buffer.

    Attributes:
        op: a contraction.
        model: the engine.
        space: all tilings.
        rows: which of them these are.
        ways: orders of loops and choices of what is held.
        traffic: what they move.
        cycles: what each of them computes; None where only those that matter are computed.
    """

    op: Op
    model: ArrayModel
    space: Space
    rows: Array
    ways: tuple[Way, ...]
    traffic: Traffic
    cycles: Array | None = None

    def compute_s(self, some: Array) -> Floats:
        """Seconds that some of them compute, without fill and drain of the engine."""
        if self.cycles is not None:
            return self.cycles[some] / self.model.clock_hz
        none = np.zeros(len(some), dtype=np.int64)
        cycles = sum_tiles(self.space, self.rows[some], self.model.cycles, none)
        return cycles / self.model.clock_hz


def _candidates(
    op: Op, budget: Budget, model: ArrayModel, *, may_split: bool = False
) -> _Candidates:
    space = find_space(op, model.grain, budget.fixed)
    index = space.index(np.arange(len(space)))
    tiles, counts = space.tiles(index), space.counts(index)
    rows = np.flatnonzero(model.fits(sizes_of(op, tiles)))
    if not len(rows) and not _is_fixed(budget):
        raise MappingError(
            f"{op.name}: not even one result at a time fits the engine's own stores, such as its "
            "accumulator; enlarge them"
        )
    if not may_split:
        rows = _well_packed(op, budget, tiles, rows)
    orders = allowed_orders(op, budget.fixed, _ORDERS) if budget.fixed else _ORDERS
    ways = tuple(itertools.product(orders, _held_choices(budget)))
    touched = footprints(op, tiles.take(rows, axis=1).T, budget.burst_bytes, budget.shares)
    traffic = find_traffic(op, budget, counts.take(rows, axis=1), touched, ways)
    return _Candidates(op, model, space, rows, ways, traffic)


def _packed(op: Op, budget: Budget) -> list[int]:
    """Inputs that come in a codec."""
    return [n for n, a in enumerate(op.inputs) if a.tensor.stored and not budget.is_resident(n)]


def _well_packed(op: Op, budget: Budget, tiles: Array, rows: Array) -> Array:
    """Candidates whose tiles in a codec are hardly rounded up; all where none is.

    A tile takes whole bytes at home. Where its decoder and not its bytes bounds the time, nothing
    else keeps the search from tiles of a byte or two, each of which is rounded up.
    """
    packed = _packed(op, budget) if budget.fixed is None else []
    if not packed:
        return rows
    found = footprints(op, tiles[:, rows].T, 1)
    is_good = np.ones(len(rows), dtype=np.bool_)
    for operand in packed:
        size, access = found[operand].bytes, op.inputs[operand]
        exact = size * float(access.tensor.home_share)
        more = np.ceil(exact * (1 - 1e-12)) - exact  # an error of floats is no byte
        is_good &= (more <= _ROUNDING * exact) | (size >= access.bytes)
    return rows[is_good] if is_good.any() else rows


def _computed(found: _Candidates) -> _Candidates:
    """Candidates with the cycles of all of them."""
    none = np.zeros(len(found.rows), dtype=np.int64)
    return replace(found, cycles=sum_tiles(found.space, found.rows, found.model.cycles, none))


def _choice(found: _Candidates, budget: Budget) -> Tiling | None:
    return _Scene(budget, found).best()


def _bytes(found: _Candidates) -> int:
    cycles = 0 if found.cycles is None else found.cycles.nbytes
    return found.rows.nbytes + found.traffic.bytes + cycles


@dataclass(frozen=True, slots=True)
class _Scene:
    """A search.

    Attributes:
        budget: what the operator may use.
        found: candidates to choose from.
    """

    budget: Budget
    found: _Candidates

    def best(self) -> Tiling | None:
        """The best of all candidates; None if none of them fits the buffer."""
        least = self.found.traffic.common.least_room
        some = np.flatnonzero(least <= self.budget.buffer_bytes)
        if not len(some):
            return None
        if _goal(self.budget).weighs_energy:
            return self._best_of(some, self.found.compute_s(some))
        if self.found.cycles is None:
            some = some[self._may_win(some)]
        compute = self.found.compute_s(some)
        left = self._may_win(some, compute)
        return self._best_of(some[left], compute[left])

    def _may_win(self, some: Array, compute: Floats | None = None) -> NDArray[np.bool_]:
        """Which of some candidates may still win: the others take longer than one does.

        Args:
            some: candidates that fit the buffer in some way.
            compute: seconds that each of them computes, where they are known.
        """
        if len(some) <= _FEW:
            return np.ones(len(some), dtype=np.bool_)
        moved = self.found.traffic.common.of(some)
        bound = self._latency_s(moved, moved.least_loads, 0.0 if compute is None else compute)
        quick = np.sort(np.argpartition(bound, _FEW)[:_FEW])
        seconds = self.found.compute_s(some[quick]) if compute is None else compute[quick]
        may: NDArray[np.bool_] = bound <= self._best_of(some[quick], seconds).latency_s
        return may

    def _latency_s(self, moved: Common, loads: Array, compute: Floats | float) -> Floats:
        """Makespan of candidates, see ``tile_cost.latency_s``."""
        inputs, operands = len(self.found.op.inputs), len(self.found.op.operands)
        stored = (o for o in range(inputs, operands) if not self.budget.is_resident(o))
        is_stored, model = any(True for _ in stored), self.found.model
        fill_s = model.fill_cycles / model.clock_hz  # paid once by every candidate
        return latency_s(self.budget, moved, loads, compute, is_stored=is_stored) + fill_s

    def _best_of(self, some: Array, compute: Floats) -> Tiling:
        """The best of some candidates, each of which fits the buffer in some way."""
        moved, budget = self.found.traffic.of(some), self.budget
        latency = self._latency_s(moved.common, moved.loads, compute)
        score, energy = latency, None
        if _goal(self.budget).weighs_energy:
            inside = self._inside_joules(some)
            energy = inside + moved_joules(budget, moved.loads, moved.common.stores)
            score = rounded(_goal(self.budget).score(latency, energy))
        score = np.where(moved.room <= budget.buffer_bytes, score, np.inf)
        way, place = rank(score, latency, moved, self.found.ways)
        joules = None if energy is None else float(energy[way, place])
        cost = float(latency[way, place]), joules
        row = int(self.found.rows[some[place]])
        return Tiling(self.found.space.splits(row), *self.found.ways[way], *cost)

    def _inside_joules(self, some: Array) -> Floats:
        """Joules of all tiles beyond their moves."""
        total, found = np.zeros(len(some)), self.found
        if found.model.joules is None:
            return total
        return sum_tiles(found.space, found.rows[some], found.model.joules, total)


def _overflow(scene: _Scene) -> MappingError:
    """Which capacity the tiles of a fixed mapping exceed."""
    op, budget, found = scene.found.op, scene.budget, scene.found
    fixed, space = budget.fixed or FixedMapping(), found.space
    if not len(found.rows):
        tiles = space.tiles(space.index(np.arange(len(space))))
        smallest = int(np.argmin(np.prod(tiles, axis=0)))
        sizes = sizes_of(op, tiles[:, smallest : smallest + 1])
        return MappingError(f"{fixed.place}: tile: {found.model.overflow(sizes)}; make it smaller")
    room = found.traffic.common.least_room
    least = int(found.rows[np.argmin(room)])
    counts = space.counts(space.index(np.array([least])))[:, 0]
    tile = [
        (
            0 if budget.is_resident(number) else int(one.bytes[least]),
            int(np.prod(np.where(depends_on(op, number), counts, 1))),
        )
        for number, one in enumerate(_footprints(op, space))
    ]
    return MappingError(no_room(op, budget, fixed, int(room.min()), tile))


def _footprints(op: Op, space: Space) -> list[Footprint]:
    """Bytes of each operand in the tiles of all candidates."""
    return footprints(op, space.tiles(space.index(np.arange(len(space)))).T, 1)


def _held_choices(budget: Budget) -> list[frozenset[int]]:
    free = [i for i in (0, 1) if not budget.is_resident(i)]
    if budget.fixed and budget.fixed.held is not None:
        return [budget.fixed.held.intersection(free)]
    picks = itertools.chain.from_iterable(itertools.combinations(free, r) for r in range(3))
    return [frozenset(pick) for pick in picks]
