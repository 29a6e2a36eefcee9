"""The command ``search``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli.front_table import note_failures, objective_texts, print_front
from codesign.cli.interrupt import keeping
from codesign.cli.options import Json, PointEvents
from codesign.errors import StudyError

if TYPE_CHECKING:
    from codesign.explore.search.searched import Searched


def search(
    study: Annotated[
        Path, typer.Argument(help="A study file, *.yaml.", metavar="STUDY", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder for journal, traces and table.", metavar="DIR"),
    ],
    sampler: Annotated[
        str,
        typer.Option(
            help="Who asks: gp, tpe, nsga2, random, or what a plugin offers.",
            metavar="NAME",
        ),
    ] = "gp",
    budget: Annotated[int, typer.Option(help="Evaluations.", min=1, metavar="N")] = 60,
    seed: Annotated[int, typer.Option(help="Of the sampler.", min=0, metavar="N")] = 0,
    batch: Annotated[
        int, typer.Option(help="Points to ask for before any is told.", min=1, metavar="N")
    ] = 1,
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
    warm: Annotated[
        Path | None,
        typer.Option(
            help="Folder of an earlier study whose front is measured first.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    stop: Annotated[
        int | None,
        typer.Option(
            help="End after so many evaluations without more hypervolume.",
            min=1,
            metavar="N",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            help="Where the hypervolume of an objective ends; once for each of them.",
            metavar="OBJECTIVE=FIGURE",
        ),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            help="Journal of Optuna's that several machines share.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the journal in the folder.")
    ] = False,
    most_events: PointEvents = None,
    json: Json = False,
) -> None:
    """Measure points of a study that an optimiser asks for, and print their Pareto front."""
    from codesign.cli.sweep_progress import study_progress
    from codesign.explore.executors import find_executor
    from codesign.explore.study_file import read_study

    if workers is not None and workers > batch:
        raise StudyError(
            f"{workers} workers cannot share batches of {batch}; give --batch {workers} or more"
        )
    limits = _read_reference(reference)
    made = read_study(study, most_events=most_events)
    who = find_executor(executor, workers=workers, address=address, plugins=made.plugins)
    with keeping(output, resume=resume), study_progress(made.source.name, quiet=json) as watch:
        found = made.search(
            output,
            executor=who,
            sampler=sampler,
            budget=budget,
            seed=seed,
            batch=batch,
            warm=() if warm is None else warm,
            stop=stop,
            reference=limits,
            storage=storage,
            resume=resume,
            watch=watch,
        )
    history = {"hypervolumes": found.hypervolumes, "reference": dict(found.reference)}
    told = {"sampler": found.sampler, "seed": found.seed, "ended": found.ended}
    print_front(found, output, json=json, **told, order=found.order, **history)
    if not json:
        typer.echo(_ended(found))
    note_failures(found, output, quiet=json)


def _ended(found: Searched) -> str:
    limits = ", ".join(
        f"{name} {objective_texts(name, [figure])[0]}" for name, figure in found.reference.items()
    )
    volume = f"hypervolume {found.hypervolume:.4g} up to {limits}" if limits else "no hypervolume"
    return f"{volume}; {found.sampler}, seed {found.seed}, {len(found.order)} evaluations: " + (
        found.ended
    )


def _read_reference(texts: list[str] | None) -> dict[str, float] | None:
    """Reads ``OBJECTIVE=FIGURE`` texts.

    Raises:
        StudyError: a text of another form, or one objective given twice.
    """
    found: dict[str, float] = {}
    for text in texts or ():
        name, _, figure = (part.strip() for part in text.rpartition("="))
        try:
            number = float(figure)
        except ValueError:
            number = float("nan")
        if not name or number != number:
            raise StudyError(
                f"--reference takes OBJECTIVE=FIGURE, got {text[:80]!r}; write for example "
                "--reference energy_j=1e-3"
            )
        if name in found:
            raise StudyError(f"--reference gives {name!r} twice; keep one")
        found[name] = number
    return found or None
