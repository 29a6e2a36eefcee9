"""Running a study: all of its points, or those that bounds do not exclude from its front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from codesign.errors import StudyError
from codesign.explore.bounds import Bounder, Bounds
from codesign.explore.candidates import Candidates
from codesign.explore.forms import Forms
from codesign.explore.grid import Grid, left_out
from codesign.explore.journal import Record
from codesign.explore.save import write_rows
from codesign.explore.session import Session
from codesign.explore.swept import Swept

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.study import Study

Watcher: TypeAlias = "Callable[[int, int, int, int], None]"
"""Told how many points are done, failed and pruned, and how many there are."""

MOST = 10_000_000
"""Most combinations of a study (assumed): what memory has room for."""
_FIRST, _SHARE = 8, 4
"""Bounds are looked at again after that many points, later after a quarter more than have been
replayed (assumed): enough for many workers, and the same points for any number of them."""


def run_study(
    study: Study,
    folder: Path,
    executor: Executor,
    *,
    resume: bool,
    exhaustive: bool,
    watch: Watcher | None,
) -> Swept:
    """Measures the points of a study that its journal does not have, see ``Study.run``."""
    space = study.space
    if space.size > MOST:
        raise StudyError(
            f"a study may have at most {MOST:,} combinations, got {space.size:,}; give fewer values"
        )
    grid = Grid.of(space)
    if not len(grid):
        raise StudyError(f"the constraints leave none of {space.size:,} combinations; loosen one")
    with Session(study, folder, executor, resume=resume) as session:
        bounder = None if exhaustive else Bounder(study, grid)
        forms = Forms.of(session, grid, bounder.read) if bounder else Forms.of(session, grid)
        kept = grid.only(forms.keeps)
        if not len(kept):
            raise StudyError(
                f"the constraints leave none of {len(grid):,} points, all of whose models they "
                "refuse; loosen one"
            )
        if not session.of("planned"):
            counts = {"points": len(kept), "left_out": left_out(grid) + len(grid) - len(kept)}
            session.note({"event": "planned", **counts})
        run = _Run(session, kept, watch)
        if bounder:
            run.front(bounder.bounds(forms).only(forms.keeps))
        else:
            run.all()
        swept = Swept.of(session.records)
        write_rows(swept, folder)
    return swept


class _Run:
    """One run over the points that are left."""

    def __init__(self, session: Session, grid: Grid, watch: Watcher | None) -> None:
        self._session, self._grid, self._watch = session, grid, watch
        self._counts: Counter[str] = Counter()
        self._goals = session.study.goals

    def all(self) -> None:
        """Replays every point, also those that an earlier run has pruned."""
        if self._session.of("pruned"):
            self._note_pruned(0)
        for _ in self._measure(range(len(self._grid)), 0):
            pass

    def front(self, bounds: Bounds) -> None:
        """Replays what may be on the front: a point whose bounds a replay dominates is not."""
        left = Candidates(bounds.scores(self._goals))
        left.drop(bounds.breaks(self._session.study.on_results))
        replayed = 0
        while batch := left.take(max(_FIRST, replayed // _SHARE)):
            replayed += len(batch)
            records = list(self._measure(sorted(batch), left.pruned))
            scores = [self._scores(one) for one in records if self._is_feasible(one)]
            left.learn(np.array(scores, dtype=float).reshape(len(scores), len(self._goals)))
        self._note_pruned(left.pruned)

    def _note_pruned(self, points: int) -> None:
        before = [record["points"] for record in self._session.of("pruned")]
        if points != (before[-1] if before else None):
            self._session.note({"event": "pruned", "points": points})

    def _measure(self, places: Iterator[int] | range | list[int], pruned: int) -> Iterator[Record]:
        points = {int(self._grid.indexes[n]): self._grid.point(n) for n in places}
        for record in self._session.measure(points):
            self._counts[record["event"]] += 1
            if self._watch is not None:
                done, failed = self._counts["done"], self._counts["failed"]
                self._watch(done, failed, pruned, len(self._grid))
            yield record

    def _is_feasible(self, record: Record) -> bool:
        return record["event"] == "done" and not record["violated"]

    def _scores(self, record: Record) -> list[float]:
        """Objectives of a point, all of them to be small."""
        figures = record["figures"]
        return [-figures[g.name] if g.maximise else figures[g.name] for g in self._goals]
