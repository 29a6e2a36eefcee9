"""What an interrupt (Ctrl-C) ends with: one line that says what is kept, and exit code 130."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer import Context

_LENGTHS = {
    "--frames": "--steps",
    "--time": "--steps",
    "--time-steps": "--steps",
    "--seq": "--seq-len",
    "--tokens": "--seq-len",
    "--context": "--seq-len",
    "--length": "--seq-len or --steps",
    "--size": "--batch, --seq-len or --steps",
}
"""What others call the options of a model's size."""
INTERRUPTED = 130
"""Exit code: 128 and the number of the signal, as shells have it."""


class Interrupted(KeyboardInterrupt):
    """An interrupt that says what is kept."""


class Program(TyperGroup):
    """A program whose commands end in one line when they are interrupted."""

    def invoke(self, ctx: Context) -> Any:  # type: ignore[override]  # the context of its own click
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            _suggest_size(error)
            raise
        except KeyboardInterrupt as error:
            tell(error)
            raise typer.Exit(INTERRUPTED) from None


def _suggest_size(error: Any) -> None:
    """Puts what is meant beside an option that a command with a model does not have."""
    meant = _LENGTHS.get(getattr(error, "option_name", ""))
    command = getattr(getattr(error, "ctx", None), "command", None)
    if meant and any("--seq-len" in one.opts for one in getattr(command, "params", ())):
        error.possibilities = [meant]


def tell(error: KeyboardInterrupt) -> None:
    """Writes one line to standard error."""
    words = str(error) if isinstance(error, Interrupted) else ""
    typer.echo(words or "interrupted before the end: the same command begins anew", err=True)


@contextmanager
def keeping(folder: Path, *, resume: bool) -> Iterator[None]:
    """Says what the journal of a study has, if what is done inside is interrupted.

    Args:
        folder: of the study.
        resume: whether the command would go on with the journal as it was given.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(_kept(folder, resume=resume)) from None


def _kept(folder: Path, *, resume: bool) -> str:
    from codesign.errors import CodesignError
    from codesign.explore.journal import read_journal
    from codesign.explore.swept import JOURNAL

    path = folder / JOURNAL
    try:
        records = read_journal(path)
    except CodesignError:  # there is none yet
        return ""
    points = {one["index"] for one in records if one["event"] in ("done", "failed")}
    planned = [one["points"] for one in records if one["event"] == "planned"]
    told = f"{len(points):,} of {planned[0]:,} points are" if planned else _points(len(points))
    how = "the same command" if resume else "the same command with --resume"
    return f"interrupted; {told} in {path}: {how} goes on"


def _points(count: int) -> str:
    return f"{count:,} point is" if count == 1 else f"{count:,} points are"
