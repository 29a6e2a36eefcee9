"""Which command goes next where one read and one write queue serve all banks. Hot."""

from __future__ import annotations

from typing import Final

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.refresh import front_bank, front_rank
from codesign.memory.state import bank_time, rank_time

ACTIVE_LIST: Final = 0
READ_QUEUE: Final = 1
WRITE_QUEUE: Final = 2
REFRESHES: Final = 3


@compiled
def note(s: State, channel: int, at: int, time: int, kind: int, source: int, place: int) -> None:
    """Writes down a plan."""
    s.channel[channel, at + f.TIME] = time
    s.channel[channel, at + f.KIND] = kind
    s.channel[channel, at + f.SOURCE] = source
    s.channel[channel, at + f.PLACE] = place


@compiled
def scan(s: State, channel: int, clock: int) -> None:
    """Plans the next commands from ``clock`` on: active requests, then refreshes, then the queues.

    With two command buses the column and the row command are planned apart; with one, the better
    of the two stays.
    """
    note(s, channel, f.ROW_PLAN, c.NEVER, -1, -1, -1)
    active = scan_active(s, channel, clock)
    if s.channel[channel, f.REF_PENDING] > 0:
        plan_refresh(s, channel, clock)
    else:
        if s.parameters[f.DUAL] == 1 or active > clock:
            choose_mode(s, channel)
        scan_queue(s, channel, clock)
    if s.parameters[f.DUAL] == 0:
        keep_better(s, channel)


@compiled
def keep_better(s: State, channel: int) -> None:
    """One bus: the earlier plan stays; in a tie the active request, then the older one."""
    row, column = s.channel[channel, f.ROW_PLAN + f.TIME], s.channel[channel, f.PLAN + f.TIME]
    older = (
        s.channel[channel, f.PLAN + f.SOURCE] != ACTIVE_LIST
        and s.channel[channel, f.ROW_PLAN + f.PLACE] < s.channel[channel, f.PLAN + f.PLACE]
    )
    if row < column or (row == column and older):
        for field in range(4):
            s.channel[channel, f.PLAN + field] = s.channel[channel, f.ROW_PLAN + field]
    s.channel[channel, f.ROW_PLAN + f.TIME] = c.NEVER


@compiled
def choose_mode(s: State, channel: int) -> None:
    """Turns to the writes above the high mark or without reads, back below the low mark."""
    reads, writes = s.channel[channel, f.READS], s.channel[channel, f.WRITES]
    if s.channel[channel, f.DRAIN] == 0:
        if writes > s.parameters[f.WRITE_HIGH] or reads == 0:
            s.channel[channel, f.DRAIN] = 1
    elif writes < s.parameters[f.WRITE_LOW] and reads > 0:
        s.channel[channel, f.DRAIN] = 0


@compiled
def scan_active(s: State, channel: int, clock: int) -> int:
    """Plans the oldest active request that is ready first; its clock."""
    best, oldest, chosen, command = c.NEVER, c.NEVER, -1, -1
    row = s.channel[channel, f.ACTIVE_ROW]
    for at in range(s.channel[channel, f.ACTIVE]):
        request = s.queue[row, at]
        kind = c.WR if s.request[request, f.WRITE] else c.RD
        bank = s.request[request, f.BANK_OF]
        time = bank_time(s, channel, bank, kind, clock)
        accepted = s.request[request, f.ACCEPTED]
        if time < best or (time == best and accepted < oldest):
            best, oldest, chosen, command = time, accepted, at, kind
    note(s, channel, f.PLAN, best, command, ACTIVE_LIST, chosen)
    return best


@compiled
def scan_queue(s: State, channel: int, clock: int) -> None:
    """Plans the oldest request of the queue in turn that is ready first."""
    writes = s.channel[channel, f.DRAIN] == 1
    queue = (
        s.queue[s.channel[channel, f.WRITE_ROW]]
        if writes
        else s.queue[s.channel[channel, f.READ_ROW]]
    )
    count = s.channel[channel, f.WRITES if writes else f.READS]
    column_command = c.WR if writes else c.RD
    half_open = s.channel[channel, f.ACT2_REQUEST] >= 0
    column = s.channel[channel, f.PLAN + f.TIME]
    row, row_kind, row_at, column_at = c.NEVER, -1, -1, -1
    number = s.counters[f.SCANS] + 1
    s.counters[f.SCANS] = number
    for at in range(count):
        request = queue[at]
        bank = s.request[request, f.BANK_OF]
        kind = next_command(s, bank, s.request[request, f.ROW_OF], column_command, half_open)
        is_column = 1 if kind == column_command else 0
        # an older request has asked for the same command
        if kind < 0 or s.bank[bank, f.SEEN + is_column] == number:
            continue
        s.bank[bank, f.SEEN + is_column] = number
        time = bank_time(s, channel, bank, kind, clock)
        if is_column:
            if time < column:
                column, column_at = time, at
        elif time < row:
            row, row_kind, row_at = time, kind, at
        if time <= clock and s.parameters[f.DUAL] == 0:
            # nothing younger can be better on the only bus
            break
    source = WRITE_QUEUE if writes else READ_QUEUE
    if column_at >= 0:
        note(s, channel, f.PLAN, column, column_command, source, column_at)
    note(s, channel, f.ROW_PLAN, row, row_kind, source, row_at)


@compiled
def next_command(s: State, bank: int, row: int, column_command: int, half_open: bool) -> int:
    """What a request for a row needs next; -1 while that must wait for another request."""
    open_row = s.bank[bank, f.ROW]
    if open_row == row:
        return column_command
    if open_row >= 0:
        return c.PRE if s.bank[bank, f.CLAIMED] == 0 else -1
    if open_row == f.HALF_OPEN or half_open:
        return -1
    return c.ACT


@compiled
def plan_refresh(s: State, channel: int, clock: int) -> None:
    """Plans the refresh at the front, or the precharge before it, unless a row is claimed."""
    rank, bank = front_rank(s, channel), front_bank(s, channel)
    if bank >= 0:
        if s.bank[bank, f.CLAIMED] > 0:
            return
        kind = c.PRE if s.bank[bank, f.ROW] >= 0 else c.REFB
        time = bank_time(s, channel, bank, kind, clock)
        note(s, channel, f.ROW_PLAN, time, kind, REFRESHES, bank)
    elif s.rank[rank, f.R_CLAIMED] == 0:
        kind = c.PREA if s.rank[rank, f.OPEN_BANKS] > 0 else c.REF
        time = rank_time(s, channel, rank, kind, clock)
        note(s, channel, f.ROW_PLAN, time, kind, REFRESHES, rank)
