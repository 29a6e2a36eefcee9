"""The command ``scenario``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.options import (
    ExactEvents,
    HardwareName,
    Json,
    MostEvents,
    Plugins,
    Settings,
    read_settings,
)
from codesign.cli.output import announce, print_json, print_rich, progress
from codesign.replay.budget import MOST_EVENTS


def scenario(
    file: Annotated[Path, typer.Argument(help="A scenario file, *.yaml.", show_default=False)],
    hardware: HardwareName,
    settings: Settings = None,
    exact_events: ExactEvents = False,
    most_events: MostEvents = MOST_EVENTS,
    plugins: Plugins = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the summary, hardware values, runs, ledger and timeline.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Report queueing, real time and power of models that run side by side as input arrives."""
    from codesign.hardware.spec import load_hardware
    from codesign.scenario.simulate import simulate_scenario
    from codesign.whole_file import check_folder

    changes = read_settings(settings)
    if out is not None:
        check_folder(out, "journal.jsonl")
    machine = load_hardware(hardware, plugins=tuple(plugins or ()))
    announce(machine)
    with progress(f"reading and mapping {file}", f"replaying {file}", quiet=json) as watch:
        result = simulate_scenario(
            file,
            machine,
            settings=changes,
            plugins=tuple(plugins or ()),
            exact_events=exact_events,
            most_events=most_events,
            watch=watch,
        )
        if out is not None:
            result.save(out)
    if json:
        print_json(result.summary())
    else:
        from codesign.cli.scenario_report import report

        print_rich(*report(result))
