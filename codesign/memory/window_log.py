"""What happened between two clocks of a run, as its log says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import Run
from codesign.memory.tables import Tables


class Tally(NamedTuple):
    """What happened after one clock and not after another.

    Attributes:
        issued: commands, by number of the command.
        turnarounds: changes between reading and writing on a data bus.
        active_clocks: clocks with a bank open, summed over ranks.
    """

    issued: tuple[int, ...]
    turnarounds: int
    active_clocks: int


def tally(runs: Sequence[Tables], loop: Run, begin: int, stop: int) -> Tally:
    """Counts what happened in a run, whose final states it writes over.

    Args:
        runs: final states with a log, of all channels together or of separate ones.
        loop: of the controller that made them; it counts too, so that one function is compiled.
        begin: first clock whose commands do not count.
        stop: last clock whose commands count.
    """
    total = np.sum([_counted(one, loop, begin, stop) for one in runs], axis=0).tolist()
    return Tally(tuple(total[: c.COMMANDS]), *total[c.COMMANDS :])


def _counted(run: Tables, loop: Run, begin: int, stop: int) -> list[int]:
    """Commands by number, turnarounds and clocks with a bank open."""
    numbers, ranks = run.numbers, run.ranks.rows
    log = run.log.rows[: int(numbers[f.LOGGED])]
    if np.any(log[1:, 0] < log[:-1, 0]):  # a row that closes with its column closes later
        log[:] = log[np.argsort(log[:, 0], kind="stable")]
    ranks[:, [f.OPEN_BANKS, f.OPEN_SINCE, f.OPEN_CLOCKS]] = 0
    ranks[:, f.DIRECTION] = -1
    numbers[[f.TALLYING, f.BEGIN, f.STOP]] = 1, begin, stop
    loop(numbers)
    left = np.maximum(0, stop - np.maximum(ranks[:, f.OPEN_SINCE], begin))
    opened = ranks[:, f.OPEN_CLOCKS] + left * (ranks[:, f.OPEN_BANKS] > 0)
    return [*numbers[f.TALLY : f.TALLY + c.COMMANDS + 1].tolist(), int(opened.sum())]
