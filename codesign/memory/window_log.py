"""What happened between two clocks of a run, read from its log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codesign.memory import commands as c
from codesign.memory.device import Device
from codesign.memory.mapping import Ints


def count_command(log: Ints, command: int, begin: int, end: int) -> int:
    """Commands of a kind after clock ``begin`` and not after ``end``."""
    return int(np.count_nonzero((log[:, 1] == command) & _inside(log, begin, end)))


def count_turnarounds(log: Ints, device: Device, begin: int, end: int) -> int:
    """Changes between reading and writing on a data bus, after ``begin`` and not after ``end``."""
    organisation = device.organisation
    columns = log[(log[:, 1] == c.RD) | (log[:, 1] == c.WR)]
    bus = columns[:, 2] // (organisation.ranks * organisation.rank_banks)
    order = np.argsort(bus, kind="stable")
    columns, bus = columns[order], bus[order]
    turned = (columns[1:, 1] != columns[:-1, 1]) & (bus[1:] == bus[:-1])
    return int(np.count_nonzero(turned & _inside(columns[1:], begin, end)))


def open_clocks(log: Ints, device: Device, begin: int, end: int) -> int:
    """Clocks with a bank open from ``begin`` to ``end``, summed over ranks.

    Args:
        log: from the start of the run, in the order of clocks.
        device: that was run; its log names banks and ranks by number.
        begin: first clock that counts.
        end: first clock that does not.
    """
    rows = log[(log[:, 1] == c.ACT) | (log[:, 1] == c.PRE) | (log[:, 1] == c.PREA)]
    whole_rank = rows[:, 2] < 0
    rank = np.where(whole_rank, -1 - rows[:, 2], rows[:, 2] // device.organisation.rank_banks)
    order = np.argsort(rank, kind="stable")
    rows, rank = rows[order], rank[order]
    step = np.where(rows[:, 1] == c.ACT, 1, np.where(rows[:, 1] == c.PRE, -1, 0))
    total = np.cumsum(step)
    # the banks of a rank that are open now are those since all of them were closed at once
    first_of_rank = np.append(True, rank[1:] != rank[:-1])[: len(rank)]
    closed = (rows[:, 1] == c.PREA) | first_of_rank
    base = np.where(rows[:, 1] == c.PREA, total, total - step)
    since = np.maximum.accumulate(np.where(closed, np.arange(len(rows)), 0))
    opened = total - base[since] > 0
    until = np.append(np.where(rank[1:] == rank[:-1], rows[1:, 0], end), end)[: len(rows)]
    length = np.clip(until, begin, end) - np.clip(rows[:, 0], begin, end)
    return int(length[opened].sum())


def _inside(log: Ints, begin: int, end: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (log[:, 0] > begin) & (log[:, 0] <= end)
    return inside
