"""The commands ``sweep`` and ``pareto``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codesign.cli.front_table import note_failures, print_front
from codesign.cli.interrupt import keeping
from codesign.cli.options import Json, PointEvents
from codesign.cli.sweep_progress import study_progress
from codesign.errors import StudyError


def sweep(
    study: Annotated[
        Path, typer.Argument(help="A study file, *.yaml.", metavar="STUDY", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder for journal, traces and table.", metavar="DIR"),
    ],
    workers: Annotated[
        int | None,
        typer.Option(help="Processes; 1 if not given.", min=1, metavar="N", show_default=False),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            help="Who measures: pool (with several workers), dask, or what a plugin offers.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a cluster that runs already, for an executor that takes one.",
            metavar="ADDR",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the journal in the folder.")
    ] = False,
    exhaustive: Annotated[
        bool,
        typer.Option(
            "--exhaustive", help="Replay points, too, that bounds exclude from the front."
        ),
    ] = False,
    most_events: PointEvents = None,
    json: Json = False,
) -> None:
    """Measure the points of a study that may be on its Pareto front, and print the front."""
    from codesign.explore.executors import find_executor
    from codesign.explore.study_file import read_study

    made = read_study(study, most_events=most_events)
    who = find_executor(executor, workers=workers, address=address, plugins=made.plugins)
    with keeping(output, resume=resume), study_progress(made.source.name, quiet=json) as watch:
        found = made.run(output, resume=resume, exhaustive=exhaustive, executor=who, watch=watch)
    print_front(found, output, json=json)
    note_failures(found, output, quiet=json)


def pareto(
    folder: Annotated[
        Path, typer.Argument(help="The folder of a study.", metavar="DIR", show_default=False)
    ],
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Also draw front, parallel coordinates, effects and hypervolume there.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
    effects: Annotated[
        bool,
        typer.Option("--effects", help="Also print what each parameter does to each objective."),
    ] = False,
    json: Json = False,
) -> None:
    """Print the Pareto front of what a study has measured so far, also while it runs."""
    from codesign.explore.journal_check import read_records
    from codesign.explore.swept import JOURNAL, Swept

    found = Swept.read(folder)
    if not found.done and (effects or figures is not None):
        asked = "effects" if effects else "figures"
        raise StudyError(
            f"{folder / JOURNAL}: {asked} need a measured point, got none of {found.points:,}, "
            f"{len(found.failed):,} failed; codesign report {folder} lists why"
        )
    told: dict[str, Any] = {}
    if figures is not None:
        from codesign.explore.figures import draw

        records = read_records(folder / JOURNAL)
        order = [record["index"] for record in records if record["event"] == "done"]
        told["figures"] = [str(path) for path in draw(found, figures, order=order)]
    if effects:
        from codesign.cli.effects_table import EffectsTable

        moved = EffectsTable(found)
        told["effects"] = moved.as_json()
    print_front(found, folder, json=json, **told)
    if effects and not json:
        moved.print()
    if figures is not None and not json:
        typer.echo(f"{len(told['figures'])} figures in {figures}")
