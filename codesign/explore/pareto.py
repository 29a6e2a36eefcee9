"""Fronts, exactly. Every objective is to be small; flip those that are not.

Dominance: one point is at least as good in every objective and better in one. Equal points do not
dominate each other, so all of them are on a front.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
Bools: TypeAlias = "NDArray[np.bool_]"

_BLOCK = 512
"""Points that are compared with all others at a time, to bound memory (measured)."""


def dominates(one: Floats, other: Floats) -> bool:
    """Whether a point dominates another.

    Args:
        one: objectives, of shape ``(objectives,)``.
        other: of the same shape.
    """
    return bool(np.all(one <= other) and np.any(one < other))


def on_front(points: Floats) -> Bools:
    """Which points no other point dominates.

    Args:
        points: of shape ``(points, objectives)``, without NaN.

    Returns:
        A mask of shape ``(points,)``.
    """
    if not len(points):
        return np.zeros(0, dtype=bool)
    if points.shape[1] <= 2:
        return _sweep(points)
    different, which = np.unique(points, axis=0, return_inverse=True)
    return _in_blocks(different)[which.reshape(-1)]


def _in_blocks(points: Floats) -> Bools:
    """The front of different points, some of them compared with it at a time."""
    # what dominates a point has a smaller sum, so that it comes before it
    order = np.argsort(points.sum(axis=1), kind="stable")
    mask = np.zeros(len(points), dtype=bool)
    front = points[:0]
    for start in range(0, len(order), _BLOCK):
        block = points[order[start : start + _BLOCK]]
        kept = ~_dominated(block, front)
        kept[kept] = ~_dominated(block[kept], block[kept])
        mask[order[start : start + _BLOCK][kept]] = True
        front = np.concatenate((front, block[kept]))
    return mask


def _sweep(points: Floats) -> Bools:
    """The front of one or two objectives: sorted by the first, the second must fall."""
    first, last = points[:, 0], points[:, -1]
    order = np.lexsort((last, first))
    best = np.minimum.accumulate(last[order])
    before = np.concatenate(([np.inf], best[:-1]))
    # behind one that is as good in the last and better in the first, only equals remain
    reached = np.concatenate(([True], np.any(points[order][1:] != points[order][:-1], axis=1)))
    starts = np.maximum.accumulate(np.where(reached, np.arange(len(order)), 0))
    mask = np.zeros(len(points), dtype=bool)
    mask[order] = (last[order] < before)[starts]
    return mask


def _dominated(points: Floats, by: Floats) -> Bools:
    """Which points some of others dominate."""
    if not len(points) or not len(by):
        return np.zeros(len(points), dtype=bool)
    no_worse = np.all(by[None, :, :] <= points[:, None, :], axis=2)
    better = np.any(by[None, :, :] < points[:, None, :], axis=2)
    found: Bools = np.any(no_worse & better, axis=1)
    return found
