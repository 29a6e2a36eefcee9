"""Whether work arrives faster than it is done, said in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from codesign.units import PS_PER_S

if TYPE_CHECKING:
    from codesign.replay.run import Invocation

FEWEST = 3
"""Moments of release that a trend needs."""


def grows(runs: Sequence[Invocation]) -> bool:
    """Whether a backlog grew over one window.

    That is so if every response of the last quarter is longer than any of the first half, and than
    the mean interval between releases. Where the load is below 1 responses settle, so those of the
    first half are as long as later ones.

    Args:
        runs: runs of one stream in the order in which they were asked for.
    """
    by_moment = groupby(runs, key=lambda run: run.asked)
    moments: list[tuple[int, int]] = [
        (asked, max(run.end - asked for run in group)) for asked, group in by_moment
    ]
    if len(moments) < FEWEST:
        return False
    times = [response for _, response in moments]
    first, last = times[: (len(times) + 1) // 2], times[-max(1, len(times) // 4) :]
    elapsed = moments[-1][0] - moments[0][0]
    return min(last) > max(first) and min(last) * (len(moments) - 1) > elapsed


def describe_growth(name: str, runs: Sequence[Sequence[Invocation]], left: int) -> Iterator[str]:
    """A sentence on a stream whose backlog grew; nothing on others.

    Args:
        name: name of the stream.
        runs: its runs by window.
        left: runs that had not ended when the input did, in the worst window.
    """
    bad = [window for window in runs if grows(window)]
    if bad:
        first, last = (run.end - run.asked for run in (bad[-1][0], bad[-1][-1]))
        where = f" in {len(bad)} of {len(runs)} utterances" if len(runs) > 1 else ""
        yield (
            f"{name} is overloaded{where}: its response grows from {first / PS_PER_S:.3g} s to "
            f"{last / PS_PER_S:.3g} s, and {left:,} of its runs are left when the input ends"
        )


def describe_demand(offered: Mapping[str, float]) -> Iterator[str]:
    """A sentence on each component that is asked for a second of work or more per second of input.

    Args:
        offered: seconds of work at full rate per second of input, by component.
    """
    for name, load in offered.items():
        if load >= 1:
            yield f"{name} is overloaded: each second of input brings {load:.3g} s of work for it"
