"""A searcher: every point of a space in an order that its seed shuffles."""

from __future__ import annotations

import random
from collections.abc import Mapping

from codesign import hookimpl
from codesign.explore.search.choices import values_at
from codesign.explore.search.outcome import Outcome
from codesign.explore.search.searchers import Searcher
from codesign.explore.space import Point, Space


class Shuffled:
    """Asks for each point once."""

    def __init__(self, space: Space, seed: int) -> None:
        """Begins; it is given the arguments that it names here."""
        indices = [index for index in range(space.size) if space.point(index) is not None]
        random.Random(seed).shuffle(indices)  # noqa: S311 - no secret
        self._space, self._left = space, iter(indices)

    def ask(self) -> Point | None:
        """The next point; None where there is no further."""
        index = next(self._left, None)
        return None if index is None else values_at(self._space, index)

    def tell(self, point: Point, outcome: Outcome) -> None:
        """Learns nothing; ``outcome.figures`` has what was measured."""


@hookimpl
def codesign_searchers() -> Mapping[str, Searcher]:
    """The sampler ``my_plugin``."""
    return {"my_plugin": Searcher(Shuffled)}
