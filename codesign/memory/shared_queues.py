"""The controller with one read and one write queue, as in Ramulator 2.1. Hot.

The oldest request whose next command is ready goes first. A request that has opened a row leaves
its queue and waits for its column command among the active requests, which go before all others;
nobody closes a row that an active request waits for. A pending refresh stops all requests that are
not active. Writes wait until their queue is filled to a mark or no read waits.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.loop import entrance_open, let_in, next_event, offered, settle
from codesign.memory.queues import append, complete, first_for_row, take_out
from codesign.memory.refresh import due, finish
from codesign.memory.scan import ACTIVE_REQUESTS, REFRESHES, choose_mode, scan
from codesign.memory.state import (
    close_row,
    close_with_column,
    is_column,
    issue,
    legal,
    open_row,
    touch,
)
from codesign.memory.tally import tally
from codesign.memory.wanted import leave, look, wait_at_bank, want_anew, write_waits


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
def offer(s: State, channel: int, request: int, clock: int) -> bool:
    """Takes a request into its queue, or refuses it because that is full.

    A read of an address that waits to be written is answered in the next clock, a second write of
    it at once.
    """
    write = s[request + f.WRITE]
    forwarded = write_waits(s, request)
    if not forwarded and s[channel + f.ENTERED + write] >= s[f.ENTRIES + write]:
        return False
    s[request + f.ACCEPTED] = clock + 1
    if forwarded:
        s[f.FORWARDED] += 1
        if write == 1:
            complete(s, request, clock)
        else:
            complete_read(s, channel, request, clock + 1)
        return True
    s[channel + f.ENTERED + write] += 1
    wait_at_bank(s, channel, s[request + f.BANK_OF], request)
    return True


@compiled
def complete_read(s: State, channel: int, request: int, clock: int) -> None:
    """Completes a read, never before an earlier one: data leave the controller in order."""
    done = max(clock, s[channel + f.LAST_READ])
    s[channel + f.LAST_READ] = done
    complete(s, request, done)


@compiled
def tick(s: State, channel: int, clock: int) -> None:
    """Everything that the controller does in one clock."""
    before = s[channel + f.REF_PENDING]
    due(s, channel, clock)
    fresh = before == 0 and s[channel + f.REF_PENDING] > 0
    if s[f.T_AAD] > 0:
        split_tick(s, channel, clock, fresh)
        return
    if fresh:
        scan(s, channel, clock)
    if s[channel + f.PLAN + f.TIME] <= clock:
        issue_planned(s, channel, channel + f.PLAN, clock)
        if s[f.DUAL] == 1 and row_moves(s, channel, clock):
            scan(s, channel, clock)
    if s[f.DUAL] == 1 and s[channel + f.ROW_PLAN + f.TIME] <= clock:
        issue_planned(s, channel, channel + f.ROW_PLAN, clock)


@compiled
def row_moves(s: State, channel: int, clock: int) -> bool:
    """Whether a column command may have changed the row command that is planned for its clock.

    It moves the gates of precharges, so at most what its own bank wants, which may come in the same
    clock only where those gates take no time; and when it was the last of its direction, the other
    one has its turn.
    """
    if s[channel + f.REF_PENDING] > 0:
        return True
    mode = s[channel + f.DRAIN]
    choose_mode(s, channel)
    if s[channel + f.DRAIN] != mode:
        return True
    bank = s[s[channel + f.PLAN + f.CHOSEN] + f.BANK_OF]
    if legal(s, bank, s[bank + f.ROW_KIND + mode]) <= clock:
        return True
    if s[channel + f.ROW_PLAN + f.TIME] > clock:
        return False
    return s[s[channel + f.ROW_PLAN + f.CHOSEN] + f.BANK_OF] == bank


@compiled
def split_tick(s: State, channel: int, clock: int, fresh: bool) -> None:
    """One clock of LPDDR5: activates in two halves, and a data clock that must be synchronised.

    The second half of an activate takes the first clock in which nothing else is ready, at the
    latest the last that tAAD allows. A synchronisation and its column command are never parted.
    """
    half_open = s[channel + f.ACT2_REQUEST] != f.NONE
    if s[channel + f.CAS_PENDING] == 1:
        s[channel + f.CAS_PENDING] = 0
        issue_planned(s, channel, channel + f.PLAN, clock)
        return
    if half_open and s[channel + f.ACT2_DEADLINE] <= clock:
        second_half(s, channel, clock)
        return
    if fresh:
        scan(s, channel, clock)
    if s[channel + f.PLAN + f.TIME] > clock:
        if half_open:
            second_half(s, channel, clock)
        return
    stopped = clock >= s[channel + f.WCK_END] and s[f.WCK] > 0
    if not (stopped and is_column(s[channel + f.PLAN + f.KIND])):
        issue_planned(s, channel, channel + f.PLAN, clock)
    elif half_open and s[channel + f.ACT2_DEADLINE] <= clock + 1:
        second_half(s, channel, clock)
    else:
        synchronise(s, channel, clock)


@compiled
def synchronise(s: State, channel: int, clock: int) -> None:
    """Starts the data clock for the planned column command, which follows in the next clock."""
    request = s[channel + f.PLAN + f.CHOSEN]
    bank = s[request + f.BANK_OF]
    issue(s, channel, c.CAS, bank, s[bank + f.B_RANK], request, clock)
    s[channel + f.CAS_PENDING] = 1


@compiled
def second_half(s: State, channel: int, clock: int) -> None:
    """Completes a split activate; its request becomes active."""
    request = s[channel + f.ACT2_REQUEST]
    bank = s[request + f.BANK_OF]
    issue(s, channel, c.ACT2, bank, s[bank + f.B_RANK], request, clock)
    s[bank + f.ROW] = s[request + f.ROW_OF]
    s[channel + f.ACT2_REQUEST] = f.NONE
    use_row(s, channel, bank, request)
    want_anew(s, channel, bank)


@compiled
def use_row(s: State, channel: int, bank: int, request: int) -> None:
    """Makes the request that opened a row active."""
    append(s, channel + f.ACTIVE, request)
    look(s, bank)


@compiled
def issue_planned(s: State, channel: int, plan: int, clock: int) -> None:
    """Issues the command of a plan."""
    kind, chosen = s[plan + f.KIND], s[plan + f.CHOSEN]
    if s[plan + f.SOURCE] == REFRESHES:
        issue_refresh(s, channel, kind, chosen, clock)
        return
    bank = s[chosen + f.BANK_OF]
    issue(s, channel, kind, bank, s[bank + f.B_RANK], chosen, clock)
    if kind == c.ACT:
        touch(s, chosen, f.ROW_MISS)
        activate(s, channel, chosen, clock)
    elif kind == c.PRE:
        touch(s, chosen, f.ROW_CONFLICT)
        close_row(s, bank, clock)
    else:
        touch(s, chosen, f.ROW_HIT)
        column(s, channel, s[plan + f.SOURCE] == ACTIVE_REQUESTS, chosen, clock)
    want_anew(s, channel, bank)


@compiled
def activate(s: State, channel: int, request: int, clock: int) -> None:
    """Opens the row of a request, which leaves its queue."""
    bank = s[request + f.BANK_OF]
    leave(s, channel, request)
    s[bank + f.CLAIMED] += 1
    s[s[bank + f.B_RANK] + f.R_CLAIMED] += 1
    if s[f.T_AAD] > 0:
        open_row(s, bank, f.HALF_OPEN, clock)
        s[channel + f.ACT2_REQUEST] = request
        s[channel + f.ACT2_DEADLINE] = clock + s[f.T_AAD]
    else:
        open_row(s, bank, s[request + f.ROW_OF], clock)
        use_row(s, channel, bank, request)


@compiled
def column(s: State, channel: int, active: bool, request: int, clock: int) -> None:
    """A read or write: the request leaves the controller."""
    bank, write = s[request + f.BANK_OF], s[request + f.WRITE]
    if active:
        take_out(s, channel + f.ACTIVE, request)
        s[bank + f.CLAIMED] -= 1
        s[s[bank + f.B_RANK] + f.R_CLAIMED] -= 1
    else:
        s[bank + f.HIT + write] = first_for_row(s, s[request + f.AFTER], s[bank + f.ROW])
        leave(s, channel, request)
    s[bank + f.HITS] += 1
    if write == 1:
        complete(s, request, clock)
    else:
        complete_read(s, channel, request, clock + s[f.READ_CLOCKS])
    s[channel + f.WCK_END] = max(s[channel + f.WCK_END], clock + s[f.WCK + write])
    if s[f.CLOSED_POLICY] == 1:
        close_if_done(s, bank)


@compiled
def close_if_done(s: State, bank: int) -> None:
    """Closed row policy: closes the row behind its last waiting hit, or at the cap."""
    hits_wait = s[bank + f.HIT] != f.NONE or s[bank + f.HIT + 1] != f.NONE
    more = hits_wait and s[bank + f.HITS] < s[f.HIT_CAP]
    if s[bank + f.CLAIMED] == 0 and not more:
        close_with_column(s, bank, s[bank + f.B_RANK])


@compiled
def issue_refresh(s: State, channel: int, kind: int, place: int, clock: int) -> None:
    """Issues the precharge or the refresh that the refresh at the front needs."""
    if kind == c.PRE or kind == c.REFB:
        issue(s, channel, kind, place, s[place + f.B_RANK], f.NONE, clock)
    else:
        issue(s, channel, kind, f.NONE, place, f.NONE, clock)
    if kind == c.PRE:
        close_row(s, place, clock)
        want_anew(s, channel, place)
    elif kind == c.PREA:
        close_all(s, channel, place, clock)
    else:
        finish(s, channel)


@compiled
def close_all(s: State, channel: int, rank: int, clock: int) -> None:
    """Closes all rows of a rank."""
    for bank in range(s[channel + f.FIRST_BANK], s[channel + f.END_BANK], f.BANK_FIELDS):
        if s[bank + f.B_RANK] == rank and s[bank + f.ROW] >= 0:
            close_row(s, bank, clock)
            want_anew(s, channel, bank)


@compiled
def next_clock(s: State, channel: int, clock: int) -> int:
    """The first clock after ``clock`` in which the controller can do something."""
    if s[channel + f.CAS_PENDING] == 1:
        return clock + 1
    if s[channel + f.ACT2_REQUEST] != f.NONE:
        if s[channel + f.ACT2_DEADLINE] > clock + 1:
            scan(s, channel, clock + 1)
        return clock + 1
    scan(s, channel, clock + 1)
    time = min(s[channel + f.PLAN + f.TIME], s[channel + f.ROW_PLAN + f.TIME])
    return max(clock + 1, min(time, s[channel + f.REF_NEXT]))
