"""From a tiling to the loops of tiles, with the bytes that each tile really moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from codesign.hardware.plan import Budget, Loop, Move, NestLoop, Tile
from codesign.mapping.nest import Lane, tile_nest
from codesign.mapping.splits import Split
from codesign.mapping.tiling import INNER, Tiling
from codesign.workload.record import Access, Op

Part: TypeAlias = "Tile | Loop"
Extents: TypeAlias = "tuple[int, ...]"
CycleOf: TypeAlias = Callable[[int, int, int, int], int]
"""Steady cycles of a tile of sizes (g, m, k, n)."""
MOST_WRITTEN_OUT = 1000
"""Most sweeps of a reduction that a plan lists one by one (assumed)."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a tiling turns into.

    Attributes:
        loop: all tiles in order, without fill and drain.
        sizes: for each distinct (g, m, k, n, is last of its reduction) its number of tiles.
        held_bytes: bytes of operands that stay for the whole operator.
        slot_in_bytes: bytes of the inputs of the largest tile that come and go.
        slot_out_bytes: bytes of the outputs of the largest tile.
        slots_out: output slots that are worth having.
        nest: the loops, for people.
    """

    loop: Loop
    sizes: dict[tuple[int, int, int, int, bool], int]
    held_bytes: int
    slot_in_bytes: int
    slot_out_bytes: int
    slots_out: int
    nest: tuple[NestLoop, ...]


class _Emitter:
    """Walks the loops once; keeps nothing but what it was given and the size counts."""

    def __init__(self, op: Op, tiling: Tiling, budget: Budget, cycles: CycleOf) -> None:
        self.op, self.tiling, self.nest = op, tiling, op.loops
        self.classes = op.loops.classes(len(op.inputs))
        inputs = len(op.inputs)
        self.loaded = [i for i in op.distinct_inputs if not budget.is_resident(i)]
        self.outputs = [o for o in range(inputs, len(op.operands)) if not budget.is_resident(o)]
        self.users = [
            frozenset(i for i in self.loaded if set(dims) & op.loops.uses(i))
            for dims in self.classes
        ]
        self.sizes: dict[tuple[int, int, int, int, bool], int] = {}
        # one tile stands in several places of the loops
        self.move = cache(self._move)
        self.tile_cycles = cache(cycles)

    def run(self) -> Loop:
        start = tuple([1] * len(self.nest.dims))
        return Loop(tuple(self._level(0, start, frozenset(self.loaded), frozenset(), 1)))

    def _level(
        self,
        depth: int,
        tile: tuple[int, ...],
        fresh: frozenset[int],
        kept: frozenset[int],
        times: int,
    ) -> list[Part]:
        """Parts of the loops from ``depth`` inwards.

        ``fresh`` are the operands to load at the next tile, ``kept`` the held ones that have been
        loaded for good, ``times`` how often these parts will run.
        """
        number = self.tiling.order[depth]
        split = self.tiling.splits[number]
        if number == INNER:
            return self._reduction(tile, fresh, kept, times)
        users = self.users[number]
        first = fresh | (users if split.count > 1 else frozenset())
        rest_kept = kept | (self.tiling.held - users)

        def inner(
            extents: tuple[int, ...], new: frozenset[int], old: frozenset[int], runs: int
        ) -> list[Part]:
            return self._level(depth + 1, self._with(tile, number, extents), new, old, runs)

        def sweep(runs: int, skip: int) -> list[Part]:
            parts: list[Part] = []
            for extents, count in split.sweep():
                count, skip = count - skip, 0
                if count:
                    parts += _loop(inner(extents, users, rest_kept, runs * count), count)
            return parts

        parts = inner(split.tile, first, kept, times) + sweep(times, 1)
        if split.outer > 1:
            parts += _loop(sweep(times * (split.outer - 1), 0), split.outer - 1)
        return parts

    def _reduction(
        self, tile: tuple[int, ...], fresh: frozenset[int], kept: frozenset[int], times: int
    ) -> list[Part]:
        split, users = self.tiling.splits[INNER], self.users[INNER]
        groups = _sweeps(split)
        if len(groups) == len(groups[0][0]) == 1:
            return [self._tile(self._with(tile, INNER, split.tile), fresh, kept, True, times)]
        parts: list[Part] = []
        new = fresh | users
        for pieces, repeats in groups:
            body: list[Part] = []
            for piece in pieces:
                extents, count = piece
                final = pieces is groups[-1][0] and piece is pieces[-1]
                whole, runs = self._with(tile, INNER, extents), times * repeats * count
                body += _loop([self._tile(whole, new, kept, final, runs)], count)
                new = users
            parts += _loop(body, repeats)
        return parts

    def _tile(
        self,
        tile: tuple[int, ...],
        fresh: frozenset[int],
        kept: frozenset[int],
        final: bool,
        times: int,
    ) -> Tile:
        g, m, k, n = (self._points(tile, dims) for dims in self.classes)
        key = (g, m, k, n, final)
        self.sizes[key] = self.sizes.get(key, 0) + times
        loads = tuple(self.move(i, tile) for i in self.loaded if i in fresh and i not in kept)
        stores = tuple(self.move(o, tile) for o in self.outputs) if final else ()
        return Tile(self.tile_cycles(g, m, k, n), loads, stores)

    def _move(self, operand: int, tile: tuple[int, ...]) -> Move:
        access = self.op.operands[operand]
        axes = self.nest.operands[operand]
        touched = [
            axis.touched(tile, extent) for axis, extent in zip(axes, access.shape, strict=True)
        ]
        return make_move(operand, access, touched)

    def full_tile(self) -> tuple[int, ...]:
        tile = tuple([1] * len(self.nest.dims))
        for number, split in enumerate(self.tiling.splits):
            tile = self._with(tile, number, split.tile)
        return tile

    def distinct(self, operand: int) -> int:
        """Different tiles of an operand."""
        used = [
            s.count for s, u in zip(self.tiling.splits, self.users, strict=True) if operand in u
        ]
        return math.prod(used)

    def output_tiles(self) -> int:
        return math.prod(s.count for n, s in enumerate(self.tiling.splits) if n != INNER)

    def _with(
        self, tile: tuple[int, ...], number: int, extents: tuple[int, ...]
    ) -> tuple[int, ...]:
        new = list(tile)
        for dim, extent in zip(self.classes[number], extents, strict=True):
            new[dim] = extent
        return tuple(new)

    @staticmethod
    def _points(tile: tuple[int, ...], dims: tuple[int, ...]) -> int:
        points = 1
        for dim in dims:
            points *= tile[dim]
        return points


def _loop(parts: list[Part], repeats: int) -> list[Part]:
    return parts if repeats == 1 else [Loop(tuple(parts), repeats)]


def _sweeps(split: Split) -> list[tuple[list[tuple[Extents, int]], int]]:
    """Tiles of all sweeps of a reduction, its first and its last on their own, and repeats.

    Of very many sweeps, those between the first and the last are written once.
    """
    sweep = split.sweep()
    if split.outer <= MOST_WRITTEN_OUT:
        return [(_peel_ends(sweep * split.outer), 1)]
    (head, first), (tail, last) = sweep[0], sweep[-1]
    begin, end = [(head, 1), (head, first - 1), *sweep[1:]], [*sweep[:-1], (tail, last - 1)]
    return [
        ([piece for piece in begin if piece[1]], 1),
        (sweep, split.outer - 2),
        ([*(piece for piece in end if piece[1]), (tail, 1)], 1),
    ]


def _peel_ends(pieces: list[tuple[Extents, int]]) -> list[tuple[Extents, int]]:
    """The same run-length list with its first and its last element on their own."""
    if sum(count for _, count in pieces) == 1:
        return pieces
    (head, first), (tail, last) = pieces[0], pieces[-1]
    if len(pieces) == 1:
        peeled = [(head, 1), (head, first - 2), (head, 1)]
    else:
        peeled = [(head, 1), (head, first - 1), *pieces[1:-1], (tail, last - 1), (tail, 1)]
    return [(extents, count) for extents, count in peeled if count]


def make_move(operand: int, access: Access, touched: Iterable[int]) -> Move:
    """The move of a block of an access, with the runs of adjacent bytes it consists of.

    Args:
        operand: index of the operand.
        access: the view that the block is cut from.
        touched: extent of the block along each axis of the view.
    """
    dtype = access.tensor.dtype
    axes = sorted(
        (abs(stride), size)
        for stride, size in zip(access.strides, touched, strict=True)
        if stride and size > 1
    )
    run, rows, pitch = 1, 1, 0
    for stride, size in axes:
        if stride == run and rows == 1:
            run *= size
        else:
            pitch = pitch or dtype.storage_bytes(stride)
            rows *= size
    return Move(operand, dtype.storage_bytes(run * rows), rows, pitch)


def with_fill(loop: Loop, fill: int, drain: int) -> Loop:
    """Adds ``fill`` cycles to the first tile and ``drain`` cycles to the last."""
    return _bump(_bump(loop, fill, 0), drain, -1)


def _bump(loop: Loop, cycles: int, end: int) -> Loop:
    """Adds cycles to the first (``end`` 0) or last (``end`` -1) tile, peeled off its loops."""
    if not cycles:
        return loop
    part = loop.body[end]
    new = (
        Tile(part.cycles + cycles, part.loads, part.stores)
        if isinstance(part, Tile)
        else _bump(part, cycles, end)
    )
    once = (new, *loop.body[1:]) if end == 0 else (*loop.body[:-1], new)
    if loop.repeats == 1:
        return Loop(once)
    rest = Loop(loop.body, loop.repeats - 1)
    return Loop((*once, rest)) if end == 0 else Loop((rest, *once))


def emit(
    op: Op, tiling: Tiling, budget: Budget, cycles: CycleOf, lanes: Sequence[Lane] = ()
) -> Emitted:
    """Writes a tiling out as loops of tiles.

    Args:
        op: the contraction that was searched.
        tiling: the choice.
        budget: the same budget as in the search.
        cycles: steady cycles of a tile of sizes (g, m, k, n).
        lanes: what the engine runs side by side, for ``nest``.
    """
    emitter = _Emitter(op, tiling, budget, cycles)
    loop = emitter.run()
    held = slot_in = 0
    whole = emitter.full_tile()
    for operand in emitter.loaded:
        size = emitter.move(operand, whole).bytes
        distinct = emitter.distinct(operand)
        if operand in tiling.held or distinct == 1:
            held += distinct * size
        else:
            slot_in += size
    slot_out = sum(emitter.move(operand, whole).bytes for operand in emitter.outputs)
    runs = emitter.output_tiles()
    nest = tile_nest(op, tiling, budget, lanes)
    return Emitted(loop, emitter.sizes, held, slot_in, slot_out, min(2, runs), nest)
