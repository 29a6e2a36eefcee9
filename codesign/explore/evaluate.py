"""One point measured: the same code in the driver and in every worker, and no torch in it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from codesign.errors import OF_OTHERS, StudyError
from codesign.explore.objectives import FACTS, FIGURES, Measure, measured, told
from codesign.hardware.machine import Hardware
from codesign.hardware.objective import Objective
from codesign.mapping.assign.ask import Engines
from codesign.mapping.residency import Residency
from codesign.replay.budget import MOST_EVENTS, BudgetError
from codesign.result.result import Result
from codesign.simulation import simulate
from codesign.workload.annotate import Annotation, with_annotations
from codesign.workload.as_run import NATIVE, as_run
from codesign.workload.dtype import DType
from codesign.workload.file import load_trace
from codesign.workload.record import Trace

_KEPT = 64
"""Traces and machines that are kept (assumed): neighbours of a grid share them."""


@dataclass(frozen=True)
class Form:
    """What of a run changes the trace.

    Attributes:
        dtype: as of ``codesign.simulate``, like the next.
        schedule: order of steps.
        said: annotations, in order.
    """

    dtype: str | None = None
    schedule: str | None = None
    said: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class How:
    """How a model runs: what ``codesign.simulate`` takes beside the model and the hardware.

    Attributes:
        form: what of it changes the trace.
        residency: as of ``simulate``, like all that follow.
        engines: which engine runs what.
        objective: what mappings make small.
    """

    form: Form = Form()
    residency: Residency | str = "region"
    engines: Engines | str = "earliest"
    objective: Objective | str | None = None


@dataclass(frozen=True)
class Task:
    """A point to measure.

    Attributes:
        index: of its combination in the space.
        point: values by name.
        trace: digest of the captured trace.
        settings: hardware values to change.
        how: it runs.
    """

    index: int
    point: Mapping[str, Any]
    trace: str
    settings: Mapping[str, Any]
    how: How


@dataclass(frozen=True)
class Done:
    """A point that was measured, or failed.

    Attributes:
        index: of its combination in the space.
        figures: by name; empty if it failed.
        message: why it failed; empty if it did not.
        seconds: that it took, on one core.
        trace: digest of the trace as simulated.
        hardware: digest of the hardware.
        result: the result itself, where the driver asked for it.
        most_events: bound on events that ended it; 0 if none did.
    """

    index: int
    figures: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0.0
    trace: str = ""
    hardware: str = ""
    result: Result | None = None
    most_events: int = 0


@dataclass(frozen=True)
class Job:
    """What all points of a study share; it can be sent to another process.

    Attributes:
        machine: hardware before changes.
        folder: with the captured traces.
        plugins: folders of plugin files.
        figures: names of the figures that are wanted.
        measures: objectives whose function is called where the point is measured.
        wants_result: whether the driver needs the result itself.
        most_events: how many events a replay may handle.
    """

    machine: Hardware
    folder: Path
    plugins: tuple[Path | str, ...] = ()
    figures: tuple[str, ...] = ()
    measures: tuple[tuple[str, Measure], ...] = ()
    wants_result: bool = False
    most_events: int = MOST_EVENTS


class Traces:
    """Captured traces by digest, in a folder, and the forms in which they run."""

    def __init__(
        self, folder: Path, precision: DType | None, plugins: tuple[Path | str, ...]
    ) -> None:
        self._folder, self._precision, self._plugins = folder, precision, plugins
        self._captured = lru_cache(_KEPT)(self._load)
        self.as_run: Callable[[str, Form], Trace] = lru_cache(_KEPT)(self._formed)
        """The trace of a digest, annotated, in its number format and under its schedule."""

    def path(self, digest: str) -> Path:
        """Where a captured trace is."""
        return self._folder / f"{digest}.json.gz"

    def _load(self, digest: str) -> Trace:
        return load_trace(self.path(digest))

    def _formed(self, digest: str, form: Form) -> Trace:
        declared = with_annotations(self._captured(digest), form.said, self._plugins)
        return as_run(declared, self._precision, form.dtype, form.schedule)


class Evaluator:
    """Measures points one after the other, and remembers what the next one shares with it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._traces = Traces(job.folder, job.machine.precision, job.plugins)
        self._machine = lru_cache(_KEPT)(lambda settings: job.machine.with_all(dict(settings)))

    def measure(self, task: Task) -> Done:
        """The figures of a point; whatever goes wrong is told in its message."""
        start = time.perf_counter()
        try:
            figures, result = self._figures(task)
        except OF_OTHERS as error:  # a point fails alone
            spent, bound = time.perf_counter() - start, self._job.most_events
            most = bound if isinstance(error, BudgetError) else 0
            return Done(task.index, message=told(error), seconds=spent, most_events=most)
        return Done(
            task.index,
            figures,
            "",
            time.perf_counter() - start,
            result.trace_digest,
            result.hardware_digest,
            result if self._job.wants_result else None,
        )

    def _figures(self, task: Task) -> tuple[dict[str, float], Result]:
        how, trace = task.how, self._traces.as_run(task.trace, task.how.form)
        result = simulate(
            trace,
            self._machine(tuple(task.settings.items())),
            dtype=NATIVE,  # it already is in its format
            residency=how.residency,  # type: ignore[arg-type]  # simulate refuses other words
            engines=how.engines,  # type: ignore[arg-type]  # so it does here
            objective=how.objective,
            plugins=self._job.plugins,
            most_events=self._job.most_events,
        )
        figures = {name: find(trace) for name, find in FACTS.items()}
        figures |= {name: _finite(name, FIGURES[name](result)) for name in self._job.figures}
        for name, measure in self._job.measures:
            figures[name] = measured(name, measure, task.point, result)
        return figures, result


def _finite(name: str, figure: float) -> float:
    if not math.isfinite(figure):
        raise StudyError(f"{name} is {figure}, which no front can hold; ask for another figure")
    return figure
