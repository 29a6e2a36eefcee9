"""Memories that rest: which power state an idle memory is in, and what it takes to wake it."""

from __future__ import annotations

from codesign.hardware.component import Rest
from codesign.replay.tally import Tally


class Sleeper:
    """A memory that enters one power state after the other while nothing moves.

    Args:
        memory: its name.
        rests: its states, soonest first.
    """

    __slots__ = ("_active", "_awake", "_counted", "_idle", "_rests", "memory")

    def __init__(self, memory: str, rests: tuple[Rest, ...]) -> None:
        self.memory, self._rests = memory, rests
        self._active = 0  # transfers that are set up or move
        self._idle = 0  # since when there is none
        self._counted = 0  # up to when the idle time is in the tally
        self._awake = 0  # when it has woken up

    def begin(self, now: int, tally: Tally) -> int:
        """Notes that a transfer begins; ticks that it waits for the memory to wake up."""
        self.count(now, tally)
        self._active += 1
        if self._active == 1:
            left = [rest.exit for rest in self._rests if now - self._idle > rest.after]
            self._awake = now + (left[-1] if left else 0)
        return max(0, self._awake - now)

    def end(self, transfers: int, now: int) -> None:
        """Notes that so many transfers are over."""
        self._active -= transfers
        if transfers and not self._active:
            self._idle = self._counted = now

    def count(self, now: int, tally: Tally) -> None:
        """Adds the time in each state up to now to the tally."""
        if self._active:
            return
        for place, rest in enumerate(self._rests):
            later = self._rests[place + 1 :]
            end = min(now, self._idle + later[0].after) if later else now
            ticks = end - max(self._counted, self._idle + rest.after)
            if ticks > 0:
                key = self.memory, rest.name
                tally[key] = tally.get(key, 0) + ticks
        self._counted = now

    def age(self, now: int) -> int:
        """Ticks idle, at most as many as decide anything; below 0 while it is not.

        It is then -1 less the ticks until it has woken up.
        """
        if self._active:
            return -1 - max(0, self._awake - now)
        return min(now - self._idle, self._rests[-1].after + 1)

    def replace(self, transfers: int, age: int, now: int) -> None:
        """Puts it into a state: transfers under way, and the age if there are none."""
        self._active = transfers
        self._idle = now - max(age, 0)
        self._awake = now + max(-1 - age, 0)
        self._counted = now

    def shift(self, ticks: int) -> None:
        """Moves it later."""
        self._idle += ticks
        self._counted += ticks
        self._awake += ticks
