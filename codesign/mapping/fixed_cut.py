"""What a fixed mapping leaves of the space of the tile search: cuts, orders, held operands."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget
from codesign.mapping.splits import Split, cut_at
from codesign.workload.record import Op

Extents = tuple[int, ...]

_INNER = 2


@dataclass(frozen=True, slots=True)
class Box(Split):
    """Loops of one class that are cut in more than one of them.

    Attributes:
        pieces: all tiles in order, alike ones that follow each other together.
    """

    pieces: tuple[tuple[Extents, int], ...]

    @property
    def count(self) -> int:
        """Tiles in all."""
        return sum(count for _, count in self.pieces)

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """Sizes of its tiles, each with how many there are in all."""
        found: Counter[int] = Counter()
        for extents, count in self.pieces:
            found[math.prod(extents)] += count
        return tuple(found.items())

    def sweep(self) -> list[tuple[Extents, int]]:
        """All tiles as (extents, how many in a row)."""
        return list(self.pieces)


def fixed_splits(op: Op, fixed: FixedMapping) -> dict[int, Split]:
    """The cut of every class of loops whose tile is fixed.

    Raises:
        MappingError: a reduction that is cut in several loops, or what is of arrays only.
    """
    for key, value in (("unroll", fixed.unroll), ("inside", fixed.inside)):
        if value:
            raise MappingError(
                f"{fixed.place}: {key} is of arrays of cells with axes of their own; this engine "
                f"runs a tile in its own way, remove {key}"
            )
    nest, found = op.loops, {}
    for number, dims in enumerate(nest.classes(len(op.inputs))):
        tile = [fixed.tile[dim] for dim in dims] if fixed.tile else []
        sizes = tuple(size for size in tile if size is not None)
        if not sizes or len(sizes) < len(dims):
            continue
        found[number] = make_split([nest.extents[dim] for dim in dims], sizes)
        if number == _INNER and isinstance(found[number], Box):
            raise MappingError(_one_cut(op, fixed, dims))
    return found


def make_split(own: Sequence[int], tile: Extents) -> Split:
    """The cut of loops of these extents into tiles of those."""
    if not tile:
        return Split((), (), 1, 1)
    for place, size in enumerate(tile):
        cut = cut_at(own, place, size)
        if cut.tile == tile:
            return cut
    turns = [[t] * (e // t) + [e % t] * (e % t > 0) for e, t in zip(own, tile, strict=True)]
    pieces = tuple(
        (extents, sum(1 for _ in alike))
        for extents, alike in itertools.groupby(itertools.product(*turns))
    )
    last = pieces[-1][0]
    full = sum(count for extents, count in pieces if extents == tile)
    return Box(tile, last if last != tile else (), full, 1, pieces)


def _one_cut(op: Op, fixed: FixedMapping, dims: Sequence[int]) -> str:
    nest = op.loops
    words = ", ".join(f"{nest.dims[dim]} {fixed.tile[dim]} of {nest.extents[dim]}" for dim in dims)
    return (
        f"{fixed.place}: tile: a reduction is cut in one loop, those inside it are whole and those "
        f"outside it 1, got {words}; cut one of them"
    )


def allowed_orders(
    op: Op, fixed: FixedMapping, orders: Sequence[tuple[int, int, int, int]]
) -> list[tuple[int, int, int, int]]:
    """Those of the orders of classes, outermost first, that run the loops as fixed.

    A loop with one turn may stand anywhere.

    Raises:
        MappingError: none does.
    """
    nest = op.loops
    classes = nest.classes(len(op.inputs))
    home = {dim: number for number, dims in enumerate(classes) for dim in dims}
    moving = [dim for dim in fixed.order if _turns(op, fixed, dim)]
    fitting = [
        order
        for order in orders
        if moving == sorted(moving, key=lambda dim: (order.index(home[dim]), dim))
    ]
    if not fitting:
        raise MappingError(_other_order(op, fixed, moving, classes, orders))
    return fitting


def _turns(op: Op, fixed: FixedMapping, dim: int) -> bool:
    """Whether tiles may follow each other along a loop."""
    extent = op.loops.extents[dim]
    size = fixed.tile[dim] if fixed.tile else None
    return extent > 1 and size != extent


def _other_order(
    op: Op,
    fixed: FixedMapping,
    moving: Sequence[int],
    classes: Sequence[Sequence[int]],
    orders: Sequence[tuple[int, int, int, int]],
) -> str:
    """What an order breaks, with the orders that there are."""
    names = op.loops.dims
    present = [[dim for dim in dims if dim in moving] for dims in classes]
    known = dict.fromkeys(
        "[" + ", ".join(names[dim] for number in order for dim in present[number]) + "]"
        for order in orders
    )
    got = ", ".join(names[dim] for dim in moving)
    return (
        f"{fixed.place}: order: groups run outermost and a reduction innermost, so that no sum "
        f"leaves the engine before it is complete, and loops of one class as in the nest; got "
        f"[{got}], which may run as {' or '.join(known)}"
    )


def no_room(
    op: Op, budget: Budget, fixed: FixedMapping, needed: int, tile: Sequence[tuple[int, int]]
) -> str:
    """The capacity of the buffer that the tiles of a fixed mapping exceed.

    Args:
        op: the operator.
        budget: what it is granted.
        fixed: the mapping.
        needed: bytes that its tiles take at least, with two slots for what comes and goes.
        tile: for each operand its bytes in one tile, and how many different tiles it has.
    """
    memory = budget.stores[0].memory if budget.stores else "the buffer"
    names = operand_names(op)
    words = ", ".join(
        f"{names[number]} {count:,} x {size:,} B held"
        if number in (fixed.held or ())
        else f"{names[number]} {size:,} B"
        for number, (size, count) in enumerate(tile)
        if size
    )
    return (
        f"{fixed.place}: its tiles take {needed:,} B of {memory}, which grants "
        f"{budget.buffer_bytes:,} B: {words}, twice where tiles come and go; make tiles smaller or "
        "hold less"
    )


def operand_names(op: Op) -> list[str]:
    """Short names of operands: input and weight of a contraction, further ones by number."""
    inputs, outputs = len(op.inputs), len(op.outputs)
    first = ["input", "weight"] if op.kind == "contraction" else ["input"]
    more = [f"input {number + 1}" for number in range(len(first), inputs)]
    out = ["output", *(f"output {number + 1}" for number in range(1, outputs))]
    return [*first[:inputs], *more, *out[:outputs]]
