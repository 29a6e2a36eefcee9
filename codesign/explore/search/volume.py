"""The hypervolume of a search as it grows, and whether it still does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from codesign.errors import StudyError, did_you_mean
from codesign.explore.hypervolume import MOST_OBJECTIVES, growth
from codesign.explore.objectives import Goal
from codesign.explore.search.outcome import Outcome

_MARGIN = 0.1
"""How far the reference lies beyond the worst of the first points, as a share of it: 1.1 times."""


class Volume:
    """Hypervolume of what is measured, evaluation by evaluation.

    The reference point is given, or 1.1 times the worst of each objective among the first points,
    two for each objective, that were measured and keep to the constraints; then it stays.
    """

    def __init__(self, goals: Sequence[Goal], reference: Mapping[str, float] | None = None) -> None:
        """Begins without a point.

        Args:
            goals: objectives.
            reference: a figure for each of them, by name; None takes it from the first points.

        Raises:
            StudyError: more objectives than a hypervolume can have, or a reference that does not
                name each of them.
        """
        self._names = [goal.name for goal in goals]
        self._signs = np.array([-1.0 if goal.maximise else 1.0 for goal in goals])
        if len(goals) > MOST_OBJECTIVES:
            raise StudyError(
                f"a search must have at most {MOST_OBJECTIVES} objectives, got {len(goals)}; make "
                "constraints of the others"
            )
        self._given: tuple[float, ...] | None = None
        if reference is not None:
            for name in reference:
                if name not in self._names:
                    raise StudyError(
                        f"reference: {name!r} is no objective{did_you_mean(name, self._names)}"
                    )
            for name in self._names:
                if name not in reference:
                    raise StudyError(f"reference: {name!r} is missing; give each objective one")
            self._given = tuple(float(reference[name]) for name in self._names)
        self._scores: list[tuple[float, ...]] = []
        self._places: list[int] = []
        self._count = 0

    def add(self, outcome: Outcome) -> None:
        """Takes in an evaluation; one that failed or breaks a constraint adds no volume."""
        if outcome.feasible:
            figures = np.array([outcome.figures[name] for name in self._names])
            self._scores.append(tuple(figures * self._signs))
            self._places.append(self._count)
        self._count += 1

    @property
    def reference(self) -> dict[str, float]:
        """The reference point by objective; empty where no point gives one."""
        limit = self._limit()
        if limit is None:
            return {}
        return dict(zip(self._names, (limit * self._signs).tolist(), strict=True))

    @property
    def history(self) -> tuple[float, ...]:
        """The volume after each evaluation; 0 where there is none."""
        limit = self._limit()
        volumes = np.zeros(self._count)
        if limit is not None:
            volumes[self._places] = growth(self._scores, limit)
        return tuple(np.maximum.accumulate(volumes).tolist()) if self._count else ()

    def stalled(self) -> int:
        """Evaluations since the volume last grew; 0 while too few points give a reference."""
        if self._given is None and len(self._scores) < 2 * len(self._names):
            return 0
        history = np.array((0.0, *self.history))
        grown = np.flatnonzero(np.diff(history) > 0)
        return self._count - (int(grown[-1]) + 1 if len(grown) else 0)

    def _limit(self) -> NDArray[np.float64] | None:
        if self._given is not None:
            return np.asarray(np.array(self._given) * self._signs)
        if not self._scores:
            return None
        return beyond_worst(np.array(self._scores[: 2 * len(self._names)]))


def beyond_worst(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The worst of each objective and a tenth of it more; of a worst of 0, a tenth of the spread.

    Args:
        scores: of shape ``(points, objectives)``, all to be small, at least one point.
    """
    worst, spread = scores.max(axis=0), np.ptp(scores, axis=0)
    size = np.where(worst != 0, np.abs(worst), np.where(spread > 0, spread, 1.0))
    return np.asarray(worst + _MARGIN * size)
