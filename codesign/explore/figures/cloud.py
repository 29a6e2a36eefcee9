"""What figures show of a study, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from codesign.errors import StudyError
from codesign.explore.figures.scale import Scale
from codesign.explore.pareto import Bools, Floats, on_front

if TYPE_CHECKING:
    from codesign.explore.swept import Swept


@dataclass(frozen=True)
class Cloud:
    """Every measured point of a study in its objectives.

    Attributes:
        swept: the table.
        values: of shape ``(points, objectives)``, in the units of the objectives.
        order: places of the rows in order of their measurement.
        bounds: of points that were not measured, in the units of the objectives; as ``values``.
    """

    swept: Swept
    values: Floats
    order: tuple[int, ...]
    bounds: Floats

    @classmethod
    def of(cls, swept: Swept, order: Sequence[int] | None, bounds: Any) -> Cloud:
        """Collects a table.

        Args:
            swept: the table.
            order: ``index`` of each measured point, first one first; that of the space if None.
            bounds: a row of objectives for each point that was pruned; None for none.

        Raises:
            StudyError: no point was measured, or order or bounds do not fit the table.
        """
        if not swept.done:
            raise StudyError("figures need a measured point, got none; see why the points failed")
        names = [name for name, _ in swept.objectives]
        values = np.array([[row[name] for name in names] for row in swept.done], dtype=float)
        limits = np.zeros((0, len(names))) if bounds is None else np.asarray(bounds, dtype=float)
        if limits.ndim != 2 or limits.shape[1] != len(names):
            raise StudyError(
                f"bounds must have shape (points, {len(names)}), one column for each objective, "
                f"got {limits.shape}"
            )
        places = {row["index"]: place for place, row in enumerate(swept.done)}
        indexes = list(places) if order is None else list(order)
        if sorted(indexes) != sorted(places):
            raise StudyError(
                f"order must name each of the {len(places):,} measured points once, by its index"
            )
        return cls(swept, values, tuple(places[index] for index in indexes), limits)

    @cached_property
    def signs(self) -> Floats:
        """What makes the best of each objective the smallest."""
        return np.array([-1.0 if maximise else 1.0 for _, maximise in self.swept.objectives])

    @cached_property
    def scores(self) -> Floats:
        """The values, all to be small."""
        return self.values * self.signs

    @cached_property
    def feasible(self) -> Bools:
        """Which points keep to all constraints."""
        return np.array([row["feasible"] for row in self.swept.done], dtype=bool)

    @cached_property
    def front(self) -> Bools:
        """Which points are on the front."""
        mask = np.zeros(len(self.values), dtype=bool)
        places = np.flatnonzero(self.feasible)
        mask[places[on_front(self.scores[places])]] = True
        return mask

    @cached_property
    def scales(self) -> tuple[Scale, ...]:
        """How each objective is drawn."""
        everything = np.vstack((self.values, self.bounds))
        return tuple(
            Scale.of(name, everything[:, place], maximise=maximise)
            for place, (name, maximise) in enumerate(self.swept.objectives)
        )

    @property
    def title(self) -> str:
        """What was studied, and how much of it is shown."""
        swept = self.swept
        pruned = f", {swept.pruned:,} pruned" if swept.pruned else ""
        return (
            f"{swept.model} on {swept.hardware}: {len(swept.done):,} of {swept.points:,} points "
            f"measured{pruned}"
        )
