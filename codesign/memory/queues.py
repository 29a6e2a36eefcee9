"""Queues of requests and the look-up of a waiting request by its address. Hot."""

from __future__ import annotations

from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import Ints, State


@compiled
def bucket(key: int) -> int:
    """Where the address of a request is counted."""
    return (key ^ (key >> 10) ^ (key >> 20)) & (f.BUCKETS - 1)


@compiled
def take_out(queue: Ints, place: int, count: int) -> None:
    """Takes one entry out of a queue of ``count`` and closes the gap."""
    for at in range(place, count - 1):
        queue[at] = queue[at + 1]


@compiled
def find(s: State, queue: Ints, count: int, key: int, write: int) -> int:
    """The request for an address and direction in a queue; -1 for none."""
    for at in range(count):
        request = queue[at]
        if s.request[request, f.KEY] == key and s.request[request, f.WRITE] == write:
            return int(request)
    return -1


@compiled
def count_pending(s: State, request: int, step: int) -> None:
    """Counts a request that starts (1) or stops (-1) waiting."""
    direction = s.request[request, f.WRITE] * f.BUCKETS
    s.counters[f.PENDING + direction + bucket(s.request[request, f.KEY])] += step


@compiled
def complete(s: State, request: int, clock: int) -> None:
    """Notes when a request has been completed."""
    s.request[request, f.DONE] = clock
    s.counters[f.LAST] = max(s.counters[f.LAST], clock)
    s.counters[f.COMPLETED] += 1
