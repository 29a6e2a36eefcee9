"""Distributions of whole numbers, as arrays of probabilities: index k holds P(k)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pmf: TypeAlias = NDArray[np.float64]

_NOISE = 1e-15
"""What a Fourier transform leaves where the probability is 0."""


def certain(value: int, most: int) -> Pmf:
    """All on one value of 0 to ``most``."""
    found = np.zeros(most + 1)
    found[value] = 1.0
    return found


def binomial(trials: int, share: float) -> Pmf:
    """Successes in independent trials.

    Args:
        trials: at least 0.
        share: probability of one success, 0 to 1.

    Returns:
        ``trials + 1`` probabilities.
    """
    if share in (0.0, 1.0):
        return certain(int(trials * share), trials)
    k = np.arange(trials, dtype=float)
    odds = math.log(share) - math.log1p(-share)
    return _from_steps(np.log((trials - k) / (k + 1)) + odds)


def hypergeometric(size: int, kept: int, drawn: int) -> Pmf:
    """Kept ones among those drawn from ``size`` without putting back.

    Args:
        size: how many there are.
        kept: how many of them count, 0 to ``size``.
        drawn: how many are drawn, 0 to ``size``.

    Returns:
        ``drawn + 1`` probabilities.
    """
    low, high = max(0, drawn - (size - kept)), min(kept, drawn)
    k = np.arange(low, high, dtype=float)
    up = np.log(kept - k) + np.log(drawn - k)
    down = np.log(k + 1) + np.log(size - kept - drawn + k + 1)
    found = np.zeros(drawn + 1)
    found[low : high + 1] = _from_steps(up - down)
    return found


def spread(pmf: Pmf, weight: int) -> Pmf:
    """The distribution of ``weight`` times the number."""
    found = np.zeros((len(pmf) - 1) * weight + 1)
    found[::weight] = pmf
    return found


def total(parts: Sequence[tuple[Pmf, int]]) -> Pmf:
    """The distribution of a sum of independent numbers.

    Args:
        parts: each a distribution and how many numbers have it, at least 1.

    Returns:
        Probabilities of 0 up to the largest sum; those below 1e-15 are 0 if there are several.
    """
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    most = sum((len(pmf) - 1) * times for pmf, times in parts)
    length = 1 << most.bit_length()  # a power of 2 that has room, or a prime would take long
    transform = np.ones(length // 2 + 1, dtype=complex)
    for pmf, times in parts:
        transform *= np.fft.rfft(pmf, length) ** times
    found = np.fft.irfft(transform, length)[: most + 1]
    found[found < _NOISE] = 0.0
    return np.asarray(found / found.sum())


def _from_steps(steps: NDArray[np.float64]) -> Pmf:
    """From ``log P(k + 1) - log P(k)``, so that no factorial overflows or cancels."""
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
