"""What tests of executors share: objectives that say or end their process, and who is alive."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codesign.explore.executors import Executor
from codesign.explore.journal import read_journal
from codesign.explore.swept import Swept
from codesign.result.result import Result

Point = dict[str, Any]
Run = Callable[[Executor, Path], Swept]


def ends_at_3(point: Point, result: Result) -> float:
    """Ends its process at one point."""
    if point["dram.bandwidth"] == "3 GB/s" and point["width"] == 16:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def ends_nursery(point: Point, result: Result) -> float:
    """Ends the process that has forked this one, and this one, the first time in this folder."""
    mark = Path("ended")
    if not mark.exists():
        mark.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def ends_when_told(point: Point, result: Result) -> float:
    """At one point, the first time in this folder, waits for a file and ends its process."""
    if point["dram.bandwidth"] == "1 GB/s" and not Path("ended").exists():
        while not Path("go").exists():
            pass
        Path("ended").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def parent(point: Point, result: Result) -> float:
    """Which process has forked the one that measures."""
    return float(os.getppid())


def indexes(folder: Path) -> list[int]:
    """Combinations of the points that a journal has, in order."""
    return [r["index"] for r in read_journal(folder / "journal.jsonl") if "index" in r]


def told(folder: Path, figure: str) -> set[int]:
    """Whole figures of the points that a journal has."""
    records = read_journal(folder / "journal.jsonl")
    return {int(r["figures"][figure]) for r in records if r["event"] == "done"}


def is_alive(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def below(process: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    place = Path(f"/proc/{process}/task/{process}/children")
    try:
        children = [int(word) for word in place.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [one for child in children for one in (child, *below(child))]
