"""Whole periods of a state that recurs, and the time, bytes and busy ticks that they take along.

Two moments are a period apart when everything that decides the future is equal in both but for one
loop of each program, which has gone on. Equal states have equal futures: the period happens again
as often as that loop allows. Nothing is approximated.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from codesign.replay.tally import Tally, add, since

if TYPE_CHECKING:
    from codesign.replay.fabric import Fabric

NESTS = 4
"""Moments kept of one state, so that a loop around a loop is found to recur too (assumed)."""

MOST_STATES = 10_000
"""States kept; of more the oldest are forgotten, so that memory is bounded (assumed)."""

Counts: TypeAlias = "tuple[int, ...]"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a recurring state does not hold.

    Attributes:
        now: the tick.
        counters: repeats to go of each loop, by program.
        tallies: what only ever grows or shrinks, in an order known to whoever took the moment.
        busy: compute ticks by lane.
        tally: of the transfers.
        record: what the recorder of the critical path had noted; None where there is none.
    """

    now: int
    counters: tuple[Counts, ...]
    tallies: Counts
    busy: Counts
    tally: Tally
    record: Any = None


@dataclass(frozen=True, slots=True)
class Leap:
    """Whole periods to skip: the present is one period after ``before``."""

    before: Moment
    present: Moment
    times: int

    @property
    def ticks(self) -> int:
        """Time that passes."""
        return self.times * (self.present.now - self.before.now)

    def counters(self, index: int) -> list[int]:
        """Repeats to go of the loops of one program afterwards."""
        pairs = zip(self.before.counters[index], self.present.counters[index], strict=True)
        return [new - self.times * (old - new) for old, new in pairs]

    def growth(self, index: int) -> int:
        """What a tally grows by."""
        return self.times * (self.present.tallies[index] - self.before.tallies[index])

    def land(self, fabric: Fabric) -> None:
        """Lets the time pass for lanes and transfers."""
        fabric.shift(self.ticks)
        for lane, old, new in zip(
            fabric.lanes.values(), self.before.busy, self.present.busy, strict=True
        ):
            lane.busy_ticks += self.times * (new - old)
        add(fabric.flows.tally, since(self.present.tally, self.before.tally), self.times)


def moment(
    fabric: Fabric, counters: tuple[Counts, ...], tallies: Counts, record: Any = None
) -> Moment:
    """The present moment of a fabric; see ``Moment``."""
    busy = tuple([lane.busy_ticks for lane in fabric.lanes.values()])
    fabric.flows.count(fabric.now)
    return Moment(fabric.now, counters, tallies, busy, dict(fabric.flows.tally), record)


class Recurrence:
    """Remembers moments by their state; looks less and less often while that is in vain.

    Args:
        patience: looks in vain after which one further moment is let pass before the next look.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._states: OrderedDict[object, deque[Moment]] = OrderedDict()
        self._misses = self._pause = 0

    def forget(self) -> None:
        """What was seen is no longer comparable."""
        if self._states:
            self._states = OrderedDict()
        self._misses = self._pause = 0

    def is_due(self) -> bool:
        """Whether to look at this moment."""
        if self._pause:
            self._pause -= 1
            return False
        return True

    def leap(self, state: object, present: Moment, until: int | None) -> Leap | None:
        """The whole periods that may be skipped now, if this state was met before.

        Args:
            state: all that decides the future, but for the counters of loops.
            present: the rest of this moment.
            until: tick that may not be passed, or None.
        """
        met = self._states.setdefault(state, deque(maxlen=NESTS))
        for before in met:
            times = _periods(before, present, until)
            if times >= 1:
                self._misses = self._pause = 0
                return Leap(before, present, times)  # what was seen holds: a loop around may recur
        met.appendleft(present)
        if len(self._states) > MOST_STATES:
            self._states.popitem(last=False)
        self._misses += 1
        self._pause = self._misses // self._patience
        return None


def _periods(before: Moment, present: Moment, until: int | None) -> int:
    """Whole periods that may be skipped; 0 if the two moments are not a period apart."""
    limits = [
        whole_periods(old, new)
        for old, new in zip(before.counters, present.counters, strict=True)
        if old != new
    ]
    if not limits:
        return 0
    period = present.now - before.now
    times = min(limits)
    return times if until is None or not period else min(times, (until - present.now) // period)


def whole_periods(before: Counts, present: Counts) -> int:
    """How often the change between two unequal sets of counters may happen again.

    Args:
        before: repeats that the loops around one place still had to go.
        present: the same one period later.

    Returns:
        0 unless exactly one loop went on. The last repeat of a loop does not count: it ends unlike
        the others.
    """
    (gone, left), *others = [
        (old - new, new) for old, new in zip(before, present, strict=True) if old != new
    ]
    return 0 if others or gone < 0 else max(0, (left - 1) // gone)
