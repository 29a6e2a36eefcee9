"""Least deviations: where the mean magnitude of some residuals is least, within a box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]
Residuals: TypeAlias = Callable[[Vector], Vector]

ROUNDS = 25
"""Steps at each softness at most."""
SOFTNESS = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Residuals below which squares count, in mean magnitudes: from round to sharp."""
_STEP = 1e-6  # of the box; of the differences that stand for derivatives
_SMALLEST = 1e-9  # residual that is told from none: its weight would have no end
_DAMPING = (1e-12, 1e-3, 1e6)  # least, first and most
_ENOUGH = 1e-8  # relative gain of a step below which a search is over


def least_deviations(
    residuals: Residuals, low: Vector, high: Vector, starts: Sequence[Vector]
) -> Vector:
    """The place of a box where the mean of ``|residuals|`` is least, as found from some starts.

    Damped Gauss-Newton steps (Levenberg 1944, Marquardt 1963) on squares that are weighted by the
    inverse of their magnitude, so that their sum is that of magnitudes (Schlossmacher, "An
    Iterative Technique for Absolute Deviations Curve Fitting", JASA 1973). Weights are soft at
    first and sharpen: a residual that is small by chance would else hold all others. A step sees
    all axes at once and so goes along a ridge, where a search along the axes stands still. An axis
    at the edge of the box that would leave it is held there.

    Args:
        residuals: of a place, an array of any length; a pure function with edges at most.
        low: least value of each axis.
        high: largest value of each axis.
        starts: places to start from, at least one; the best end counts.
    """
    size = high - low

    def scaled(place: Vector) -> Vector:
        return residuals(low + place * size)

    ends = [_descend(scaled, (start - low) / np.where(size > 0, size, 1.0)) for start in starts]
    best = min(ends, key=lambda end: end[0])
    return np.asarray(np.clip(low + best[1] * size, low, high))


def _descend(residuals: Residuals, place: Vector) -> tuple[float, Vector]:
    """Steps down from a place in the unit cube: the mean magnitude, and where."""
    found = residuals(place)
    value = float(np.abs(found).mean())
    for softness in SOFTNESS:
        damping = _DAMPING[1]
        for _ in range(ROUNDS):
            slopes = _slopes(residuals, place, found)
            floor, before = max(_SMALLEST, softness * value), value
            while damping <= _DAMPING[2]:
                step = np.clip(place + _step(slopes, found, place, damping, floor), 0.0, 1.0)
                trial = residuals(step)
                if (reached := float(np.abs(trial).mean())) < value:
                    place, found, value = step, trial, reached
                    damping = max(_DAMPING[0], damping / 10)
                    break
                damping *= 4
            if before - value <= _ENOUGH * before:
                break
    return value, place


def _slopes(residuals: Residuals, place: Vector, found: Vector) -> Vector:
    """Derivatives by differences into the cube, [residuals, axes]."""
    columns = []
    for axis in range(len(place)):
        moved = place.copy()
        moved[axis] += _STEP if place[axis] < 0.5 else -_STEP
        columns.append((residuals(moved) - found) / (moved[axis] - place[axis]))
    return np.stack(columns, axis=1)


def _step(slopes: Vector, found: Vector, place: Vector, damping: float, floor: float) -> Vector:
    """The damped step of the axes that are free to move."""
    weights = 1 / np.sqrt(np.maximum(np.abs(found), floor))
    uphill = slopes.T @ (weights**2 * found)
    held = ((place <= 0) & (uphill > 0)) | ((place >= 1) & (uphill < 0))
    free = np.flatnonzero(~held)
    step = np.zeros(len(place))
    if len(free):
        rows = weights[:, None] * slopes[:, free]
        scale = np.sqrt(damping) * np.maximum(np.linalg.norm(rows, axis=0), 1e-12)
        system = np.vstack([rows, np.diag(scale)])
        target = np.concatenate([-weights * found, np.zeros(len(free))])
        step[free] = np.linalg.lstsq(system, target, rcond=None)[0]
    return step
