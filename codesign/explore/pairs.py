"""What single changes did, where both sides were measured: what an incomplete table can tell.

Bounds and optimisers choose which points are measured by how good they may be. A mean over what
they chose is that of a selection, and a sum fitted to it (``codesign.explore.effects``) answers for
points that nobody has measured; both may be far from what all points would say. Lower bounds of the
points left out do not help either: how far a point lies above its bound depends on its values. What
a selection cannot bend is the difference of two measured points that are alike in all but one
parameter.

So a change, such as 32 rows in the place of 16, is told by the means of its two sides over the
pairs of measured points that differ in it alone, and by how many there are. It holds for these
pairs: the same change beside other values, which were not measured, may do something else. A
parameter that no two measured points differ in alone gets no figure at all. Pairs join neighbours
among the measured values of a parameter, so that no difference counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from codesign.errors import StudyError
from codesign.explore.additive import Floats
from codesign.explore.levels import Codes, Levels, factors_of

if TYPE_CHECKING:
    from codesign.explore.swept import Swept


@dataclass(frozen=True)
class Step:
    """One change of a parameter.

    Attributes:
        before: label of the value that was changed.
        after: label of what took its place; the next larger one that was measured, where values
            have a size.
        pairs: of measured points that differ in this alone, at least 1.
        means: of each objective over these pairs, in its unit: before and after.
    """

    before: str
    after: str
    pairs: int
    means: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Contrast:
    """What changes of one parameter did, or of several that always change together.

    Attributes:
        parameters: names.
        levels: what the measured points take.
        places: of shape ``(pairs, 2)``: rows of the table before and after each change.
        steps: the changes, in order of the values; none where no pair was measured.
    """

    parameters: tuple[str, ...]
    levels: Levels
    places: Codes
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Names of the parameters, with a plus between them."""
        return " + ".join(self.parameters)


@dataclass(frozen=True)
class Pairs:
    """Changes of every parameter that varies.

    Attributes:
        points: how many were measured.
        untried: how many neither were nor failed.
        contrasts: of each parameter, in order of the study.
    """

    points: int
    untried: int
    contrasts: tuple[Contrast, ...]

    @cached_property
    def told(self) -> tuple[Contrast, ...]:
        """Parameters of which there is a pair."""
        return tuple(one for one in self.contrasts if one.steps)

    @cached_property
    def untold(self) -> tuple[Contrast, ...]:
        """Parameters that no two measured points differ in alone."""
        return tuple(one for one in self.contrasts if not one.steps)


def measured_pairs(swept: Swept) -> Pairs:
    """What single changes did among the measured points; see the module for what is meant.

    Every measured point counts, also one that breaks a constraint.

    Args:
        swept: what was measured.

    Raises:
        StudyError: nothing was measured.
    """
    if not swept.done:
        raise StudyError("effects need a measured point, got none; see why the points failed")
    factors = factors_of(swept.parameters, swept.done)
    names = [name for name, _ in swept.objectives]
    values = np.array([[row[name] for name in names] for row in swept.done], dtype=float)
    # so that no sum leaves the range of a double, whatever the units
    scale = np.where(values.any(axis=0), np.abs(values).max(axis=0), 1.0)
    codes = np.array([levels.codes for _, levels in factors], dtype=np.int64)
    contrasts = tuple(
        _contrast(parameters, levels, np.delete(codes, place, axis=0), names, values, scale)
        for place, (parameters, levels) in enumerate(factors)
    )
    return Pairs(len(swept.done), swept.untried, contrasts)


def _contrast(
    parameters: tuple[str, ...],
    levels: Levels,
    others: Codes,
    names: Sequence[str],
    values: Floats,
    scale: Floats,
) -> Contrast:
    places = _neighbours(levels.codes, others)
    changes, which = np.unique(levels.codes[places], axis=0, return_inverse=True)
    which = which.reshape(-1)
    steps = []
    for number, (before, after) in enumerate(changes.tolist()):
        mine = places[which == number]
        means = ((values[mine] / scale).mean(axis=0) * scale).tolist()
        of_names = {name: (means[0][n], means[1][n]) for n, name in enumerate(names)}
        steps.append(Step(levels.labels[before], levels.labels[after], len(mine), of_names))
    return Contrast(parameters, levels, places, tuple(steps))


def _neighbours(codes: Codes, others: Codes) -> Codes:
    """Rows that differ in one factor alone, next to each other among its values.

    Args:
        codes: of the factor, by row; one below 0 has no such parameter.
        others: of shape ``(other factors, rows)``.
    """
    rows = np.flatnonzero(codes >= 0)
    if len(others):
        _, alike = np.unique(others[:, rows], axis=1, return_inverse=True)
        alike = alike.reshape(-1)
    else:
        alike = np.zeros(len(rows), dtype=np.int64)
    order = np.lexsort((codes[rows], alike))
    rows, alike = rows[order], alike[order]
    is_pair = (alike[:-1] == alike[1:]) & (codes[rows[:-1]] != codes[rows[1:]])
    pairs: Codes = np.stack((rows[:-1], rows[1:]), axis=1)[is_pair]
    return pairs
