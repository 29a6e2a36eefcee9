"""The commands ``sweep`` and ``pareto``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json
from codesign.cli.output import print_json, print_note, print_rich, table

if TYPE_CHECKING:
    from codesign.explore.swept import Swept


def sweep(
    study: Annotated[
        Path, typer.Argument(help="A study file, *.yaml.", metavar="STUDY", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder for journal, traces and table.", metavar="DIR"),
    ],
    workers: Annotated[int, typer.Option(help="Processes.", min=1, metavar="N")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the journal in the folder.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure every point of a study, and print its Pareto front."""
    from codesign.explore.study_file import read_study

    made = read_study(study)
    with _progress(made.source.name, quiet=json) as watch:
        found = made.run(output, workers=workers, resume=resume, watch=watch)
    if found.failed and not json:
        first = found.failed[0]
        print_note(
            f"{len(found.failed):,} points failed; point {first['index']}: {first['message']}"
        )
    _print_front(found, json=json)


def pareto(
    folder: Annotated[
        Path, typer.Argument(help="The folder of a study.", metavar="DIR", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Print the Pareto front of what a study has measured so far, also while it runs."""
    from codesign.explore.swept import Swept

    _print_front(Swept.read(folder), json=json)


def _print_front(found: Swept, *, json: bool) -> None:
    front = found.pareto()
    if json:
        counts = {"points": found.points, "left_out": found.left_out}
        ended = {"done": len(found.done), "failed": len(found.failed)}
        print_json({**counts, **ended, "digest": found.digest, "front": front})
        return
    print_rich(
        f"{found.model} on {found.hardware}: {len(found.done):,} of {found.points:,} points, "
        f"{len(found.failed):,} failed, {found.left_out:,} left out",
        f"{len(front):,} on the front" if front else "no point keeps to all constraints",
    )
    if not front:
        return
    varies = [n for n in found.parameters if len({repr(row.get(n)) for row in front}) > 1]
    same = [f"{n} = {_text(front[0].get(n))}" for n in found.parameters if n not in varies]
    heads = [">" + name for name, _ in found.objectives]
    columns = (">point", *varies, *heads, "changes")
    rows = [
        (
            str(row["index"]),
            *(_text(row.get(name)) for name in varies),
            *(_text(row[name]) for name, _ in found.objectives),
            _changes(found, varies, front[place - 1] if place else None, row),
        )
        for place, row in enumerate(front)
    ]
    shared = [f"all have {', '.join(same)}"] if same else []
    print_rich(table("", columns, rows), *shared)


def _changes(
    found: Swept, varies: list[str], before: dict[str, Any] | None, row: dict[str, Any]
) -> str:
    """What differs from the neighbour above, and what that costs and brings."""
    if before is None:
        return ""
    changed = [name for name in varies if repr(before.get(name)) != repr(row.get(name))]
    shares = [
        f"{name} {row[name] / before[name] - 1:+.1%}"
        for name, _ in found.objectives
        if before[name] and row[name] != before[name]
    ]
    return f"{', '.join(changed) or 'nothing'}: {', '.join(shares) or 'the same'}"


def _text(value: object) -> str:
    """A value as a table shows it: four digits, and a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextmanager
def _progress(name: str, *, quiet: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Points done and failed, their rate and what is left; only on a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed, {task.fields[rate]} points/s, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(f"capturing {name}", total=None, failed=0, rate="-")

        def watch(done: int, failed: int, total: int) -> None:
            speed = bars.tasks[0].speed
            rate = f"{speed:.1f}" if speed else "-"
            bars.update(
                task,
                description=f"replaying {name}",
                completed=done + failed,
                total=total,
                failed=failed,
                rate=rate,
            )

        yield watch
