"""The loop order, cuts and spread that cost least, by any objective."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.hardware.objective import Objective
from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.count import Counted, Counter
from codesign.mapping.hierarchy.fixed import Limits
from codesign.mapping.hierarchy.homes import Homes, tiles
from codesign.mapping.hierarchy.orders import TILE, Orders, over_tiles, within
from codesign.mapping.hierarchy.problem import Problem
from codesign.mapping.hierarchy.spec import RESULT, Array, steps
from codesign.mapping.hierarchy.spread import spreads
from codesign.mapping.hierarchy.states import States, cuts
from codesign.mapping.hierarchy.walk import Walk
from codesign.workload.record import Op

Floats = NDArray[np.float64]

_CUTS = (6, 6, 6, 2)
"""Most cuts of rows, reduction, columns and groups that are scored (assumed)."""
_SURVIVORS = 16
"""Orders over tiles of a spread whose orders inside a tile are scored, the best by what leaves the
chip. With 8 or 48 the energies of 32 operators are the same, with 4 some are 1 % above."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast an array and its way home are.

    Attributes:
        clock_hz: of the cells.
        load_bits_per_s: from home.
        store_bits_per_s: to home.
        setup_s: before each transfer.
        shared: whether loads and stores share one channel.
        port_bits_per_s: of the buffer towards the array.
        shares: of the two factors, see ``Budget.shares``.
    """

    clock_hz: float
    load_bits_per_s: float
    store_bits_per_s: float
    setup_s: float
    shared: bool
    port_bits_per_s: float = math.inf
    shares: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Mapping:
    """What was chosen.

    Attributes:
        problem: the operator under its spread.
        orders: all orders that were scored to the end.
        row: the chosen one.
        counted: what they cost.
        energy_j: joules, those of the cells included.
        latency_s: predicted time of the operator alone.
    """

    problem: Problem
    orders: Orders
    row: int
    counted: Counted
    energy_j: float
    latency_s: float


def choose(
    op: Op,
    array: Array,
    rates: Rates,
    objective: Objective,
    resident: frozenset[int] = frozenset(),
    limits: Limits | None = None,
) -> Mapping:
    """The mapping of a contraction that costs least.

    Args:
        op: a contraction.
        array: that runs it.
        rates: of the array and its way home.
        objective: what counts; ties go to latency, of latency alone to energy.
        resident: operands that lie in their stages already: factors by number, 2 the result.
        limits: what is decided of the mapping.

    Raises:
        MappingError: nothing fits.
    """
    problems = tuple(_problems(op, array, resident, limits))
    # what is decided is told of one spread after the other
    batches = [Batch((one,)) for one in problems] if limits else [Batch(problems)]
    found = [one for batch in batches for one in _best(batch, rates, objective, limits)]
    if limits and not found:
        raise limits.error()
    if not found:
        raise MappingError(
            f"{op.name}: no tile fits the memories that it is granted; enlarge the buffer or the "
            "stores of the array"
        )
    return min(found, key=lambda one: _key(one.energy_j, one.latency_s, objective))


def _problems(
    op: Op, array: Array, resident: frozenset[int], limits: Limits | None = None
) -> Iterator[Problem]:
    operands = (*op.inputs[:RESULT], op.outputs[0])
    first, second, result = (access.tensor.dtype.bits for access in operands)
    nest = op.loops
    groups, rows, inner, columns = nest.classes(len(op.inputs))
    classes = (rows, inner, columns, groups)
    every = spreads(nest, classes, array)
    for spread in limits.spreads(array, every) if limits else every:
        beside = tuple(steps(spread, len(nest.dims)))
        own = [cuts(nest, dims, beside, _CUTS[n]) for n, dims in enumerate(classes)]
        if limits:
            own = limits.cuts(classes, beside, own)
        if not all(own):
            continue
        states = States(op, classes, beside, tuple(own))
        yield Problem(states, array, spread, (first, second, result), resident)


def _best(
    batch: Batch, rates: Rates, objective: Objective, limits: Limits | None
) -> Iterator[Mapping]:
    """The best mapping under some spreads; nothing if none fits."""
    outer = over_tiles(batch)
    homes = tiles(batch, Walk(outer))
    fits = limits.keeps(batch, outer, homes) if limits else homes.fits
    array, cells_j = batch.array, batch.op.macs * batch.array.mac_j
    price = np.array([array.home_read_j, array.home_read_j, array.home_write_j])
    bound = _latency(batch, outer, homes, rates)
    rough, _ = _score(homes.moved @ price + cells_j, bound, objective)
    ranked = _survivors(batch, outer, rough, fits)
    if not len(ranked):
        return
    orders = within(batch, _rows(outer, ranked))
    counted = Counter(batch, Walk(orders)).run()
    energy = counted.energy_j + cells_j
    latency = _latency(batch, orders, counted.homes, rates)
    latency = np.maximum(latency, counted.port_bits("0") / rates.port_bits_per_s)
    first, second = _score(energy, latency, objective)
    count = np.prod(orders.steps[:, TILE:], axis=1)
    fits = counted.fits
    if limits:
        fits = fits & limits.keeps(batch, orders, counted.homes)
    row = int(np.lexsort((count, second, first, ~fits))[0])
    if fits[row]:
        spread = int(batch.spread(orders.cut)[row])
        own = replace(orders, cut=batch.own(orders.cut, spread))
        problem = batch.problems[spread]
        yield Mapping(problem, own, row, counted, float(energy[row]), float(latency[row]))


def _survivors(
    batch: Batch, outer: Orders, rough: Floats, fits: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The best rows of each spread.

    Of equal ones those with fewer tiles: they leave more choice of what the stores inside hold.
    """
    count = np.prod(outer.steps, axis=1)
    ranked = np.lexsort((count, rough, ~fits))
    ranked = ranked[fits[ranked]]
    spread = batch.spread(outer.cut)[ranked]
    best = [ranked[spread == n][:_SURVIVORS] for n in range(len(batch.problems))]
    return np.concatenate(best)


def _rows(orders: Orders, kept: NDArray[np.int64]) -> Orders:
    return Orders(
        orders.cut[kept],
        orders.inside[kept],
        orders.outside[kept],
        orders.steps[kept],
        orders.loops[kept],
        orders.states[kept],
    )


def _score(energy: Floats, latency: Floats, objective: Objective) -> tuple[Floats, Floats]:
    """What counts first, and what then."""
    score = objective.score(latency, energy)
    return score, latency if objective.weighs_energy else energy


def _key(energy: float, latency: float, objective: Objective) -> tuple[float, float]:
    first, second = _score(np.array(energy), np.array(latency), objective)
    return float(first), float(second)


def _latency(batch: Batch, orders: Orders, homes: Homes, rates: Rates) -> Floats:
    """Makespan of an operator alone: the cells or the way home, with a first and a last tile."""
    cut = orders.cut
    inside = np.prod([batch.inside[n][cut[:, n]] for n in range(4)], axis=0)
    count = np.prod([batch.outside[n][cut[:, n]] for n in range(4)], axis=0)
    compute = inside * count / rates.clock_hz
    loads = homes.moved[:, :RESULT] @ np.array(rates.shares)
    loads = loads / rates.load_bits_per_s + rates.setup_s * count
    stores = homes.moved[:, RESULT] / rates.store_bits_per_s + rates.setup_s
    link = loads + stores if rates.shared else np.maximum(loads, stores)
    head = homes.chunks[:, :RESULT] @ np.array(rates.shares)
    head = head / rates.load_bits_per_s + rates.setup_s
    tail = homes.chunks[:, RESULT] / rates.store_bits_per_s + rates.setup_s
    latency: Floats = np.maximum(link, head + compute + tail)
    return latency
