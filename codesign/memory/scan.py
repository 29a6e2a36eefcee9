"""The choice of the next command where one read and one write queue serve all banks. Hot."""

from __future__ import annotations

from typing import Final

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.refresh import front_bank, front_rank
from codesign.memory.state import (
    BITS,
    NO_CHOICE,
    PLACES,
    aligned,
    bank_time,
    legal,
    rank_time,
    ranked,
)

ACTIVE_REQUESTS: Final = 0
WAITING_REQUESTS: Final = 1
REFRESHES: Final = 2


@compiled
def note(s: State, plan: int, time: int, kind: int, source: int, chosen: int) -> None:
    """Writes down a plan."""
    s[plan + f.TIME] = time
    s[plan + f.KIND] = kind
    s[plan + f.SOURCE] = source
    s[plan + f.CHOSEN] = chosen


@compiled
def scan(s: State, channel: int, clock: int) -> None:
    """Plans the next commands from ``clock`` on: active requests, then refreshes, then the queues.

    With two command buses the column and the row command are planned apart; with one, the better
    of the two stays.
    """
    note(s, channel + f.ROW_PLAN, c.NEVER, -1, REFRESHES, f.NONE)
    scan_active(s, channel, clock)
    idle = s[channel + f.PLAN + f.TIME] > clock
    if s[channel + f.REF_PENDING] > 0:
        plan_refresh(s, channel, clock)
    # an active request that is ready goes before all others on the only bus
    elif idle or s[f.DUAL] == 1:
        choose_mode(s, channel)
        scan_banks(s, channel, clock)
    if s[f.DUAL] == 0:
        keep_better(s, channel)


@compiled
def keep_better(s: State, channel: int) -> None:
    """One bus: the earlier plan stays; in a tie the active request, then the older one."""
    row, column = s[channel + f.ROW_PLAN + f.TIME], s[channel + f.PLAN + f.TIME]
    older = (
        s[channel + f.PLAN + f.SOURCE] != ACTIVE_REQUESTS
        and s[channel + f.ROW_PLAN + f.CHOSEN] < s[channel + f.PLAN + f.CHOSEN]
    )
    if row < column or (row == column and older):
        for field in range(4):
            s[channel + f.PLAN + field] = s[channel + f.ROW_PLAN + field]
    s[channel + f.ROW_PLAN + f.TIME] = c.NEVER


@compiled
def choose_mode(s: State, channel: int) -> None:
    """Turns to the writes above the high mark or without reads, back below the low mark."""
    reads, writes = s[channel + f.ENTERED], s[channel + f.ENTERED + 1]
    if s[channel + f.DRAIN] == 0:
        if writes > s[f.WRITE_HIGH] or reads == 0:
            s[channel + f.DRAIN] = 1
    elif writes < s[f.WRITE_LOW] and reads > 0:
        s[channel + f.DRAIN] = 0


@compiled
def scan_active(s: State, channel: int, clock: int) -> None:
    """Plans the oldest active request that is ready first."""
    best, oldest, chosen, command = c.NEVER, c.NEVER, f.NONE, -1
    request = s[channel + f.ACTIVE + f.FIRST]
    while request != f.NONE:
        kind = c.WR if s[request + f.WRITE] == 1 else c.RD
        time = bank_time(s, channel, s[request + f.BANK_OF], kind, clock)
        accepted = s[request + f.ACCEPTED]
        if time < best or (time == best and accepted < oldest):
            best, oldest, chosen, command = time, accepted, request, kind
        request = s[request + f.AFTER]
    note(s, channel + f.PLAN, best, command, ACTIVE_REQUESTS, chosen)


@compiled
def scan_banks(s: State, channel: int, clock: int) -> None:
    """Plans the oldest waiting request that is ready first, in the direction whose turn it is."""
    write = s[channel + f.DRAIN]
    half_open = s[channel + f.ACT2_REQUEST] != f.NONE
    row, column = NO_CHOICE, NO_CHOICE
    start = max(clock, s[channel + f.BUS_FREE])
    for at in range(s[channel + f.LISTED + write], s[channel + f.LISTED_END + write]):
        bank = s[at]
        kind = s[bank + f.ROW_KIND + write]
        # no row is opened while another one is half open
        kind = c.NOTHING if half_open and kind == c.ACT else kind
        time = aligned(s, kind, max(start, legal(s, bank, kind)))
        row = min(row, ranked(time - clock, s[bank + f.ROW_WANTED + write]))
    start = max(clock, s[channel + f.BUS_FREE + s[f.DUAL]])
    kind = c.RD + write
    number = f.COLUMNS + write
    for at in range(s[channel + f.LISTED + number], s[channel + f.LISTED_END + number]):
        bank = s[at]
        time = aligned(s, kind, max(start, legal(s, bank, kind)))
        column = min(column, ranked(time - clock, s[bank + f.HIT + write]))
    if row < NO_CHOICE:
        opener = row & PLACES
        wanted = s[s[opener + f.BANK_OF] + f.ROW_KIND + write]
        note(s, channel + f.ROW_PLAN, clock + (row >> BITS), wanted, WAITING_REQUESTS, opener)
    if column < NO_CHOICE and clock + (column >> BITS) < s[channel + f.PLAN + f.TIME]:
        time, hit = clock + (column >> BITS), column & PLACES
        note(s, channel + f.PLAN, time, kind, WAITING_REQUESTS, hit)


@compiled
def plan_refresh(s: State, channel: int, clock: int) -> None:
    """Plans the refresh at the front, or the precharge before it, unless a row is claimed."""
    rank, bank = front_rank(s, channel), front_bank(s, channel)
    if bank != f.NONE:
        if s[bank + f.CLAIMED] > 0:
            return
        kind = c.PRE if s[bank + f.ROW] >= 0 else c.REFB
        time = bank_time(s, channel, bank, kind, clock)
        note(s, channel + f.ROW_PLAN, time, kind, REFRESHES, bank)
    elif s[rank + f.R_CLAIMED] == 0:
        kind = c.PREA if s[rank + f.OPEN_BANKS] > 0 else c.REF
        time = rank_time(s, channel, rank, kind, clock)
        note(s, channel + f.ROW_PLAN, time, kind, REFRESHES, rank)
