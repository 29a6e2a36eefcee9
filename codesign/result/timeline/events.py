"""Events of the Trace Event Format of Chrome, with times in whole picoseconds until here."""

from __future__ import annotations

import math
from typing import Any

Event = dict[str, Any]
PS_PER_US = 1_000_000
PS_PER_NS = 1_000


def microseconds(ps: int) -> float:
    """A time as the format has it; ``round(1e6 * us)`` gives the picoseconds back up to 2 hours."""
    return ps / PS_PER_US


def length(start: int, end: int) -> float:
    """Microseconds of a slice, such that its beginning plus its length is never after its end."""
    first, last = microseconds(start), microseconds(end)
    found = microseconds(end - start)
    if first + found > last:
        found = last - first
        if first + found > last:
            found = math.nextafter(found, 0.0)
    return max(found, 0.0)


def process_name(pid: int, name: str) -> list[Event]:
    """A process is a group of tracks; groups come in the order of their numbers."""
    return [
        {"ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": {"name": name}},
        {
            "ph": "M",
            "pid": pid,
            "tid": 0,
            "name": "process_sort_index",
            "args": {"sort_index": pid},
        },
    ]


def thread_name(pid: int, tid: int, name: str) -> Event:
    """A track of a group."""
    return {"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}


def counter(pid: int, name: str, unit: str, ps: int, value: float) -> Event:
    """A value that holds from a time on."""
    return {
        "ph": "C",
        "pid": pid,
        "name": name,
        "ts": microseconds(ps),
        "args": {unit: value},
    }


def instant(pid: int, tid: int, name: str, ps: int, args: dict[str, Any]) -> Event:
    """Something that takes no time, shown across the tracks of its group."""
    return {
        "ph": "i",
        "s": "p",
        "pid": pid,
        "tid": tid,
        "name": name,
        "ts": microseconds(ps),
        "args": args,
    }
