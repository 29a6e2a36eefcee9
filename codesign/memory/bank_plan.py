"""The choice of the next command where each bank has a queue of its own. Hot.

Banks are served round robin; in a bank the first command that is ready goes, but only the head of
its queue may open or close a row.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.refresh import held_back
from codesign.memory.state import (
    BITS,
    NO_CHOICE,
    PLACES,
    aligned,
    bank_time,
    legal,
    ranked,
)


@compiled
def renew_plan(s: State, channel: int, clock: int) -> None:
    """Plans anew if something has changed since the last time."""
    if s[channel + f.STALE] == 1:
        plan(s, channel, clock)
        s[channel + f.STALE] = 0


@compiled
def plan(s: State, channel: int, clock: int) -> None:
    """Finds the next command from ``clock`` on, round robin from the bank after the last one."""
    blocking = s[channel + f.REF_BLOCKING] == 1
    last, end = s[channel + f.POINTER], s[channel + f.END_BANK]
    round_ = end - s[channel + f.FIRST_BANK]
    best = NO_CHOICE
    row_start = max(clock, s[channel + f.BUS_FREE])
    column_start = max(clock, s[channel + f.BUS_FREE + s[f.DUAL]])
    for at in range(s[channel + f.LISTED], s[channel + f.LISTED_END]):
        bank = s[at]
        kind = s[bank + f.ROW_KIND]
        row = aligned(s, kind, max(row_start, legal(s, bank, kind)))
        read = legal(s, bank, s[bank + f.COLUMN_KIND])
        write = legal(s, bank, s[bank + f.COLUMN_KIND + 1])
        time = min(row, aligned(s, c.RD, max(column_start, min(read, write))))
        if blocking and held_back(s, channel, bank):
            time = c.NEVER
        best = min(best, ranked(time - clock, bank - last if bank > last else bank - last + round_))
    s[channel + f.PLAN + f.TIME] = c.NEVER
    if best < NO_CHOICE:
        s[channel + f.PLAN + f.TIME] = clock + (best >> BITS)
        bank = last + (best & PLACES)
        plan_bank(s, channel, bank if bank < end else bank - round_, clock)


@compiled
def plan_bank(s: State, channel: int, bank: int, clock: int) -> None:
    """Plans the next command of a bank: its row command, the older hit or the one that is ready."""
    time = s[channel + f.PLAN + f.TIME]
    read = bank_time(s, channel, bank, s[bank + f.COLUMN_KIND], clock)
    write = bank_time(s, channel, bank, s[bank + f.COLUMN_KIND + 1], clock)
    s[channel + f.PLAN + f.SOURCE] = bank
    if bank_time(s, channel, bank, s[bank + f.ROW_KIND], clock) == time:
        s[channel + f.PLAN + f.KIND] = s[bank + f.ROW_KIND]
        s[channel + f.PLAN + f.CHOSEN] = s[bank + f.COMMANDS_QUEUE + f.FIRST]
    elif read == time and not (write == time and s[bank + f.WRITE_LEADS] == 1):
        s[channel + f.PLAN + f.KIND] = c.RD
        s[channel + f.PLAN + f.CHOSEN] = s[bank + f.HIT]
    else:
        s[channel + f.PLAN + f.KIND] = c.WR
        s[channel + f.PLAN + f.CHOSEN] = s[bank + f.HIT + 1]


@compiled
def look(s: State, bank: int) -> None:
    """Notes the first hits in a bank's queue and whether its head may close the row."""
    row, head = s[bank + f.ROW], s[bank + f.COMMANDS_QUEUE + f.FIRST]
    read = write = f.NONE
    leads = 0
    request = head
    while request != f.NONE:
        if s[request + f.ROW_OF] == row:
            if s[request + f.WRITE] == 0:
                if read == f.NONE:
                    read = request
            elif write == f.NONE:
                write = request
                leads = 1 if read == f.NONE else 0
        request = s[request + f.AFTER]
    s[bank + f.HIT] = read
    s[bank + f.HIT + 1] = write
    s[bank + f.WRITE_LEADS] = leads
    s[bank + f.COLUMN_KIND] = c.NOTHING if read == f.NONE else c.RD
    s[bank + f.COLUMN_KIND + 1] = c.NOTHING if write == f.NONE else c.WR
    no_hits = read == f.NONE and write == f.NONE
    may_close = read != head and write != head and (no_hits or s[bank + f.HITS] >= s[f.HIT_CAP])
    s[bank + f.ROW_KIND] = c.NOTHING
    if head != f.NONE and (row < 0 or may_close):
        s[bank + f.ROW_KIND] = c.ACT if row < 0 else c.PRE


@compiled
def matters(s: State, bank: int, request: int) -> bool:
    """Whether a request at the end of a bank's queue can change the bank's next command."""
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] == 1:
        return True
    is_hit = s[request + f.ROW_OF] == s[bank + f.ROW]
    return is_hit and s[bank + f.HIT + s[request + f.WRITE]] == f.NONE
