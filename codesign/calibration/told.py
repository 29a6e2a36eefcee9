"""Which constants the points tell, and which they leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.contract import Constant
from codesign.calibration.fit import Predict, Values

STEP = 0.2
"""A constant is moved by this part of itself..."""
STEP_OF_RANGE = 0.01
"""... or by this part of its range if that is more, so that one near 0 is moved too."""
WORST = 2.5
"""Steps that the standard error of a constant may have: with half of its value it is told from
nothing (a ratio of 2, the usual test of a coefficient)."""
FINEST = 0.01
"""Relative error of a time that every measurement has at least (assumed)."""
_NORMAL = 1.2533  # standard deviation of a normal distribution in mean magnitudes, sqrt(pi / 2)

Floats: TypeAlias = NDArray[np.float64]


def least_told(
    predict: Predict,
    constants: Mapping[str, Constant],
    values: Values,
    measured: NDArray[np.float64],
) -> str | None:
    """The constant that the points tell least, or None if they tell all of them.

    A constant is moved, and the others make up for that as well as they can, as far as predictions
    are straight lines: what is left must stand out of the errors of the fit. This is the standard
    error of linear regression (Draper and Smith, "Applied Regression Analysis", 3rd edition, 1998,
    section 5.2). It is moved up and down, and the weaker of both counts: points that say only that
    the units are fast enough do not tell how fast they are.

    Args:
        predict: seconds of all points.
        constants: what was fitted.
        values: the fitted values.
        measured: seconds.
    """
    found = np.log(predict(values))
    noise = max(FINEST, _NORMAL * float(np.abs(found - np.log(measured)).mean()))
    moves = {
        name: [np.log(predict({**values, name: end})) - found for end in _ends(one, values[name])]
        for name, one in constants.items()
    }
    clear = {name: _left_alone(moves, name) for name in constants}
    weakest = min(reversed(clear), key=clear.__getitem__, default=None)
    return weakest if weakest is not None and clear[weakest] * WORST < noise else None


def _ends(constant: Constant, value: float) -> list[float]:
    """A step up and down from a value, but not over the limit that it stands at."""
    step = max(STEP * abs(value), STEP_OF_RANGE * (constant.highest - constant.lowest))
    ends = (constant.clip(value - step), constant.clip(value + step))
    return [end for end in ends if abs(end - value) > step / 2] or [ends[0]]


def _left_alone(moves: Mapping[str, Sequence[Floats]], name: str) -> float:
    """Length of the shorter move of a constant that no sum of the others makes up for."""
    others = [_direction(pair) for other, pair in moves.items() if other != name]
    beside = np.stack(others, axis=1) if others else np.zeros((len(moves[name][0]), 0))
    left = []
    for move in moves[name]:
        shares = np.linalg.lstsq(beside, move, rcond=None)[0]
        left.append(float(np.linalg.norm(move - beside @ shares)))
    # what is left by rounding alone must not decide between two that make up for each other
    return round(min(left), 9)


def _direction(pair: Sequence[Floats]) -> Floats:
    """The way that predictions go as a constant rises, of a move up and down or of the only one."""
    return pair[1] - pair[0] if len(pair) > 1 else pair[0]
