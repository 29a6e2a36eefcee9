"""The loops of a tiling as people read them: over tiles, inside a tile, and side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from codesign.hardware.plan import Budget, NestLoop
from codesign.mapping.tiling import GROUP, Tiling
from codesign.workload.record import Op

Lane: TypeAlias = "tuple[int, str, int]"
"""A class of loops that an engine runs side by side: its number, where, and how many steps."""


def tile_nest(
    op: Op, tiling: Tiling, budget: Budget, lanes: Sequence[Lane] = ()
) -> tuple[NestLoop, ...]:
    """The loops of a tiling, from the outermost to the innermost.

    Args:
        op: the contraction that was searched.
        tiling: the choice.
        budget: the same budget as in the search.
        lanes: what the engine runs side by side inside a tile, the outer blocks first.
    """
    home, buffer = (budget.stores[n].memory if budget.stores else "" for n in (-1, 0))
    inside = list(_inside(op, tiling, buffer or "buffer", lanes))
    beside = [loop for loop in inside if loop.spatial]
    after_another = [loop for loop in inside if not loop.spatial]
    return (*_over_tiles(op, tiling, budget, home or "home"), *after_another, *beside)


def _over_tiles(op: Op, tiling: Tiling, budget: Budget, home: str) -> Iterator[NestLoop]:
    classes = op.loops.classes(len(op.inputs))
    moved = [*op.distinct_inputs, *range(len(op.inputs), len(op.operands))]
    moved = [operand for operand in moved if not budget.is_resident(operand)]
    users = [{x for x in moved if op.loops.uses(x) & set(dims)} for dims in classes]
    turning = [number for number in tiling.order if tiling.splits[number].count > 1]
    for place, number in enumerate(turning):
        brings = sorted(users[number])
        inner = set[int]().union(*(users[other] for other in turning[place + 1 :]))
        stays = [x for x in moved if x not in brings and (x in tiling.held or x not in inner)]
        split = tiling.splits[number]
        for dim, size in zip(classes[number], split.tile, strict=True):
            count = -(-op.loops.extents[dim] // size)
            if count > 1:
                name = op.loops.dims[dim]
                yield NestLoop(
                    name, count, home, False, tuple(sorted(brings)), tuple(sorted(stays))
                )


def _inside(op: Op, tiling: Tiling, buffer: str, lanes: Sequence[Lane]) -> Iterator[NestLoop]:
    classes, names = op.loops.classes(len(op.inputs)), op.loops.dims
    laid = {number: (where, most) for number, where, most in lanes}
    for number in dict.fromkeys((GROUP, *laid, *tiling.order)):
        tile = tiling.splits[number].tile
        if number not in laid:
            for dim, size in zip(classes[number], tile, strict=True):
                if size > 1:
                    yield NestLoop(names[dim], size, buffer)
            continue
        where, most = laid[number]
        steps, together = math.prod(tile), min(most, math.prod(tile))
        name = " ".join(names[d] for d, s in zip(classes[number], tile, strict=True) if s > 1)
        if steps > together:
            yield NestLoop(name, -(-steps // together), buffer)
        if together > 1:
            yield NestLoop(name, together, where, spatial=True)
