"""Bytes of each operand that tiles touch, for many tilings at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.workload.nest import Axis
from codesign.workload.record import Access, Op

Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of one operand in a tile, one entry per tiling.

    Attributes:
        bytes: that it takes in a buffer.
        moved: that its home moves for them, in whole bursts of every run of adjacent bytes.
    """

    bytes: Array
    moved: Array


def footprints(
    op: Op, tiles: Array, burst_bytes: int, shares: Sequence[float] = ()
) -> list[Footprint]:
    """The footprint of each operand, inputs first.

    Args:
        op: a contraction.
        tiles: extent of each loop in a tile, of shape (tilings, loops).
        burst_bytes: of the memory that the operands come from and go to; at least 1.
        shares: see ``Budget.shares``.
    """
    found = []
    shares = shares or (1.0,) * len(op.operands)
    for access, axes, share in zip(op.operands, op.loops.operands, shares, strict=True):
        extents = [
            touched(axis, tiles, extent) if stride else np.ones(len(tiles), dtype=np.int64)
            for axis, extent, stride in zip(axes, access.shape, access.strides, strict=True)
        ]
        run, rows = _runs(access, extents, len(tiles))
        size = access.tensor.dtype.storage_bytes(run * rows)
        if access.tensor.stored is None:
            row = -(-size // np.maximum(rows, 1))  # as transfers describe it
            bursts = -(-row // burst_bytes) * burst_bytes * rows
            moved = bursts if burst_bytes > 1 else size
        else:  # packed tiles lie in one piece, and may wait for their decoder
            moved = np.ceil(size * share / burst_bytes).astype(np.int64) * burst_bytes
        found.append(Footprint(size, moved))
    return found


def _runs(access: Access, extents: Sequence[Array], tilings: int) -> tuple[Array, Array]:
    """Adjacent elements of a run, and the number of runs."""
    run, rows = np.ones(tilings, dtype=np.int64), np.ones(tilings, dtype=np.int64)
    strides = [abs(stride) for stride in access.strides]
    for stride, extent in sorted(zip(strides, extents, strict=True), key=lambda pair: pair[0]):
        if stride:
            adjacent = (rows == 1) & (run == stride)
            run = np.where(adjacent, run * extent, run)
            rows = np.where(adjacent, rows, rows * extent)
    return run, rows


def touched(axis: Axis, tiles: Array, extent: int) -> Array:
    """Vectorised ``Axis.touched``."""
    if len(axis.terms) == 1:
        return np.minimum(extent, tiles[:, axis.terms[0][0]])
    grid = math.gcd(*(coefficient for _, coefficient in axis.terms)) or 1
    span, hull, steps = (np.ones(len(tiles), dtype=np.int64) for _ in range(3))
    for dim, coefficient in sorted(axis.terms, key=lambda term: term[1]):
        reach, more = coefficient // grid, tiles[:, dim] - 1
        hull = hull + reach * more
        apart = reach > span
        steps = np.where(apart, steps * tiles[:, dim], steps)
        span = np.where(apart, span, span + reach * more)
    found: Array = np.minimum(np.minimum(extent, hull), span * steps)
    return found


def fused_bytes(op: Op, sizes: tuple[Array, Array, Array, Array]) -> Array:
    """Bytes of the operands of fused functions that tiles read when their results leave.

    Args:
        op: a contraction.
        sizes: of the tiles (g, m, k, n), products over the loops of each class.
    """
    g, m, _, n = sizes
    groups, rows, _, columns = op.loops.classes(len(op.inputs))
    total = np.zeros_like(g)
    for number, access in enumerate(op.inputs[2:], start=2):
        used = op.loops.uses(number)
        elements = np.ones_like(g)
        for dims, size in ((groups, g), (rows, m), (columns, n)):
            elements = elements * (size if used & set(dims) else 1)
        total = total + access.tensor.dtype.storage_bytes(elements)
    return total
