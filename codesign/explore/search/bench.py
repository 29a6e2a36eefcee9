"""A bench: give it any point of a study, and it measures it, keeps it, and never runs it twice."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from codesign.errors import OF_OTHERS
from codesign.explore.executors import Serial
from codesign.explore.search.choices import choices_of, values_at
from codesign.explore.search.outcome import Outcome
from codesign.explore.session import Session

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.grammar import Constraint
    from codesign.explore.journal import Record
    from codesign.explore.study import Study

_SPACE = "a constraint on parameters excludes it"
_BEFORE = "a constraint on what is known before a replay excludes it"


class Bench:
    """Measures points that somebody else chooses; use it as a context manager.

    Attributes:
        study: what is measured.
        session: the folder that it is measured into.
    """

    def __init__(
        self,
        study: Study,
        folder: str | Path,
        executor: Executor | None = None,
        *,
        resume: bool = False,
    ) -> None:
        """Opens the folder.

        Args:
            study: what is measured.
            folder: to write to; made if it is not there.
            executor: who measures; by default this process.
            resume: whether the folder may have a journal already; what it has is not run again.

        Raises:
            StudyError: there is a journal and ``resume`` is false, or it is that of another study.
            CodesignError: the folder cannot be written.
        """
        self.study = study
        self.session = Session(study, Path(folder), executor or Serial(), resume=resume)

    def __enter__(self) -> Bench:
        self.session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.__exit__(kind, error, trace)

    def index(self, point: Mapping[str, Any]) -> int:
        """Number of the combination that a point is.

        Raises:
            StudyError: a name that does not vary or is missing, or a value that is not in the
                list.
        """
        return self.study.space.index(choices_of(self.study.space, point))

    def keeps(self, index: int) -> bool:
        """Whether constraints on what is known before a replay leave a combination in.

        A model may have to be captured for it; where that fails, the point is left to fail.

        Args:
            index: of a combination that is a point.
        """
        session, spaces = self.session, self.study.spaces
        if not self.study.on_facts:
            return True
        point = values_at(self.study.space, index)
        try:
            digest = session.trace(spaces.model_part(point))
            return session.keeps(point, digest, spaces.how(point, self.study.base))
        except OF_OTHERS:  # it is told when it is measured
            return True

    def measure(self, point: Mapping[str, Any]) -> Outcome:
        """What comes of a point; a failure is an outcome, too.

        Args:
            point: values by name; those that a condition leaves out are not looked at.

        Raises:
            StudyError: as of ``index``.
        """
        return self.measure_all([point])[0]

    def measure_all(self, points: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """What comes of each of several points, side by side where the executor can.

        Args:
            points: as for ``measure``; one that stands there twice is measured once.

        Raises:
            StudyError: as of ``index``, before anything is run.
        """
        indices = [self.index(point) for point in points]
        found = self.outcomes(indices)
        return [
            replace(found[index], again=index in indices[:place])
            for place, index in enumerate(indices)
        ]

    def outcomes(self, indices: Sequence[int]) -> dict[int, Outcome]:
        """What comes of combinations, by their number."""
        space = self.study.space
        points = {index: space.point(index) for index in indices}
        there = {index: point for index, point in points.items() if point is not None}
        found = {record["index"]: self._outcome(record) for record in self.session.measure(there)}
        for index in points.keys() - there.keys():
            found[index] = excluded(self.study, index)
        return found

    def _outcome(self, record: Record) -> Outcome:
        index, point = record["index"], record["point"]
        if record["event"] == "left_out":
            return Outcome(point, index, "left_out", message=_BEFORE)
        if record["event"] == "failed":
            return Outcome(point, index, "failed", message=record["message"])
        values = point | record["figures"]
        broken = record["violated"]
        excess = {
            one.text: _excess(one, values, one.text in broken) for one in self.study.on_results
        }
        return Outcome(point, index, "done", record["figures"], excess)


def excluded(study: Study, index: int) -> Outcome:
    """What is told of a combination that a constraint on parameters excludes."""
    return Outcome(values_at(study.space, index), index, "left_out", message=_SPACE)


def _excess(constraint: Constraint, values: Mapping[str, Any], is_broken: bool) -> float:
    """How far values are beyond a constraint, as a share of its limit; above 0 if they break it.

    Only ``name <= number`` says how far; of others it is 1 beyond, or 0.
    """
    limit = constraint.upper_limit
    if limit is None or limit[0] not in values or not limit[1]:
        return float(is_broken)
    share = (float(values[limit[0]]) - limit[1]) / abs(limit[1])
    return max(share, sys.float_info.epsilon) if is_broken else min(share, 0.0)
