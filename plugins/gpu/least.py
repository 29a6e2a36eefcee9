"""Constants that deviate least, found in the unit cube."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from codesign.calibration import least_deviations
from codesign.calibration.least import Residuals

_LATTICE = np.linspace(0.1, 0.9, 6) ** 2
"""Values of an axis where a search may start, closer to 0."""
_STARTS = 3


def least(residuals: Residuals, axes: int) -> NDArray[np.float64]:
    """Place in the unit cube where the mean of ``|residuals|`` is smallest.

    Args:
        residuals: of a place.
        axes: dimensions of the cube.
    """

    def loss(place: NDArray[np.float64]) -> float:
        return float(np.abs(residuals(place)).mean())

    places = (np.array(place) for place in itertools.product(_LATTICE.tolist(), repeat=axes))
    starts = sorted(places, key=loss)[:_STARTS]
    return least_deviations(residuals, np.zeros(axes), np.ones(axes), starts)
