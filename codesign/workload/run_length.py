"""Run lengths: a coding of ranks that counts the empty coordinates before each occupied one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density_places import Placed
from codesign.workload.ranks import Coding, Fibers


@dataclass(frozen=True, slots=True)
class RLE(Coding):
    """Each occupied coordinate is kept beside the number of empty ones before it.

    A run that its bits cannot count keeps a filler, an empty coordinate, for every ``2 ** width``
    of it. Runs of a mask or a band are counted. Others are those to be expected between elements,
    blocks, channels or places in groups that are kept at random.

    Attributes:
        width: bits of a run, 1 to 16.
    """

    width: int

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 16:
            raise TraceError(f"a run must have 1 to 16 bits, got {self.width}; take for example 4")

    def kept(self, fibers: Fibers) -> int:
        """The occupied ones and the fillers."""
        span = 1 << self.width
        if isinstance(fibers.density, Placed):
            return fibers.occupied + _counted(fibers.density, span)
        expected = _in_groups(*fibers.group, span) if fibers.group else _at_random(fibers, span)
        return fibers.occupied + round(fibers.occupied * expected)

    def bits(self, fibers: Fibers) -> int:
        """A run for each that is kept."""
        return self.kept(fibers) * self.width


def _counted(density: Placed, span: int) -> int:
    """Fillers of a pattern that is known, in the order of its rows."""
    kept: NDArray[np.bool_] = density.sample(density.matrix(), np.random.default_rng(0))
    runs = np.diff(np.flatnonzero(kept), prepend=-1) - 1
    return int((runs // span).sum())


def _in_groups(n: int, m: int, span: int) -> float:
    """Fillers for each of n occupied coordinates of every m, all choices of n being as likely.

    The n + 1 runs of a group, those at its ends too, are distributed alike, the first being of k
    with probability C(m - 1 - k, n - 1) / C(m, n). Two of them meet between groups.
    """
    steps = np.arange(m - n)
    one = np.cumprod(np.append(n / m, (m - n - steps) / (m - 1 - steps)))
    two = np.convolve(one, one)
    inside, between = (float(run @ (np.arange(len(run)) // span)) for run in (one, two))
    return ((n - 1) * inside + between) / n


def _at_random(fibers: Fibers, span: int) -> float:
    """Fillers for each occupied coordinate: the sum of P(run >= k span) over k from 1.

    Between random coordinates runs are geometric, so that with q the probability of ``span`` empty
    ones the sum is q / (1 - q). Of the coordinates of a block only the last is before a run, and
    the run is one of whole blocks: k spans of them are ceil(k span / side) blocks, which is summed
    here over the number of blocks, one lap of ``span`` of them at a time.
    """
    if fibers.occupied in (0, fibers.coordinates):
        return 0.0
    empty = 1 - fibers.occupied / fibers.coordinates
    blocks = np.arange(1, span + 1)
    spans = blocks * fibers.side // span - (blocks - 1) * fibers.side // span
    return float((empty**blocks * spans).sum() / (1 - empty**span) / fibers.side)
