"""The commands ``sweep`` and ``pareto``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.interrupt import keeping
from codesign.cli.options import Json, PointEvents
from codesign.cli.output import print_json, print_note, print_rich, table
from codesign.cli.sweep_progress import study_progress
from codesign.errors import StudyError

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
    if found.failed and not json:
        first = found.failed[0]
        print_note(
            f"{len(found.failed):,} points failed; point {first['index']}: {first['message']}"
        )
    _print_front(found, output, json=json)


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
    _print_front(found, folder, json=json, **told)
    if effects and not json:
        moved.print()
    if figures is not None and not json:
        typer.echo(f"{len(told['figures'])} figures in {figures}")


def _print_front(found: Swept, folder: Path, *, json: bool, **more: Any) -> None:
    front = found.pareto()
    if json:
        counts = {"points": found.points, "left_out": found.left_out}
        ended = {"done": len(found.done), "pruned": found.pruned, "failed": len(found.failed)}
        print_json({**counts, **ended, "digest": found.digest, "front": front, **more})
        return
    print_rich(
        f"{found.model} on {found.hardware}: {len(found.done):,} of {found.points:,} points "
        f"replayed, {found.pruned:,} pruned, {len(found.failed):,} failed, "
        f"{found.left_out:,} left out",
        f"{len(front):,} on the front" if front else _no_front(found, folder),
    )
    if not front:
        return
    varies = [n for n in found.parameters if len({repr(row.get(n)) for row in front}) > 1]
    same = [f"{n} = {_text(front[0].get(n))}" for n in found.parameters if n not in varies]
    heads = [">" + name for name, _ in found.objectives]
    columns = (">point", *varies, *heads, "changes")
    reached = [objective_texts(name, [row[name] for row in front]) for name, _ in found.objectives]
    rows = [
        (
            str(row["index"]),
            *(_text(row.get(name)) for name in varies),
            *(texts[place] for texts in reached),
            _changes(found, varies, front[place - 1] if place else None, row),
        )
        for place, row in enumerate(front)
    ]
    shared = [f"all have {', '.join(same)}"] if same else []
    print_rich(table("", columns, rows), *shared)


def _no_front(found: Swept, folder: Path) -> str:
    from codesign.explore.swept import JOURNAL

    if found.done or found.pruned:  # bounds alone may show that a point breaks a constraint
        return "no point keeps to all constraints"
    if found.failed:
        return (
            f"no point was measured; {folder / JOURNAL} has why, and codesign report {folder} "
            "lists it"
        )
    return "no point was measured"


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


def objective_texts(name: str, values: Sequence[float]) -> list[str]:
    """Values of an objective with their unit, all with the prefix that its axis in figures has.

    Args:
        name: of the objective; its end says the unit, as in ``energy_j``.
        values: in that unit, finite; whole numbers without a unit stay exact.
    """
    import numpy as np

    from codesign.explore.figures.scale import Scale

    scale = Scale.of(name, np.array(values, dtype=float))
    is_plain = not scale.has_unit
    return [
        f"{value:,}" if is_plain and isinstance(value, int) else scale.text(value)
        for value in values
    ]


def _text(value: object) -> str:
    """A value as a table shows it: four digits, and a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
