"""The two factors of a contraction: how often the one, the other and both are not zero."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from codesign import Op

from .masks import per_step
from .spread import Spread

ACTIVATION, WEIGHT = 0, 1


@dataclass(frozen=True, slots=True)
class Factors:
    """Shares of the multiply-accumulates of a contraction.

    Attributes:
        spreads: of the first factor, mostly activations, and of the second, mostly weights.
        both: share in which both factors are not zero.
    """

    spreads: tuple[Spread, Spread]
    both: float

    @classmethod
    def of(cls, op: Op) -> Factors:
        """The factors of a contraction.

        Zeros of the two are independent, but where both are known element by element: then their
        products are counted at each step of the loops that index both, such as the reduction.
        """
        spreads = Spread.of(op, ACTIVATION), Spread.of(op, WEIGHT)
        first, second = per_step(op, ACTIVATION), per_step(op, WEIGHT)
        if first is None or second is None:
            return cls(spreads, spreads[0].share * spreads[1].share)
        return cls(spreads, float((first * second).mean()))

    def share(self, factors: Collection[int]) -> float:
        """Multiply-accumulates in which all of these factors are not zero."""
        found = [self.spreads[factor].share for factor in sorted(set(factors))]
        return self.both if len(found) == 2 else found[0] if found else 1.0
