"""When a stream is asked for, in whole ticks (picoseconds).

As in real-time scheduling, a *release* is the moment at which runs of a stream are asked for. What
happens then is queueing, and the business of the replay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

MAX_RUNS = 1_000_000
"""Most runs of a scenario."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which input arrives.

    Attributes:
        number: its place among the windows of a scenario, from 0.
        start: first tick.
        end: last tick: the end of input.
        stream: name of the stream that is asked for; what is drawn at random depends on it, so
            that streams of one seed do not arrive together.
    """

    number: int
    start: int
    end: int
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One moment at which a stream is asked for.

    Attributes:
        tick: not before this tick.
        waits: (stream, place) of releases of the same window whose runs must all have ended.
    """

    tick: int
    waits: tuple[tuple[str, int], ...] = ()


class Arrival(ABC):
    """When a stream is asked for."""

    @property
    def producers(self) -> tuple[str, ...]:
        """Streams whose runs it waits for."""
        return ()

    @property
    def period(self) -> int | None:
        """Ticks between releases where they are evenly spaced, which is also their deadline."""
        return None

    def rate(self, produced: Mapping[str, Fraction]) -> Fraction | None:
        """Releases per tick in the long run; None to have those of the scenario counted.

        Overload is judged by it. An arrival that draws its releases at random tells its rate:
        counting would take a chance crowd for overload.

        Args:
            produced: rate of each producer.
        """
        return None

    @abstractmethod
    def releases(
        self, window: Window, produced: Mapping[str, Sequence[Release]]
    ) -> tuple[Release, ...]:
        """The releases of one window, in order.

        Ticks are whole numbers within the window that do not fall. Equal arguments give equal
        releases.

        Args:
            window: when input arrives.
            produced: releases of each producer in the same window.

        Raises:
            ScenarioError: more than ``MAX_RUNS``, or a release that waits for none.
        """

    @abstractmethod
    def __str__(self) -> str:
        """The arrival in words."""
