"""The requests of the shared queues, bank by bank, and the commands that they want. Hot.

Each bank knows its oldest hits and misses: one look at each bank finds what a look at every request
would.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.queues import (
    append,
    count_pending,
    find,
    first_for_other_row,
    first_for_row,
    pending,
    start_waiting,
    stop_waiting,
    take_out,
)


@compiled
def write_waits(s: State, request: int) -> bool:
    """Whether a write of the same address waits."""
    key = s[request + f.KEY]
    if s[pending(key, 1)] == 0:
        return False
    return find(s, s[request + f.BANK_OF] + f.WAITING + f.QUEUE, key, 1) != f.NONE


@compiled
def wait_at_bank(s: State, channel: int, bank: int, request: int) -> None:
    """Puts a request into its queue, which is kept bank by bank."""
    write = s[request + f.WRITE]
    if waiting(s, bank) == 0:
        start_waiting(s, channel, bank)
    append(s, bank + f.WAITING + write * f.QUEUE, request)
    if write == 1:
        count_pending(s, request, 1)
    is_hit = s[bank + f.ROW] == s[request + f.ROW_OF]
    first = bank + (f.HIT if is_hit else f.MISS) + write
    if s[first] == f.NONE:
        s[first] = request
    want(s, bank, write)


@compiled
def waiting(s: State, bank: int) -> int:
    """Requests that wait for a bank."""
    return s[bank + f.WAITING + f.COUNT] + s[bank + f.WAITING + f.QUEUE + f.COUNT]


@compiled
def want(s: State, bank: int, write: int) -> None:
    """Notes which commands the waiting reads or writes of a bank want.

    A row that an active request waits for stays open.
    """
    row, hit, miss = s[bank + f.ROW], s[bank + f.HIT + write], s[bank + f.MISS + write]
    opener = s[bank + f.WAITING + write * f.QUEUE + f.FIRST]
    closes = row >= 0 and miss != f.NONE and s[bank + f.CLAIMED] == 0
    opens = row == -1 and opener != f.NONE
    s[bank + f.ROW_WANTED + write] = miss if closes else opener
    s[bank + f.ROW_KIND + write] = c.ACT if opens else c.PRE if closes else c.NOTHING
    s[bank + f.COLUMN_KIND + write] = c.RD + write if row >= 0 and hit != f.NONE else c.NOTHING


@compiled
def want_anew(s: State, bank: int) -> None:
    """Notes which commands are wanted after one for the bank."""
    want(s, bank, 0)
    want(s, bank, 1)


@compiled
def look(s: State, bank: int) -> None:
    """Notes the first hits and misses of a bank whose row has been opened."""
    row = s[bank + f.ROW]
    for write in range(2):
        first = s[bank + f.WAITING + write * f.QUEUE + f.FIRST]
        s[bank + f.HIT + write] = first_for_row(s, first, row)
        s[bank + f.MISS + write] = first_for_other_row(s, first, row)


@compiled
def leave(s: State, channel: int, request: int) -> None:
    """Takes a request out of its queue."""
    write, bank = s[request + f.WRITE], s[request + f.BANK_OF]
    take_out(s, bank + f.WAITING + write * f.QUEUE, request)
    if waiting(s, bank) == 0:
        stop_waiting(s, channel, bank)
    s[channel + f.ENTERED + write] -= 1
    if write == 1:
        count_pending(s, request, -1)
