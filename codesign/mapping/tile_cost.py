"""What tilings cost: makespan, what moves and its joules, for all candidates at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.hardware.plan import Budget
from codesign.mapping.footprint import Footprint
from codesign.workload.record import Op

Array: TypeAlias = "NDArray[np.int64]"
Floats: TypeAlias = "NDArray[np.float64]"
_INNER = 2
"""Place of the reduction among the classes G, M, K and N."""
_BITS = 30
"""Binary digits of a score that count: sums in another order differ further down."""


class Rows(NamedTuple):
    """What every candidate costs under one order and choice of what is held.

    Attributes:
        latency: makespan in seconds without fill and drain of the engine.
        loads: bytes that come from home.
        stores: bytes that go there.
        tiles: number of tiles.
        room: bytes of buffer.
    """

    latency: Floats
    loads: Array
    stores: Array
    tiles: Array
    room: Array


def _reloads(counts: Array, depends: Sequence[bool], order: Sequence[int]) -> Array:
    """How often an operand is fetched: loops outside its innermost own loop repeat it."""
    running = np.ones(len(counts), dtype=np.int64)
    fetched = np.ones(len(counts), dtype=np.int64)
    for number in order:
        running = running * counts[:, number]
        if depends[number]:
            fetched = np.where(counts[:, number] > 1, running, fetched)
    return fetched


def depends_on(op: Op, operand: int) -> list[bool]:
    """For each class G, M, K and N whether the operand is another one along its loops."""
    used = op.loops.uses(operand)
    return [bool(used & set(dims)) for dims in op.loops.classes(len(op.inputs))]


def cost_of(
    op: Op,
    budget: Budget,
    counts: Array,
    touched: Sequence[Footprint],
    compute: Floats,
    order: Sequence[int],
    held: frozenset[int],
) -> Rows:
    """Every candidate under one order, with its makespan (max-plus with fill and drain)."""
    outputs = range(len(op.inputs), len(op.operands))
    loads = np.zeros(len(counts), dtype=np.int64)
    first = np.zeros_like(loads)
    space_in = np.zeros_like(loads)
    for operand in op.distinct_inputs:
        if budget.is_resident(operand):
            continue
        depends, tile = depends_on(op, operand), touched[operand]
        distinct = np.prod(np.where(depends, counts, 1), axis=1)
        fetched = distinct if operand in held else _reloads(counts, depends, order)
        loads += fetched * tile.moved
        first += tile.moved
        slots = np.where(fetched == 1, 1, 2)
        space_in += (distinct if operand in held else slots) * tile.bytes
    stored = [touched[o] for o in outputs if not budget.is_resident(o)]
    runs = np.prod(np.delete(counts, _INNER, axis=1), axis=1)
    last = sum((tile.moved for tile in stored), np.zeros_like(loads))
    stores = last * runs
    space_out = np.where(runs == 1, 1, 2) * sum(
        (tile.bytes for tile in stored), np.zeros_like(loads)
    )
    tiles = np.prod(counts, axis=1)
    load_s = loads / budget.load_bytes_per_s + budget.setup_s * tiles
    store_s = stores / budget.store_bytes_per_s + budget.setup_s * runs * bool(stored)
    link = load_s + store_s if budget.shared_link else np.maximum(load_s, store_s)
    head = first / budget.load_bytes_per_s + budget.setup_s
    tail = last / budget.store_bytes_per_s + budget.setup_s * bool(stored)
    latency = np.maximum(link, head + compute + tail)
    latency = np.maximum(latency, _bound_by_tile(head, tail, link, compute, tiles))
    return Rows(latency, loads, stores, tiles, space_in + space_out)


def _bound_by_tile(
    head: Floats,
    tail: Floats,
    link: Floats,
    compute: Floats,
    tiles: Array,
) -> Floats:
    """The link is busy all along, then the last tile computes and drains."""
    bound: Floats = link - tail + compute / tiles + tail
    return np.maximum(bound, head + tail)


def moved_joules(budget: Budget, rows: Rows) -> Floats:
    """Joules of all that moves between the buffer and home, at full size of every tile.

    Of operands with several homes it takes the dearest.
    """
    if not budget.stores:  # a budget without prices, as ``check_engine`` may give
        return np.zeros(len(rows.loads))
    buffer, home = budget.stores[0], budget.stores[-1]
    load_j, store_j = home.read_j + buffer.write_j, buffer.read_j + home.write_j
    joules: Floats = rows.loads * load_j + rows.stores * store_j
    return joules


def rank(score: Floats, latency: Floats, rows: Rows) -> tuple[int, tuple[float, ...]]:
    """The candidate with the least score, then latency, traffic and tiles; and those figures."""
    best = np.flatnonzero(score == score.min())  # to sort all of them takes most of a search
    keys = [key[best] for key in (rows.tiles, rows.loads + rows.stores, latency, score)]
    first = np.lexsort(keys)[0]
    return int(best[first]), tuple(key[first].item() for key in reversed(keys))


def rounded(score: Floats) -> Floats:
    """Scores that differ by rounding alone made equal, so that what counts next decides."""
    mantissa, exponent = np.frexp(score)
    near: Floats = np.ldexp(np.round(mantissa * 2**_BITS), exponent)
    return near
