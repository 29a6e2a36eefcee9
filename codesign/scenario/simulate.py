"""A scenario in one call: traces, placements, arrivals, replay, result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError, ScenarioError
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.models import resolve_model
from codesign.replay.run import Session
from codesign.result.ledger import build_ledger
from codesign.result.result import Result
from codesign.scenario.file import load_scenario
from codesign.scenario.play import Watcher, play
from codesign.scenario.result import ScenarioResult
from codesign.scenario.schedule import schedule
from codesign.scenario.spec import Scenario, Stream
from codesign.scenario.together import place_together
from codesign.workload.as_run import as_run
from codesign.workload.check import check_trace
from codesign.workload.record import Trace


def simulate_scenario(
    scenario: Scenario | str | Path,
    hardware: Hardware | str | Path,
    *,
    settings: Mapping[str, object] | None = None,
    plugins: Sequence[Path | str] = (),
    exact_events: bool = False,
    watch: Watcher | None = None,
) -> ScenarioResult:
    """Simulates a scenario.

    Args:
        scenario: a scenario or the path of a scenario file.
        hardware: a hardware, a preset name or the path of a hardware file.
        settings: hardware values to change, ``{"sram.size": "256 KiB"}``.
        plugins: folders of plugin files.
        exact_events: replay every event instead of skipping what recurs; the result is the same.
        watch: told about progress as (runs ended, runs in all).

    Raises:
        CodesignError: a mistake in the scenario, a model, the hardware or their fit; one line that
            says what to change. Nothing is simulated before all of it is checked.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    schedule(scenario)  # tells a mistake before models are captured, which takes long
    machine = (
        hardware if isinstance(hardware, Hardware) else load_hardware(hardware, plugins=plugins)
    )
    for path, value in (settings or {}).items():
        machine = machine.with_(path, value)
    placements = _placements(scenario, machine, plugins)
    return replay_scenario(scenario, machine, placements, exact_events=exact_events, watch=watch)


def replay_scenario(
    scenario: Scenario,
    machine: Hardware,
    placements: Mapping[str, Placement],
    *,
    exact_events: bool = False,
    watch: Watcher | None = None,
) -> ScenarioResult:
    """Replays a scenario whose streams are placed already.

    Args:
        scenario: the scenario; the models of its streams are not looked at.
        machine: the hardware that they are placed on.
        placements: what each stream runs, by its name.
        exact_events: replay every event instead of skipping what recurs; the result is the same.
        watch: told about progress as (runs ended, runs in all).

    Raises:
        ScenarioError: see ``schedule``.
    """
    times = schedule(scenario)
    session = Session(machine, placements, exact_events=exact_events)
    played = play(scenario, times, session, watch)
    parts: dict[str, Result] = {}
    for name in scenario.by_name:
        placement, replay = placements[name], played.replays[name]
        ledger = build_ledger(placement, machine, replay, static=False)
        trace = placement.trace
        parts[name] = Result(
            trace.name,
            machine.name,
            trace.digest,
            machine.digest,
            placement,
            replay,
            ledger,
            machine,
        )
    return ScenarioResult(scenario, machine, played, parts)


def _placements(
    scenario: Scenario, machine: Hardware, plugins: Sequence[Path | str]
) -> dict[str, Placement]:
    """Each stream placed beside the others; streams that run the same thing share the work."""
    traces: dict[object, Trace] = {}
    placed: dict[object, Placement] = {}

    def place_one(name: str, room: Hardware) -> Placement:
        stream = scenario.by_name[name]
        model = stream.model if isinstance(stream.model, str) else stream.model.digest
        options = tuple(sorted(stream.options.items()))
        what = (type(stream.model), model, options, stream.dtype, stream.schedule)
        try:
            if what not in traces:
                traces[what] = _trace(stream, machine, plugins)
            where = (what, stream.residency, room.digest)
            if where not in placed:
                placed[where] = place(traces[what], room, stream.residency)
        except CodesignError as error:
            raise ScenarioError(f"{name}: {error}") from error
        return placed[where]

    return place_together(scenario.by_name, machine, place_one)


def _trace(stream: Stream, machine: Hardware, plugins: Sequence[Path | str]) -> Trace:
    """What a stream runs, in the number format and the order that it runs in."""
    trace = stream.model
    if isinstance(trace, Trace):
        if stream.options:
            raise ScenarioError(
                f"{', '.join(stream.options)} can be set for a model given by name only"
            )
        check_trace(trace)
    else:
        options: dict[str, Any] = dict(stream.options)
        trace = resolve_model(trace, plugins=plugins, **options)
    return as_run(trace, machine.precision, stream.dtype, stream.schedule)
