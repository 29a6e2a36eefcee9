"""Running a study: capture, replay, and a record of each point before the next one is built on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from codesign import __version__
from codesign.errors import StudyError
from codesign.explore.evaluate import Done, How, Job, Task, Traces, told
from codesign.explore.functions import travels
from codesign.explore.grammar import Constraint
from codesign.explore.journal import Journal, Record
from codesign.explore.objectives import FACTS, measured
from codesign.explore.save import write_rows
from codesign.explore.space import Point
from codesign.explore.swept import JOURNAL, Swept
from codesign.result.save import check_folder
from codesign.workload.file import save_trace

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.study import Study
    from codesign.result.result import Result

Watcher: TypeAlias = "Callable[[int, int, int], None]"
TRACES = "traces"
"""Folder of the captured traces."""
MOST = 10_000_000
"""Most combinations of a study (assumed): what memory has room for."""


def run_study(
    study: Study, folder: Path, executor: Executor, *, resume: bool, watch: Watcher | None
) -> Swept:
    """Measures every point of a study that its journal does not have, see ``Study.run``."""
    space = study.space
    if space.size > MOST:
        raise StudyError(
            f"a study may have at most {MOST:,} combinations, got {space.size:,}; give fewer values"
        )
    points = {n: point for n in range(space.size) if (point := space.point(n)) is not None}
    if not points:
        raise StudyError(f"the constraints leave none of {space.size:,} combinations; loosen one")
    journal = folder / JOURNAL
    if journal.exists() and not resume:
        raise StudyError(
            f"{folder} has the journal of a study; go on with it (resume=True, --resume) or give "
            "another folder"
        )
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Journal(journal, study.digest) as opened:
        _Run(study, folder / TRACES, opened).finish(points, executor, watch)
        swept = Swept.of(opened.records)
        write_rows(swept, folder)
    return swept


class _Run:
    """One run of a study: what its journal has is not done again."""

    def __init__(self, study: Study, folder: Path, journal: Journal) -> None:
        self._study, self._folder, self._journal = study, folder, journal
        self._traces = Traces(folder, study.machine.precision, study.plugins)
        self._refused: dict[str, str] = {}
        asked = [(goal.name, goal.measure) for goal in study.goals if goal.measure is not None]
        self._away = tuple(one for one in asked if travels(one[1]))
        self._here = tuple(one for one in asked if one not in self._away)

    def finish(
        self, points: Mapping[int, Point], executor: Executor, watch: Watcher | None
    ) -> None:
        """Measures what is left of the points."""
        if not self._journal.records:
            self._journal.append(_header(self._study))
        ended = {record["key"] for record in self._of("done", "failed")}
        left = {n: point for n, point in points.items() if _key(point) not in ended}
        plans = [plan for n, point in left.items() if (plan := self._plan(n, point))]
        total = len(ended) + len(plans)
        if not total:
            raise StudyError(
                f"the constraints leave none of {len(points):,} points, all of whose models they "
                "refuse; loosen one"
            )
        if not self._of("planned"):
            counts = {"points": total, "left_out": len(points) - total}
            self._journal.append({"event": "planned", **counts})
        failed = sum(1 for _ in self._of("failed"))
        for count, done in enumerate(self._measure(plans, executor), start=len(ended) + 1):
            record = self._record(done, points[done.index])
            self._journal.append(record)
            failed += record["event"] == "failed"
            if watch is not None:
                watch(count - failed, failed, total)

    def _of(self, *events: str) -> list[Record]:
        return [record for record in self._journal.records if record["event"] in events]

    def _plan(self, index: int, point: Point) -> Task | Done | None:
        """What to do for a point; nothing where a constraint leaves it out."""
        spaces = self._study.spaces
        try:
            digest = self._trace(spaces.model_part(point))
            how = spaces.how(point, self._study.base)
            if not self._keeps(point, digest, how):
                return None
        except Exception as error:  # noqa: BLE001 - a model fails, and the study goes on
            return Done(index, message=told(error))
        return Task(index, point, digest, spaces.settings(point), how)

    def _trace(self, part: Point) -> str:
        """Digest of the trace of a point of the model, which is captured once.

        Raises:
            Exception: whatever capturing it raised, each time that it is asked for.
        """
        key = json.dumps(part, sort_keys=True)
        if key in self._refused:
            raise StudyError(self._refused[key])
        if key not in self._digests:
            try:
                trace = self._study.source.capture(part)
            except Exception as error:
                self._refused[key] = told(error)
                raise
            self._folder.mkdir(exist_ok=True)
            save_trace(trace, self._traces.path(trace.digest))
            self._journal.append({"event": "traced", "model": part, "trace": trace.digest})
            self._digests[key] = trace.digest
        return self._digests[key]

    @cached_property
    def _digests(self) -> dict[str, str]:
        """Digests of captured traces by the values that the model took."""
        return {
            json.dumps(record["model"], sort_keys=True): record["trace"]
            for record in self._of("traced")
            if self._traces.path(record["trace"]).exists()
        }

    def _keeps(self, point: Point, digest: str, how: How) -> bool:
        """Whether a point keeps to what is known before it is replayed."""
        asked = self._study.on_facts
        if not asked:
            return True
        trace = self._traces.as_run(digest, how.form)
        values = point | {name: find(trace) for name, find in FACTS.items()}
        return not _broken(asked, values)

    def _measure(self, plans: list[Task | Done], executor: Executor) -> Iterator[Done]:
        tasks = [plan for plan in plans if isinstance(plan, Task)]
        failures = (plan for plan in plans if isinstance(plan, Done))
        job = Job(
            self._study.machine,
            self._folder,
            self._study.plugins,
            self._study.figures,
            self._away,
            bool(self._here),
        )
        return chain(failures, executor.run(job, tasks) if tasks else ())

    def _record(self, done: Done, point: Point) -> Record:
        """What the journal keeps of a point."""
        record: Record = {"key": _key(point), "index": done.index, "point": point}
        record["seconds"] = round(done.seconds, 6)
        try:
            if done.message:
                raise StudyError(done.message)
            figures = dict(done.figures)
            for name, measure in self._here:
                figures[name] = measured(name, measure, point, cast("Result", done.result))
            broken = _broken(self._study.on_results, point | figures)
        except Exception as error:  # noqa: BLE001 - a function fails, and the study goes on
            return record | {"event": "failed", "message": told(error)}
        provenance = {"trace": done.trace, "hardware": done.hardware, "version": __version__}
        return record | {"event": "done", "figures": figures, "violated": broken} | provenance


def _broken(constraints: list[Constraint], values: Mapping[str, Any]) -> list[str]:
    """Constraints that a point breaks; one that speaks of what is not there is kept."""
    return [
        constraint.text
        for constraint in constraints
        if all(name in values for name in constraint.names) and not constraint.holds(values)
    ]


def _key(point: Point) -> str:
    """SHA-256 of the values of a point."""
    return hashlib.sha256(json.dumps(point, sort_keys=True).encode()).hexdigest()


def _header(study: Study) -> Record:
    """What a reader of the journal alone has to know."""
    return {
        "event": "study",
        "model": study.source.name,
        "hardware": study.machine.name,
        "parameters": [parameter.name for parameter in study.space.parameters],
        "objectives": [[goal.name, goal.maximise] for goal in study.goals],
    }
