"""Fronts and hypervolumes, exactly. Every objective is to be small; flip those that are not.

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


def hypervolume(points: Floats, reference: Floats) -> float:
    """Volume that points dominate, up to a reference point, by slices along the last objective.

    Source: the definition of Zitzler and Thiele, PPSN 1998; the slicing of While et al., IEEE
    Transactions on Evolutionary Computation 10(1), 2006.

    Args:
        points: of shape ``(points, objectives)``; those that are not better than the reference in
            every objective add nothing.
        reference: of shape ``(objectives,)``.
    """
    inside = points[np.all(points < reference, axis=1)]
    return _volume(inside[on_front(inside)], reference) if len(inside) else 0.0


def _volume(front: Floats, reference: Floats) -> float:
    if front.shape[1] == 1:
        return float(reference[0] - front[:, 0].min())
    order = np.argsort(front[:, -1], kind="stable")
    front = front[order]
    ends = np.append(front[1:, -1], reference[-1])
    total = 0.0
    for count, (start, end) in enumerate(zip(front[:, -1], ends, strict=True), start=1):
        if end > start:
            below = front[:count, :-1]
            total += float(end - start) * _volume(below[on_front(below)], reference[:-1])
    return total
