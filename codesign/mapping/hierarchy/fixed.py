"""What a fixed mapping leaves of the space of an array: cuts, orders, and what comes once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import MappingError, did_you_mean
from codesign.hardware.fixed import FixedMapping
from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.homes import Homes, stage_bits
from codesign.mapping.hierarchy.orders import TILE, Orders
from codesign.mapping.hierarchy.spec import Array, Axis, Spread
from codesign.mapping.hierarchy.walk import Walk, pick
from codesign.workload.record import Op

Mask = NDArray[np.bool_]
Cuts = tuple[tuple[int, ...], ...]


@dataclass
class Limits:
    """One fixed mapping in the search of an array.

    Attributes:
        op: a contraction.
        mapping: what is decided of it.
        names: of the memories that operands are staged in, in the order of the array's stages.
        trouble: why the spreads that were left out, and the rows that did not fit, are none.
    """

    op: Op
    mapping: FixedMapping
    names: Sequence[str]
    trouble: str = "tile: what the stores of the array hold inside it has no room; make it smaller"

    def spreads(self, array: Array, found: list[Spread]) -> list[Spread]:
        """The spreads found, or the only one that is fixed; axes without a name run nothing.

        Raises:
            MappingError: an unknown axis, a loop that may not run along it, or too many steps.
        """
        if not self.mapping.unroll:
            return found
        laid = dict(self.mapping.unroll)
        names = [axis.name for axis in array.axes]
        for name in laid:
            if name not in names:
                hint = did_you_mean(name, names)
                raise MappingError(f"{self.mapping.place}: unroll: no axis {name!r}{hint}")
        for axis in array.axes:
            self._check(axis, laid.get(axis.name, ()))
        return [tuple(laid.get(name, ()) for name in names)]

    def _check(self, axis: Axis, laid: Sequence[tuple[int, int]]) -> None:
        """An axis may run these loops, and has cells for them."""
        nest = self.op.loops
        groups, rows, inner, columns = nest.classes(len(self.op.inputs))
        home = (rows, inner, columns, groups)
        for dim, _ in laid:
            if not any(dim in home[number] for number in axis.classes):
                loops = [d for number in axis.classes for d in home[number]]
                may = [nest.dims[d] for d in loops if nest.extents[d] > 1]
                raise MappingError(
                    f"{self.mapping.place}: unroll: {axis.name} may not run {nest.dims[dim]}, "
                    f"only {', '.join(may) or 'no loop of this operator'}; name one of these"
                )
        steps = math.prod(size for _, size in laid)
        if steps > axis.size:
            raise MappingError(
                f"{self.mapping.place}: unroll: {axis.name} has {axis.size} cells, got {steps} "
                "steps; lower them"
            )

    def cuts(
        self, classes: Sequence[Sequence[int]], beside: Sequence[int], found: Sequence[Cuts]
    ) -> list[Cuts]:
        """The cuts found of every class, one where it is fixed; none where that cannot be."""
        fixed = [self._cut(dims, beside) for dims in classes]
        return [free if one is None else one for one, free in zip(fixed, found, strict=True)]

    def _cut(self, dims: Sequence[int], beside: Sequence[int]) -> Cuts | None:
        """The only cut of a class in steps, empty where none is; None where it is open."""
        sizes = [self.mapping.tile[dim] for dim in dims] if self.mapping.tile else []
        if not any(sizes):
            return None
        found = []
        for dim, size in zip(dims, sizes, strict=True):
            extent, side = self.op.loops.extents[dim], beside[dim]
            if size is None or (size % side and size != extent):
                self.trouble = (
                    f"tile: {self.op.loops.dims[dim]} must be a multiple of the {side} steps that "
                    f"run side by side, or all {extent}, got {size}; change it"
                )
                return ()
            found.append(-(-size // side))
        return (tuple(found),)

    def keeps(self, batch: Batch, orders: Orders, homes: Homes) -> Mask:
        """Rows that run the loops in the order that is fixed, and bring once what is held.

        What is held is a minimum: here a tile stays as long as loops leave it alone, so that an
        order may let other operands stay too.
        """
        kept = self._ordered(batch, orders, "order")
        if orders.loops.shape[1] > TILE:
            kept &= self._ordered(batch, orders, "inside")
        if not kept.any():
            key = "order" if self.mapping.order else "inside"
            decided = {"order": self.mapping.order, "inside": self.mapping.inside}[key]
            names = ", ".join(self.op.loops.dims[dim] for dim in decided)
            self.trouble = (
                f"{key}: groups run outermost, loops of one class together and as in the nest; got "
                f"[{names}]; change it"
            )
            return kept
        if not (kept & homes.fits).any():
            self.trouble = self._no_room(batch, orders, homes, kept)
            return kept & homes.fits
        walk = Walk(orders)
        for operand in self.mapping.held or ():
            fills, unlike = (pick(table, homes.places[:, operand]) for table in walk.fills(operand))
            kept &= fills == unlike
        if not (kept & homes.fits).any():
            self.trouble = (
                "hold: no room for all of what is held beside the tiles of the rest; hold less, or "
                "change the order"
            )
        return kept & homes.fits

    def error(self) -> MappingError:
        """Why nothing is left."""
        return MappingError(f"{self.mapping.place}: {self.trouble}")

    def _ordered(self, batch: Batch, orders: Orders, key: str) -> Mask:
        """Rows whose loops over tiles, or inside one, are in the order that is fixed."""
        states, nest = batch.one.states, self.op.loops
        home = {dim: number for number, dims in enumerate(states.classes) for dim in dims}
        is_inside = key == "inside"
        order = self.mapping.inside if is_inside else self.mapping.order
        loops = orders.loops[:, :TILE] if is_inside else orders.loops[:, -TILE:]
        counts = states.inside if is_inside else states.outside
        turns = np.stack([counts[n][orders.cut[:, n]] for n in range(4)], axis=1)
        tile = () if is_inside else self.mapping.tile
        moving = [
            dim
            for dim in order
            if nest.extents[dim] > 1 and (not tile or tile[dim] != nest.extents[dim])
        ]
        kept = np.ones(len(orders.cut), dtype=bool)
        for first, then in itertools.pairwise(moving):
            if home[first] == home[then]:
                kept &= first < then
                continue
            places = [(loops == home[dim]).argmax(axis=1) for dim in (first, then)]
            both = (turns[:, home[first]] > 1) & (turns[:, home[then]] > 1)
            kept &= (places[0] > places[1]) | ~both
        return kept

    def _no_room(self, batch: Batch, orders: Orders, homes: Homes, kept: Mask) -> str:
        """The memory whose capacity tiles exceed least, of the rows that would do."""
        taken = stage_bits(batch, Walk(orders), homes.places)[kept]
        granted = np.array([stage.bits for stage in batch.array.stages])
        over = np.maximum(taken - granted, 0)
        row = int(np.argmin(over.sum(axis=1)))
        stage = int(np.argmax(over[row]))
        cells = " of a cell" if batch.array.stages[stage].cells else ""
        return (
            f"its tiles take {int(taken[row, stage]) // 8:,} B of {self.names[stage]}{cells}, "
            f"which grants {int(granted[stage]) // 8:,} B, twice what comes and goes; make tiles "
            "smaller"
        )
