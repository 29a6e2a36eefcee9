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
Way: TypeAlias = "tuple[tuple[int, int, int, int], frozenset[int]]"
"""Classes from the outermost loop to the innermost, and the operands whose tiles are held."""
_INNER = 2
"""Place of the reduction among the classes G, M, K and N."""
_BITS = 30
"""Binary digits of a score that count: sums in another order differ further down."""


class Common(NamedTuple):
    """What candidates move whatever the way, one entry each.

    Attributes:
        first: bytes that the first tile loads.
        last: bytes that the last tile stores.
        stores: bytes that go home.
        runs: tiles that store something.
        tiles: number of tiles.
        least_loads: bytes that come from home under the way with fewest.
        least_room: bytes of buffer under the way with fewest.
    """

    first: Array
    last: Array
    stores: Array
    runs: Array
    tiles: Array
    least_loads: Array
    least_room: Array

    def of(self, some: Array) -> Common:
        """The same of some of the candidates, named in their order and once each."""
        if len(some) == len(self.tiles):
            return self
        return Common(*(table[some] for table in self))


class Traffic(NamedTuple):
    """What candidates move and keep, under each of several ways.

    Attributes:
        loads: bytes that come from home, of shape (ways, candidates).
        room: bytes of buffer, of the same shape.
        common: what does not depend on the way.
    """

    loads: Array
    room: Array
    common: Common

    def of(self, some: Array) -> Traffic:
        """The same of some of the candidates."""
        return Traffic(self.loads[:, some], self.room[:, some], self.common.of(some))

    @property
    def bytes(self) -> int:
        """Bytes that its tables take here."""
        return sum(table.nbytes for table in (self.loads, self.room, *self.common))


def find_traffic(
    op: Op, budget: Budget, counts: Array, touched: Sequence[Footprint], ways: Sequence[Way]
) -> Traffic:
    """What candidates move, whatever the rates and the size of the buffer.

    Args:
        op: a contraction.
        budget: of which only what is resident counts.
        counts: tiles along each class, of shape (classes, candidates).
        touched: footprint of each operand in a tile.
        ways: orders and choices of what is held.
    """
    inputs, count = len(op.inputs), counts.shape[1]
    loads, room = np.zeros((2, len(ways), count), dtype=np.int64)
    first = np.zeros(count, dtype=np.int64)
    for operand in (o for o in op.distinct_inputs if not budget.is_resident(o)):
        depends, tile = depends_on(op, operand), touched[operand]
        distinct = counts[depends].prod(axis=0)
        first += tile.moved
        known: dict[object, tuple[Array, Array]] = {}
        for number, (order, held) in enumerate(ways):
            key = None if operand in held else order
            if key not in known:
                fetched = distinct if key is None else _reloads(counts, depends, order)
                kept = distinct if key is None else np.where(fetched == 1, 1, 2)
                known[key] = fetched * tile.moved, kept * tile.bytes
            loads[number] += known[key][0]
            room[number] += known[key][1]
    stored = [touched[o] for o in range(inputs, len(op.operands)) if not budget.is_resident(o)]
    runs = np.delete(counts, _INNER, axis=0).prod(axis=0)
    last = sum((tile.moved for tile in stored), np.zeros_like(first))
    kept_out = sum((tile.bytes for tile in stored), np.zeros_like(first))
    room += np.where(runs == 1, 1, 2) * kept_out
    tiles = runs * counts[_INNER]
    common = Common(first, last, last * runs, runs, tiles, loads.min(axis=0), room.min(axis=0))
    return Traffic(_short(loads), _short(room), common)


def _short(table: Array) -> Array:
    """A table in half of its bytes, where its numbers allow that."""
    return table.astype(np.int32) if table.size and table.max() < 2**31 else table


def _reloads(counts: Array, depends: Sequence[bool], order: Sequence[int]) -> Array:
    """How often an operand is fetched: loops outside its innermost own loop repeat it."""
    running = np.ones(counts.shape[1], dtype=np.int64)
    fetched = running
    for number in order:
        running = running * counts[number]
        if depends[number]:
            fetched = np.where(counts[number] > 1, running, fetched)
    return fetched


def depends_on(op: Op, operand: int) -> list[bool]:
    """For each class G, M, K and N whether the operand is another one along its loops."""
    used = op.loops.uses(operand)
    return [bool(used & set(dims)) for dims in op.loops.classes(len(op.inputs))]


def latency_s(
    budget: Budget, moved: Common, loads: Array, compute: Floats | float, *, is_stored: bool
) -> Floats:
    """Makespan of candidates without fill and drain of the engine (max-plus with fill and drain).

    The longest of the link, of the way of one tile, and of the link with a last tile that computes
    and drains. It never falls as loads or compute grow, not even by rounding.

    Args:
        budget: rates.
        moved: what the candidates move whatever the way.
        loads: bytes that come from home, one row for each way.
        compute: seconds of all tiles.
        is_stored: whether results go home at all.
    """
    setup, setup_out = budget.setup_s, budget.setup_s * is_stored
    load_s = loads / budget.load_bytes_per_s + setup * moved.tiles
    store_s = moved.stores / budget.store_bytes_per_s + setup_out * moved.runs
    link = load_s + store_s if budget.shared_link else np.maximum(load_s, store_s)
    head = moved.first / budget.load_bytes_per_s + setup
    tail = moved.last / budget.store_bytes_per_s + setup_out
    by_tile = np.maximum(link - tail + compute / moved.tiles + tail, head + tail)
    latency: Floats = np.maximum(np.maximum(link, head + compute + tail), by_tile)
    return latency


def moved_joules(budget: Budget, loads: Array, stores: Array) -> Floats:
    """Joules of all that moves between the buffer and home, at full size of every tile.

    Of operands with several homes it takes the dearest.
    """
    if not budget.stores:  # a budget without prices, as ``check_engine`` may give
        return np.zeros(loads.shape)
    buffer, home = budget.stores[0], budget.stores[-1]
    load_j, store_j = home.read_j + buffer.write_j, buffer.read_j + home.write_j
    joules: Floats = loads * load_j + stores * store_j
    return joules


def rank(score: Floats, latency: Floats, moved: Traffic, ways: Sequence[Way]) -> tuple[int, int]:
    """The way and the candidate with the least score, then latency, traffic, tiles and held.

    Of equal ones the first.

    Args:
        score: of shape (ways, candidates).
        latency: of the same shape.
        moved: by the candidates.
        ways: orders and choices of what is held.
    """
    way, row = np.nonzero(score == score.min())  # to sort all of them takes most of a search
    held = np.array([len(held) for _, held in ways])[way]
    traffic = moved.loads[way, row] + moved.common.stores[row]
    first = np.lexsort((held, moved.common.tiles[row], traffic, latency[way, row]))[0]
    return int(way[first]), int(row[first])


def rounded(score: Floats) -> Floats:
    """Scores that differ by rounding alone made equal, so that what counts next decides."""
    mantissa, exponent = np.frexp(score)
    near: Floats = np.ldexp(np.round(mantissa * 2**_BITS), exponent)
    return near
