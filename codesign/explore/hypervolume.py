"""Hypervolume of one to four objectives, exactly: how much of the space a set of points beats.

Every score is to be small; flip those of objectives that are to be large. The volume is that of all
that some point dominates and that dominates a reference point (Zitzler and Thiele, PPSN 1998).

Method, by number of objectives: two by the staircase of the front, three by a sweep along the last
that adds what each point gains on the staircase of those before it (Beume et al., IEEE Transactions
on Evolutionary Computation 13(5), 2009, HV3D), four by slices along the last: what a point alone
covers in the other three, times its depth in the last one. What a point alone covers is its own box
less the volume of the others clipped to that box (While, Bradstreet and Barone, IEEE Transactions
on Evolutionary Computation 16(1), 2012, the limit set).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from codesign.errors import StudyError
from codesign.explore.pareto import Floats, on_front

MOST_OBJECTIVES = 4
"""Most objectives whose volume is worked out."""


def hypervolume(scores: ArrayLike, reference: Sequence[float] | Floats) -> float:
    """Volume that points dominate, up to a reference point; see the module for the method.

    The same to the bit for the same set of points: neither their order, nor equal points, nor
    points that others dominate change it.

    Args:
        scores: of shape ``(points, objectives)``, all minimised, finite; those that are not better
            than the reference in every objective add nothing.
        reference: a score for each of one to four objectives, finite.

    Returns:
        The volume, in the product of the units of the objectives; 0 without points.

    Raises:
        StudyError: scores and reference do not fit together, or hold no finite numbers.
    """
    points, limit = _checked(scores, reference)
    inside = points[np.all(points < limit, axis=1)]
    return _volume(_front(inside), limit)


def growth(
    scores: ArrayLike,
    reference: Sequence[float] | Floats,
    counts: Sequence[int] | None = None,
) -> Floats:
    """Hypervolume of the first point, the first two, and so on.

    Args:
        scores: as for ``hypervolume``, in order of the evaluations.
        reference: as for ``hypervolume``.
        counts: of first points, rising, whose volumes are asked for; every one if None.

    Returns:
        For each count the ``hypervolume`` of so many points, to the bit.

    Raises:
        StudyError: scores and reference do not fit together, or hold no finite numbers.
    """
    points, limit = _checked(scores, reference)
    asked = range(1, len(points) + 1) if counts is None else counts
    volumes = np.zeros(len(asked))
    front, start, volume = points[:0], 0, 0.0
    for place, count in enumerate(asked):
        added = points[start:count]
        added, start = added[np.all(added < limit, axis=1)], count
        if not _covers(front, added):
            front = _front(np.concatenate((front, added)))
            volume = _volume(front, limit)
        volumes[place] = volume
    return volumes


def _front(points: Floats) -> Floats:
    """The points that no other dominates, each once and sorted: the same for equal sets."""
    single = np.unique(points, axis=0)
    return single[on_front(single)]


def _covers(front: Floats, points: Floats) -> bool:
    """Whether none of some few points adds to a front; many are not looked at."""
    if len(points) > 1:
        return False
    return not len(points) or bool(np.any(np.all(front <= points, axis=1)))


def _checked(scores: ArrayLike, reference: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    limit = np.asarray(reference, dtype=float)
    if limit.ndim != 1 or not 1 <= limit.size <= MOST_OBJECTIVES:
        raise StudyError(
            f"a hypervolume must have 1 to {MOST_OBJECTIVES} objectives, got a reference of shape "
            f"{limit.shape}; leave some out"
        )
    points = np.asarray(scores, dtype=float)
    if not points.size:
        points = np.zeros((0, limit.size))
    if points.ndim != 2 or points.shape[1] != limit.size:
        raise StudyError(
            f"scores must have shape (points, {limit.size}) as the reference has {limit.size} "
            f"numbers, got {points.shape}"
        )
    if not (np.isfinite(points).all() and np.isfinite(limit).all()):
        raise StudyError(
            "scores and reference of a hypervolume must be finite numbers; leave out points "
            "without them"
        )
    return points, limit


def _volume(points: Floats, limit: Floats) -> float:
    """Volume of points none of which is beyond the limit."""
    if not len(points):
        return 0.0
    if limit.size == 1:
        return float(limit[0] - points.min())
    if limit.size == 2:
        return _area(points, limit)
    points = points[np.argsort(points[:, -1], kind="stable")]
    if limit.size == 3:
        return _sweep(points, limit)
    depths = limit[-1] - points[:, -1]
    faces, ends = points[:, :-1], limit[:-1]
    return math.fsum(
        _alone(face, faces[:place], ends) * depth
        for place, (face, depth) in enumerate(zip(faces, depths.tolist(), strict=True))
    )


def _area(points: Floats, limit: Floats) -> float:
    """Area of two objectives: sorted by the first, the best of the second so far counts."""
    points = points[np.argsort(points[:, 0], kind="stable")]
    widths = np.diff(points[:, 0], append=limit[0])
    heights = limit[1] - np.minimum.accumulate(points[:, 1])
    return math.fsum((widths * heights).tolist())


def _sweep(points: Floats, limit: Floats) -> float:
    """Volume of three objectives of points in order of the last one."""
    width, height, depth = limit.tolist()
    # step n covers from starts[n] to starts[n + 1] down to levels[n]
    starts, levels = [-math.inf, width], [height, -math.inf]
    volumes = []
    for x, y, z in points.tolist():
        left = bisect_right(starts, x) - 1
        gained, at, right = 0.0, x, left
        while levels[right] > y:
            gained += (starts[right + 1] - at) * (levels[right] - y)
            right += 1
            at = starts[right]
        if right > left:
            first = left + (starts[left] < x)
            starts[first:right], levels[first:right] = [x], [y]
            volumes.append(gained * (depth - z))
    return math.fsum(volumes)


def _alone(point: Floats, others: Floats, limit: Floats) -> float:
    """What a point covers and no other does."""
    box = float(np.prod(limit - point))
    return max(0.0, box - _volume(np.maximum(others, point), limit))
