"""Points at random, each once: the baseline that an optimiser has to beat."""

from __future__ import annotations

import random

from codesign.explore.search.choices import draw_free, values_at
from codesign.explore.search.outcome import Outcome
from codesign.explore.space import Point, Space


class RandomPoints:
    """Asks for points that are drawn uniformly, and never for one twice.

    The same seed asks for the same points on any machine, whatever is told.
    """

    def __init__(self, space: Space, seed: int) -> None:
        """Begins.

        Args:
            space: of the points.
            seed: of the draws.
        """
        self._space, self._draw = space, random.Random(seed)  # noqa: S311 - no secret
        self._asked: set[int] = set()

    def ask(self) -> Point | None:
        """As of ``Optimiser``."""
        index = draw_free(self._space, self._asked, self._draw)
        if index is None:
            return None
        self._asked.add(index)
        return values_at(self._space, index)

    def tell(self, point: Point, outcome: Outcome) -> None:
        """As of ``Optimiser``; nothing is learnt, but a point that is known is not asked for.

        Note:
            What is told comes after what has been asked, so a warm start changes what follows.
        """
        self._asked.add(outcome.index)
