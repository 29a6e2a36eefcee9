"""Bytes per second of memories and links over time, as far as a saved result knows them.

The result knows how many bytes each operator moves through a component, and when it runs. Within a
run they are taken to flow as evenly as the peak of the component allows: what overlaps with others,
whose transfers are fetched ahead, gives way, and where there is no room those before it flow as
early as they can. The integral is what the ledger has.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from codesign.explore.pareto import Floats
from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_operator

_PS_PER_S = 1_000_000_000_000
_MOST_RUNS = 50_000
"""Runs from which on what overlaps is not put right (assumed): it would take seconds, and a step of
a figure is then so long that it makes no difference."""
_LOOK_BACK = 64
"""Runs that may make room for the next one (assumed)."""
_MOST_TRIES = 20_000
"""Runs that are moved to find room before the rest stays as it is (assumed): about a second."""
_NEAR = 1e-9
"""Relative: what sums of floats may miss a room by (assumed)."""


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
    runs_of = [slice(*pair) for pair in zip(first.tolist(), last.tolist(), strict=True)]
    # earliest end first, who has least choice
    order = np.lexsort((starts, ends)).tolist()
    filling = _Filling(lengths, peak * lengths, flown)
    for place in order:
        filling.add(runs_of[place], float(sizes[place]))
    return Rate(edges, flown / lengths)


class _Filling:
    """Puts bytes of runs into stretches of time, none of which holds more than its room."""

    def __init__(self, lengths: Floats, most: Floats, flown: Floats) -> None:
        self._lengths, self._most, self._flown = lengths, most, flown
        self._last: deque[tuple[slice, float, Floats]] = deque(maxlen=_LOOK_BACK)
        self._tries = _MOST_TRIES

    def add(self, part: slice, size: float) -> None:
        """Spreads a run evenly; where it finds no room, those before it move ahead if they can."""
        room = np.maximum(0.0, self._most[part] - self._flown[part])
        if size > float(room.sum()) * (1 + _NEAR) and self._move_ahead(part, size):
            return
        taken = _filled(size, self._lengths[part], room)
        self._flown[part] += taken
        self._last.append((part, size, taken))

    def _move_ahead(self, part: slice, size: float) -> bool:
        """Tries to lay as few as possible of the last runs, and this one, as early as they go.

        Earliest end first and as early as possible finds room whenever there is any.
        """
        back = 1
        while self._last and self._tries > 0:
            runs = list(self._last)[-back:]
            self._tries -= len(runs)
            low = min(part.start, *(one.start for one, _, _ in runs))
            trial = self._flown[low : part.stop].copy()
            for one, _, taken in runs:
                trial[one.start - low : one.stop - low] -= taken
            again = [(one, amount) for one, amount, _ in runs] + [(part, size)]
            laid = self._laid(trial, low, again)
            if laid is not None:
                for _ in runs:
                    self._last.pop()
                self._last.extend(laid)
                self._flown[low : part.stop] = trial
                return True
            if back >= len(self._last):
                return False
            back *= 2
        return False

    def _laid(
        self, trial: Floats, low: int, runs: list[tuple[slice, float]]
    ) -> list[tuple[slice, float, Floats]] | None:
        """Lays runs into what is there from a stretch on, each as early as it goes."""
        laid = []
        for part, size in runs:
            here = slice(part.start - low, part.stop - low)
            filled = np.cumsum(np.maximum(0.0, self._most[part] - trial[here]))
            if filled[-1] < size * (1 - _NEAR):
                return None
            taken = np.diff(np.minimum(filled, size), prepend=0.0)
            trial[here] += taken
            laid.append((part, size, taken))
        return laid


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
