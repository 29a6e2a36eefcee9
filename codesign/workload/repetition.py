"""Repetitions in a sequence of symbols: where the same few symbols follow each other again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

MAX_PERIODS = 32
"""Candidate periods tried per sequence: bounds the search to ``MAX_PERIODS`` linear scans."""
LOOK_BACK = 4
"""Uses of its rarest symbol within one repetition up to which a repetition is found."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch in which every symbol equals the one a period later.

    Attributes:
        start: index of the first symbol.
        length: symbols in the stretch, whole repetitions and a rest.
        period: symbols of one repetition.
    """

    start: int
    length: int
    period: int

    @property
    def steps(self) -> int:
        """Whole repetitions."""
        return self.length // self.period


def runs(symbols: Sequence[Hashable], minimum: int) -> list[Run]:
    """Maximal runs of at least ``minimum`` repetitions, those that explain most first.

    Candidate periods are the commonest distances between a symbol and its last ``LOOK_BACK``
    occurrences, so the search costs O(n * MAX_PERIODS). Of runs that explain equally much, the
    shorter period comes first.
    """
    found = [
        run
        for period in _periods(symbols, minimum)
        for run in _scan(symbols, period)
        if run.steps >= minimum
    ]
    return sorted(found, key=lambda run: (-run.steps * run.period, run.period, run.start))


def _periods(symbols: Sequence[Hashable], minimum: int) -> list[int]:
    seen: dict[Hashable, deque[int]] = {}
    gaps: Counter[int] = Counter()
    for index, symbol in enumerate(symbols):
        places = seen.setdefault(symbol, deque(maxlen=LOOK_BACK))
        gaps.update(index - place for place in places)
        places.append(index)
    useful = [gap for gap in gaps if gap * minimum <= len(symbols)]
    # a gap that occurs often over a long distance explains more symbols than a short one
    return sorted(useful, key=lambda gap: (-gaps[gap] * gap, gap))[:MAX_PERIODS]


def _scan(symbols: Sequence[Hashable], period: int) -> Iterator[Run]:
    start = 0
    for index in range(period, len(symbols) + 1):
        if index == len(symbols) or symbols[index] != symbols[index - period]:
            if index - start > period:
                yield Run(start, index - start, period)
            start = index - period + 1
