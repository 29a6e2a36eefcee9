"""The commands ``plugins check`` and ``plugins new``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.options import Json
from codesign.cli.output import print_json


def check(
    plugin: Annotated[
        str,
        typer.Argument(
            help="A plugin file, a folder, or the name of an installed plugin or distribution.",
            metavar="PATH|NAME",
            show_default=False,
        ),
    ],
    of: Annotated[
        str, typer.Option(help="Only offers of this name, which may have *.", metavar="NAME")
    ] = "*",
    json: Json = False,
) -> None:
    """Hold everything that a plugin offers to the promises that shipped plugins keep."""
    from codesign.testing.suite import plugin_checks

    outcomes = []
    for one in plugin_checks(plugin, of):
        found = one.outcome()
        outcomes.append(found)
        if not json:
            typer.echo(f"{found.state}  {found.title}" + (found.message and f": {found.message}"))
    states = [found.state for found in outcomes]
    if json:
        print_json([asdict(found) for found in outcomes])
    else:
        counted = ((state, states.count(state)) for state in ("passed", "failed", "skipped"))
        typer.echo(", ".join(f"{number} {state}" for state, number in counted))
    if "failed" in states:
        raise typer.Exit(1)


def new(
    kind: Annotated[
        str,
        typer.Argument(
            help="What it offers: engine, memory, link, lowering, fusion, model, format, exporter, "
            "searcher, executor or validation.",
            metavar="KIND",
            show_default=False,
        ),
    ],
    name: Annotated[
        str, typer.Argument(help="A word in small letters.", metavar="NAME", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder to write; by default that of the name.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a plugin that works, with its test, to be changed and installed."""
    from codesign.templates import write_plugin

    folder = Path(name) if output is None else output
    for path in write_plugin(kind, name, folder):
        typer.echo(f"wrote {path}")
    typer.echo(f"next: codesign plugins check {folder / name}.py")
