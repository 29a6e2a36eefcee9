"""``codesign why``: what the time of a run was spent on, and what a change would gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import (
    AcrossRuns,
    AllowUnsupported,
    Annotations,
    Batch,
    EnginePolicy,
    ExactEvents,
    Format,
    Goal,
    HardwareName,
    Json,
    MappingFile,
    Model,
    MostEvents,
    Partial,
    Pins,
    Plugins,
    Policies,
    Rules,
    Schedule,
    SeqLen,
    Settings,
    Split,
    Steps,
    model_options,
    read_engines,
    read_residency,
    read_settings,
)
from codesign.cli.output import announce, print_json, print_rich, progress
from codesign.replay.budget import MOST_EVENTS

if TYPE_CHECKING:
    from codesign.explore.what_if import Answer


def why(
    model: Model,
    hardware: HardwareName,
    what_if: Annotated[
        bool,
        typer.Option(
            "--what-if/--no-what-if", help="Try what twice as much of each resource would gain."
        ),
    ] = True,
    settings: Settings = None,
    batch: Batch = None,
    seq_len: SeqLen = None,
    steps: Steps = None,
    dtype: Format = None,
    residency: Policies = "region",
    pin: Pins = None,
    partial: Partial = False,
    across_runs: AcrossRuns = False,
    engines: EnginePolicy = "earliest",
    on: Rules = None,
    split: Split = False,
    mapping: MappingFile = None,
    objective: Goal = None,
    schedule: Schedule = None,
    annotations: Annotations = None,
    exact_events: ExactEvents = False,
    most_events: MostEvents = MOST_EVENTS,
    plugins: Plugins = None,
    allow_unsupported: AllowUnsupported = False,
    json: Json = False,
) -> None:
    """Say what the time of one run was spent on, and what a change would gain."""
    from codesign.explore.what_if import what_if as ask
    from codesign.hardware.spec import load_hardware
    from codesign.result.why import find_why
    from codesign.simulation import prepare

    changes = read_settings(settings)
    options = model_options(batch, seq_len, steps, allow_unsupported)
    stays = read_residency(residency, pin, partial=partial, across_runs=across_runs)
    choosing = read_engines(engines, on, split=split)
    folders = tuple(plugins or ())
    machine = load_hardware(hardware, plugins=folders)
    announce(machine)
    with progress(f"reading and mapping {model}", f"replaying {model}", quiet=json) as watch:
        asked = prepare(
            model,
            machine,
            settings=changes,
            dtype=dtype,
            residency=stays,
            engines=choosing,
            mapping=mapping,
            objective=objective,
            schedule=schedule,
            annotations=annotations,
            plugins=folders,
            **options,
        )
        how: dict[str, Any] = {"exact_events": exact_events, "most_events": most_events}
        result = asked.run(watch, **how)
        span = result.replay.makespan
        found = find_why(result.placement, result.machine, watch, **how, expected=span)
    answers: tuple[Answer, ...] = ()
    if what_if:
        with progress("", "trying changes", quiet=json) as watch:
            answers = ask(asked, result, found, watch=watch, most_events=most_events)
    if json:
        names = {"model": result.model, "hardware": result.hardware, "digest": result.digest}
        asked_too = {"what_if": [one.as_json() for one in answers]} if what_if else {}
        own = {"own_kinds": list(result.own_kinds)} if result.own_kinds else {}
        print_json(names | own | found.as_json() | asked_too)
    else:
        from codesign.cli.why_report import report

        print_rich(*report(result, found, answers))
