"""The command ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.output import print_note
from codesign.errors import ReportError


def report(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A folder that simulate --out or a study wrote.", metavar="DIR", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The page to write; DIR.html if neither it nor --figures is given.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Write the figures there, one file each.", metavar="FOLDER", show_default=False
        ),
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            help="Of the figures: png, svg or pdf; once for each. All if not given.",
            metavar="FORMAT",
            show_default=False,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Make one HTML file of a saved result or study, or its figures as files."""
    from codesign.report import FORMATS, write_figures, write_report

    if output is None and figures is None:
        output = _beside(folder)
    if format and figures is None:
        raise ReportError("--format is of figures; give --figures FOLDER, or drop it")
    if show and output is None:
        raise ReportError("--open is of a page; give -o FILE, or drop it")
    if figures is not None:
        written = write_figures(folder, figures, format or FORMATS)
        typer.echo(f"{len(written)} figures in {figures}")
    if output is not None:
        write_report(folder, output)
        typer.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB")
        if show:
            import webbrowser

            if not webbrowser.open(output.absolute().as_uri()):
                print_note(f"no browser was found; open {output} yourself")


def _beside(folder: Path) -> Path:
    """The page of a folder whose user names none: beside it, and called after it."""
    named = folder if folder.name else folder.resolve()
    return named.with_name(f"{named.name}.html")
