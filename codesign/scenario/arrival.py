"""The kinds of arrival: periodic, at a rate, and after other streams."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from codesign.errors import ScenarioError
from codesign.scenario.checks import (
    FieldError,
    check_count,
    check_list,
    check_rate,
    check_time,
    check_type,
    shown,
)
from codesign.scenario.poisson import poisson_ticks
from codesign.scenario.release import MAX_RUNS, Arrival, Release, Window
from codesign.units import PS_PER_S, ticks

MAX_SEED = 10**18 - 1
"""Largest seed: the most digits that a scenario file may hold."""


@dataclass(frozen=True)
class Periodic(Arrival):
    """Every ``period_s``: a chunk of sound, a camera frame.

    Attributes:
        period_s: time from one release to the next, above 0.
        first_s: time of the first, at least 0; by default one period, when the input of the first
            period is complete.
    """

    period_s: float
    first_s: float | None = None

    def __post_init__(self) -> None:
        check_time("period", self.period_s, 0.08, field="period_s")
        if self.first_s is not None:
            check_time("first", self.first_s, 0, field="first_s", zero=True)

    @property
    def period(self) -> int:
        """Ticks between releases."""
        return ticks(self.period_s)

    def rate(self, produced: Mapping[str, Fraction]) -> Fraction:
        """One a period."""
        return Fraction(1, self.period)

    def releases(
        self, window: Window, produced: Mapping[str, Sequence[Release]]
    ) -> tuple[Release, ...]:
        """At ``first_s`` and every period after it, up to and with the end of the window."""
        first = window.start + (self.period if self.first_s is None else ticks(self.first_s))
        moments = range(first, window.end + 1, self.period)
        _check_number(len(moments), str(self))
        return tuple(map(Release, moments))

    def __str__(self) -> str:
        return f"every {self.period_s:g} s"


@dataclass(frozen=True)
class Rate(Arrival):
    """So many a second, evenly spaced or at random.

    Attributes:
        per_s: releases per second, above 0 and at most one a tick; 0.3 is three tenths, and not
            the binary number next to it, so that 10 s hold exactly 3.
        seed: None for even spacing, beginning one interval after the window opens; a whole number
            for Poisson arrivals that it and the name of the stream choose.
        within: name of a stream with releases of its own. A release then waits for the run of that
            stream that covers its moment: the first that is released at it or later. A token of
            speech cannot be told before the encoder has worked on the sound in which it ends.
    """

    per_s: float
    seed: int | None = None
    within: str = ""

    def __post_init__(self) -> None:
        check_rate("rate", self.per_s, 4, field="per_s")
        if self.seed is not None and not _is_seed(self.seed):
            raise FieldError(
                f"seed must be a whole number from 0 to {MAX_SEED:,}, got {shown(self.seed)}; "
                "leave it out for evenly spaced arrivals",
                "seed",
            )
        way_out = "leave it out or name a stream"
        check_type("within", self.within, str, way_out, field="within")

    @property
    def producers(self) -> tuple[str, ...]:
        """The stream that covers it, if there is one."""
        return (self.within,) if self.within else ()

    @property
    def period(self) -> int | None:
        """Ticks between evenly spaced releases."""
        return None if self.seed is not None else max(1, int(self._interval))

    def rate(self, produced: Mapping[str, Fraction]) -> Fraction:
        """That of the process, which a window of Poisson arrivals meets on average only."""
        return 1 / self._interval

    @property
    def _interval(self) -> Fraction:
        return PS_PER_S / Fraction(repr(float(self.per_s)))

    def releases(
        self, window: Window, produced: Mapping[str, Sequence[Release]]
    ) -> tuple[Release, ...]:
        """Evenly spaced without drift, or at random; each waits for the run that covers it."""
        moments = self._moments(window)
        if not self.within:
            return tuple(map(Release, moments))
        if any(frame.waits for frame in produced[self.within]):
            raise ScenarioError(
                f"within must name a stream with an arrival of its own, {self.within!r} waits for "
                "others; name one that it waits for"
            )
        frames = [frame.tick for frame in produced[self.within]]
        if moments and (not frames or moments[-1] > frames[-1]):
            raise ScenarioError(
                f"the arrival {moments[-1] / PS_PER_S:g} s is within no run of {self.within!r}, "
                f"the last of which is at {frames[-1] / PS_PER_S if frames else 0:g} s; make the "
                "duration a whole number of its periods"
            )
        return tuple(Release(tick, ((self.within, bisect_left(frames, tick)),)) for tick in moments)

    def _moments(self, window: Window) -> list[int]:
        length = window.end - window.start
        number = int(length / self._interval)
        _check_number(number, str(self))
        if self.seed is None:
            return [window.start + math.ceil(n * self._interval) for n in range(1, number + 1)]
        endless = poisson_ticks(self._interval, self.seed, f"{window.stream}:{window.number}")
        return [window.start + tick for tick in takewhile(lambda tick: tick <= length, endless)]

    def __str__(self) -> str:
        spacing = "evenly" if self.seed is None else f"Poisson, seed {self.seed}"
        return f"{self.per_s:g} /s, {spacing}" + (f", within {self.within}" * bool(self.within))


@dataclass(frozen=True)
class After(Arrival):
    """After the runs of other streams.

    Attributes:
        streams: the producers, at least one: release k of each must have ended. They are paired by
            their numbers, whatever their times; what a producer has beyond the others starts
            nothing.
        times: releases for each such completion: 2 for a joiner that works on the two frames of a
            chunk one after the other.
    """

    streams: tuple[str, ...]
    times: int = 1

    def __post_init__(self) -> None:
        what = "streams of an arrival after others"
        names = check_list(what, self.streams, (str,), "['encoder']", field="streams")
        if not names or len(set(names)) < len(names):
            raise FieldError(
                f"an arrival after other streams must name them, each once, got {list(names)!r}; "
                "give a list of stream names",
                "streams",
            )
        object.__setattr__(self, "streams", names)
        check_count("times", self.times, field="times")

    @property
    def producers(self) -> tuple[str, ...]:
        """The streams named."""
        return self.streams

    def rate(self, produced: Mapping[str, Fraction]) -> Fraction:
        """That of the slowest producer, so many times."""
        return self.times * min(produced[name] for name in self.streams)

    def releases(
        self, window: Window, produced: Mapping[str, Sequence[Release]]
    ) -> tuple[Release, ...]:
        """Run k behind run k of each producer, as often as the one with the fewest releases has."""
        completions = min(len(produced[name]) for name in self.streams)
        _check_number(completions * self.times, str(self))
        return tuple(
            Release(window.start, tuple((name, number) for name in self.streams))
            for number in range(completions)
            for _ in range(self.times)
        )

    def __str__(self) -> str:
        often = f"{self.times} times " if self.times > 1 else ""
        return f"{often}after {' and '.join(self.streams)}"


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED


def _check_number(number: int, words: str) -> None:
    if number > MAX_RUNS:
        raise ScenarioError(
            f"an arrival {words} would be released {shown(number)} times, more than {MAX_RUNS:,}; "
            "shorten the duration or lower the rate"
        )
