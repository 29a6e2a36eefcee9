"""The fit: a coarse grid, then steps along one or two constants at a time. No gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.contract import Constant
from codesign.calibration.errors_by_band import BANDS, Errors
from codesign.calibration.measurements import Measurements

MOST = 400
"""Points that a fit uses at most."""
SHARE = 0.8
"""Share of the points that it uses if there are no more than that: the rest is held back."""
DIGITS = 4
"""Significant digits of a constant: more would say more than measurements do."""
_GRID = (6, 3)
"""Values of a constant on the grid, and how many constants the grid is over."""
_SHORTEST = 1e-15  # seconds; a prediction of none would have no logarithm
_FINEST = 100_000
"""Parts of the range of a constant that the search can tell apart."""

Values = dict[str, float]


@dataclass(frozen=True)
class Fit:
    """What came out.

    Attributes:
        constants: fitted values by field.
        fitted: the points of the fit.
        fit_errors: errors on these.
        held_back_errors: errors on the others, which the fit has not seen.
        digest: of all points.
        seed: of the draw.
    """

    constants: Mapping[str, float]
    fitted: Measurements
    fit_errors: tuple[Errors, ...]
    held_back_errors: tuple[Errors, ...]
    digest: str
    seed: int


def stratified(table: Measurements, seed: int, most: int = MOST) -> NDArray[np.int64]:
    """Numbers of the points to fit, in order: of each band of rows its share, drawn at random.

    Args:
        table: all points.
        seed: of the draw.
        most: points at most.
    """
    random = np.random.default_rng(seed)
    share = most / len(table) if len(table) > most else SHARE
    chosen: list[int] = []
    for _, low, high in BANDS[1:]:
        mine = np.flatnonzero((table.rows > low) & (table.rows <= high))
        count = min(len(mine), round(share * len(mine)))
        chosen += random.permutation(mine)[:count].tolist()
    return np.sort(np.array(chosen[:most], np.int64))


def fit_constants(
    predict: Callable[[Values], NDArray[np.float64]],
    constants: Mapping[str, Constant],
    measured: NDArray[np.float64],
) -> Values:
    """The constants that make the mean of |log(predicted / measured)| least.

    Args:
        predict: seconds of all points for values of the constants; a pure function.
        constants: what is fitted, the most important first: the grid is over the first three.
        measured: seconds.
    """

    def loss(values: Values) -> float:
        predicted = np.maximum(predict(values), _SHORTEST)
        return float(np.abs(np.log(predicted / measured)).mean())

    middle = {name: (one.lowest + one.highest) / 2 for name, one in constants.items()}
    count, most = _GRID
    axes = [
        np.linspace(one.lowest, one.highest, count).tolist()
        for one in itertools.islice(constants.values(), most)
    ]
    starts = (
        middle | dict(zip(constants, point, strict=False)) for point in itertools.product(*axes)
    )
    best, least = middle, loss(middle)
    for start in starts:
        if (found := loss(start)) < least:
            best, least = start, found
    ends = _descend(loss, constants, best, least)
    return {name: float(f"{value:.{DIGITS}g}") for name, value in ends.items()}


def _descend(
    loss: Callable[[Values], float],
    constants: Mapping[str, Constant],
    best: Values,
    least: float,
) -> Values:
    """Steps along one or two constants while that helps, then half the steps."""
    steps = {name: (one.highest - one.lowest) / _GRID[0] for name, one in constants.items()}
    parts = _GRID[0]
    while parts < _FINEST:
        is_better = False
        for trial in list(_around(best, steps, constants)):
            if (found := loss(trial)) < least:
                best, least, is_better = trial, found, True
        if not is_better:
            steps, parts = {name: step / 2 for name, step in steps.items()}, parts * 2
    return best


def _around(
    values: Values, steps: Mapping[str, float], constants: Mapping[str, Constant]
) -> Iterator[Values]:
    """Values a step away in one constant or in two: one often makes up for another."""
    for count in (1, 2):
        for names in itertools.combinations(constants, count):
            for sides in itertools.product((-1, 1), repeat=count):
                moved = {
                    name: values[name] + side * steps[name]
                    for name, side in zip(names, sides, strict=True)
                }
                yield values | {name: constants[name].clip(value) for name, value in moved.items()}
