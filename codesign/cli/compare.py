"""``codesign compare``: what makes two saved results differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.options import Json
from codesign.cli.output import print_json, print_note, print_rich


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Folder of a saved result.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Folder of another one.")],
    json: Json = False,
) -> None:
    """Explain the difference of two results: latency by cause, energy, off-chip bytes."""
    from codesign.result.compare import compare_results
    from codesign.result.saved import load_saved

    found = compare_results(load_saved(first), load_saved(second))
    for note in found.notes:
        print_note(note)
    if json:
        print_json(found.as_json())
    else:
        from codesign.cli.compare_report import report

        print_rich(*report(found))
