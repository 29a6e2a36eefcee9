"""Transfers under way: who shares which rate from when to when, in whole units of work.

A transfer is set up first, then shares the links and memories that it crosses with all others that
move bytes at that moment. Rates change only when a transfer begins or ends, so the next end is one
division away. Transfers that touch a memory which an engine has for itself stand still.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from codesign.replay.lane import Lane
from codesign.replay.shares import WORK_PER_BYTE, Shares
from codesign.replay.sleep import Sleeper
from codesign.replay.tally import Tally

if TYPE_CHECKING:
    from codesign.replay.record import Recorder, Trail


class Flow:
    """A transfer under way.

    Attributes:
        number: its class in ``Shares``.
        work: units of work still to do at tick ``mark``.
        mark: tick of the last account; the first byte's tick while that lies ahead.
        rate: units per tick since then; 0 while it stands still.
        end: tick at which it ends at the present rate; -1 while it stands still.
        lane: the pipeline that it loads for or stores from; None for someone outside.
        is_load: which of the two.
        done: called when the last byte has arrived, for someone outside.
        trail: what the recorder notes of it; None where there is no recorder.
    """

    __slots__ = ("done", "end", "is_load", "lane", "mark", "number", "rate", "trail", "work")

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
        self.trail: Trail | None = None


class Flows:
    """All transfers under way.

    Attributes:
        tally: what has only ever grown since the beginning; see ``replay.tally``.
        sharing: transfers that share now, or the only one, about to start.
        ahead: transfers set up but not yet at their first byte.
        first_end: tick at which the first of those that share ends; -1 if none does.
        outside: how many belong to no lane.
        last: tick at which one ended last, as far as they stood.
        occupied: memories that an engine has for itself.
        stands: whether the transfers are those of the present; if not, somebody else keeps the
            tally.
        mix: classes that have shared since the last change of rates, sorted.
    """

    def __init__(self, shares: Shares, recorder: Recorder | None = None) -> None:
        self.tally: Tally = {}
        self.sharing: list[Flow] = []
        self.ahead: list[Flow] = []
        self.occupied: set[str] = set()
        self.outside = 0
        self.last = 0
        self.stands = True
        self._shares = shares
        self._recorder = recorder
        self._changed = False
        self.first_end = -1
        self.mix: tuple[int, ...] = ()
        self._since = 0  # when those classes began to share
        self._sleepers = [Sleeper(name, rests) for name, rests in shares.rests.items()]

    def begin(
        self,
        now: int,
        part: tuple[int, int],
        lane: Lane | None,
        is_load: bool = False,
        done: Callable[[], None] | None = None,
    ) -> Flow:
        """Begins to set up a transfer of ``part``, a class and a number of bytes."""
        number, size = part
        self.tally[number] = self.tally.get(number, 0) + size
        start = now + self._shares.setups[number]
        if self._sleepers:
            start += self._wake(number, now)
        flow = Flow(number, size * WORK_PER_BYTE, start, lane, is_load, done)
        self.outside += lane is None
        if self.sharing and self.sharing[0].mark > now:
            self.ahead.append(self.sharing.pop())  # no longer alone: it must share from its start
        if start <= now or not (self.sharing or self.ahead):
            self.sharing.append(flow)
        else:
            self.ahead.append(flow)
        self._changed = True
        return flow

    def next(self, now: int) -> int:
        """Tick at which the next transfer ends or begins to share; -1 if there is none."""
        if self._changed:
            self._share(now)
        tick = self.first_end
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
        """Takes away those that end at ``first_end``, which is now."""
        self.last = now
        over, going = list[Flow](), list[Flow]()
        for flow in self.sharing:
            (over if flow.rate and flow.end <= now else going).append(flow)
        self.sharing = going
        self._changed = True
        self.first_end = -1
        if self.outside:
            self.outside -= sum(flow.lane is None for flow in over)
        for sleeper in self._sleepers:
            sleeper.end(
                sum(self._shares.touches(flow.number, sleeper.memory) for flow in over), now
            )
        return over

    def occupy(self, memories: tuple[str, ...], now: int) -> int:
        """Gives memories to an engine; ticks until they are awake."""
        self.occupied.update(memories)
        self._changed = True
        sleepers = [sleeper for sleeper in self._sleepers if sleeper.memory in memories]
        return max([sleeper.begin(now, self.tally) for sleeper in sleepers], default=0)

    def free(self, memories: tuple[str, ...], now: int) -> None:
        """Takes memories from the engine that had them."""
        self.occupied.difference_update(memories)
        self._changed = True
        for sleeper in self._sleepers:
            sleeper.end(int(sleeper.memory in memories), now)

    def shift(self, ticks: int) -> None:
        """Moves everything later by so many ticks."""
        for flow in self.sharing + self.ahead:
            flow.mark += ticks
            flow.end += ticks
        if self.first_end >= 0:
            self.first_end += ticks
        self._since += ticks
        for sleeper in self._sleepers:
            sleeper.shift(ticks)

    def replace(
        self,
        sharing: list[Flow],
        ahead: list[Flow],
        occupied: set[str],
        ages: tuple[int, ...],
        now: int,
    ) -> None:
        """Puts other transfers in the place of all; they are counted as moved already.

        Args:
            sharing: transfers that share.
            ahead: transfers that are set up.
            occupied: memories that engines have for themselves.
            ages: how long each memory that rests has been idle, from ``ages``.
            now: the present tick.
        """
        self.sharing, self.ahead, self.occupied = sharing, ahead, occupied
        self._changed = True
        self.mix = ()
        self.stands = True
        for sleeper, age in zip(self._sleepers, ages, strict=True):
            active = [self._shares.touches(f.number, sleeper.memory) for f in sharing + ahead]
            sleeper.replace(sum(active) + (sleeper.memory in occupied), age, now)

    @property
    def rests(self) -> bool:
        """Whether time alone changes the state of some memory."""
        return bool(self._sleepers)

    def ages(self, now: int) -> tuple[int, ...]:
        """Ticks that each memory that rests has been idle, as far as they decide anything."""
        return tuple([sleeper.age(now) for sleeper in self._sleepers])

    def count(self, now: int) -> None:
        """Brings the tally up to the present."""
        if not self.stands:
            return
        self._count_mix(now)
        for sleeper in self._sleepers:
            sleeper.count(now, self.tally)

    def _count_mix(self, now: int) -> None:
        if self.mix and now > self._since:
            self.tally[self.mix] = self.tally.get(self.mix, 0) + now - self._since
            self._since = now

    def _wake(self, number: int, now: int) -> int:
        """Ticks until the memories that a transfer touches are awake."""
        return max(
            [
                sleeper.begin(now, self.tally)
                for sleeper in self._sleepers
                if self._shares.touches(number, sleeper.memory)
            ],
            default=0,
        )

    def _share(self, now: int) -> None:
        """Accounts the work done at the old rates, then sets the new ones."""
        self._changed = False
        self._count_mix(now)
        if self._recorder is not None:
            self._recorder.share(self.sharing, self.mix, now)
        if not self.sharing and len(self.ahead) == 1:
            self.sharing.append(self.ahead.pop())
        moving = self._moving(now) if self.occupied else self.sharing
        if not moving:
            self.first_end = -1
            self.mix = ()
            return
        self.mix = (moving[0].number,)
        if len(moving) > 1:
            self.mix = tuple(sorted([flow.number for flow in moving]))
        self._since = max(now, moving[0].mark)
        rates = self._shares.rates(self.mix)
        first = -1
        for flow in moving:
            if flow.mark < now:
                flow.work -= flow.rate * (now - flow.mark)
                flow.mark = now
            flow.rate = rates[flow.number]
            flow.end = flow.mark - (-flow.work // flow.rate)
            if flow.end < first or first < 0:
                first = flow.end
        self.first_end = first

    def _moving(self, now: int) -> list[Flow]:
        """Those that share and touch no occupied memory; the others stand still from now on."""
        found = []
        for flow in self.sharing:
            if not any(self._shares.touches(flow.number, name) for name in self.occupied):
                found.append(flow)
                continue
            if flow.mark < now:
                flow.work -= flow.rate * (now - flow.mark)
                flow.mark = now
            flow.rate, flow.end = 0, -1
        return found
