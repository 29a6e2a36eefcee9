"""The controller with a command queue per bank, as in DRAMsim3 (Li et al., CAL 2020). Hot.

Reads and writes wait in two transaction queues. One transaction a clock moves to the queue of its
bank; the banks are served round robin, and in a bank the first command that is ready goes, but only
the head may open or close a row.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.queues import complete, count_pending, take_out
from codesign.memory.refresh import due, held_back, refresh_step
from codesign.memory.state import (
    bank_time,
    bus_of,
    close_row,
    close_with_column,
    issue,
    open_row,
    touch,
)
from codesign.memory.transactions import drains, waiting_request


@compiled
def tick(s: State, channel: int, clock: int) -> None:
    """Everything that the controller does in one clock."""
    planned = s.channel[channel, f.PLAN + f.TIME] <= clock
    due(s, channel, clock)
    issued = -1
    if s.channel[channel, f.REF_PENDING] > 0:
        if s.channel[channel, f.REF_BLOCKING] == 0:
            s.channel[channel, f.REF_BLOCKING] = 1
            planned = False
        if refresh_step(s, channel, clock) <= clock:
            issued = c.PRE
            planned = False
            refit(s, channel)
    if issued < 0:
        if not planned:
            plan(s, channel, clock)
        issued = issue_planned(s, channel, clock)
    if issued >= 0 and s.parameters[f.DUAL] == 1:
        issue_second(s, channel, issued, clock)
    schedule(s, channel)


@compiled
def issue_second(s: State, channel: int, first: int, clock: int) -> None:
    """Fills the other command bus.

    The search stops at the first command that is ready, even if the first command took its bus;
    nothing is issued then, but the round goes on from there.
    """
    bus = f.BUS_FREE + bus_of(s, first)
    free = s.channel[channel, bus]
    s.channel[channel, bus] = clock
    plan(s, channel, clock)
    s.channel[channel, bus] = free
    kind = s.channel[channel, f.PLAN + f.KIND]
    if s.channel[channel, f.PLAN + f.TIME] > clock:
        return
    if is_column(kind) != is_column(first):
        issue_planned(s, channel, clock)
    else:
        s.channel[channel, f.POINTER] = s.channel[channel, f.PLAN + f.SOURCE]


@compiled
def is_column(command: int) -> bool:
    """Whether a command reads or writes."""
    return command == c.RD or command == c.WR


@compiled
def refit(s: State, channel: int) -> None:
    """Looks again at all bank queues, after a refresh has closed a row."""
    banks = s.parameters[f.BANKS] * s.parameters[f.RANKS]
    for bank in range(channel * banks, (channel + 1) * banks):
        if s.bank[bank, f.WAITING] > 0:
            look(s, bank)


@compiled
def look(s: State, bank: int) -> None:
    """Notes the first hits in a bank's queue and whether its head may close the row."""
    row, count = s.bank[bank, f.ROW], s.bank[bank, f.WAITING]
    read = write = -1
    for at in range(count - 1, -1, -1):
        request = s.queue[bank, at]
        if s.request[request, f.ROW_OF] == row:
            if s.request[request, f.WRITE]:
                write = at
            else:
                read = at
    s.bank[bank, f.HIT_READ] = read
    s.bank[bank, f.HIT_WRITE] = write
    conflict = count > 0 and row >= 0 and read != 0 and write != 0
    no_hits = read < 0 and write < 0
    capped = s.bank[bank, f.HITS] >= s.parameters[f.HIT_CAP]
    s.bank[bank, f.MAY_CLOSE] = 1 if conflict and (no_hits or capped) else 0


@compiled
def look_at_last(s: State, bank: int) -> None:
    """What ``look`` finds once one more request waits at the end of the queue."""
    at = s.bank[bank, f.WAITING] - 1
    request = s.queue[bank, at]
    if at > 0 and s.request[request, f.ROW_OF] != s.bank[bank, f.ROW]:
        return
    field = f.HIT_WRITE if s.request[request, f.WRITE] else f.HIT_READ
    if at > 0 and s.bank[bank, field] >= 0:
        return
    look(s, bank)


@compiled
def bank_plan(s: State, channel: int, bank: int, clock: int) -> tuple[int, int, int]:
    """Clock, command and place of the first command of a bank's queue from ``clock`` on."""
    if s.bank[bank, f.ROW] < 0:
        return bank_time(s, channel, bank, c.ACT, clock), c.ACT, 0
    time, command, place = c.NEVER, -1, -1
    if s.bank[bank, f.MAY_CLOSE]:
        time, command, place = bank_time(s, channel, bank, c.PRE, clock), c.PRE, 0
    read, write = s.bank[bank, f.HIT_READ], s.bank[bank, f.HIT_WRITE]
    if read >= 0:
        ready = bank_time(s, channel, bank, c.RD, clock)
        if ready < time:
            time, command, place = ready, c.RD, read
    if write >= 0:
        ready = bank_time(s, channel, bank, c.WR, clock)
        if ready < time or (ready == time and write < place):
            time, command, place = ready, c.WR, write
    return time, command, place


@compiled
def plan(s: State, channel: int, clock: int) -> None:
    """Finds the next command from ``clock`` on, round robin from the bank after the last one."""
    banks = s.parameters[f.BANKS] * s.parameters[f.RANKS]
    first = channel * banks
    at = s.channel[channel, f.POINTER]
    best_time, best_kind, best_bank, best_place = c.NEVER, -1, -1, -1
    blocking = s.channel[channel, f.REF_BLOCKING] == 1
    for _ in range(banks):
        at += 1
        if at == first + banks:
            at = first
        if s.bank[at, f.WAITING] == 0 or (blocking and held_back(s, channel, at)):
            continue
        time, kind, place = bank_plan(s, channel, at, clock)
        if time < best_time:
            best_time, best_kind, best_bank, best_place = time, kind, at, place
            if time <= clock:
                break
    s.channel[channel, f.PLAN + f.TIME] = best_time
    s.channel[channel, f.PLAN + f.KIND] = best_kind
    s.channel[channel, f.PLAN + f.SOURCE] = best_bank
    s.channel[channel, f.PLAN + f.PLACE] = best_place


@compiled
def issue_planned(s: State, channel: int, clock: int) -> int:
    """Issues the planned command if its clock has come; the command, or -1."""
    if s.channel[channel, f.PLAN + f.TIME] > clock:
        return -1
    kind = int(s.channel[channel, f.PLAN + f.KIND])
    bank = s.channel[channel, f.PLAN + f.SOURCE]
    place = s.channel[channel, f.PLAN + f.PLACE]
    rank, request = s.bank[bank, f.B_RANK], s.queue[bank, place]
    s.channel[channel, f.POINTER] = bank
    issue(s, channel, kind, bank, rank, request, clock)
    if kind == c.ACT:
        touch(s, request, f.ROW_MISS)
        open_row(s, bank, s.request[request, f.ROW_OF], clock)
    elif kind == c.PRE:
        touch(s, request, f.ROW_CONFLICT)
        close_row(s, bank, clock)
    else:
        column(s, channel, bank, place, clock)
    look(s, bank)
    return kind


@compiled
def column(s: State, channel: int, bank: int, place: int, clock: int) -> None:
    """A read or write: takes it out of the bank's queue and completes the reads of its address."""
    request = s.queue[bank, place]
    touch(s, request, f.ROW_HIT)
    s.bank[bank, f.HITS] += 1
    if s.bank[bank, f.WAITING] == s.parameters[f.BANK_ENTRIES]:
        s.channel[channel, f.READS_FIT] += s.bank[bank, f.OUTSIDE + 0]
        s.channel[channel, f.WRITES_FIT] += s.bank[bank, f.OUTSIDE + 1]
    take_out(s.queue[bank], place, s.bank[bank, f.WAITING])
    s.bank[bank, f.WAITING] -= 1
    s.channel[channel, f.COMMANDS_WAITING] -= 1
    count_pending(s, request, -1)
    if s.request[request, f.WRITE] == 0:
        while request >= 0:
            complete(s, request, clock + s.parameters[f.READ_CLOCKS])
            request = s.request[request, f.TWIN]
    if s.parameters[f.CLOSED_POLICY] == 1:
        close_if_done(s, bank)


@compiled
def close_if_done(s: State, bank: int) -> None:
    """Closed row policy: closes the row behind its last waiting hit, or at the cap."""
    look(s, bank)
    no_hits = s.bank[bank, f.HIT_READ] < 0 and s.bank[bank, f.HIT_WRITE] < 0
    if no_hits or s.bank[bank, f.HITS] >= s.parameters[f.HIT_CAP]:
        close_with_column(s, bank, s.bank[bank, f.B_RANK])


@compiled
def schedule(s: State, channel: int) -> None:
    """Moves the first transaction whose bank queue has room to that queue.

    A write whose address a read waits for ends the draining, and a read moves instead.
    """
    s.channel[channel, f.DRAIN] = drains(s, channel)
    if s.channel[channel, f.DRAIN] > 0:
        if not move_first(s, channel, 1):
            return
        s.channel[channel, f.DRAIN] = 0
    move_first(s, channel, 0)


@compiled
def move_first(s: State, channel: int, write: int) -> bool:
    """Moves a read or write, if one fits; whether a write was held back by a read."""
    if s.channel[channel, f.WRITES_FIT if write else f.READS_FIT] == 0:
        return False
    size = f.WRITES if write else f.READS
    queue = s.queue[s.channel[channel, f.WRITE_ROW if write else f.READ_ROW]]
    for at in range(s.channel[channel, size]):
        request = queue[at]
        bank = s.request[request, f.BANK_OF]
        if s.bank[bank, f.WAITING] < s.parameters[f.BANK_ENTRIES]:
            if write and waiting_request(s, channel, request, 0) >= 0:
                return True
            s.channel[channel, f.DRAIN] -= write
            take_out(queue, at, s.channel[channel, size])
            s.channel[channel, size] -= 1
            append(s, channel, bank, request)
            return False
    return False


@compiled
def append(s: State, channel: int, bank: int, request: int) -> None:
    """Puts a transaction at the end of its bank's queue."""
    write = s.request[request, f.WRITE]
    s.queue[bank, s.bank[bank, f.WAITING]] = request
    s.bank[bank, f.WAITING] += 1
    s.channel[channel, f.COMMANDS_WAITING] += 1
    s.bank[bank, f.OUTSIDE + write] -= 1
    s.channel[channel, f.WRITES_FIT if write else f.READS_FIT] -= 1
    if s.bank[bank, f.WAITING] == s.parameters[f.BANK_ENTRIES]:
        s.channel[channel, f.READS_FIT] -= s.bank[bank, f.OUTSIDE + 0]
        s.channel[channel, f.WRITES_FIT] -= s.bank[bank, f.OUTSIDE + 1]
    look_at_last(s, bank)


@compiled
def next_clock(s: State, channel: int, clock: int) -> int:
    """The first clock after ``clock`` in which the controller can do something."""
    plan(s, channel, clock + 1)
    time = min(s.channel[channel, f.PLAN + f.TIME], s.channel[channel, f.REF_NEXT])
    if s.channel[channel, f.REF_PENDING] > 0:
        # the next step of a refresh waits for a gate that a command for another rank may move
        time = clock + 1
    elif s.channel[channel, f.WRITES_FIT if drains(s, channel) > 0 else f.READS_FIT] > 0:
        time = clock + 1
    return int(max(time, clock + 1))
