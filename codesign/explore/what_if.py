"""What a change would gain: predicted from the recorded run, and checked by a complete replay.

A prediction keeps what was decided: the same tiles in the same order, on the same engines, with
the same tensors on chip. The tiles are timed anew with the changed rates and clocks, so that what
else then holds the run back counts too; reading the gain off the path alone would be too good. The
check maps the model anew on the changed machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from glob import escape
from typing import Any

from codesign.errors import CodesignError
from codesign.explore.changes import LAUNCHES, Change, find_changes
from codesign.explore.cliffs import partial_residency, residency_cliffs
from codesign.hardware.plan import TilePlan
from codesign.mapping.placement import Assignment, Placement, Step
from codesign.replay.budget import MOST_EVENTS, check_most
from codesign.replay.run import replay
from codesign.result.result import Result
from codesign.result.slots import LAUNCH
from codesign.result.why import Why, tied
from codesign.simulation import Prepared

LEAST_GAIN = 1.01
"""Speed-up from which on a hint is told (assumed)."""
MOST_OFF = 0.1
"""Share by which a prediction may differ from the replay before it is called an estimate."""
Watcher = Callable[[int, int], None]
"""Called with (changes tried, changes in all)."""


@dataclass(frozen=True)
class Answer:
    """What one change does.

    Attributes:
        change: what is different.
        path_share: share of the critical path that was spent on the component, also together with
            others that bound it equally; 0 for an engine that an operator moves to, and for what
            stays on chip.
        predicted: latency before over latency after, with the mapping as it was; None where that
            cannot be told.
        replayed: the same with the model mapped and replayed anew; None if it does not run.
        latency_s: of that replay; None if it does not run.
        note: why it does not run, or why the prediction is an estimate; empty otherwise.
    """

    change: Change
    path_share: float
    predicted: float | None
    replayed: float | None
    latency_s: float | None
    note: str = ""

    @property
    def is_estimate(self) -> bool:
        """Whether the prediction is missing or misses the replay by more than ``MOST_OFF``."""
        if self.predicted is None or self.replayed is None:
            return True
        return abs(self.predicted / self.replayed - 1) > MOST_OFF

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "change": self.change.text,
            "kind": self.change.kind,
            "component": self.change.component,
            "settings": dict(self.change.settings),
            "on": dict(self.change.rules),
            "residency": self.change.residency and asdict(self.change.residency),
            "path_share": self.path_share,
            "predicted_speedup": self.predicted,
            "replayed_speedup": self.replayed,
            "latency_s": self.latency_s,
            "estimate": self.is_estimate,
            "note": self.note,
        }


def what_if(
    prepared: Prepared,
    result: Result,
    why: Why,
    *,
    changes: Sequence[Change] | None = None,
    watch: Watcher | None = None,
    most_events: int = MOST_EVENTS,
) -> tuple[Answer, ...]:
    """Tries changes one by one.

    Args:
        prepared: the model and the machine.
        result: how it runs.
        why: its critical path.
        changes: what to try; by default ``find_changes``, and what makes more weights stay on
            chip, see ``codesign.explore.cliffs``.
        watch: told about progress.
        most_events: how many events each replay may handle; a change that needs more does not run.

    Returns:
        The largest gain first; what does not run last, and a hint that gains nothing not at all.

    Raises:
        CodesignError: ``most_events`` is no whole number of at least 1.
    """
    check_most(most_events)
    asked = _changes(prepared, result, why) if changes is None else tuple(changes)
    found = []
    for number, change in enumerate(asked):
        if watch:
            watch(number, len(asked))
        found.append(_answer(change, prepared, result, why, most_events))
    if watch:
        watch(len(asked), len(asked))
    told = [one for one in found if not one.change.is_hint or (one.replayed or 0) >= LEAST_GAIN]
    return tuple(sorted(told, key=lambda one: (-(one.replayed or 0.0), one.change.text)))


def _changes(prepared: Prepared, result: Result, why: Why) -> tuple[Change, ...]:
    found = find_changes(result, why)
    return (*found, *residency_cliffs(prepared, result), *partial_residency(prepared, result))


def predict(
    change: Change, result: Result, why: Why, most_events: int = MOST_EVENTS
) -> float | None:
    """The speed-up with the mapping as it was; None where the recorded run cannot tell.

    Args:
        change: what is different.
        result: what was simulated.
        why: its critical path.
        most_events: how many events a replay may handle.

    Raises:
        CodesignError: a value that the machine cannot have, or a replay with more events.
    """
    after: int | None = None
    if change.kind in ("bandwidth", "set-up"):
        changed = result.machine.with_all(change.settings)
        after = replay(result.placement, changed, most_events=most_events).makespan
    elif change.kind == "clock":
        after = _with_clock(change, result, most_events)
    elif change.kind == "launch":
        after = _with_launch(change, result, why)
    return why.makespan / max(1, after) if after is not None and why.makespan else None


def _with_clock(change: Change, result: Result, most_events: int) -> int | None:
    """Plans that count in the changed clock, timed anew; None where the engine has only others."""
    (path, value), *_ = change.settings.items()
    engine, _, name = path.partition(".")
    before = getattr(result.machine.components[engine], name)
    used = [one for one, _ in result.placement.assignments() if one.engine == engine and one.plan]
    if used and not any(one.plan and one.plan.clock_hz == before for one in used):
        return None
    placement = _retimed(result.placement, engine, before, value / before)
    return replay(placement, result.machine, most_events=most_events).makespan


def _with_launch(change: Change, result: Result, why: Why) -> int | None:
    """Half of the launches on the path go; None where two fields of the engine make them up."""
    part = result.machine.components[change.component]
    if sum(bool(getattr(part, name, 0)) for name in LAUNCHES) > 1:
        return None
    spent = sum(
        part.ticks
        for part in why.parts
        if (part.cause, part.component) == (LAUNCH, change.component)
    )
    return why.makespan - spent // 2


def _retimed(placement: Placement, engine: str, clock: float, factor: float) -> Placement:
    """The same placement with those tiles of one engine that count in a clock at another one."""
    plans: dict[int, TilePlan] = {}

    def one(step: Assignment) -> Assignment:
        if step.engine != engine or step.plan is None or step.plan.clock_hz != clock:
            return step
        plan = plans.setdefault(id(step.plan), _faster(step.plan, factor))
        return dataclasses.replace(step, plan=plan)

    def some(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            one(step)
            if isinstance(step, Assignment)
            else dataclasses.replace(
                step,
                body=some(step.body),
                preload=step.preload and one(step.preload),
                writeback=step.writeback and one(step.writeback),
            )
            for step in steps
        )

    return dataclasses.replace(
        placement,
        program=some(placement.program),
        setup=tuple(one(step) for step in placement.setup),
    )


def _faster(plan: TilePlan, factor: float) -> TilePlan:
    return dataclasses.replace(plan, clock_hz=plan.clock_hz * factor)


def _answer(
    change: Change, prepared: Prepared, result: Result, why: Why, most_events: int
) -> Answer:
    share = 0.0 if change.kind in ("engine", "residency") else _path_share(change, why)
    predicted, unknown = None, ""
    try:
        predicted = predict(change, result, why, most_events)
    except CodesignError as error:
        unknown = f"no prediction: {_line(error)}"
    try:
        found = _changed(change, prepared).run(most_events=most_events)
    except CodesignError as error:
        return Answer(change, share, predicted, None, None, _line(error))
    gained = result.replay.makespan / max(1, found.replay.makespan)
    answer = Answer(change, share, predicted, gained, found.latency_s)
    note = unknown or _note(answer)
    return dataclasses.replace(answer, note=note) if answer.is_estimate else answer


def _path_share(change: Change, why: Why) -> float:
    names = set(tied(change.component))
    spent = why.by("component").items()
    return sum(n for name, n in spent if names & set(tied(name))) / max(1, why.makespan)


def _line(error: CodesignError) -> str:
    return " ".join(str(error).split())


def _note(answer: Answer) -> str:
    if answer.predicted is None:
        return "only a mapping anew can tell"
    return "mapped anew, plans have other tiles or cycles, or other tensors stay on chip"


def _changed(change: Change, prepared: Prepared) -> Prepared:
    machine = prepared.machine.with_all(change.settings)
    # the first rule that matches counts; a dictionary keeps the place of a name it had before
    own = {escape(name): engine for name, engine in change.rules.items()}
    rules = own | {name: one for name, one in prepared.engines.rules.items() if name not in own}
    engines = dataclasses.replace(prepared.engines, rules=rules)
    residency = change.residency or prepared.residency
    return dataclasses.replace(prepared, machine=machine, engines=engines, residency=residency)
