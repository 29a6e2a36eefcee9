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
    delist,
    enlist,
    find,
    first_for_other_row,
    first_for_row,
    pending,
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
    append(s, bank + f.WAITING + write * f.QUEUE, request)
    if write == 1:
        count_pending(s, request, 1)
    is_hit = s[bank + f.ROW] == s[request + f.ROW_OF]
    first = bank + (f.HIT if is_hit else f.MISS) + write
    if s[first] == f.NONE:
        s[first] = request
    want(s, channel, bank, write)


@compiled
def want(s: State, channel: int, bank: int, write: int) -> None:
    """Notes which commands the waiting reads or writes of a bank want.

    A row that an active request waits for stays open.
    """
    row, hit, miss = s[bank + f.ROW], s[bank + f.HIT + write], s[bank + f.MISS + write]
    opener = s[bank + f.WAITING + write * f.QUEUE + f.FIRST]
    closes = row >= 0 and miss != f.NONE and s[bank + f.CLAIMED] == 0
    opens = row == -1 and opener != f.NONE
    s[bank + f.ROW_WANTED + write] = miss if closes else opener
    kind = c.ACT if opens else c.PRE if closes else c.NOTHING
    list_anew(s, channel, bank, write, s[bank + f.ROW_KIND + write], kind)
    s[bank + f.ROW_KIND + write] = kind
    kind = c.RD + write if row >= 0 and hit != f.NONE else c.NOTHING
    list_anew(s, channel, bank, f.COLUMNS + write, s[bank + f.COLUMN_KIND + write], kind)
    s[bank + f.COLUMN_KIND + write] = kind


@compiled
def list_anew(s: State, channel: int, bank: int, number: int, before: int, now: int) -> None:
    """Keeps one of the lists of banks that want a command."""
    if before == c.NOTHING and now != c.NOTHING:
        enlist(s, channel, bank, number)
    elif before != c.NOTHING and now == c.NOTHING:
        delist(s, channel, bank, number)


@compiled
def want_anew(s: State, channel: int, bank: int) -> None:
    """Notes which commands are wanted after one for the bank."""
    want(s, channel, bank, 0)
    want(s, channel, bank, 1)


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
    s[channel + f.ENTERED + write] -= 1
    if write == 1:
        count_pending(s, request, -1)
