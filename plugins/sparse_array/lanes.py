"""Lanes that skip zeros between barriers: the slowest one is waited for.

The time between two barriers is that of the lane with the most products, whose expectation is an
exact order statistic: E[max] = sum over t of 1 - F(t)^P for P lanes that are independent, with F
the law of the cycles of one of them (David and Nagaraja, Order Statistics, 2003, section 3.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from codesign.workload.distributions import Pmf, binomial

from .spread import Spread

_RARE = 1e-16
"""Probability below which a number of non-zeros is left out."""
_NOISE = 1e-9
"""Cycles that rounding of shares may add; less than any product takes."""


class Wait(NamedTuple):
    """Cycles from one barrier to the next, in the mean.

    Attributes:
        mean: that a lane multiplies, in whole cycles.
        longest: that the slowest lane multiplies.
        found: the same where a lane waits until its products are found.
    """

    mean: float
    longest: float
    found: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """What lanes multiply of the steps they are given.

    Attributes:
        spreads: of the factors whose zeros are skipped, at most two.
        share: products per step.
        rate: products per cycle and lane.
        search: cycles per step to match the two factors.
        scan: steps of masks or codes that are looked at in a cycle; 0 if none are.
    """

    spreads: tuple[Spread, ...]
    share: float
    rate: float
    search: float = 0.0
    scan: int = 0

    @property
    def uneven(self) -> tuple[Spread, ...]:
        """Factors of which some lanes have more than others, those with a pattern first."""
        found = (spread for spread in self.spreads if not spread.is_even)
        return tuple(sorted(found, key=lambda spread: spread.is_random))

    def finding(self, steps: int) -> int:
        """Cycles that it takes to find the products of so many steps."""
        scan = -(-steps // self.scan) if self.scan else 0
        return max(scan, math.ceil(steps * self.search - _NOISE))

    def law(self, steps: int) -> Pmf:
        """Law of the number of products of a lane in so many steps.

        A product is where both factors have a non-zero: each non-zero of the first meets one of the
        second by chance. That is exact where the zeros of one are independent of each other; of two
        patterns it is an approximation.
        """
        first = self.uneven[0]
        if first.is_random:
            even = math.prod(spread.share for spread in self.spreads if spread.is_even)
            kept = math.ceil(steps * max(even, self.share) - _NOISE)
            return binomial(kept, steps * self.share / kept)
        whole, share = first.law(steps), min(1.0, self.share / first.share)
        law = np.zeros(len(whole))
        for count in np.flatnonzero(whole > _RARE):
            law[: count + 1] += whole[count] * binomial(int(count), share)
        return law


@lru_cache(maxsize=1 << 16)
def wait(skipped: Skipped, lanes: int, steps: int) -> Wait:
    """Cycles between barriers of so many independent lanes with so many steps each."""
    least = steps * skipped.share / skipped.rate
    finding = skipped.finding(steps)
    if not skipped.uneven or not skipped.share:
        cycles = float(math.ceil(least - _NOISE))
        return Wait(cycles, cycles, max(cycles, finding))
    chance = _in_cycles(skipped.law(steps), skipped.rate)
    mean = max(least, float(chance @ np.arange(len(chance))))
    beyond = np.minimum(1.0, np.cumsum(chance[::-1])[::-1][1:])  # more than 0, 1, 2, ... cycles
    with np.errstate(divide="ignore"):  # what every lane exceeds
        slowest = -np.expm1(lanes * np.log1p(-beyond))
    longest = max(mean, float(slowest.sum()))
    return Wait(mean, longest, max(longest, finding + float(slowest[finding:].sum())))


def _in_cycles(law: Pmf, rate: float) -> Pmf:
    """Law of the cycles that a number of products takes."""
    cycles = np.ceil(np.arange(len(law)) / rate - _NOISE).astype(np.int64)
    return np.asarray(np.bincount(cycles, weights=law), dtype=np.float64)
