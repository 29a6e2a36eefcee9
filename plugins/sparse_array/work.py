"""What tiles of one operator cost an engine that skips zeros, and where its slots go."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign import Op
from codesign.mapping.nest import Lane
from codesign.mapping.tiling import Array, Sizes

from .factors import Factors

Floats: TypeAlias = "NDArray[np.float64]"
Slots: TypeAlias = "dict[str, Floats]"
"""Multiply-accumulate slots of tiles by cause; ``work`` are the products."""

_NOISE = 1e-6
"""Cycles that rounding may add; less than any product takes."""


@dataclass(frozen=True, slots=True)
class Work(ABC):
    """One contraction on one engine.

    Attributes:
        op: the contraction.
        factors: of it.
        slots_per_cycle: multiply-accumulates that the engine could do in a cycle.
    """

    op: Op
    factors: Factors
    slots_per_cycle: float

    @property
    @abstractmethod
    def skips(self) -> Collection[int]:
        """Factors whose zeros take no slot."""

    @property
    @abstractmethod
    def gates(self) -> Collection[int]:
        """Factors whose zeros take a slot and no energy of a multiply-accumulate."""

    @property
    @abstractmethod
    def grain(self) -> tuple[int, int, int, int]:
        """Natural multiples of tile sizes (g, m, k, n)."""

    @property
    @abstractmethod
    def lanes(self) -> tuple[Lane, ...]:
        """What runs side by side, for people."""

    @abstractmethod
    def spent(self, sizes: Sizes) -> Slots:
        """Slots of tiles by cause, in the mean and without rounding; vectorised."""

    @abstractmethod
    def open_sums(self, sizes: Sizes) -> Array:
        """Sums that are in progress at a time where tiles have all of the reduction."""

    def actions(self, sizes: Sizes) -> dict[tuple[str, str], Floats]:
        """What tiles do beside multiplying, by component and action; nothing by default."""
        return {}

    @property
    def issued(self) -> float:
        """Share of the multiply-accumulates that take a slot."""
        return self.factors.share(self.skips)

    @property
    def multiplied(self) -> float:
        """Share of them that take the energy of one."""
        return self.factors.share({*self.skips, *self.gates})

    @property
    def effective(self) -> int:
        """Multiply-accumulates of which no factor is zero."""
        return round(self.op.macs * self.factors.both)

    def cycles(self, sizes: Sizes) -> Array:
        """Cycles of tiles; vectorised."""
        total = np.sum(list(self.spent(sizes).values()), axis=0) / self.slots_per_cycle
        cycles: Array = np.maximum(1, np.ceil(total - _NOISE)).astype(np.int64)
        return cycles

    def book(self, spent: Mapping[str, float], cycles: int) -> tuple[tuple[str, int], ...]:
        """All slots of an operator by cause, in whole numbers.

        Args:
            spent: of all tiles, without rounding.
            cycles: of all tiles.
        """
        total = math.floor(cycles * self.slots_per_cycle)
        work, issued = spent["work"], self.issued or 1.0
        causes = {cause: count for cause, count in spent.items() if cause != "work"}
        causes["gated"] = work * (self.issued - self.multiplied) / issued
        causes["zero operands"] = work * (self.multiplied - self.factors.both) / issued
        rounding = cycles * self.slots_per_cycle - sum(spent.values())
        causes["quantisation"] = causes.pop("quantisation") + rounding
        effective = min(self.effective, total)
        ends = np.cumsum([max(0.0, count) for count in causes.values()])
        scale = (total - effective) / ends[-1] if ends[-1] else 0.0
        parts = np.diff(np.rint(ends * scale).astype(np.int64), prepend=0)
        booked = {"effective": effective} | dict(zip(causes, parts.tolist(), strict=True))
        booked["quantisation"] += total - sum(booked.values())
        return tuple((cause, count) for cause, count in booked.items() if count)


def blocks(total: Array, size: int) -> tuple[tuple[Array, Array], ...]:
    """Whole blocks and the one at the edge: how many, and of what size."""
    return (total // size, np.full_like(total, size)), (
        (total % size > 0).astype(np.int64),
        total % size,
    )
