"""Main effects: how much each parameter of a study moves each objective, all others apart.

Every objective is fitted by least squares as a mean plus one number for each value of each
parameter. A parameter that a point lacks adds nothing to it.

The mean at a value is what that fit gives on average if all measured points took this value and
kept the rest (predictive margins: Lane and Nelder, Biometrics 38(3), 1982, section 2). In a
complete table this is the plain mean over the other parameters. In one that lacks combinations,
because constraints leave them out or they failed, it is not: a value that was only measured next to
cheap values of others does not look cheap for that reason, as far as a sum fits (see the
interplay).

Where bounds or an optimiser chose what to measure, the sum answers for points that nobody has
measured, and may be far off: tables and figures then show ``codesign.explore.pairs`` instead.

The share of a parameter is the part of an objective's variance that the fit loses without it (sums
of squares of type II: Yates, Journal of the American Statistical Association 29, 1934). Shares add
up to 100 % with what several explain together, since their values were measured side by side, and
what is no sum of parts at all, the interplay. In a complete table nothing is explained together; in
another that part may be below 0, where one parameter hides the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codesign.errors import StudyError
from codesign.explore.additive import Floats, fit_sum
from codesign.explore.levels import factors_of

if TYPE_CHECKING:
    from codesign.explore.swept import Swept

MOST_VALUES = 12
"""Most values of a parameter that are told apart; of more, neighbours go together (assumed)."""


@dataclass(frozen=True)
class Effect:
    """What one parameter does, or several that always change together.

    Attributes:
        parameters: names.
        values: labels of what they take.
        counts: points that were measured at each value.
        means: of each objective at each value, in its unit.
        shares: of the variance of each objective that only this explains, 0 to 1.
    """

    parameters: tuple[str, ...]
    values: tuple[str, ...]
    counts: tuple[int, ...]
    means: Mapping[str, tuple[float, ...]]
    shares: Mapping[str, float]

    @property
    def name(self) -> str:
        """Names of the parameters, with a plus between them."""
        return " + ".join(self.parameters)


@dataclass(frozen=True)
class Effects:
    """Main effects of a table.

    Attributes:
        points: how many were measured.
        effects: of each parameter that varies, in order of the study.
        together: share of the variance of each objective that several explain, and none alone;
            below 0 where one hides another.
        interplay: share that no sum of effects explains.
    """

    points: int
    effects: tuple[Effect, ...]
    together: Mapping[str, float]
    interplay: Mapping[str, float]

    def ranked(self, objective: str) -> list[Effect]:
        """Effects on an objective, that with the largest share first."""
        return sorted(self.effects, key=lambda effect: -effect.shares[objective])


def main_effects(swept: Swept) -> Effects:
    """How much each parameter moves each objective; see the module for what is meant.

    Every measured point counts, also one that breaks a constraint. Of more than ``MOST_VALUES``
    values of a parameter neighbours are taken together. An objective that never changes has no
    variance, so that all its shares are 0.

    Args:
        swept: what was measured.

    Raises:
        StudyError: nothing was measured.
    """
    if not swept.done:
        raise StudyError("main effects need a measured point, got none; see why the points failed")
    names = [name for name, _ in swept.objectives]
    rows = np.array([[row[name] for name in names] for row in swept.done], dtype=float)
    # so that no square leaves the range of a double, whatever the units
    scale = np.where(rows.any(axis=0), np.abs(rows).max(axis=0), 1.0)
    factors = [
        (tied, levels.at_most(MOST_VALUES))
        for tied, levels in factors_of(swept.parameters, swept.done)
    ]
    found = fit_sum([levels for _, levels in factors], rows / scale)

    def by_name(numbers: Floats) -> dict[str, float]:
        return dict(zip(names, numbers.tolist(), strict=True))

    effects = []
    for place, (parameters, levels) in enumerate(factors):
        columns = (found.means[place] * scale).T.tolist()
        means = dict(zip(names, map(tuple, columns), strict=True))
        shares = by_name(found.shares[place])
        effects.append(Effect(parameters, levels.labels, levels.counts, means, shares))
    together, interplay = by_name(found.together), by_name(found.interplay)
    return Effects(len(rows), tuple(effects), together, interplay)
