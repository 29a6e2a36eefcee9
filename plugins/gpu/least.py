"""Where a function of a few constants is least, if it has edges, as a mean of magnitudes has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID, STARTS, LINES = 100, 2, 8
"""Size of the search: places tried first and directions at each reach, both for each constant, and
places gone on from."""


def least(
    error: Callable[[NDArray[np.float64]], float], axes: int, seed: int
) -> NDArray[np.float64]:
    """Place in the unit cube where ``error`` is smallest: a coarse grid, then lines from its best.

    The lines run along random directions: a mean of magnitudes has edges that no axis follows, at
    which a search along the axes alone stands still. After each round it goes on the way that the
    round has gone, which follows a narrow valley (Hooke and Jeeves, "Direct Search", 1961).

    Args:
        error: what is to be small.
        axes: dimensions of the cube.
        seed: of the grid and the directions.
    """
    random = np.random.default_rng(seed)
    grid = sorted(random.random((GRID * axes, axes)) ** 2, key=error)
    found = [_Descent(error, start, error(start)) for start in grid[:STARTS]]
    for one in found:
        one.run(random)
    return min(found, key=lambda one: one.value).place


@dataclass
class _Descent:
    error: Callable[[NDArray[np.float64]], float]
    place: NDArray[np.float64]
    value: float

    def run(self, random: np.random.Generator) -> None:
        """Rounds of lines with a shorter and shorter reach."""
        for reach in 0.25 * 0.5 ** np.repeat(np.arange(14), 2):
            start = self.place
            for line in random.normal(size=(LINES * len(start), len(start))):
                line *= reach / np.linalg.norm(line)
                self._follow(line)
                self._follow(-line)
            self._follow(self.place - start)

    def _follow(self, line: NDArray[np.float64]) -> None:
        step = np.clip(self.place + line, 0.0, 1.0)
        while (trial := self.error(step)) < self.value:
            self.place, self.value, step = step, trial, np.clip(step + line, 0.0, 1.0)
