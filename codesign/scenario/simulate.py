"""A scenario in one call: traces, placements, arrivals, replay, result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from codesign.errors import CodesignError, ScenarioError
from codesign.hardware.own_kinds import own_faults
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.pins import check_limits
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.mapping.residency import as_residency
from codesign.models import resolve_model
from codesign.replay.budget import MOST_EVENTS, OPERATOR, check_most
from codesign.replay.run import Session
from codesign.result.ledger import build_ledger
from codesign.scenario.checks import check_list, check_map, check_type
from codesign.scenario.file import load_scenario
from codesign.scenario.part import StreamPart
from codesign.scenario.play import Played, Watcher, play
from codesign.scenario.result import ScenarioResult
from codesign.scenario.schedule import Schedule, schedule
from codesign.scenario.spec import Scenario, Stream
from codesign.scenario.together import Group, may_keep, place_together
from codesign.workload.annotate import with_annotations
from codesign.workload.as_run import as_run
from codesign.workload.check import check_trace
from codesign.workload.record import Trace

T = TypeVar("T")


def simulate_scenario(
    scenario: Scenario | str | Path,
    hardware: Hardware | str | Path,
    *,
    settings: Mapping[str, object] | None = None,
    plugins: Sequence[Path | str] = (),
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
    watch: Watcher | None = None,
) -> ScenarioResult:
    """Simulates a scenario.

    Args:
        scenario: a scenario or the path of a scenario file.
        hardware: a hardware, a preset name or the path of a hardware file.
        settings: hardware values to change, ``{"sram.size": "256 KiB"}``.
        plugins: folders of plugin files.
        exact_events: replay every event instead of skipping what recurs; the result is the same.
        most_events: how many events the replay may handle before it gives up; each operator of
            each run counts as at least ten, which is checked before it begins.
        watch: told about progress as (runs ended, runs in all).

    Raises:
        CodesignError: a mistake in the scenario, a model, the hardware or their fit; one line that
            says what to change. Nothing is simulated before all of it is checked.
    """
    check_most(most_events)
    check_list("plugins", plugins, (str, Path), "['my_plugins']", field="plugins")
    given = check_map("settings", settings or {}, "{'sram.size': '256 KiB'}", field="settings")
    if not isinstance(hardware, (Hardware, str, Path)):
        way_out = "give a preset name, a path, or what codesign.load_hardware returns"
        check_type("hardware", hardware, Hardware, way_out)
    if not isinstance(scenario, (Scenario, str, Path)):
        way_out = "build one, or give the path of a scenario file"
        check_type("scenario", scenario, Scenario, way_out)
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario, plugins)
    times = schedule(scenario)  # tells a mistake before models are captured, which takes long
    machine = (
        hardware if isinstance(hardware, Hardware) else load_hardware(hardware, plugins=plugins)
    )
    machine = machine.with_all(given)
    for stream in scenario.streams:
        _naming(stream, partial(check_limits, as_residency(stream.residency), machine))
    with own_faults(machine):
        placements = _placements(scenario, machine, plugins)
        _check_runs(scenario, times, placements, most_events)
        session = Session(machine, placements, exact_events=exact_events, most_events=most_events)
        return _result(scenario, machine, placements, play(scenario, times, session, watch))


def replay_scenario(
    scenario: Scenario,
    machine: Hardware,
    placements: Mapping[str, Placement],
    *,
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
    watch: Watcher | None = None,
) -> ScenarioResult:
    """Replays a scenario whose streams are placed already.

    Args:
        scenario: the scenario; the models of its streams are not looked at.
        machine: the hardware that they are placed on.
        placements: what each stream runs, by its name.
        exact_events: replay every event instead of skipping what recurs; the result is the same.
        most_events: how many events the replay may handle before it gives up.
        watch: told about progress as (runs ended, runs in all).

    Raises:
        ScenarioError: an argument of another type, a stream without a placement or a placement
            without a stream; and see ``schedule``.
    """
    _check(scenario, machine, placements)
    times = schedule(scenario)
    _check_runs(scenario, times, placements, most_events)
    session = Session(machine, placements, exact_events=exact_events, most_events=most_events)
    return _result(scenario, machine, placements, play(scenario, times, session, watch))


def _result(
    scenario: Scenario, machine: Hardware, placements: Mapping[str, Placement], played: Played
) -> ScenarioResult:
    parts: dict[str, StreamPart] = {}
    for name in scenario.by_name:
        placement, replay = placements[name], played.replays[name]
        ledger = build_ledger(placement, machine, replay, static=False)
        trace = placement.trace
        parts[name] = StreamPart(
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


def _check_runs(
    scenario: Scenario, times: Schedule, placements: Mapping[str, Placement], most_events: int
) -> None:
    """Refuses what must exceed the events: every operator of every run ends once at least."""
    check_most(most_events)
    runs = {s.name: s.beam * sum(map(len, times[s.name])) for s in scenario.streams}
    once = {name: len(one.assignments()) - len(one.setup) for name, one in placements.items()}
    least = OPERATOR * sum(runs[name] * once[name] for name in runs)
    if least > most_events:
        name = max(runs, key=lambda name: runs[name] * once[name])
        asked, label = sum(runs.values()), scenario.by_name[name].label
        raise ScenarioError(
            f"{label}: {scenario.name} asks for {asked:,} runs, at least {least:,} events, and its "
            f"replay may handle {most_events:,}; shorten it, lower its rates or raise most_events "
            "(--most-events)"
        )


def _check(scenario: Scenario, machine: Hardware, placements: Mapping[str, Placement]) -> None:
    check_type("scenario", scenario, Scenario, "build one, or read a file with load_scenario")
    check_type("machine", machine, Hardware, "give what codesign.load_hardware returns")
    given = check_map("placements", placements, "{'encoder': placement}", field="placements")
    for name in {**scenario.by_name, **given}:
        if name not in given or name not in scenario.by_name:
            raise ScenarioError(
                f"placements must be one for each of {', '.join(scenario.by_name)}, got "
                f"{', '.join(given) or 'none'}; {'drop' if name in given else 'add'} {name[:60]}"
            )
        what = f"placement of {name}"
        check_type(what, given[name], Placement, "give what codesign.mapping.place.place returns")


def _placements(
    scenario: Scenario, machine: Hardware, plugins: Sequence[Path | str]
) -> dict[str, Placement]:
    """Each stream placed beside the others; streams that run the same thing share the work."""
    captured: dict[object, Trace] = {}
    traces: dict[str, Trace] = {}
    groups: dict[object, list[str]] = {}
    for name, stream in scenario.by_name.items():
        model = stream.model if isinstance(stream.model, str) else stream.model.digest
        options = tuple(sorted(stream.options.items()))
        form = stream.dtype, stream.schedule, stream.annotations
        what = (type(stream.model), model, options, *form)
        if what not in captured:
            captured[what] = _naming(stream, partial(_trace, stream, machine, plugins))
        traces[name] = captured[what]
        groups.setdefault((traces[name].digest, stream.residency), []).append(name)

    def place_one(name: str, room: Hardware) -> Placement:
        stream = scenario.by_name[name]
        return _naming(stream, partial(place, traces[name], room, stream.residency))

    together = [
        Group(tuple(names), may_keep(scenario.by_name[names[0]].residency))
        for names in groups.values()
    ]
    found = place_together(together, machine, place_one)
    return {name: found[name] for name in scenario.by_name}


def _naming(stream: Stream, work: Callable[[], T]) -> T:
    """What some work for a stream returns; its error names the stream and its place."""
    try:
        return work()
    except CodesignError as error:
        raise ScenarioError(f"{stream.label}: {error}") from error


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
    trace = with_annotations(trace, stream.declared, plugins)
    return as_run(trace, machine.precision, stream.dtype, stream.schedule)
