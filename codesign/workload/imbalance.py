"""How long the slowest of many lanes takes between two barriers, against the mean of all lanes."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np

from codesign.errors import TraceError
from codesign.workload.density import check_share
from codesign.workload.density_places import Actual
from codesign.workload.distributions import binomial
from codesign.workload.mask import Mask

Balance: TypeAlias = Literal["none", "sort", "steal"]
"""How lanes share uneven work. ``sort``: what belongs to several barriers is given out by size.
``steal``: an idle lane takes work from others, up to so many barriers ahead."""


def scope(slots: int, balance: Balance = "none", group: int = 1) -> int:
    """Multiply-accumulates of a lane over which its work evens out.

    Args:
        slots: those between two barriers, zeros included.
        balance: with ``sort`` and ``steal``, all of a group even out.
        group: barriers that are taken together.

    Raises:
        TraceError: a group where nothing is balanced, or of less than one barrier.
    """
    if group < 1 or (balance == "none" and group > 1):
        raise TraceError(
            f"a group must be at least 1 barrier, and more only with balance sort or steal, got "
            f"{group} with {balance!r}; leave it out, or name the balance"
        )
    return slots * group


@lru_cache(maxsize=4096)
def imbalance(lanes: int, slots: int, share: float) -> float:
    """Mean of the slowest lane over the mean lane, where every element is zero by chance.

    The exact order statistic: the mean of the largest of ``lanes`` numbers of distribution
    Binomial(slots, share) is the sum over x from 0 of ``1 - F(x) ** lanes`` (David and Nagaraja,
    Order Statistics, 2003, section 3.1).

    Args:
        lanes: that wait for each other, at least 1.
        slots: multiply-accumulates of a lane between two barriers, zeros included, see ``scope``.
        share: of them that are done, 0 to 1.

    Returns:
        At least 1; 1 if there is nothing to do.

    Raises:
        TraceError: lanes or slots below 1, or a density outside 0 to 1.
    """
    check_share(share)
    _check(lanes, slots)
    if not share:
        return 1.0
    beyond = np.cumsum(binomial(slots, share)[::-1])[::-1][1:]  # P(more than x), x from 0
    beyond = np.minimum(beyond, 1.0)
    with np.errstate(divide="ignore"):  # certain to be exceeded: log of 0, and all lanes exceed it
        slowest = -np.expm1(lanes * np.log1p(-beyond)).sum()
    return max(1.0, float(slowest / (slots * share)))


def measured_imbalance(mask: Mask, lanes: int, slots: int) -> float:
    """The same where the zeros are known.

    Args:
        mask: rows of its matrix are the work of lanes, so many at a time; all wait for each other
            after every ``slots`` columns.
        lanes: rows at a time. What is left at the end keeps fewer lanes busy, and the mean is that
            of those.
        slots: columns between two barriers, see ``scope``.

    Returns:
        At least 1; 1 if there is nothing to do.

    Raises:
        TraceError: lanes or slots below 1.
    """
    _check(lanes, slots)
    counts = Actual(mask).counts((1, slots))
    starts = np.arange(0, len(counts), lanes)
    slowest = np.maximum.reduceat(counts, starts).sum()
    sums = np.add.reduceat(counts, starts)
    busy = np.minimum(lanes, len(counts) - starts)
    mean = (sums / busy[:, None]).sum()
    return float(slowest / mean) if slowest else 1.0


def _check(lanes: int, slots: int) -> None:
    if lanes < 1 or slots < 1:
        raise TraceError(
            f"lanes that wait for each other, and their slots between barriers, must be at least "
            f"1, got {lanes} and {slots}; an array has rows x columns lanes"
        )
