"""The controller with a command queue per bank, as in DRAMsim3 (Li et al., CAL 2020). Hot.

Reads and writes wait in two transaction queues. One transaction a clock moves to the queue of its
bank; the banks are served round robin, and in a bank the first command that is ready goes, but only
the head may open or close a row.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.bank_plan import look, matters, plan, renew_plan
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.loop import entrance_open, let_in, next_event, offered, settle
from codesign.memory.queues import append, complete, count_pending, delist, enlist, take_out
from codesign.memory.refresh import due, refresh_step
from codesign.memory.state import (
    bus_of,
    close_row,
    close_with_column,
    is_column,
    issue,
    open_row,
    touch,
)
from codesign.memory.tally import tally
from codesign.memory.transactions import drains, first_that_fits, offer, outside, waiting_request


def run(s: State) -> None:
    """Runs until the last request has completed, as ``loop`` describes, or counts what it did.

    Compiled as a whole.
    """
    if s[f.TALLYING] == 1:
        tally(s)
        return
    while next_event(s):
        clock = s[f.CLOCK]
        for channel in range(s[f.FIRST_CHANNEL], s[f.END_CHANNEL], f.CHANNEL_FIELDS):
            if s[channel + f.NEXT] <= clock:
                tick(s, channel, clock)
                s[channel + f.NEXT] = 0
        if entrance_open(s, clock):
            first = s[f.HEAD]
            while offered(s, first, clock) and offer(
                s, s[s[f.HEAD] + f.CHANNEL_OF], s[f.HEAD], clock
            ):
                let_in(s)
            settle(s, first, clock)
        for channel in range(s[f.FIRST_CHANNEL], s[f.END_CHANNEL], f.CHANNEL_FIELDS):
            if s[channel + f.NEXT] == 0:
                s[channel + f.NEXT] = next_clock(s, channel, clock)


@compiled
def tick(s: State, channel: int, clock: int) -> None:
    """Everything that the controller does in one clock."""
    due(s, channel, clock)
    issued = -1
    if s[channel + f.REF_PENDING] > 0:
        if s[channel + f.REF_BLOCKING] == 0:
            s[channel + f.REF_BLOCKING] = 1
            s[channel + f.STALE] = 1
        if refresh_step(s, channel, clock):
            issued = c.PRE
            refit(s, channel)
    if issued < 0:
        renew_plan(s, channel, clock)
        issued = issue_planned(s, channel, clock)
    if issued >= 0 and s[f.DUAL] == 1:
        issue_second(s, channel, issued, clock)
    schedule(s, channel)


@compiled
def issue_second(s: State, channel: int, first: int, clock: int) -> None:
    """Fills the other command bus.

    The search stops at the first command that is ready, even if the first command took its bus;
    nothing is issued then, but the round goes on from there.
    """
    bus = channel + f.BUS_FREE + bus_of(s, first)
    free = s[bus]
    s[bus] = clock
    plan(s, channel, clock)
    s[bus] = free
    s[channel + f.STALE] = 1
    if s[channel + f.PLAN + f.TIME] > clock:
        return
    if is_column(s[channel + f.PLAN + f.KIND]) != is_column(first):
        issue_planned(s, channel, clock)
    else:
        s[channel + f.POINTER] = s[channel + f.PLAN + f.SOURCE]


@compiled
def refit(s: State, channel: int) -> None:
    """Looks again at all bank queues, after a refresh has closed a row."""
    s[channel + f.STALE] = 1
    for bank in range(s[channel + f.FIRST_BANK], s[channel + f.END_BANK], f.BANK_FIELDS):
        look(s, bank)


@compiled
def issue_planned(s: State, channel: int, clock: int) -> int:
    """Issues the planned command if its clock has come; the command, or -1."""
    if s[channel + f.PLAN + f.TIME] > clock:
        return -1
    kind = s[channel + f.PLAN + f.KIND]
    bank = s[channel + f.PLAN + f.SOURCE]
    request = s[channel + f.PLAN + f.CHOSEN]
    s[channel + f.POINTER] = bank
    s[channel + f.STALE] = 1
    issue(s, channel, kind, bank, s[bank + f.B_RANK], request, clock)
    if kind == c.ACT:
        touch(s, request, f.ROW_MISS)
        open_row(s, bank, s[request + f.ROW_OF], clock)
    elif kind == c.PRE:
        touch(s, request, f.ROW_CONFLICT)
        close_row(s, bank, clock)
    else:
        column(s, channel, bank, request, clock)
    look(s, bank)
    return kind


@compiled
def column(s: State, channel: int, bank: int, request: int, clock: int) -> None:
    """A read or write: takes it out of the bank's queue and completes the reads of its address."""
    touch(s, request, f.ROW_HIT)
    s[bank + f.HITS] += 1
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] == s[f.BANK_ENTRIES]:
        s[channel + f.FIT] += s[outside(bank, 0) + f.COUNT]
        s[channel + f.FIT + 1] += s[outside(bank, 1) + f.COUNT]
    take_out(s, bank + f.COMMANDS_QUEUE, request)
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] == 0:
        delist(s, channel, bank, 0)
    s[channel + f.COMMANDS_WAITING] -= 1
    count_pending(s, request, -1)
    if s[request + f.WRITE] == 0:
        while request != f.NONE:
            complete(s, request, clock + s[f.READ_CLOCKS])
            request = s[request + f.TWIN]
    if s[f.CLOSED_POLICY] == 1:
        close_if_done(s, bank)


@compiled
def close_if_done(s: State, bank: int) -> None:
    """Closed row policy: closes the row behind its last waiting hit, or at the cap."""
    look(s, bank)
    no_hits = s[bank + f.HIT] == f.NONE and s[bank + f.HIT + 1] == f.NONE
    if no_hits or s[bank + f.HITS] >= s[f.HIT_CAP]:
        close_with_column(s, bank, s[bank + f.B_RANK])


@compiled
def schedule(s: State, channel: int) -> None:
    """Moves the first transaction whose bank queue has room to that queue.

    A write whose address a read waits for ends the draining, and a read moves instead.
    """
    s[channel + f.DRAIN] = drains(s, channel)
    if s[channel + f.DRAIN] > 0:
        if not move_first(s, channel, 1):
            return
        s[channel + f.DRAIN] = 0
    move_first(s, channel, 0)


@compiled
def move_first(s: State, channel: int, write: int) -> bool:
    """Moves a read or write, if one fits; whether a write was held back by a read."""
    if s[channel + f.FIT + write] == 0:
        return False
    request = first_that_fits(s, channel, write)
    if write == 1 and waiting_request(s, request, 0) != f.NONE:
        return True
    s[channel + f.DRAIN] -= write
    s[channel + f.ENTERED + write] -= 1
    take_out(s, outside(s[request + f.BANK_OF], write), request)
    move(s, channel, s[request + f.BANK_OF], request)
    return False


@compiled
def move(s: State, channel: int, bank: int, request: int) -> None:
    """Puts a transaction at the end of its bank's queue."""
    write = s[request + f.WRITE]
    append(s, bank + f.COMMANDS_QUEUE, request)
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] == 1:
        enlist(s, channel, bank, 0)
    s[channel + f.COMMANDS_WAITING] += 1
    s[channel + f.FIT + write] -= 1
    if s[bank + f.COMMANDS_QUEUE + f.COUNT] == s[f.BANK_ENTRIES]:
        s[channel + f.FIT] -= s[outside(bank, 0) + f.COUNT]
        s[channel + f.FIT + 1] -= s[outside(bank, 1) + f.COUNT]
    if matters(s, bank, request):
        s[channel + f.STALE] = 1
        look(s, bank)


@compiled
def next_clock(s: State, channel: int, clock: int) -> int:
    """The first clock after ``clock`` in which the controller can do something."""
    renew_plan(s, channel, clock + 1)
    writes = 1 if drains(s, channel) > 0 else 0
    # the next step of a refresh waits for a gate that a command for another rank may move
    if s[channel + f.REF_PENDING] > 0 or s[channel + f.FIT + writes] > 0:
        return clock + 1
    return max(clock + 1, min(s[channel + f.PLAN + f.TIME], s[channel + f.REF_NEXT]))
