"""The command ``scenario``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.options import Json, Plugins, read_settings
from codesign.cli.output import print_json, print_rich, progress


def scenario(
    file: Annotated[Path, typer.Argument(help="A scenario file, *.yaml.", show_default=False)],
    hardware: Annotated[
        str, typer.Option(help="A preset name or the path of a .yaml file.", metavar="HW")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change a hardware value; may be repeated.",
            metavar="COMPONENT.FIELD=VALUE",
        ),
    ] = None,
    plugins: Plugins = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the summary, hardware values, runs and ledger.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Report queueing, real time and power of models that run side by side as input arrives."""
    from codesign.result.save import check_folder
    from codesign.scenario.simulate import simulate_scenario

    changes = read_settings(settings)
    if out is not None:
        check_folder(out)
    with progress(f"reading and mapping {file}", f"replaying {file}", quiet=json) as watch:
        result = simulate_scenario(
            file, hardware, settings=changes, plugins=tuple(plugins or ()), watch=watch
        )
        if out is not None:
            result.save(out)
    if json:
        print_json(result.summary())
    else:
        from codesign.cli.scenario_report import report

        print_rich(*report(result))
