"""Queues of requests and the look-up of a waiting request by its address. Hot."""

from __future__ import annotations

from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State


@compiled
def append(s: State, queue: int, request: int) -> None:
    """Puts a request at the end of a queue."""
    last = s[queue + f.LAST]
    s[request + f.BEFORE] = last
    s[request + f.AFTER] = f.NONE
    if last == f.NONE:
        s[queue + f.FIRST] = request
    else:
        s[last + f.AFTER] = request
    s[queue + f.LAST] = request
    s[queue + f.COUNT] += 1


@compiled
def take_out(s: State, queue: int, request: int) -> None:
    """Takes a request out of a queue and closes the gap."""
    before, after = s[request + f.BEFORE], s[request + f.AFTER]
    if before == f.NONE:
        s[queue + f.FIRST] = after
    else:
        s[before + f.AFTER] = after
    if after == f.NONE:
        s[queue + f.LAST] = before
    else:
        s[after + f.BEFORE] = before
    s[queue + f.COUNT] -= 1


@compiled
def enlist(s: State, channel: int, bank: int, number: int) -> None:
    """Puts a bank on one of the lists of its channel."""
    end = s[channel + f.LISTED_END + number]
    s[end] = bank
    s[bank + f.LISTED_AT + number] = end
    s[channel + f.LISTED_END + number] = end + 1


@compiled
def delist(s: State, channel: int, bank: int, number: int) -> None:
    """Takes a bank off one of the lists; the last one takes its place."""
    at, last = s[bank + f.LISTED_AT + number], s[channel + f.LISTED_END + number] - 1
    s[at] = s[last]
    s[s[at] + f.LISTED_AT + number] = at
    s[channel + f.LISTED_END + number] = last


@compiled
def find(s: State, queue: int, key: int, write: int) -> int:
    """The request for an address and direction in a queue, or ``NONE``."""
    request = s[queue + f.FIRST]
    while request != f.NONE and (s[request + f.KEY] != key or s[request + f.WRITE] != write):
        request = s[request + f.AFTER]
    return request


@compiled
def first_for_row(s: State, request: int, row: int) -> int:
    """The first request for a row in a queue, from one request on, or ``NONE``."""
    while request != f.NONE and s[request + f.ROW_OF] != row:
        request = s[request + f.AFTER]
    return request


@compiled
def first_for_other_row(s: State, request: int, row: int) -> int:
    """The first request for another row in a queue, from one request on, or ``NONE``."""
    while request != f.NONE and s[request + f.ROW_OF] == row:
        request = s[request + f.AFTER]
    return request


@compiled
def pending(key: int, write: int) -> int:
    """Place where waiting requests of an address are counted, with some others."""
    return f.PENDING + write * f.BUCKETS + ((key ^ (key >> 10) ^ (key >> 20)) & (f.BUCKETS - 1))


@compiled
def count_pending(s: State, request: int, step: int) -> None:
    """Counts a request that starts (1) or stops (-1) waiting."""
    s[pending(s[request + f.KEY], s[request + f.WRITE])] += step


@compiled
def complete(s: State, request: int, clock: int) -> None:
    """Notes when a request has been completed."""
    s[request + f.DONE] = clock
    s[f.END] = max(s[f.END], clock)
    s[f.COMPLETED] += 1
