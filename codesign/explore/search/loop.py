"""The loop of a search: an optimiser asks, a bench measures, the optimiser is told.

What is measured in one batch is told in the order in which it was asked for, so the sequence
depends on the sampler, its seed and the size of a batch, and on nothing else. A search that was
killed asks again for all that it had, and the journal answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from codesign.errors import StudyError
from codesign.explore.search.bench import Bench, excluded
from codesign.explore.search.choices import values_at
from codesign.explore.search.outcome import Optimiser, Outcome
from codesign.explore.search.searched import swept_of
from codesign.explore.search.volume import Volume
from codesign.explore.space import Point
from codesign.explore.swept import Swept, space_counts

Watcher: TypeAlias = "Callable[[int, int, int, int], None]"
_Asked: TypeAlias = "tuple[int, Point]"

_IDLE = 1000
"""Points in a row that bring no evaluation until a search gives up (assumed)."""


class Loop:
    """One search in a folder.

    Attributes:
        order: combinations in the order of their evaluation.
    """

    def __init__(
        self, bench: Bench, optimiser: Optimiser, volume: Volume, label: str, *, is_shared: bool
    ) -> None:
        """Looks up what the journal has of this search.

        Args:
            bench: who measures.
            optimiser: who asks.
            volume: takes in every evaluation.
            label: of this search among those in the folder.
            is_shared: whether the optimiser knows already what it was told before a kill.
        """
        self.order: list[int] = []
        self._bench, self._space = bench, bench.study.space
        self._optimiser, self._volume = optimiser, volume
        self._label, self._is_shared = label, is_shared
        self._found: dict[int, Outcome] = {}
        self._failed = self._left_out = self._excluded = self._idle = 0
        asked = [one for one in bench.session.of("asked") if one["search"] == label]
        self._past: list[list[int]] = [one["points"] for one in asked]

    def run(
        self,
        begin: Sequence[int],
        budget: int,
        batch: int,
        stop: int | None,
        watch: Watcher | None,
    ) -> str:
        """Asks, measures and tells; returns why it ended.

        Args:
            begin: combinations to measure first.
            budget: evaluations at most.
            batch: points that are asked for before any of them is told.
            stop: evaluations without hypervolume that end it.
            watch: told (evaluations done, failed, 0, budget), as of a sweep, which prunes.
        """
        for asked in self._rounds(begin, batch, budget):
            if not asked and self._idle < _IDLE:
                return "the sampler knows no further point"
            self._measure(asked[: budget - len(self.order)], budget, watch)
            if len(self.order) >= budget:
                return "the budget is used"
            if stop is not None and self._volume.stalled() >= stop:
                return f"{stop} evaluations brought no hypervolume"
            if self._idle >= _IDLE:
                return f"{self._idle} points in a row brought no evaluation"
        raise AssertionError("rounds never end")

    def swept(self) -> Swept:
        """The points of this search.

        Raises:
            StudyError: there is none.
        """
        if not self.order:
            raise StudyError(
                f"the constraints leave none of the {len(self._found)} points that were asked for; "
                "loosen one"
            )
        mine = set(self.order)
        kept = [
            record
            for record in self._bench.session.of("study", "own_kinds", "done", "failed")
            if "index" not in record or record["index"] in mine
        ]
        (told,) = self._bench.session.of("study")[:1]
        counts = space_counts({"combinations": self._space.size} | told)
        # of a space that is too large to be counted, those that were asked for
        early = counts["left_out"] if "left_out" in told else self._excluded
        return swept_of(kept, counts["points"], early + self._left_out)

    def _rounds(self, begin: Sequence[int], batch: int, budget: int) -> Iterator[list[_Asked]]:
        """What to measure before the next is asked for; nothing where there is no further."""
        past = iter(self._past)
        if begin:
            yield self._checked(self._plain(begin), next(past, None))
        if self._is_shared:
            yield from map(self._plain, past)
        while True:
            # a whole batch, so that a search with a larger budget goes on with the same points;
            # where machines share what they ask for, none that nobody is going to measure
            count = min(batch, budget - len(self.order)) if self._is_shared else batch
            yield self._checked(self._ask(count), next(past, None))

    def _plain(self, indices: Sequence[int]) -> list[_Asked]:
        return [(index, values_at(self._space, index)) for index in indices]

    def _checked(self, asked: list[_Asked], before: list[int] | None) -> list[_Asked]:
        """What is asked for, which the journal has too."""
        indices = [index for index, _ in asked]
        if before is None and indices:
            record = {"event": "asked", "search": self._label, "points": indices}
            self._bench.session.note(record)
        elif before is not None and before != indices:
            raise StudyError(
                f"{self._bench.session.folder}: the sampler does not ask for what it asked for "
                "when this search began, so its version or machine is another; begin in another "
                "folder, warm from this one"
            )
        return asked

    def _ask(self, batch: int) -> list[_Asked]:
        """New combinations that the optimiser asks for; of others it is told at once."""
        found: dict[int, Point] = {}
        while len(found) < batch and self._idle < _IDLE:
            point = self._optimiser.ask()
            if point is None:
                break
            index = self._bench.index(point)
            if index not in found and index not in self._found and self._is_point(index):
                found[index] = point
                continue
            self._idle += 1
            if index in self._found:
                self._optimiser.tell(point, replace(self._found[index], again=True))
            elif index not in found:
                self._excluded += 1
                self._found[index] = excluded(self._bench.study, index)
                self._optimiser.tell(point, self._found[index])
        return list(found.items())

    def _is_point(self, index: int) -> bool:
        return self._space.point(index) is not None

    def _measure(self, asked: Sequence[_Asked], budget: int, watch: Watcher | None) -> None:
        """Measures, and tells in the order in which it was asked for."""
        outcomes = self._bench.outcomes([index for index, _ in asked])
        for index, point in asked:
            outcome = self._found[index] = outcomes[index]
            if outcome.state == "left_out":
                self._idle += 1
                self._left_out += self._is_point(index)
            else:
                self._idle = 0
                self.order.append(index)
                self._volume.add(outcome)
                self._failed += outcome.state == "failed"
            self._optimiser.tell(point, outcome)
            if watch is not None:
                watch(len(self.order) - self._failed, self._failed, 0, budget)
