"""Tilings the slow and obvious way: one tile after the other, one comparison per operand."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st

from codesign.hardware.plan import Budget, Loop, TilePlan
from codesign.mapping.emit import make_move
from codesign.mapping.fixed_cut import Box
from codesign.mapping.splits import Split, choices
from codesign.mapping.tiling import INNER, ArrayModel, Tiling
from codesign.testing import convolution, matmul
from codesign.workload.nest import LoopNest
from codesign.workload.record import Op

LAW = settings(max_examples=60, deadline=None, derandomize=True)
ORDERS = ((0, 1, 3, 2), (0, 3, 1, 2))


@dataclass(frozen=True)
class Step:
    """One tile: its MACs, its sizes (g, m, k, n), and bytes moved by operand."""

    macs: int
    sizes: tuple[int, ...]
    loads: dict[int, int]
    stores: dict[int, int]


def extents_of(split: Split) -> list[tuple[int, ...]]:
    """Every tile of a class, in order."""
    if isinstance(split, Box):
        return [extents for extents, count in split.pieces for _ in range(count)]
    once = [split.tile] * split.full + ([split.edge] if split.edge else [])
    return once * split.outer


def walk(op: Op, tiling: Tiling, budget: Budget) -> Iterator[Step]:
    """Tiles in order: an operand is loaded when its part changes, a held one when it is new."""
    nest, inputs = op.loops, len(op.inputs)
    classes = nest.classes(inputs)
    lists = [extents_of(split) for split in tiling.splits]
    last: dict[int, tuple[int, ...]] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for places in itertools.product(*(range(len(lists[c])) for c in tiling.order)):
        at = dict(zip(tiling.order, places, strict=True))
        tile = [1] * len(nest.dims)
        for number, dims in enumerate(classes):
            for dim, extent in zip(dims, lists[number][at[number]], strict=True):
                tile[dim] = extent
        loads = {}
        for operand in range(inputs):
            part = tuple(at[c] for c in range(4) if nest.uses(operand) & set(classes[c]))
            new = (operand, part) not in seen
            changed = last.get(operand) != part
            if not budget.is_resident(operand) and (new if operand in tiling.held else changed):
                loads[operand] = tile_bytes(op, operand, tile)
            seen.add((operand, part))
            last[operand] = part
        final = at[INNER] == len(lists[INNER]) - 1
        outputs = range(inputs, len(op.operands)) if final else ()
        stores = {o: tile_bytes(op, o, tile) for o in outputs if not budget.is_resident(o)}
        sizes = tuple(math.prod(tile[dim] for dim in dims) for dims in classes)
        yield Step(math.prod(tile), sizes, loads, stores)


def tile_bytes(op: Op, operand: int, tile: list[int]) -> int:
    """Bytes of an operand that a tile touches, halo included."""
    access = op.operands[operand]
    elements = op.loops.footprint(operand, tile, access.shape)
    return access.tensor.dtype.storage_bytes(elements)


def burst_bytes(op: Op, operand: int, tile: list[int], burst: int) -> int:
    """Whole bursts of each row of the transfer that a plan would emit."""
    access = op.operands[operand]
    axes = zip(op.loops.operands[operand], access.shape, strict=True)
    move = make_move(operand, access, [axis.touched(tile, extent) for axis, extent in axes])
    row = -(-move.bytes // move.rows)
    return -(-row // burst) * burst * move.rows if burst > 1 else move.bytes


def tilings(op: Op, model: ArrayModel) -> Iterator[Tiling]:
    """Every candidate of the search, unscored."""
    nest: LoopNest = op.loops
    found = choices(nest.extents, nest.classes(len(op.inputs)), model.grain)
    for g, m, k, n in itertools.product(*found):
        for order in ORDERS:
            for held in ((), (0,), (1,), (0, 1)):
                yield Tiling((g, m, k, n), order, frozenset(held), 0.0)


def expand(loop: Loop) -> list[tuple[int, dict[int, int], dict[int, int]]]:
    """Every tile of a loop as (cycles, bytes loaded, bytes stored)."""
    return [
        (
            tile.cycles,
            {move.operand: move.bytes for move in tile.loads},
            {move.operand: move.bytes for move in tile.stores},
        )
        for tile, times in TilePlan(loop, 1e9).segments()
        for _ in range(times)
    ]


def totals(steps: list[Step]) -> tuple[Counter[int], Counter[int]]:
    """Bytes loaded and stored in all, by operand."""
    loaded: Counter[int] = Counter()
    stored: Counter[int] = Counter()
    for step in steps:
        loaded.update(step.loads)
        stored.update(step.stores)
    return loaded, stored


def ideal(accumulators: int = 1 << 20, grain: int = 8, fill: int = 10) -> ArrayModel:
    """An engine of one MAC a cycle whose accumulator takes so many sums of a tile."""
    return ArrayModel(
        cycles=lambda sizes: sizes[0] * sizes[1] * sizes[2] * sizes[3],
        fits=lambda sizes: sizes[0] * sizes[1] * sizes[3] <= accumulators,
        clock_hz=1e9,
        grain=(1, 1, grain, grain),
        fill_cycles=fill,
    )


@st.composite
def products(draw: st.DrawFn, largest: int = 40) -> Op:
    """Matrix products, batched or not, with and without a bias, also of less than a byte."""
    size = st.integers(1, largest)
    return matmul(
        draw(size),
        draw(size),
        draw(size),
        batch=draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        dtype=draw(st.sampled_from(["int8", "int8", "int4", "fp4[16x8]"])),
    )


@st.composite
def convolutions(draw: st.DrawFn) -> Op:
    """Convolutions with halos, strides, gaps, padding and groups."""
    groups = draw(st.sampled_from([1, 1, 2, 4]))
    return convolution(
        groups * draw(st.integers(1, 4)),
        groups * draw(st.integers(1, 4)),
        draw(st.integers(5, 12)),
        draw(st.integers(1, 3)),
        stride=draw(st.integers(1, 3)),
        padding=draw(st.integers(0, 1)),
        groups=groups,
        dilation=draw(st.integers(1, 2)),
    )


contractions = st.one_of(products(), convolutions())


@st.composite
def budgets(draw: st.DrawFn, op: Op) -> Budget:
    """Small to ample buffers, slow and fast links, some operands resident."""
    resident = tuple(draw(st.integers(0, 4)) == 0 for _ in op.operands)
    return Budget(
        draw(st.sampled_from([100, 400, 2000, 20000])),
        draw(st.sampled_from([1e8, 1e9, 1e10])),
        draw(st.sampled_from([1e8, 1e9])),
        draw(st.sampled_from([0.0, 1e-7])),
        resident if draw(st.booleans()) else (),
        draw(st.booleans()),
    )
