"""The fit: which points, and the constants whose predictions deviate least from them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.contract import Constant
from codesign.calibration.errors_by_band import BANDS, Errors
from codesign.calibration.least import Vector, least_deviations
from codesign.calibration.measurements import Measurements

MOST = 400
"""Points that a fit uses at most."""
SHARE = 0.8
"""Share of the operators of a kind and format that it uses at most: the rest is held back."""
DIGITS = 4
"""Significant digits of a constant: more would say more than measurements do."""
_GRID = (6, 3)
"""Values of a constant on the grid, and how many constants the grid is over."""
_STARTS = 3
"""Places of the grid that a search starts from."""
_SHORTEST = 1e-15  # seconds; a prediction of none would have no logarithm

Values: TypeAlias = dict[str, float]
Predict: TypeAlias = Callable[[Values], NDArray[np.float64]]
"""Seconds of all points for values of the constants; a pure function."""


@dataclass(frozen=True)
class Fit:
    """What came out.

    Attributes:
        constants: fitted values by field.
        sought: all fields that were to be fitted.
        fitted: the points of the fit.
        fit_errors: errors on these.
        held_back_errors: errors on the others, which the fit has not seen.
        digest: of all points.
        seed: of the draw.
    """

    constants: Mapping[str, float]
    sought: Mapping[str, Constant]
    fitted: Measurements
    fit_errors: tuple[Errors, ...]
    held_back_errors: tuple[Errors, ...]
    digest: str
    seed: int

    @property
    def untold(self) -> tuple[str, ...]:
        """Fields that the points do not tell, which stay as they were."""
        return tuple(name for name in self.sought if name not in self.constants)

    @property
    def at_limit(self) -> tuple[str, ...]:
        """Fitted fields that stand at the least or the largest value they may have."""
        ends = {name: (one.lowest, one.highest) for name, one in self.sought.items()}
        return tuple(name for name, value in self.constants.items() if value in ends[name])


def stratified(table: Measurements, seed: int, most: int = MOST) -> NDArray[np.int64]:
    """Numbers of the points to fit, in order.

    Operators are drawn at random, each with all of its repeats. Each kind and format gives four
    fifths of its points; where these are too many, those with most points give the same number
    each, and one with more than ``most`` of its own gives as many as are left. Each band of rows
    has its share in that. At least one operator of two is held back.

    Args:
        table: all points.
        seed: of the draw.
        most: points at most.
    """
    random = np.random.default_rng(seed)
    works, counts = np.unique(table.work, return_counts=True)
    caps = [round(SHARE * count) if count <= most else count for count in counts.tolist()]
    level = _level(caps, most)
    chosen: list[int] = []
    for work, cap in zip(works.tolist(), caps, strict=True):
        mine = np.flatnonzero(table.work == work)
        chosen += _drawn(table, mine, min(cap, level), random)
    return np.sort(np.array(chosen, np.int64))


def fit_constants(
    predict: Predict, constants: Mapping[str, Constant], measured: NDArray[np.float64]
) -> Values:
    """The constants that make the mean of |log(predicted / measured)| least.

    A coarse grid finds where to start, ``least_deviations`` goes on from there.

    Args:
        predict: seconds of all points.
        constants: what is fitted, the most important first: the grid is over the first three.
        measured: seconds.
    """
    low, high = (
        np.array([getattr(one, end) for one in constants.values()], float)
        for end in ("lowest", "highest")
    )

    def residuals(place: Vector) -> Vector:
        found = predict(dict(zip(constants, place.tolist(), strict=True)))
        return np.log(np.maximum(found, _SHORTEST) / measured)

    def loss(place: Vector) -> float:
        return float(np.abs(residuals(place)).mean())

    starts = sorted(_grid(low, high), key=loss)[:_STARTS]
    ends = least_deviations(residuals, low, high, starts)
    pairs = zip(constants.items(), ends.tolist(), strict=True)
    return {name: one.clip(float(f"{value:.{DIGITS}g}")) for (name, one), value in pairs}


def _grid(low: Vector, high: Vector) -> Sequence[Vector]:
    """Places of a grid over the first axes, in the middle of the others."""
    count, most = _GRID
    axes = [
        np.linspace(least, largest, count) if axis < most else [(least + largest) / 2]
        for axis, (least, largest) in enumerate(zip(low, high, strict=True))
    ]
    return [np.array(place, float) for place in itertools.product(*axes)]


def _level(caps: Sequence[int], most: int) -> int:
    """How many points a work gives at most so that all together give no more than ``most``."""
    left, places = most, len(caps)
    for cap in sorted(caps):
        if cap * places > left:
            return max(1, left // places)
        left, places = left - cap, places - 1
    return max(caps, default=0)


def _drawn(
    table: Measurements, mine: NDArray[np.int64], count: int, random: np.random.Generator
) -> list[int]:
    """About so many points of a work: whole operators, of each band of rows its share."""
    rows, first, share = table.rows[mine], table.first[mine], count / len(mine)
    operators: list[int] = []
    for _, low, high in BANDS[1:]:
        different = np.unique(first[(rows > low) & (rows <= high)])
        operators += random.permutation(different)[: round(share * len(different))].tolist()
    if len(operators) == len(np.unique(first)) > 1:
        operators.pop()
    repeats = [mine[first == one].tolist() for one in operators]
    ends = np.cumsum([len(points) for points in repeats])
    whole = int(np.searchsorted(ends, max(count, 1), side="right"))
    return list(itertools.chain.from_iterable(repeats[: max(whole, 1)]))
