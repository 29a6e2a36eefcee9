"""The loops of a chosen mapping as people read them: over tiles, inside a tile, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.hardware.plan import Budget, NestLoop
from codesign.mapping.hierarchy.orders import TILE
from codesign.mapping.hierarchy.spec import RESULT, USES
from codesign.mapping.hierarchy.write import Writer


def array_nest(writer: Writer, budget: Budget) -> tuple[NestLoop, ...]:
    """The loops of a mapping, from the outermost to the innermost.

    Args:
        writer: of the mapping.
        budget: the same as in the search.
    """
    home, buffer = (budget.stores[n].memory if budget.stores else "" for n in (-1, 0))
    return (
        *_over_tiles(writer, home or "home"),
        *_inside(writer, buffer or "buffer"),
        *_beside(writer),
    )


def _over_tiles(writer: Writer, home: str) -> Iterator[NestLoop]:
    states = writer.states
    for loop in reversed(range(len(writer.classes))):
        number = writer.classes[loop]
        again = [x for x in range(3) if writer.comes_again(x, loop)]
        changed = [x for x in again if number in USES[x]]
        stays = [x for x in range(3) if x not in again]
        tile = states.tiles[number][writer.cut[number]]
        for dim, size in zip(states.classes[number], tile, strict=True):
            count = -(-states.turns[dim] // size)
            if count > 1:
                moved, kept = _operands(writer, changed), _operands(writer, stays)
                yield NestLoop(writer.op.loops.dims[dim], count, home, False, moved, kept)


def _operands(writer: Writer, roles: list[int]) -> tuple[int, ...]:
    """Numbers of the operands that come and go with these: fused ones with the result."""
    every = [*writer.op.distinct_inputs, *range(len(writer.op.inputs), len(writer.op.operands))]
    return tuple(x for x in every if min(x, RESULT) in roles and x not in writer.here)


def _inside(writer: Writer, buffer: str) -> Iterator[NestLoop]:
    orders, states = writer.mapping.orders, writer.states
    for number in reversed([int(number) for number in orders.loops[writer.mapping.row, :TILE]]):
        tile = states.tiles[number][writer.cut[number]]
        for dim, count in zip(states.classes[number], tile, strict=True):
            if count > 1:
                yield NestLoop(writer.op.loops.dims[dim], count, buffer)


def _beside(writer: Writer) -> Iterator[NestLoop]:
    problem = writer.mapping.problem
    for axis, laid in zip(problem.array.axes, problem.spread, strict=True):
        for dim, count in laid:
            yield NestLoop(writer.op.loops.dims[dim], count, axis.name, spatial=True)
