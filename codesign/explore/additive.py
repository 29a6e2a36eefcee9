"""Least squares of a sum: a mean, and one number for each value of each factor.

The numbers of a factor add up to 0. A row that lacks a factor takes none of its numbers, so that
a factor which exists only beside a value of another is told apart from that value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.explore.levels import Levels

Floats: TypeAlias = "NDArray[np.float64]"

_BLOCK = 4096
"""Rows that are coded at a time, to bound memory."""
_NOISE = 1e-10
"""Relative size below which something is taken for rounding, which is about 1e-15 here."""


@dataclass(frozen=True)
class Additive:
    """A sum that was fitted to columns of numbers.

    Attributes:
        means: for each factor, of shape ``(values, columns)``: what the sum gives on average if
            all rows that have the factor took this value and kept the rest.
        shares: of shape ``(factors, columns)``: part of the variance that is lost without a factor.
        together: of shape ``(columns,)``: part that the sum explains, and no factor alone.
        interplay: of shape ``(columns,)``: part that no sum explains. All parts of a column that
            is constant are 0.
    """

    means: tuple[Floats, ...]
    shares: Floats
    together: Floats
    interplay: Floats


def fit_sum(factors: Sequence[Levels], columns: Floats) -> Additive:
    """Fits a sum to columns of numbers.

    What the rows do not tell apart is shared out evenly (the solution of least norm).

    Args:
        factors: value of each row.
        columns: of shape ``(rows, columns)``, at least one row.
    """
    average = columns.mean(axis=0)
    moments = _Moments.of(factors, columns - average)
    everything = list(range(len(moments.squares)))
    numbers = moments.solved(everything)
    whole = moments.explained(everything)
    rests = [[n for n in everything if n not in own] for own in moments.own]
    shares = np.array([_clean(whole - moments.explained(rest)) for rest in rests])
    shares = shares.reshape(len(factors), len(average))
    means = [average + moments.average(place, numbers) for place in range(len(factors))]
    return Additive(
        tuple(means),
        shares,
        _clean(whole - shares.sum(axis=0)),
        _clean(np.where(np.isfinite(moments.total), 1 - whole, 0.0)),
    )


def _clean(shares: Floats) -> Floats:
    """Shares without what rounding left of nothing."""
    return np.where(np.abs(shares) < _NOISE, 0.0, shares)


@dataclass(frozen=True)
class _Moments:
    """What of the rows matters to the fit.

    Attributes:
        own: which of the numbers that are fitted belong to each factor; 0 is the mean.
        squares: products of the codes of each two numbers, summed over the rows.
        products: of codes and columns, likewise.
        present: for each factor, the mean of the codes over the rows that have it.
        total: sum of squares of each column; infinite where the column is constant.
    """

    own: tuple[range, ...]
    squares: Floats
    products: Floats
    present: Floats
    total: Floats

    @classmethod
    def of(cls, factors: Sequence[Levels], columns: Floats) -> _Moments:
        ends = np.cumsum([1, *(len(levels.labels) - 1 for levels in factors)]).tolist()
        own = tuple(range(start, end) for start, end in pairwise(ends))
        squares = np.zeros((ends[-1], ends[-1]))
        products = np.zeros((ends[-1], columns.shape[1]))
        present = np.zeros((len(factors), ends[-1]))
        for rows, codes in _coded(factors, len(columns), ends[-1]):
            squares += codes.T @ codes
            products += codes.T @ columns[rows]
            for place, levels in enumerate(factors):
                present[place] += (levels.codes[rows] >= 0) @ codes
        present = present / present[:, :1]
        total: Floats = np.where(np.ptp(columns, axis=0) > 0, np.sum(columns**2, axis=0), np.inf)
        return cls(own, squares, products, present, total)

    def solved(self, kept: list[int]) -> Floats:
        """The numbers of least squares, of shape ``(kept, columns)``."""
        found = np.linalg.lstsq(self.squares[np.ix_(kept, kept)], self.products[kept], _NOISE)
        numbers: Floats = found[0].astype(np.float64)
        return numbers

    def explained(self, kept: list[int]) -> Floats:
        """Part of the variance of each column that some of the numbers explain."""
        fitted = np.sum(self.solved(kept) * self.products[kept], axis=0)
        share: Floats = fitted / self.total
        return share

    def average(self, place: int, numbers: Floats) -> Floats:
        """What the sum gives on average at each value of a factor, of shape (values, columns)."""
        own = self.own[place]
        weights = self.present[place].copy()
        weights[own.start : own.stop] = 0.0
        of_values = numbers[own.start : own.stop]
        of_values = np.vstack((of_values, -of_values.sum(axis=0)))
        average: Floats = weights @ numbers + of_values
        return average


def _coded(factors: Sequence[Levels], rows: int, width: int) -> Iterator[tuple[slice, Floats]]:
    """Codes of blocks of rows: 1 at the number of a value, -1 at all of a factor at its last."""
    for start in range(0, rows, _BLOCK):
        block = slice(start, min(start + _BLOCK, rows))
        codes = np.zeros((block.stop - start, width))
        codes[:, 0] = 1.0
        end = 1
        for levels in factors:
            begin, end = end, end + len(levels.labels) - 1
            of_values = np.vstack(
                (np.eye(end - begin), -np.ones(end - begin), np.zeros(end - begin))
            )
            codes[:, begin:end] = of_values[levels.codes[block]]
        yield block, codes
