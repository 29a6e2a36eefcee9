"""Bytes per second of memories and links over time, as far as a saved result knows them.

The result knows how many bytes each operator moves through a component, and when it runs. Within a
run they are taken to flow as evenly as the peak of the component allows: what overlaps with others,
whose transfers are fetched ahead, gives way. The integral is what the ledger has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.explore.pareto import Floats
from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_operator

_PS_PER_S = 1_000_000_000_000
_MOST_RUNS = 50_000
"""Runs from which on what overlaps is not put right (assumed): it would take seconds, and a step of
a figure is then so long that it makes no difference."""


@dataclass(frozen=True)
class Rate:
    """A rate that is constant between two edges.

    Attributes:
        edges: picoseconds, rising; one more than there are values.
        values: bytes per second.
    """

    edges: Floats
    values: Floats

    @property
    def bytes(self) -> float:
        """All that flows."""
        return float((self.values * np.diff(self.edges)).sum() / _PS_PER_S)

    def resampled(self, most: int) -> Rate:
        """The same bytes in at most so many steps, which are then equally long."""
        if len(self.values) <= most:
            return self
        flown = np.concatenate(([0.0], np.cumsum(self.values * np.diff(self.edges))))
        edges = np.linspace(self.edges[0], self.edges[-1], most + 1)
        return Rate(edges, np.diff(np.interp(edges, self.edges, flown)) / np.diff(edges))


def rate_of(saved: Saved, component: str, peak: float = 0.0) -> Rate:
    """How many bytes a second a memory or link moves.

    Args:
        saved: the result.
        component: name of a memory or link.
        peak: bytes per second that it can move; 0 where nobody knows.
    """
    stack = bytes_by_operator(saved, frozenset([component]))
    spans, runs = saved.spans, saved.runs
    moved = {name: stack.row(name) for name in stack.rows}
    sizes = np.array([moved.get(op, 0.0) / runs[op] for op in spans.ops], dtype=np.float64)
    kept = np.flatnonzero(sizes)
    # runs that are not listed come after those that are
    cut = float(spans.ends.max()) if saved.left_out > 0 and len(spans.ends) else 0.0
    starts = np.append(spans.starts[kept].astype(np.float64), cut)
    ends = np.append(spans.ends[kept].astype(np.float64), float(saved.makespan))
    ends = np.maximum(ends, starts + 1)
    # what runs no operator, or nobody knows when, flows all the time
    sizes = np.append(sizes[kept], max(0.0, sum(moved.values()) - float(sizes.sum())))
    edges, where = np.unique(np.concatenate((starts, ends)), return_inverse=True)
    first, last = where[: len(starts)], where[len(starts) :]
    lengths, flown = np.diff(edges) / _PS_PER_S, np.zeros(len(edges) - 1)
    if len(starts) > _MOST_RUNS or not peak:
        steps = np.zeros(len(edges))
        np.add.at(steps, first, sizes / (ends - starts))
        np.add.at(steps, last, -sizes / (ends - starts))
        return Rate(edges, np.maximum(0.0, np.cumsum(steps)[:-1]) * _PS_PER_S)
    for place in np.lexsort((starts, ends)):  # earliest end first, who has least choice
        part = slice(first[place], last[place])
        room = np.maximum(0.0, peak * lengths[part] - flown[part])
        flown[part] += _filled(float(sizes[place]), lengths[part], room)
    return Rate(edges, flown / lengths)


def _filled(size: float, lengths: Floats, room: Floats) -> Floats:
    """Bytes for each stretch: at one rate, but where there is less room; more if there is none."""
    rest_size = size - float(room.sum())
    if rest_size >= 0:
        over: Floats = room + rest_size * lengths / lengths.sum()
        return over
    order = np.argsort(room / lengths)
    # filling them all up to the rate of the i-th takes this much
    rates = (room / lengths)[order]
    below = np.concatenate(([0.0], np.cumsum(room[order])[:-1]))
    rest = np.cumsum(lengths[order][::-1])[::-1]
    place = int(np.searchsorted(below + rates * rest, size))
    rate = (size - below[min(place, len(rest) - 1)]) / rest[min(place, len(rest) - 1)]
    taken: Floats = np.minimum(room, rate * lengths)
    return taken
