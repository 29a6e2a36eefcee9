"""The points that an optimiser may still ask for."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from codesign.explore.pareto import on_front
from codesign.explore.search.choices import choices_at, draw_free, in_order, neighbours
from codesign.explore.space import Space

Digits: TypeAlias = "tuple[int, ...]"

_CANDIDATES = 512
"""Points at random among candidates; all where the space has no more (assumed)."""


class FreePoints:
    """Points of a space that nobody has asked for and that keep to its constraints.

    Attributes:
        space: of the points.
        draw: where chance comes from.
        taken: combinations that have been asked for, or are known to be left out.
    """

    def __init__(self, space: Space, seed: int, keeps: Callable[[int], bool]) -> None:
        """Begins with all of them.

        Args:
            space: of the points.
            seed: of what is drawn.
            keeps: whether the constraints on what is known before a replay leave a combination in.
        """
        self.space, self.taken = space, set[int]()
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self._keeps, self._ordered = keeps, in_order(space)
        self._measured: dict[int, tuple[float, ...]] = {}

    def has(self, index: int) -> bool:
        """Whether a combination is a point that is not taken."""
        return index not in self.taken and self.space.point(index) is not None

    def keeps(self, digits: Digits) -> bool:
        """Whether constraints on what is known before a replay leave a point in.

        A model may have to be captured for it. One that they leave out is free no longer.
        """
        return self._is_kept(self.space.index(digits))

    def measured(self, index: int, scores: Sequence[float]) -> None:
        """Takes in what came of a point that keeps to all constraints; all scores to be small."""
        self._measured[index] = tuple(scores)

    def near(self, digits: Sequence[int]) -> int | None:
        """A free combination beside some choices, or else anywhere; None if there is none left."""
        for beside in neighbours(self.space, digits, self._ordered, self.draw):
            if self.has(beside) and self._is_kept(beside):
                return beside
        while (drawn := draw_free(self.space, self.taken, self.draw)) is not None:
            if self._is_kept(drawn):
                return drawn
        return None

    def beside(self, digits: Digits, most: int | None = None) -> list[Digits]:
        """Free points that differ in one choice.

        Args:
            digits: choices to start from.
            most: how far a choice may be where values are in order; None for any.
        """
        found = neighbours(self.space, digits, self._ordered, self.draw, most)
        return [choices_at(self.space, index) for index in found if self.has(index)]

    def candidates(self) -> list[Digits]:
        """Free points: many at random, and those beside the front of what has been measured."""
        if self.space.size <= _CANDIDATES:
            drawn = list(range(self.space.size))
        else:
            drawn = [self.draw.randrange(self.space.size) for _ in range(_CANDIDATES)]
        near = [one for index in self._front() for one in self.beside(self._at(index), most=1)]
        found = [self._at(index) for index in drawn if self.has(index)]
        return list(dict.fromkeys([*found, *near]))

    def _is_kept(self, index: int) -> bool:
        kept = self._keeps(index)
        if not kept:
            self.taken.add(index)
        return kept

    def _front(self) -> list[int]:
        mask = on_front(np.array(list(self._measured.values())))
        return [index for index, is_on in zip(self._measured, mask, strict=True) if is_on]

    def _at(self, index: int) -> Digits:
        return choices_at(self.space, index)
