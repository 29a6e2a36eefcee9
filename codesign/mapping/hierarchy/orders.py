"""Candidates: a cut of every class, an order of the loops over tiles, and one inside a tile.

A place is a position between loops, from 0 (only what runs side by side) to 8 (everything). Loops 0
to 2 run inside a tile over rows, reduction and columns in some order, loop 3 over groups; loops 4
to 6 and 7 do the same over tiles.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.spec import GROUPS
from codesign.mapping.hierarchy.states import Ints

TILE = 4
"""Place between the loops of a tile and those over tiles."""
ORDERS = tuple((*order, GROUPS) for order in itertools.permutations(range(3)))
"""Orders of rows, reduction and columns, the innermost first; groups are always outermost."""
_LOOPS = np.array(ORDERS, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Orders:
    """Loop orders, one row each.

    Attributes:
        cut: number of the cut of each class, of shape (rows, 4).
        inside: number of the order inside a tile.
        outside: number of the order over tiles.
        steps: steps of each loop, innermost first, of shape (rows, loops).
        loops: class of each loop, of the same shape.
        states: state of each class at each place, of shape (rows, 4, loops + 1).
    """

    cut: Ints
    inside: Ints
    outside: Ints
    steps: Ints
    loops: Ints
    states: Ints


def over_tiles(batch: Batch) -> Orders:
    """All combinations of cuts and orders over tiles that differ; places begin at a whole tile."""
    number, order = np.nonzero(_unlike(_steps(batch.outside, batch.cuts)))
    cut = batch.cuts[number]
    loops = _LOOPS[order]
    steps = np.take_along_axis(_steps(batch.outside, cut), loops, axis=1)
    return Orders(cut, np.zeros_like(order), order, steps, loops, _states(batch, cut, loops))


def within(batch: Batch, tiles: Orders) -> Orders:
    """Each of some orders over tiles with every order inside a tile that differs."""
    number, inside = np.nonzero(_unlike(_steps(batch.inside, tiles.cut)))
    cut, outside = tiles.cut[number], tiles.outside[number]
    loops = np.concatenate([_LOOPS[inside], _LOOPS[outside]], axis=1)
    first = np.take_along_axis(_steps(batch.inside, cut), _LOOPS[inside], axis=1)
    steps = np.concatenate([first, tiles.steps[number]], axis=1)
    return Orders(cut, inside, outside, steps, loops, _states(batch, cut, loops))


def _steps(counts: Sequence[Ints], cut: Ints) -> Ints:
    return np.stack([counts[number][cut[:, number]] for number in range(4)], axis=1)


def _unlike(steps: Ints) -> NDArray[np.bool_]:
    """Orders that differ for each row: loops of one step may stand anywhere."""
    pattern = (steps[:, :3] > 1) @ np.array([1, 2, 4])
    found: NDArray[np.bool_] = _UNLIKE[pattern]
    return found


def _unlike_table() -> NDArray[np.bool_]:
    table = np.zeros((8, len(ORDERS)), dtype=bool)
    for pattern in range(8):
        seen: dict[tuple[int, ...], int] = {}
        for number, order in enumerate(ORDERS):
            kept = tuple(c for c in order if c < GROUPS and pattern >> c & 1)
            seen.setdefault(kept, number)
        table[pattern, list(seen.values())] = True
    return table


_UNLIKE = _unlike_table()


def _states(batch: Batch, cut: Ints, loops: Ints) -> Ints:
    """State of each class at each place; without loops inside a tile they begin with its cut."""
    count = loops.shape[1]
    place = np.arange(count + 1)
    # each class has one loop over tiles, and one inside a tile: where it stands in its four
    last = np.argsort(loops[:, -TILE:], axis=1)[:, :, None] + count - TILE
    inside, whole = cut[:, :, None] + 1, _steps(batch.whole, cut)[:, :, None]
    found: Ints = np.where(place > last, whole, inside)
    if count > TILE:
        first = np.argsort(loops[:, :TILE], axis=1)[:, :, None]
        found = np.where(place > first, found, _steps(batch.start, cut)[:, :, None])
    return found
