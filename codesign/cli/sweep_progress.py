"""How far a study has come, on a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Watcher: TypeAlias = "Callable[[int, int, int, int], None]"

_SEEN = 200
"""Replays whose rate is told (assumed): what took long at the start is forgotten."""


@contextmanager
def study_progress(name: str, *, quiet: bool) -> Iterator[Watcher | None]:
    """Points replayed, pruned and failed, their rate and the most time that is left.

    Args:
        name: of the model.
        quiet: whether nothing is shown; nor is anything where there is no terminal.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(f"capturing {name}", total=None, told="")
        seen: deque[tuple[float, int]] = deque(maxlen=_SEEN)

        def watch(done: int, failed: int, pruned: int, total: int) -> None:
            seen.append((time.monotonic(), done + failed))
            bars.update(
                task,
                description=f"replaying {name}",
                completed=done + failed + pruned,
                total=total,
                told=progress_text(done, failed, pruned, total, _rate(seen)),
            )

        yield watch


def progress_text(done: int, failed: int, pruned: int, total: int, rate: float) -> str:
    """What is told beside the bar.

    Args:
        done: points replayed.
        failed: points that failed.
        pruned: points that need no replay.
        total: all of them.
        rate: points per second; 0 if nobody knows.
    """
    told = f"{done + failed:,}"
    told += f" + {pruned:,} pruned / {total:,}" if pruned else f" / {total:,}"
    told += f", {failed:,} failed" if failed else ""
    if rate:
        minutes, seconds = divmod(round((total - done - failed - pruned) / rate), 60)
        told += f", {rate:,.3g}/s, at most {minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return told


def _rate(seen: deque[tuple[float, int]]) -> float:
    (start, before), (now, after) = seen[0], seen[-1]
    return (after - before) / (now - start) if now > start else 0.0
