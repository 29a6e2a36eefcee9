"""How alike two orders are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's correlation, -1 to 1; equal values share the mean of their ranks.

    Args:
        first: values; 0 comes out if they are all equal.
        second: as many others.
    """
    one, two = _ranks(np.asarray(first)), _ranks(np.asarray(second))
    return float(np.corrcoef(one, two)[0, 1]) if np.ptp(one) and np.ptp(two) else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: NDArray[np.float64] = (last - (counts - 1) / 2)[places]
    return means
