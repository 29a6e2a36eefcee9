"""Points that may still be on a front, given lower bounds of all and the replays of some.

A point is dropped once a replayed one dominates its bounds: what it really comes to is no better
than they are, so that point dominates it too. What is left at the end has all been replayed, and
the front of the replays is that of all points.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from codesign.explore.grid import Bools, Ints
from codesign.explore.pareto import Floats, dominates

_STEPS = {1: 1, 2: 16, 3: 5}
"""Parts into which weights of so many objectives are cut; 3 of more (assumed): a few dozen ways to
weigh them, for each of which the best come first."""


class Candidates:
    """Points to replay, the most promising first.

    Attributes:
        pruned: how many were dropped.
    """

    def __init__(self, bounds: Floats) -> None:
        """Orders points.

        Args:
            bounds: lower bounds of the objectives, all of them to be small; of shape
                ``(points, objectives)``; minus infinity where nothing is known.
        """
        self._bounds = bounds
        self._left = np.ones(len(bounds), dtype=bool)
        self._front = bounds[:0]
        self.pruned = 0
        self._orders = [iter(order) for order in _orders(bounds)]

    def take(self, count: int) -> list[int]:
        """The next points, fewer at the end.

        Args:
            count: how many.

        Returns:
            Their places.
        """
        found: list[int] = []
        orders = list(self._orders)
        while orders and len(found) < count:
            for order in tuple(orders):
                place = next((n for n in order if self._left[n]), None)
                if place is None:
                    orders.remove(order)
                    continue
                self._left[place] = False
                found.append(place)
                if len(found) == count:
                    break
        return found

    def learn(self, scores: Floats) -> None:
        """Drops what replayed points dominate.

        Args:
            scores: objectives of feasible points that were replayed, all of them to be small.
        """
        for score in scores:
            if any(dominates(other, score) or np.all(other == score) for other in self._front):
                continue
            kept = [other for other in self._front if not dominates(score, other)]
            self._front = np.array([*kept, score])
            places = np.flatnonzero(self._left)
            bounds = self._bounds[places]
            beaten = np.all(score <= bounds, axis=1) & np.any(score < bounds, axis=1)
            self._drop(places[beaten])

    def drop(self, mask: Bools) -> None:
        """Drops points of which it is known that no front may have them.

        Args:
            mask: of shape ``(points,)``.
        """
        self._drop(np.flatnonzero(mask & self._left))

    def _drop(self, places: Ints) -> None:
        self._left[places] = False
        self.pruned += len(places)


def _orders(bounds: Floats) -> Iterator[list[int]]:
    """Points by weighted sums of their bounds, for weights that are spread evenly."""
    spread = _spread(bounds)
    count = bounds.shape[1]
    steps = _STEPS.get(count, 3)
    for parts in product(range(steps + 1), repeat=count):
        if sum(parts) == steps:
            yield np.argsort(spread @ np.array(parts, dtype=float), kind="stable").tolist()


def _spread(bounds: Floats) -> Floats:
    """Bounds between 0 and 1, by their logarithm where all are positive."""
    found = np.zeros_like(bounds)
    for number, column in enumerate(bounds.T):
        if not len(column) or not np.all(np.isfinite(column)):
            continue
        scaled = np.log(column) if np.all(column > 0) else column
        width = np.ptp(scaled)
        if width:
            found[:, number] = (scaled - scaled.min()) / width
    return found
