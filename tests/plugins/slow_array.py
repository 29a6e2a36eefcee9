"""A weight-stationary array as an obvious loop over its folds."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from codesign_plugins.systolic import Systolic
from hypothesis import strategies as st

from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import matmul
from codesign.workload.record import Op

REFERENCES = Path(__file__).resolve().parents[1] / "references"
INSTANT = Budget(1 << 30, 1e18, 1e18, setup_s=1.0)
"""A buffer for everything, a memory that never limits, and every reason for as few tiles as can be.
"""

Sizes: TypeAlias = tuple[int, int, int, int]
Fold: TypeAlias = tuple[int, int, int]
"""Rows M that stream, cells r along the reduction, cells c along the columns."""


def reference(name: str) -> list[dict[str, str]]:
    """Rows of a reference file; its first line says where the numbers come from."""
    with (REFERENCES / name).open(encoding="ascii") as lines:
        assert next(lines).startswith("# source: ")
        return list(csv.DictReader(lines))


def array(rows: int = 64, cols: int = 64, **fields: Any) -> Systolic:
    """An int8 array with accumulators for any tile."""
    values = {"accumulator": 1 << 40, **fields}
    return Systolic(name="npu", buffer="sram", rows=rows, cols=cols, **values)


def tile_sizes(plan: TilePlan) -> Sizes:
    """Sizes (g, m, k, n) of a full tile."""
    found = re.search(r"= \((\d+), (\d+), (\d+), (\d+)\)", plan.note)
    assert found is not None
    g, m, k, n = (int(number) for number in found.groups())
    return g, m, k, n


def tiles(sizes: Sizes, whole: Sizes) -> Iterator[Sizes]:
    """All tiles of a matrix product, groups outside, reduction inside."""
    parts = [cut(total, size) for total, size in zip(whole, sizes, strict=True)]
    for g in parts[0]:
        for m in parts[1]:
            for n in parts[3]:
                for k in parts[2]:
                    yield g, m, k, n


def cut(total: int, size: int) -> list[int]:
    """``total`` in parts of ``size``, the last one shorter."""
    return [min(size, total - start) for start in range(0, total, size)]


def blocks(tile: Sizes, engine: Systolic, depth: int) -> Iterator[tuple[int, int]]:
    """Column blocks of a tile as (depth, width): groups side by side where they fit."""
    g, _, k, n = tile
    packed = min(depth // k, engine.cols // n, g) if engine.pack_groups else 1
    for groups in cut(g, max(1, packed)):
        for width in cut(groups * n, engine.cols):
            yield groups * k, width


def folds(engine: Systolic, tile: Sizes, m: int, arrays: int, per_cell: int = 1) -> list[Fold]:
    """Folds of the first of so many arrays that take the column blocks in turn, widest first."""
    depth = engine.rows * per_cell
    dealt = sorted(blocks(tile, engine, depth), key=lambda block: -block[1])[::arrays]
    return [
        (m, -(-steps // per_cell), width) for total, width in dealt for steps in cut(total, depth)
    ]


def overlapped(sequence: list[Fold]) -> int:
    """Shadow weights: the next fold's weights shift in while this one streams."""
    total = sequence[0][1]
    for place, (m, r, c) in enumerate(sequence):
        if place + 1 < len(sequence):
            total += max(m, sequence[place + 1][1])
        else:
            total += m + r + c - 2
    return total


def serial(sequence: list[Fold]) -> int:
    """Each fold loads, streams and drains before the next."""
    return sum(2 * r + m + c - 2 for m, r, c in sequence)


def steady(engine: Systolic, sequence: list[Fold]) -> int:
    """What the folds of one tile take in the middle of an operator."""
    if engine.weight_preload == "serial":
        return serial(sequence)
    return sum(max(m, r) for m, r, _ in sequence)


def closed_form(engine: Systolic, sizes: Sizes, whole: Sizes) -> int:
    """Cycles of a lone operator: all folds of all its tiles in one sequence."""
    sequence: list[Fold] = []
    count = 0
    for tile in tiles(sizes, whole):
        dealt = folds(engine, tile, tile[1], engine.arrays)
        shared = folds(engine, tile, -(-tile[1] // engine.arrays), 1)
        sequence += dealt if steady(engine, dealt) <= steady(engine, shared) else shared
        count += 1
    total: int = serial(sequence) if engine.weight_preload == "serial" else overlapped(sequence)
    if engine.weight_preload == "skewed":
        total += engine.cols - 1  # the last column of the first load
    total += count * engine.tile_overhead
    return total


@st.composite
def products(draw: st.DrawFn, batches: int = 3) -> tuple[Op, Sizes]:
    """Small matrix products and their sizes (g, m, k, n)."""
    m, k, n = (draw(st.integers(1, 50)) for _ in range(3))
    g = draw(st.integers(1, batches))
    return matmul(m, k, n, batch=g), (g, m, k, n)


BUDGETS = st.builds(
    Budget,
    st.sampled_from([50, 300, 2000, 100_000]),
    st.sampled_from([1e7, 1e9, 1e18]),
    st.just(1e9),
    st.sampled_from([0.0, 1e-7]),
)
"""Buffers from too small to ample, before slow and instant memories."""
