"""What every command shares: consoles, JSON, progress, and how an error is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from codesign.hardware.machine import Hardware

Watcher = Callable[[int, int], None]

_WIDTH = 120


def print_json(value: Any) -> None:
    """Writes one JSON document to standard output, and nothing else."""
    typer.echo(json.dumps(value, indent=2))


def print_error(error: Exception) -> None:
    """Writes one line to standard error."""
    typer.echo(f"error: {printable(' '.join(str(error).split()))}", err=True)


def headed(name: str, rest: str = "") -> Text:
    """A line that begins with a name in bold; the name may hold any signs."""
    from rich.text import Text

    return Text.assemble((printable(name), "bold"), printable(rest))


def print_rich(*parts: Any) -> None:
    """Writes tables and text to standard output, as wide as the terminal is.

    A pipe or a file gets lines of up to ``_WIDTH`` characters without blanks at their ends.
    """
    from rich.console import Console

    # a name may have brackets or colons in it, which mean nothing
    as_it_is: Any = {"highlight": False, "markup": False, "emoji": False}
    shown = [printable(part) if isinstance(part, str) else part for part in parts]
    console = Console(**as_it_is)
    if console.is_terminal:
        for part in shown:
            console.print(part)
        return
    plain = Console(**as_it_is, width=_WIDTH, file=StringIO())
    for part in shown:
        plain.print(part)
    for line in plain.file.getvalue().splitlines():  # type: ignore[attr-defined]  # our StringIO
        typer.echo(line.rstrip())


def line_width() -> int:
    """Signs that a line of ``print_rich`` has room for."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else _WIDTH


def printable(text: str) -> str:
    """A text in which signs that steer a terminal are spelled out; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table without lines.

    Args:
        title: what stands above it; nothing if empty.
        columns: headings; ``>`` in front sets a column to the right, ``=`` keeps it whole, ``~``
            cuts it where the line ends, and any other is folded.
        rows: the texts, as they are: no markup.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(
        title=Text(printable(title)) if title else None,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for place, column in enumerate(columns):
        heading, kept = column.lstrip(">=~"), column.startswith((">", "="))
        longest = max(map(len, (heading, *(row[place] for row in rows))))
        made.add_column(
            Text(printable(heading)),
            justify="right" if column.startswith(">") else "left",
            no_wrap=kept,
            overflow="fold",
            min_width=longest if kept else None,
            header_style="dim",
        )
    cut = [column.startswith("~") for column in columns]
    for row in rows:
        cells = zip(map(printable, row), cut, strict=True)
        made.add_row(*(Text(c, no_wrap=s, overflow="ellipsis" if s else None) for c, s in cells))
    return made


def announce(machine: Hardware) -> None:
    """Says on standard error what takes long before a first run."""
    for line in dict.fromkeys(part.preparation for part in machine.components.values()):
        if line:
            print_note(line)


@contextmanager
def plugin_notes() -> Iterator[None]:
    """Tells of installed plugins that fail in one line each, on standard error."""
    import warnings

    from codesign.plugin_choice import PluginWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", PluginWarning)
        show = warnings.showwarning

        def told(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PluginWarning):
                print_note(" ".join(str(message).split()))
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = told
        yield


def print_note(text: str) -> None:
    """Writes one line to standard error that is no error."""
    typer.echo(f"note: {printable(text)}", err=True)


@contextmanager
def progress(waiting: str, working: str, *, quiet: bool) -> Iterator[Watcher | None]:
    """Shows on standard error what takes long; silent where that is no terminal.

    Args:
        waiting: what to say while nothing can be counted.
        working: what to say once it can.
        quiet: show nothing.

    Yields:
        What to call with (steps done, steps in all), or None where nothing is shown.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(waiting, total=None)

        def watch(done: int, total: int) -> None:
            bars.update(task, description=working, completed=done, total=total)

        yield watch
