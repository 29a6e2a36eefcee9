"""An array of lanes that gate or skip the zeros of each factor, and wait for each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from codesign import Op
from codesign.errors import HardwareError, TraceError
from codesign.units import Count, Joules, JoulesPerByte, Unit
from codesign.workload.imbalance import scope
from codesign.workload.work import format_pair

from .engine import Skipping
from .factors import ACTIVATION, WEIGHT, Factors
from .lane_work import LaneWork
from .lanes import Skipped
from .work import Work

Feature = Literal["none", "gate", "skip"]
Steps = Annotated[int, Ge(1), Le(4096), Unit("1")]
Group = Annotated[int, Ge(1), Le(64), Unit("1")]

_LONGEST = 4096
"""Most steps that even out together."""
_STORED = ("weight", "constant")


@dataclass(frozen=True, kw_only=True)
class SparseArray(Skipping):
    """Rows x columns of lanes; each makes one element of the result at a time.

    What happens where a factor is zero is said for each factor (Wu et al., Sparseloop, MICRO 2022,
    section III):

    | feature | time | energy |
    |---|---|---|
    | ``none`` | a slot | a multiply-accumulate |
    | ``gate`` | a slot | ``gate_energy`` |
    | ``skip`` | none | none; the factor comes as its non-zeros and their places |

    All lanes wait for each other after every ``sync`` multiply-accumulates, zeros included, and at
    the end of a tile. Lanes of one row meet the same activations and lanes of one column the same
    weights, so only lanes along the other side differ.

    Attributes:
        rows: lanes along the rows of the result.
        cols: lanes along its columns.
        activation: what happens to zeros of the first factor.
        weight: what happens to zeros of the second factor.
        sync: multiply-accumulates of a lane between two barriers, zeros included.
        balance: what evens out between barriers: ``none``; ``sort``: weights are given to lanes by
            their number of non-zeros, before the run; ``steal``: idle lanes take work from others.
        balance_group: barriers that are taken together by ``sort`` and ``steal``.
        intersection: how places are told, and how a lane with two factors to skip finds its pairs.
            ``bitmap``: masks are combined, so many bits a cycle; ``two_finger``: two lists of
            places are walked, so many places a cycle; ``skip``: each non-zero of the activations
            looks up its weight, so many a cycle.
        intersection_rate: bits, places or look-ups of a lane in a cycle.
        intersection_energy: energy of one cycle of that in one lane; assumed.
        decode_rate: elements whose places a lane decodes in a cycle, zeros included.
        gate_at: where a gate sits. ``mac``: both operands are read all the same; ``store``: a zero
            keeps the operands from being read in the lane, too.
        gate_energy: energy of a slot that is gated; assumed.
        operand_energy: energy per byte that a lane reads of its operands; assumed.
    """

    kind: ClassVar[str] = "sparse_array"
    expected_error: ClassVar[str] = (
        "lanes are taken as independent: where both factors are skipped, barriers are 1 to 4 % too "
        "long; declared densities leave out that some filters are denser than others"
    )

    rows: Count = 1
    cols: Count = 256
    activation: Feature = "none"
    weight: Feature = "skip"
    sync: Steps = 64
    balance: Literal["none", "sort", "steal"] = "none"
    balance_group: Group = 1
    intersection: Literal["bitmap", "two_finger", "skip"] = "bitmap"
    intersection_rate: Count = 64
    intersection_energy: Joules = 0.05e-12
    decode_rate: Count = 16
    gate_at: Literal["mac", "store"] = "mac"
    gate_energy: Joules = 0.03e-12
    operand_energy: JoulesPerByte = 0.1e-12

    def decodes(self, op: Op, operand: int) -> tuple[str, ...]:
        """The codec of its own masks, for a factor whose zeros it skips: lanes take it as it is."""
        feature = (self.activation, self.weight, "none")[min(operand, 2)]
        skips = feature == "skip" and self.intersection == "bitmap"
        return ("bitmap",) if skips and op.inputs[operand].tensor.sparsity else ()

    def check(self) -> None:
        """Groups are balanced by something, and lanes sort only what is known before the run."""
        super().check()
        try:
            scope(self.sync, self.balance, self.balance_group)
        except TraceError as error:
            raise HardwareError(f"{self.name}.balance_group: {error}") from None
        if self.sync * self.balance_group > _LONGEST:
            raise HardwareError(
                f"{self.name}.balance_group: sync x balance_group must be at most {_LONGEST}, got "
                f"{self.sync} x {self.balance_group}; lanes hardly wait for each other by then"
            )
        if self.balance == "sort" and self.weight != "skip":
            raise HardwareError(
                f"{self.name}.balance: 'sort' orders weights that are skipped, and weight is "
                f"{self.weight!r}; skip them, or take 'steal'"
            )

    def work(self, op: Op) -> Work:
        """A contraction on these lanes."""
        factors = Factors.of(op)
        features = {ACTIVATION: self.activation, WEIGHT: self.weight}
        skips = tuple(factor for factor, feature in features.items() if feature == "skip")
        rate = self.macs_per_lane[format_pair(op)]
        sparse = tuple(f for f in skips if factors.spreads[f].sparsity is not None)
        skipped = Skipped(
            tuple(factors.spreads[factor] for factor in skips),
            factors.share(skips),
            rate,
            self._search(factors) if len(sparse) == 2 else 0.0,
            self._scan(sparse),
        )
        return LaneWork(
            op,
            factors,
            self.rows * self.cols * rate,
            self,
            skipped,
            scope(self.sync, self.balance, self.balance_group if self._evens(op, skips) else 1),
        )

    def places_bits(self, work: Work, factor: int) -> float:
        """Masks of 1 bit, or a place for each non-zero; of N:M its place in the group."""
        spread = work.factors.spreads[factor]
        if spread.sparsity is None or spread.sparsity.granularity == "channel":
            return 0.0
        if spread.sparsity.granularity == "n:m":
            return spread.share * _bits(spread.sparsity.m)
        return 1.0 if self.intersection == "bitmap" else spread.share * _bits(spread.fibre)

    def energies_j(self) -> Mapping[str, float]:
        """Those of every such engine, gated slots, intersection and the operands of a lane."""
        return {
            **super().energies_j(),
            "gated mac": self.gate_energy,
            "intersection cycle": self.intersection_energy,
            "operand byte": self.operand_energy,
        }

    def _search(self, factors: Factors) -> float:
        """Cycles per step to match two lists of places, or to look one up in the other."""
        first, second = (spread.share for spread in factors.spreads)
        walked = {"bitmap": 0.0, "two_finger": first + second, "skip": first}
        return walked[self.intersection] / self.intersection_rate

    def _scan(self, sparse: tuple[int, ...]) -> int:
        """Steps of a cycle whose places are decoded and, of two masks, combined."""
        if len(sparse) == 2 and self.intersection == "bitmap":
            return min(self.decode_rate, self.intersection_rate)
        return self.decode_rate if sparse else 0

    def _evens(self, op: Op, skips: tuple[int, ...]) -> bool:
        uneven = [factor for factor in skips if op.inputs[factor].tensor.sparsity is not None]
        known = all(op.inputs[factor].tensor.role in _STORED for factor in uneven)
        return self.balance == "steal" or (self.balance == "sort" and known)


def _bits(extent: int) -> int:
    """Bits that tell one place among so many."""
    return math.ceil(math.log2(max(2, extent)))
