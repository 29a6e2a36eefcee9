"""A study: points of a model, a hardware and a schedule, and what is wanted of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign import __version__
from codesign.annotation_file import Source as Annotations
from codesign.annotation_file import read_annotations
from codesign.errors import StudyError, did_you_mean
from codesign.explore.axes import check_values
from codesign.explore.evaluate import Form, How
from codesign.explore.grammar import Constraint
from codesign.explore.known import takes
from codesign.explore.model import find_source
from codesign.explore.objectives import ALWAYS, FACTS, FIGURES, Goal, Measure
from codesign.explore.parts import Spaces, sort_constraints
from codesign.explore.swept import Swept
from codesign.hardware.objective import Objective, as_objective
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.assign.ask import Engines, as_engines
from codesign.mapping.residency import Residency, as_residency
from codesign.plugin_choice import is_rule
from codesign.replay.budget import MOST_EVENTS, check_most
from codesign.workload.as_run import check_dtype
from codesign.workload.record import Trace
from codesign.workload.schedule_text import check_schedule

if TYPE_CHECKING:
    from codesign.explore.executors import Executor
    from codesign.explore.search.searched import Searched

Objectives = Sequence["str | Measure | tuple[str, Measure]"]


class Study:
    """A set of points and what is wanted of them.

    Attributes:
        source: of the traces.
        machine: hardware before changes.
        space: all that varies.
        spaces: the same by what it changes.
        goals: objectives in order.
        base: how every point runs, but for what it says itself.
        on_facts: constraints that are known before a point is replayed.
        on_results: constraints that are known after it.
        plugins: folders of plugin files.
        most_events: how many events the replay of a point may handle.
    """

    def __init__(
        self,
        *,
        model: Trace | str | Callable[..., Any],
        hardware: Hardware | str | Path,
        objectives: Objectives,
        model_space: Mapping[str, Any] | None = None,
        hardware_space: Mapping[str, Any] | None = None,
        schedule_space: Mapping[str, Any] | None = None,
        zipped: Sequence[Sequence[str]] = (),
        conditions: Mapping[str, str] | None = None,
        constraints: Sequence[str] = (),
        residency: Residency | str = "region",
        engines: Engines | str = "earliest",
        dtype: str | None = None,
        objective: Objective | str | None = None,
        schedule: str | None = None,
        annotations: Annotations | None = None,
        plugins: Sequence[Path | str] = (),
        most_events: int = MOST_EVENTS,
        options: Mapping[str, Any] | None = None,
        **more_options: Any,
    ) -> None:
        """Reads and checks a study; nothing runs, and no file is written.

        Args:
            model: a trace, a model name or file as on the command line, or a function of the
                parameters in ``model_space`` (or ``package.module:function``) that returns a trace
                or ``(module, args)``.
            hardware: a hardware, a preset name or the path of a hardware file.
            objectives: one or more of what is to be small: names of figures (``latency_s``,
                ``energy_j``, ``offchip_bytes``, ...), of facts (``params``, ``macs``,
                ``parameter_bytes``), or functions, which may be named: ``("max:accuracy",
                accuracy)``. A function takes the point and its result, or parameters by name:
                ``def accuracy(cell, hidden)`` is called once for each pair of them, before any
                replay. ``max:`` or ``-`` before a name asks for the most.
            model_space: values by parameter of the model; of a name ``batch``, ``seq_len``,
                ``steps``.
            hardware_space: values by path, ``{"sram.size": ["256 KiB", "1 MiB"]}``.
            schedule_space: values of ``schedule``, ``residency``, ``engines``, ``dtype``,
                ``objective``, and of annotations such as ``weight_bits``, ``sparsity`` or
                ``codec`` of all operators, or of some: ``"encoder.*:weight_bits"``. None leaves a
                point as the study has it.
            zipped: groups of parameters whose first, second, third values go together.
            conditions: by parameter, a condition on parameters before it without which it is not
                there.
            constraints: such as ``params <= 20e6``, on parameters, facts, figures and objectives.
                What is known before a point is replayed leaves it out; the rest marks it.
            residency: as of ``codesign.simulate``, like all that follow.
            engines: which engine runs what.
            dtype: number format.
            objective: what mappings make small.
            schedule: order of steps.
            annotations: bit widths, zeros and codecs.
            plugins: folders of plugin files.
            most_events: how many events the replay of a point may handle before it fails; an
                operator that ends counts as ten. It decides no figure, so that ``resume`` may give
                points that failed for it another one.
            options: ``batch``, ``seq_len``, ``steps`` or other parameters of the model that do
                not vary.
            **more_options: the same as further keywords.

        Raises:
            StudyError: a space, constraint or objective that breaks a rule.
            CodesignError: a mistake in the model or the hardware.
        """
        check_most(most_events)
        self.plugins, self.most_events = tuple(plugins), most_events
        self.machine = (
            hardware if isinstance(hardware, Hardware) else load_hardware(hardware, plugins=plugins)
        )
        self.spaces = Spaces(model_space or {}, hardware_space or {}, schedule_space or {})
        given = _options(options, more_options)
        self.source = find_source(model, given, self.plugins)
        self._check_model(given)
        self.spaces.check_hardware(self.machine)
        self.spaces.check_schedule()
        names = [*self.spaces.model, *self.spaces.hardware, *self.spaces.schedule]
        self.goals = tuple(_with_takes(goal, names) for goal in _goals(objectives))
        self.base = _base(residency, engines, dtype, objective, schedule, annotations)
        told = tuple(Constraint.parse(text) for text in constraints)
        early, self.on_facts, self.on_results = sort_constraints(told, names, self.goals)
        self.space = self.spaces.space(zipped, conditions or {}, early)
        self._constraints, self._options = told, given
        check_values(self, early)

    def run(
        self,
        folder: str | Path,
        *,
        workers: int = 1,
        resume: bool = False,
        exhaustive: bool = False,
        executor: Executor | None = None,
        watch: Callable[[int, int, int, int], None] | None = None,
    ) -> Swept:
        """Measures every point that may be on the front.

        Lower bounds of all points come first, and one that another point beats whatever it came to
        is not replayed: the front is that of all points. An objective without a bound (a function
        of the result) makes every point one that may be on it.

        The folder gets ``journal.jsonl``, which has every point as soon as it is done,
        ``traces/`` and at the end ``results.parquet``.

        Args:
            folder: to write to; made if it is not there.
            workers: processes; with 1 all runs in this one.
            resume: go on with the journal in the folder: what is there is not run again.
            exhaustive: replay every point.
            executor: who measures, in the place of ``workers``.
            watch: told (points done, failed, pruned, in all).

        Raises:
            StudyError: no point is left, the folder has a journal and ``resume`` is not given, or
                the journal of another study.
            CodesignError: the folder cannot be written.
        """
        from codesign.explore.executors import find_executor
        from codesign.explore.run import run_study

        chosen = executor or find_executor(workers=workers, plugins=self.plugins)
        return run_study(
            self, Path(folder), chosen, resume=resume, exhaustive=exhaustive, watch=watch
        )

    def search(
        self,
        folder: str | Path,
        *,
        workers: int = 1,
        executor: Executor | None = None,
        **options: Any,
    ) -> Searched:
        """Measures the points that an optimiser asks for, into the same files as ``run``.

        Args:
            folder: to write to.
            workers: processes; no more than points are asked for at a time (``batch``).
            executor: who measures, in the place of ``workers``.
            **options: ``sampler``, ``budget``, ``seed``, ``batch``, ``warm``, ``stop``,
                ``reference``, ``storage``, ``resume`` and ``watch`` of
                ``codesign.explore.search.run.run_search``.

        Raises:
            StudyError: an option out of its range, or as ``run``.
            CodesignError: the folder cannot be written.
        """
        from codesign.explore.executors import find_executor
        from codesign.explore.search.run import run_search

        chosen = executor or find_executor(workers=workers, plugins=self.plugins)
        return run_search(self, Path(folder), chosen, **options)

    @property
    def figures(self) -> tuple[str, ...]:
        """Figures that every point is asked for, in order."""
        named = [name for one in self.on_results for name in one.names]
        asked = [*ALWAYS, *(goal.name for goal in self.goals), *named]
        return tuple(dict.fromkeys(name for name in asked if name in FIGURES))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides the results: another digest, another study."""
        space = [[p.name, p.values, p.when.text if p.when else None] for p in self.space.parameters]
        content = {
            "version": __version__,
            "model": self.source.identity,
            "options": self._options,
            "hardware": self.machine.digest,
            "space": space,
            "zipped": self.space.zipped,
            "constraints": [constraint.text for constraint in self._constraints],
            "objectives": [goal.identity for goal in self.goals],
            "how": self.base,
            "plugins": [_source_of(folder) for folder in self.plugins],
        }
        text = json.dumps(content, sort_keys=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()

    def _check_model(self, options: Mapping[str, Any]) -> None:
        self.source.check(self.spaces.model, "model_space")
        for name in options:
            if name in self.spaces.model:
                raise StudyError(f"{name!r} varies in model_space and is given too; keep one")


def _goals(given: Objectives) -> tuple[Goal, ...]:
    if isinstance(given, str) or not given:
        raise StudyError(
            f"objectives must be a list of at least one, got {given!r}; write ['energy_j']"
        )
    goals = tuple(map(Goal.of, given))
    known = (*FIGURES, *FACTS)
    for goal in goals:
        if goal.measure is None and goal.name not in known:
            raise StudyError(f"unknown objective {goal.name!r}{did_you_mean(goal.name, known)}")
        if goal.measure is not None and goal.name in known:
            raise StudyError(f"a function cannot be called {goal.name!r}, which is a figure")
        if [other.name for other in goals].count(goal.name) > 1:
            raise StudyError(f"objective {goal.name!r} is given twice; keep one")
    return goals


def _with_takes(goal: Goal, parameters: Sequence[str]) -> Goal:
    return goal if goal.measure is None else replace(goal, takes=takes(goal.measure, parameters))


def _options(options: object, more: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the model that do not vary, given as a map, as keywords or as both."""
    if options is not None and not isinstance(options, Mapping):
        raise StudyError(
            f"options must be a map from parameters of the model to values, got "
            f"{repr(options)[:60]}; write for example options={{'batch': 4}}"
        )
    given = dict(options or {})
    for name in more:
        if name in given:
            raise StudyError(f"{name!r} is given in options and by itself; keep one")
    return given | dict(more)


def _base(
    residency: Residency | str,
    engines: Engines | str,
    dtype: str | None,
    objective: Objective | str | None,
    schedule: str | None,
    annotations: Annotations | None,
) -> How:
    if dtype is not None:
        check_dtype(dtype)
    said = () if annotations is None else read_annotations(annotations)
    if schedule is not None:
        check_schedule(schedule)
    form = Form(dtype, schedule, said)
    return How(form, as_residency(residency), as_engines(engines), as_objective(objective))


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _source_of(word: Path | str) -> str:
    if is_rule(word):
        return str(word)
    found, folder = hashlib.sha256(), Path(word)
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]
    for path in paths:
        found.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return found.hexdigest()
