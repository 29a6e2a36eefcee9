"""``codesign validate``: our figures beside those of other tools and of silicon."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import print_json, print_note, print_rich, progress, table
from codesign.errors import ValidationError

if TYPE_CHECKING:
    from codesign.validation import FamilyResult


def validate(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of reference files; without it, only what needs none is run.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(
            help="A family, with its cases; may be repeated. All by default.",
            metavar="F",
            show_default=False,
        ),
    ] = None,
    cases: Annotated[
        bool, typer.Option("--cases", help="Show every case, not only the summary.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Markdown page to write the matrix to, between its two marks.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Compare reference figures of other tools and of silicon with ours."""
    from codesign.validation import validate as run
    from codesign.validation.document import document
    from codesign.validation.page import check_page, write_page

    if output is not None:
        if family:
            raise ValidationError("--output writes the matrix of all families; leave --family out")
        check_page(output)
    with progress("reading references", "comparing references", quiet=json) as watch:
        results = run(data, tuple(family or ()), tuple(plugins or ()), watch)
    if output is not None:
        write_page(output, results)
        if not json:
            print_note(f"wrote {output}")
    if json:
        print_json([document(result) for result in results])
    else:
        print_rich(*_report(results, with_cases=cases or bool(family)))


def _report(results: Sequence[FamilyResult], *, with_cases: bool) -> list[Any]:
    """The summary, what was not run, and the cases if they are asked for."""
    from rich.text import Text

    from codesign.validation import wording

    lines = [wording.summary_cells(one.family, part) for one in results for part in one.summaries]
    parts: list[Any] = [table("", _columns(wording.SUMMARY_HEADS), lines), wording.LEGEND]
    for one in results:
        for line in wording.not_run_lines(one.not_run, names=3):
            parts.append(Text(f"not run: {one.family}: {line}"))
    for one in results if with_cases else ():
        parts += ["", *_family(one)]
    return parts


def _family(result: FamilyResult) -> list[Any]:
    from rich.text import Text

    from codesign.validation import wording

    about = result.validation
    rows = [wording.case_cells(case) for case in result.cases]
    texts = [Text(line) for line in (f"source: {about.source}", about.note) if line]
    return [table(f"{result.family}: {about.title}", _columns(wording.CASE_HEADS), rows), *texts]


def _columns(heads: Sequence[str]) -> list[str]:
    """Words to the left, figures to the right, and the last column as far as the line goes."""
    words = ("family", "case", "quantity", "calibrated")
    kept = [f"{'=' if head in words else '>'}{head}" for head in heads[:-1]]
    return [*kept, f"~{heads[-1]}"]
