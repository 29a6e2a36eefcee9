"""How far predictions are off, by rows of the operators."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BANDS: tuple[tuple[str, float, float], ...] = (
    ("all", 0, math.inf),
    ("rows <= 64", 0, 64),
    ("64 < rows <= 512", 64, 512),
    ("rows > 512", 512, math.inf),
)
"""Name, and the rows between which an operator lies; the upper end belongs to it."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of some points, relative to what was measured.

    Attributes:
        band: of rows, see ``BANDS``.
        points: how many.
        mean: mean absolute error.
        bias: mean signed error, above 0 where predictions are larger.
        within: share of the points within 10 %.
    """

    band: str
    points: int
    mean: float
    bias: float
    within: float


def errors_by_band(
    predicted: NDArray[np.float64], measured: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[Errors, ...]:
    """Errors of all points, and of each band that has any.

    Args:
        predicted: seconds.
        measured: seconds.
        rows: of each operator.
    """
    error = predicted / measured - 1
    found = []
    for band, low, high in BANDS:
        part = error[(rows > low) & (rows <= high)]
        if len(part):
            mean, within = np.abs(part).mean(), (np.abs(part) <= 0.1).mean()
            found.append(Errors(band, len(part), float(mean), float(part.mean()), float(within)))
    return tuple(found)
