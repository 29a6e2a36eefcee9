"""How far predictions are off, by kind, format and rows of the operators."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from codesign.calibration.measurements import Measurements

BANDS: tuple[tuple[str, float, float], ...] = (
    ("all", 0, math.inf),
    ("rows <= 64", 0, 64),
    ("64 < rows <= 512", 64, 512),
    ("rows > 512", 512, math.inf),
)
"""Name, and the rows between which an operator lies; the upper end belongs to it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of some points, relative to what was measured.

    Attributes:
        band: of rows, see ``BANDS``.
        points: how many.
        mean: mean absolute error.
        bias: mean signed error, above 0 where predictions are larger.
        within: share of the points within 10 %.
        work: kind and formats, as ``softmax fp16``; empty for all of them.
    """

    band: str
    points: int
    mean: float
    bias: float
    within: float
    work: str = ""


def errors_by_band(
    predicted: Floats, measured: Floats, rows: Floats, work: str = ""
) -> tuple[Errors, ...]:
    """Errors of all points, and of each band that has any.

    Args:
        predicted: seconds.
        measured: seconds.
        rows: of each operator.
        work: kind and formats of the operators; empty for several.
    """
    error = predicted / measured - 1
    return tuple(
        _errors(name, error[chosen], work)
        for name, low, high in BANDS
        if (chosen := (rows > low) & (rows <= high)).any()
    )


def errors_by_work(predicted: Floats, table: Measurements) -> tuple[Errors, ...]:
    """Errors of all points by bands; if there are several kinds or formats, then of each of them.

    Args:
        predicted: seconds.
        table: the points.
    """
    return tuple(_by_work(predicted, table))


def _by_work(predicted: Floats, table: Measurements) -> Iterator[Errors]:
    yield from errors_by_band(predicted, table.seconds, table.rows)
    works = np.unique(table.work).tolist()
    for work in works if len(works) > 1 else ():
        mine = table.work == work
        yield from errors_by_band(predicted[mine], table.seconds[mine], table.rows[mine], work)


def _errors(band: str, error: Floats, work: str) -> Errors:
    size = np.abs(error)
    return Errors(
        band, len(error), float(size.mean()), float(error.mean()), float((size <= 0.1).mean()), work
    )
