"""A folder that points are measured into: captured traces, and a record of each point on disk.

Whoever walks a space, a sweep, a search or a script that asks and tells, does it through one of
these: what its journal has is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from codesign import __version__
from codesign.errors import OF_OTHERS, PluginError, StudyError
from codesign.explore.evaluate import Done, How, Job, Task, Traces
from codesign.explore.functions import travels
from codesign.explore.grammar import Constraint
from codesign.explore.grid import Grid, left_out
from codesign.explore.journal import Journal, Record
from codesign.explore.journal_check import check_records
from codesign.explore.known import Known
from codesign.explore.objectives import FACTS, measured, told
from codesign.explore.space import Point, Space
from codesign.explore.swept import JOURNAL
from codesign.hardware.own_kinds import own_kind_notes
from codesign.raised import raised
from codesign.whole_file import check_folder
from codesign.workload.file import save_trace

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.study import Study
    from codesign.result.result import Result

TRACES = "traces"
"""Folder of the captured traces."""
_COUNTED = 1 << 16
"""Most combinations of which it is counted how many are points (assumed): below a second."""


class Session:
    """Measures points of one study into one folder; use it as a context manager.

    Attributes:
        study: what is measured.
        folder: with ``journal.jsonl`` and ``traces/``.
        traces: captured traces and the forms in which they run.
        known: what is known of a point before it is replayed.
    """

    def __init__(self, study: Study, folder: Path, executor: Executor, *, resume: bool) -> None:
        """Opens the journal of a folder, or begins one.

        Args:
            study: what is measured.
            folder: to write to; made if it is not there.
            executor: who measures.
            resume: whether the folder may have a journal already, whose points are not run again.

        Raises:
            StudyError: there is a journal and ``resume`` is false, or it is that of another study.
            CodesignError: the folder cannot be written.
        """
        self.study, self.folder, self._executor = study, folder, executor
        if (folder / JOURNAL).exists() and not resume:
            raise StudyError(
                f"{folder} has the journal of a study; go on with it (resume=True, --resume) or "
                "give another folder"
            )
        check_folder(folder, "summary.json")
        folder.mkdir(parents=True, exist_ok=True)
        self.traces = Traces(folder / TRACES, study.machine.precision, study.plugins)
        self._refused: dict[str, str] = {}
        asked = [(g.name, g.measure) for g in study.goals if g.measure and not g.takes]
        self._away = tuple(one for one in asked if travels(one[1]))
        self._here = tuple(one for one in asked if one not in self._away)
        self._journal = Journal(folder / JOURNAL, study.digest)
        check_records(self._journal.records, folder / JOURNAL)
        self.known = Known(study.goals, self.records, self.note)
        if not self.records:
            self.note(_header(study))
        self._tell_own_kinds()
        self._running: object = None
        self._kept = ExitStack()  # an executor that can keep its processes keeps them until the end

    def __enter__(self) -> Session:
        if isinstance(self._executor, AbstractContextManager):
            self._kept.enter_context(self._executor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # after an interrupt nobody goes on with it, and it may have workers that do
            getattr(self._running, "close", lambda: None)()
            self._kept.close()
        finally:
            self._journal.close()

    @property
    def records(self) -> list[Record]:
        """Every record of the journal, in order."""
        return self._journal.records

    def of(self, *events: str) -> list[Record]:
        """Records of some kinds of events, in order."""
        return [record for record in self.records if record["event"] in events]

    def note(self, record: Record) -> None:
        """Writes a record of another kind than those of points; it is on disk when this returns.

        Args:
            record: JSON values by name; ``event`` says what kind it is.
        """
        self._journal.append(record)

    def measure(self, points: Mapping[int, Point]) -> Iterator[Record]:
        """Records of points, by their combination in the space, in any order.

        What the journal has comes first and is not run again.

        Yields:
            A record with ``event`` ``done`` (``figures`` by name, ``violated`` constraints) or
            ``failed`` (``message``), which the journal has too; or ``left_out``, which it has not:
            a constraint on what is known before a replay excludes the point.
        """
        left: list[Task] = []
        for index, point in points.items():
            key = key_of(point)
            if key in self._ended:
                yield self._ended[key]
                continue
            plan = self._plan(index, point)
            if plan is None:
                yield {"event": "left_out", "index": index, "point": point}
            elif isinstance(plan, Done):
                yield self._append(plan, point)
            else:
                left.append(plan)
        if left:
            self._running = running = self._executor.run(self._job, left)
            for done in _done_by(self._executor, running):
                yield self._append(done, points[done.index])

    def trace(self, part: Point) -> str:
        """Digest of the trace of a point of the model, which is captured once.

        Args:
            part: values that the model takes.

        Raises:
            StudyError: capturing it failed, now or before.
        """
        key = json.dumps(part, sort_keys=True)
        if key in self._refused:
            raise StudyError(self._refused[key])
        if key not in self._digests:
            try:
                trace = self.study.source.capture(part)
            except OF_OTHERS as error:
                self._refused[key] = told(error)
                raise StudyError(self._refused[key]) from error
            self.traces.path(trace.digest).parent.mkdir(exist_ok=True)
            save_trace(trace, self.traces.path(trace.digest))
            self.note({"event": "traced", "model": part, "trace": trace.digest})
            self._digests[key] = trace.digest
        return self._digests[key]

    def keeps(self, point: Point, digest: str, how: How) -> bool:
        """Whether a point keeps to the constraints on what is known before it is replayed."""
        asked = self.study.on_facts
        if not asked:
            return True
        trace = self.traces.as_run(digest, how.form)
        facts = {name: find(trace) for name, find in FACTS.items()}
        return not broken(asked, point | facts | self.known.of(point))

    def _tell_own_kinds(self) -> None:
        """Notes kinds that do not ship, which no value of a study changes.

        Who goes on with a journal may have them from another place.
        """
        known = {line for record in self.of("own_kinds") for line in record["lines"]}
        lines = [line for line in own_kind_notes(self.study.machine) if line not in known]
        if lines:
            self.note({"event": "own_kinds", "lines": lines})

    @cached_property
    def _ended(self) -> dict[str, Record]:
        ended = {record["key"]: record for record in self.of("done", "failed")}
        most = self.study.most_events
        # what had too few events before may have enough now
        return {key: one for key, one in ended.items() if one.get("most_events", most) >= most}

    @cached_property
    def _digests(self) -> dict[str, str]:
        """Digests of captured traces by the values that the model took."""
        return {
            json.dumps(record["model"], sort_keys=True): record["trace"]
            for record in self.of("traced")
            if self.traces.path(record["trace"]).exists()
        }

    @cached_property
    def _job(self) -> Job:
        study = self.study
        return Job(
            study.machine,
            self.folder / TRACES,
            study.plugins,
            study.figures,
            self._away,
            bool(self._here),
            study.most_events,
        )

    def _plan(self, index: int, point: Point) -> Task | Done | None:
        """What to do for a point; nothing where a constraint leaves it out."""
        spaces = self.study.spaces
        try:
            digest = self.trace(spaces.model_part(point))
            how = spaces.how(point, self.study.base)
            if not self.keeps(point, digest, how):
                return None
        except OF_OTHERS as error:  # a model fails alone
            return Done(index, message=told(error))
        return Task(index, point, digest, spaces.settings(point), how)

    def _append(self, done: Done, point: Point) -> Record:
        record = self._record(done, point)
        self._journal.append(record)
        self._ended[record["key"]] = record
        return record

    def _record(self, done: Done, point: Point) -> Record:
        """What the journal keeps of a point."""
        record: Record = {"key": key_of(point), "index": done.index, "point": point}
        record["seconds"] = round(done.seconds, 6)
        try:
            if done.message:
                raise StudyError(done.message)
            figures = {**done.figures, **self.known.of(point)}
            for name, measure in self._here:
                figures[name] = measured(name, measure, point, cast("Result", done.result))
            violated = broken(self.study.on_results, point | figures)
        except OF_OTHERS as error:  # a function fails alone
            bound = {"most_events": done.most_events} if done.most_events else {}
            return record | {"event": "failed", "message": told(error)} | bound
        provenance = {"trace": done.trace, "hardware": done.hardware, "version": __version__}
        return record | {"event": "done", "figures": figures, "violated": violated} | provenance


def broken(constraints: list[Constraint], values: Mapping[str, Any]) -> list[str]:
    """Constraints that a point breaks; one that speaks of what is not there is kept."""
    return [
        constraint.text
        for constraint in constraints
        if all(name in values for name in constraint.names) and not constraint.holds(values)
    ]


def key_of(point: Point) -> str:
    """SHA-256 of the values of a point."""
    return hashlib.sha256(json.dumps(point, sort_keys=True).encode()).hexdigest()


def _header(study: Study) -> Record:
    """What a reader of the journal alone has to know."""
    return {
        "event": "study",
        "model": study.source.name,
        "hardware": study.machine.name,
        "parameters": [parameter.name for parameter in study.space.parameters],
        "combinations": study.space.size,
        **_counted(study.space),
        "objectives": [[goal.name, goal.maximise] for goal in study.goals],
    }


def _counted(space: Space) -> Record:
    """Points that constraints on parameters leave, and how many they leave out, if they are few."""
    if space.size > _COUNTED:
        return {}
    grid = Grid.of(space)
    return {"points": len(grid), "left_out": left_out(grid)}


def _done_by(executor: Executor, running: Iterator[Done]) -> Iterator[Done]:
    """What an executor measures; an exit of its own would end the study in silence."""
    try:
        yield from running
    except SystemExit as error:
        raise PluginError(
            f"executor {type(executor).__name__} raised {raised(error, executor)}"
        ) from error
