"""The loop order, cuts and spread that cost least, by energy, latency or their product."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError
from codesign.mapping.hierarchy.count import Counted, Counter
from codesign.mapping.hierarchy.homes import Homes, Problem, tiles
from codesign.mapping.hierarchy.orders import TILE, Orders, over_tiles, within
from codesign.mapping.hierarchy.spec import RESULT, Array, steps
from codesign.mapping.hierarchy.spread import spreads
from codesign.mapping.hierarchy.states import States, cuts
from codesign.mapping.hierarchy.walk import Walk
from codesign.workload.record import Op

Objective = Literal["latency", "energy", "edp"]
Floats = NDArray[np.float64]

_CUTS = (6, 6, 6, 2)
"""Most cuts of rows, reduction, columns and groups that are scored (assumed)."""
_SURVIVORS = 48
"""Orders over tiles whose orders inside a tile are scored, the best by what leaves the chip."""


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
    """

    clock_hz: float
    load_bits_per_s: float
    store_bits_per_s: float
    setup_s: float
    shared: bool
    port_bits_per_s: float = math.inf


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
) -> Mapping:
    """The mapping of a contraction that costs least.

    Args:
        op: a contraction.
        array: that runs it.
        rates: of the array and its way home.
        objective: what counts; ties go to the other of energy and latency.
        resident: operands that lie in their stages already: factors by number, 2 the result.

    Raises:
        MappingError: nothing fits.
    """
    problems = _problems(op, array, resident)
    found = [one for problem in problems for one in _best(problem, rates, objective)]
    if not found:
        raise MappingError(
            f"{op.name}: no tile fits the memories that it is granted; enlarge the buffer or the "
            "stores of the array"
        )
    return min(found, key=lambda one: _key(one.energy_j, one.latency_s, objective))


def _problems(op: Op, array: Array, resident: frozenset[int]) -> Iterator[Problem]:
    operands = (*op.inputs[:RESULT], op.outputs[0])
    first, second, result = (access.tensor.dtype.bits for access in operands)
    nest = op.loops
    groups, rows, inner, columns = nest.classes(len(op.inputs))
    classes = (rows, inner, columns, groups)
    for spread in spreads(nest, classes, array):
        beside = tuple(steps(spread, len(nest.dims)))
        own = [cuts(nest, dims, beside, _CUTS[n]) for n, dims in enumerate(classes)]
        states = States(op, classes, beside, tuple(own))
        yield Problem(states, array, spread, (first, second, result), resident)


def _best(problem: Problem, rates: Rates, objective: Objective) -> Iterator[Mapping]:
    """The best mapping under one spread; nothing if none fits."""
    outer = over_tiles(problem.states)
    homes = tiles(problem, Walk(outer))
    array, op = problem.array, problem.states.op
    price = np.array([array.home_read_j, array.home_read_j, array.home_write_j])
    bound = _latency(problem, outer, homes, rates)
    rough, _ = _score(homes.moved @ price + op.macs * array.mac_j, bound, objective)
    # fewer tiles leave more choice of what the stores inside the array hold
    count = np.prod(outer.steps, axis=1)
    ranked = np.lexsort((count, rough, ~homes.fits))[:_SURVIVORS]
    ranked = ranked[homes.fits[ranked]]
    if not len(ranked):
        return
    orders = within(problem.states, _rows(outer, ranked))
    counted = Counter(problem, Walk(orders)).run()
    energy = counted.energy_j + op.macs * array.mac_j
    latency = _latency(problem, orders, counted.homes, rates)
    latency = np.maximum(latency, counted.port_bits("0") / rates.port_bits_per_s)
    first, second = _score(energy, latency, objective)
    count = np.prod(orders.steps[:, TILE:], axis=1)
    row = int(np.lexsort((count, second, first, ~counted.fits))[0])
    if counted.fits[row]:
        yield Mapping(problem, orders, row, counted, float(energy[row]), float(latency[row]))


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
    if objective == "energy":
        return energy, latency
    return (latency, energy) if objective == "latency" else (energy * latency, latency)


def _key(energy: float, latency: float, objective: Objective) -> tuple[float, float]:
    first, second = _score(np.array(energy), np.array(latency), objective)
    return float(first), float(second)


def _latency(problem: Problem, orders: Orders, homes: Homes, rates: Rates) -> Floats:
    """Makespan of an operator alone: the cells or the way home, with a first and a last tile."""
    cut, states = orders.cut, problem.states
    inside = np.prod([states.inside[n][cut[:, n]] for n in range(4)], axis=0)
    count = np.prod([states.outside[n][cut[:, n]] for n in range(4)], axis=0)
    compute = inside * count / rates.clock_hz
    loads = homes.moved[:, :RESULT].sum(axis=1) / rates.load_bits_per_s + rates.setup_s * count
    stores = homes.moved[:, RESULT] / rates.store_bits_per_s + rates.setup_s
    link = loads + stores if rates.shared else np.maximum(loads, stores)
    head = homes.chunks[:, :RESULT].sum(axis=1) / rates.load_bits_per_s + rates.setup_s
    tail = homes.chunks[:, RESULT] / rates.store_bits_per_s + rates.setup_s
    latency: Floats = np.maximum(link, head + compute + tail)
    return latency
