"""Transfers under way: who shares which rate from when to when, in whole units of work.

A transfer is set up first, then shares the links and memories that it crosses with all others that
move bytes at that moment. Rates change only when a transfer begins or ends, so the next end is one
division away.
"""

from __future__ import annotations

from collections.abc import Callable

from codesign.replay.lane import Lane
from codesign.replay.shares import WORK_PER_BYTE, Shares


class Flow:
    """A transfer under way.

    Attributes:
        number: its class in ``Shares``.
        work: units of work still to do at tick ``mark``.
        mark: tick of the last account; the first byte's tick while that lies ahead.
        rate: units per tick since then.
        end: tick at which it ends at the present rate.
        lane: the pipeline that it loads for or stores from; None for someone outside.
        is_load: which of the two.
        done: called when the last byte has arrived, for someone outside.
    """

    __slots__ = ("done", "end", "is_load", "lane", "mark", "number", "rate", "work")

    def __init__(
        self,
        number: int,
        work: int,
        mark: int,
        lane: Lane | None,
        is_load: bool,
        done: Callable[[], None] | None = None,
    ) -> None:
        self.number, self.work, self.mark = number, work, mark
        self.lane, self.is_load, self.done = lane, is_load, done
        self.rate = 0
        self.end = -1


class Flows:
    """All transfers under way.

    Attributes:
        moved: bytes moved by transfer class since the beginning.
        sharing: transfers that share now, or the only one, about to start.
        ahead: transfers set up but not yet at their first byte.
        outside: how many belong to no lane.
    """

    def __init__(self, shares: Shares) -> None:
        self.moved: dict[int, int] = {}
        self.sharing: list[Flow] = []
        self.ahead: list[Flow] = []
        self.outside = 0
        self._shares = shares
        self._changed = False
        self._first_end = -1

    def begin(
        self,
        now: int,
        part: tuple[int, int],
        lane: Lane | None,
        is_load: bool = False,
        done: Callable[[], None] | None = None,
    ) -> None:
        """Begins to set up a transfer of ``part``, a class and a number of bytes."""
        number, size = part
        self.moved[number] = self.moved.get(number, 0) + size
        start = now + self._shares.setups[number]
        flow = Flow(number, size * WORK_PER_BYTE, start, lane, is_load, done)
        self.outside += lane is None
        if self.sharing and self.sharing[0].mark > now:
            self.ahead.append(self.sharing.pop())  # no longer alone: it must share from its start
        if start <= now or not (self.sharing or self.ahead):
            self.sharing.append(flow)
        else:
            self.ahead.append(flow)
        self._changed = True

    def next(self, now: int) -> int:
        """Tick at which the next transfer ends or begins to share; -1 if there is none."""
        if self._changed:
            self._share(now)
        tick = self._first_end
        for flow in self.ahead:
            if flow.mark < tick or tick < 0:
                tick = flow.mark
        return tick

    def start(self, now: int) -> int:
        """Lets those share that have been set up by now; how many those are."""
        started = [flow for flow in self.ahead if flow.mark <= now]
        if started:
            self.ahead = [flow for flow in self.ahead if flow.mark > now]
            self.sharing += started
            self._changed = True
        return len(started)

    def end(self, now: int) -> list[Flow]:
        """Takes away those that end now."""
        if self._first_end != now:
            return []
        over = [flow for flow in self.sharing if flow.end <= now]
        self.sharing = [flow for flow in self.sharing if flow.end > now]
        self._changed = True
        self._first_end = -1
        self.outside -= sum(flow.lane is None for flow in over)
        return over

    def shift(self, ticks: int) -> None:
        """Moves everything later by so many ticks."""
        for flow in self.sharing + self.ahead:
            flow.mark += ticks
            flow.end += ticks
        if self._first_end >= 0:
            self._first_end += ticks

    def replace(self, sharing: list[Flow], ahead: list[Flow]) -> None:
        """Puts other transfers in the place of all; they are counted as moved already."""
        self.sharing, self.ahead = sharing, ahead
        self._changed = True

    def _share(self, now: int) -> None:
        """Accounts the work done at the old rates, then sets the new ones."""
        self._changed = False
        if not self.sharing and len(self.ahead) == 1:
            self.sharing.append(self.ahead.pop())
        if not self.sharing:
            self._first_end = -1
            return
        rates = self._shares.rates(tuple(sorted([flow.number for flow in self.sharing])))
        first = -1
        for flow in self.sharing:
            if flow.mark < now:
                flow.work -= flow.rate * (now - flow.mark)
                flow.mark = now
            flow.rate = rates[flow.number]
            flow.end = flow.mark - (-flow.work // flow.rate)
            if flow.end < first or first < 0:
                first = flow.end
        self._first_end = first
