"""Whether work arrives faster than it is done, judged by rates and said in words and numbers.

A stream is compared with its own arrival process, not with the arrivals that a seed happened to
draw: a crowd at random is no overload, and settles.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from codesign.replay.run import Invocation

FEWEST = 2
"""Gaps between runs from which a stream can be judged."""

_STUDENT = (63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499)
"""Exceeded with probability 0.005 by Student's t with 1 to 7 degrees of freedom.

The last serves for any more of them: it is exceeded with a probability below 0.005 then.

Source: Student, "The probable error of a mean", Biometrika 6, 1908; quantiles of any table.
"""


def queued_gaps(runs: Sequence[Invocation]) -> list[int]:
    """Ticks from end to end of two runs of which the later queued up behind the earlier.

    While a stream queues it ends its runs as fast as it can, so these are the times that a run
    costs it, with what it waits for engines and links that others use.

    Args:
        runs: runs of one stream and window in the order in which they were asked for.
    """
    return [
        later.end - earlier.end
        for earlier, later in pairwise(runs)
        if later.asked < earlier.end and later.start > later.asked
    ]


def falls_behind(gaps: Sequence[int], interval: Fraction) -> bool:
    """Whether queued runs end further apart than runs are asked for, beyond chance.

    The mean gap must exceed the interval, by Student's t-test on the gaps with a chance of at most
    0.5 % where both are equal; gaps that are all alike need no test. So a stream whose runs take as
    long as each other is flagged exactly if its load is above 1, whether its arrivals are even or
    Poisson: no false alarm at any load below.

    It can miss an overload with fewer than 2 gaps between queued runs, one whose gaps scatter so
    widely that the excess is lost in them, one of a pipeline so deep that its first operator does
    not queue yet (``component_loads`` sees it), and one that lasts for a part of the input only.
    Gaps that follow each other closely, as under a neighbour with bursts, make a false alarm
    likelier than 0.5 % where the load is near 1.

    Args:
        gaps: ``queued_gaps`` of all windows.
        interval: mean ticks from one run that is asked for to the next.
    """
    number = len(gaps)
    if number < FEWEST or sum(gaps) <= number * interval:
        return False
    spread = statistics.stdev(gaps)
    sure = _STUDENT[min(number - 1, len(_STUDENT)) - 1]
    return (sum(gaps) / number - float(interval)) * math.sqrt(number) > sure * spread


def can_be_judged(runs: Sequence[Sequence[Invocation]]) -> bool:
    """Whether enough runs can queue behind another of their own window to tell a growing queue.

    Args:
        runs: runs of one stream by window.
    """
    return sum(max(0, len(window) - 1) for window in runs) >= FEWEST


def describe_queue(
    name: str, runs: Sequence[Sequence[Invocation]], interval: Fraction, left: int
) -> Iterator[str]:
    """A sentence on a stream that falls behind; nothing on others.

    Args:
        name: name of the stream.
        runs: its runs by window.
        interval: mean ticks from one run that is asked for to the next.
        left: runs that had not ended when the input did, in the worst window.
    """
    gaps = [gap for window in runs for gap in queued_gaps(window)]
    if falls_behind(gaps, interval):
        longest = max(run.end - run.asked for window in runs for run in window)
        yield (
            f"{name} is overloaded: a run is asked for every {float(interval) / PS_PER_S:.4g} s "
            f"and ends every {statistics.mean(gaps) / PS_PER_S:.4g} s; the longest response is "
            f"{longest / PS_PER_S:.3g} s, and {left:,} runs are left when the input ends"
        )


def describe_demand(offered: Mapping[str, float]) -> Iterator[str]:
    """A sentence on each component that is asked for a second of work or more per second of input.

    Args:
        offered: seconds of work at full rate per second of input, by component.
    """
    for name, load in offered.items():
        if load >= 1:
            yield f"{name} is overloaded: each second of input brings {load:.3g} s of work for it"
