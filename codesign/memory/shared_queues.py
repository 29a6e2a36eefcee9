"""The controller with one read and one write queue, as in Ramulator 2.1. Hot.

The oldest request whose next command is ready goes first. A request that has opened a row leaves
its queue and waits for its column command in a list of active requests, which go before all
others; nobody closes a row that an active request waits for. A pending refresh stops all requests
that are not active. Writes wait until their queue is filled to a mark or no read waits.
"""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import Ints, State
from codesign.memory.queues import bucket, complete, count_pending, find, take_out
from codesign.memory.refresh import due, finish
from codesign.memory.scan import ACTIVE_LIST, REFRESHES, WRITE_QUEUE, scan
from codesign.memory.state import (
    close_row,
    close_with_column,
    issue,
    open_row,
    touch,
)


@compiled
def offer(s: State, channel: int, request: int, clock: int) -> bool:
    """Takes a request into its queue, or refuses it because that is full.

    A read of an address that waits to be written is answered in the next clock, a second write of
    it at once.
    """
    write, key = s.request[request, f.WRITE], s.request[request, f.KEY]
    waits = False
    if s.counters[f.PENDING + f.BUCKETS + bucket(key)] > 0:
        waits = (
            find(s, s.queue[s.channel[channel, f.WRITE_ROW]], s.channel[channel, f.WRITES], key, 1)
            >= 0
        )
    size = f.WRITES if write else f.READS
    entries = s.parameters[f.WRITE_ENTRIES if write else f.READ_ENTRIES]
    if not waits and s.channel[channel, size] >= entries:
        return False
    s.request[request, f.ACCEPTED] = clock + 1
    if waits:
        s.counters[f.FORWARDED] += 1
        if write:
            complete(s, request, clock)
        else:
            complete_read(s, channel, request, clock + 1)
        return True
    if write:
        s.queue[s.channel[channel, f.WRITE_ROW], s.channel[channel, size]] = request
        count_pending(s, request, 1)
    else:
        s.queue[s.channel[channel, f.READ_ROW], s.channel[channel, size]] = request
    s.channel[channel, size] += 1
    return True


@compiled
def complete_read(s: State, channel: int, request: int, clock: int) -> None:
    """Completes a read, never before an earlier one: data leave the controller in order."""
    done = max(clock, s.channel[channel, f.LAST_READ])
    s.channel[channel, f.LAST_READ] = done
    complete(s, request, done)


@compiled
def tick(s: State, channel: int, clock: int) -> None:
    """Everything that the controller does in one clock."""
    before = s.channel[channel, f.REF_PENDING]
    due(s, channel, clock)
    fresh = before == 0 and s.channel[channel, f.REF_PENDING] > 0
    if s.parameters[f.T_AAD] > 0:
        split_tick(s, channel, clock, fresh)
        return
    if fresh:
        scan(s, channel, clock)
    if s.channel[channel, f.PLAN + f.TIME] <= clock:
        issue_planned(s, channel, f.PLAN, clock)
        if s.parameters[f.DUAL] == 1:
            scan(s, channel, clock)
    if s.parameters[f.DUAL] == 1 and s.channel[channel, f.ROW_PLAN + f.TIME] <= clock:
        issue_planned(s, channel, f.ROW_PLAN, clock)


@compiled
def split_tick(s: State, channel: int, clock: int, fresh: bool) -> None:
    """One clock of LPDDR5: activates in two halves, and a data clock that must be synchronised.

    The second half of an activate takes the first clock in which nothing else is ready, at the
    latest the last that tAAD allows. A synchronisation and its column command are never parted.
    """
    half_open = s.channel[channel, f.ACT2_REQUEST] >= 0
    if s.channel[channel, f.CAS_PENDING] == 1:
        s.channel[channel, f.CAS_PENDING] = 0
        issue_planned(s, channel, f.PLAN, clock)
        return
    if half_open and s.channel[channel, f.ACT2_DEADLINE] <= clock:
        second_half(s, channel, clock)
        return
    if fresh:
        scan(s, channel, clock)
    if s.channel[channel, f.PLAN + f.TIME] > clock:
        if half_open:
            second_half(s, channel, clock)
        return
    kind = s.channel[channel, f.PLAN + f.KIND]
    stopped = clock >= s.channel[channel, f.WCK_END] and s.parameters[f.WCK_READ] > 0
    if not (stopped and (kind == c.RD or kind == c.WR)):
        issue_planned(s, channel, f.PLAN, clock)
    elif half_open and s.channel[channel, f.ACT2_DEADLINE] <= clock + 1:
        second_half(s, channel, clock)
    else:
        synchronise(s, channel, clock)


@compiled
def synchronise(s: State, channel: int, clock: int) -> None:
    """Starts the data clock for the planned column command, which follows in the next clock."""
    request = planned_request(s, channel, f.PLAN)
    bank = s.request[request, f.BANK_OF]
    issue(s, channel, c.CAS, bank, s.bank[bank, f.B_RANK], request, clock)
    s.channel[channel, f.CAS_PENDING] = 1


@compiled
def second_half(s: State, channel: int, clock: int) -> None:
    """Completes a split activate; its request becomes active."""
    request = s.channel[channel, f.ACT2_REQUEST]
    bank = s.request[request, f.BANK_OF]
    issue(s, channel, c.ACT2, bank, s.bank[bank, f.B_RANK], request, clock)
    s.bank[bank, f.ROW] = s.request[request, f.ROW_OF]
    s.channel[channel, f.ACT2_REQUEST] = -1
    make_active(s, channel, request)


@compiled
def make_active(s: State, channel: int, request: int) -> None:
    """Puts a request at the end of the active ones."""
    s.queue[s.channel[channel, f.ACTIVE_ROW], s.channel[channel, f.ACTIVE]] = request
    s.channel[channel, f.ACTIVE] += 1


@compiled
def planned_request(s: State, channel: int, at: int) -> int:
    """The request of a plan."""
    source, place = s.channel[channel, at + f.SOURCE], s.channel[channel, at + f.PLACE]
    if source == ACTIVE_LIST:
        return int(s.queue[s.channel[channel, f.ACTIVE_ROW], place])
    if source == WRITE_QUEUE:
        return int(s.queue[s.channel[channel, f.WRITE_ROW], place])
    return int(s.queue[s.channel[channel, f.READ_ROW], place])


@compiled
def issue_planned(s: State, channel: int, at: int, clock: int) -> None:
    """Issues the command of a plan."""
    if s.channel[channel, at + f.SOURCE] == REFRESHES:
        issue_refresh(s, channel, s.channel[channel, at + f.KIND], at, clock)
        return
    kind = s.channel[channel, at + f.KIND]
    request = planned_request(s, channel, at)
    bank = s.request[request, f.BANK_OF]
    rank = s.bank[bank, f.B_RANK]
    issue(s, channel, kind, bank, rank, request, clock)
    if kind == c.ACT:
        touch(s, request, f.ROW_MISS)
        activate(s, channel, at, request, clock)
    elif kind == c.PRE:
        touch(s, request, f.ROW_CONFLICT)
        close_row(s, bank, clock)
    else:
        touch(s, request, f.ROW_HIT)
        column(s, channel, at, request, clock)


@compiled
def activate(s: State, channel: int, at: int, request: int, clock: int) -> None:
    """Opens the row of a request, which leaves its queue."""
    bank = s.request[request, f.BANK_OF]
    leave(s, channel, at, request)
    s.bank[bank, f.CLAIMED] += 1
    s.rank[s.bank[bank, f.B_RANK], f.R_CLAIMED] += 1
    if s.parameters[f.T_AAD] > 0:
        open_row(s, bank, f.HALF_OPEN, clock)
        s.channel[channel, f.ACT2_REQUEST] = request
        s.channel[channel, f.ACT2_DEADLINE] = clock + s.parameters[f.T_AAD]
    else:
        open_row(s, bank, s.request[request, f.ROW_OF], clock)
        make_active(s, channel, request)


@compiled
def leave(s: State, channel: int, at: int, request: int) -> None:
    """Takes the request of a plan out of its queue."""
    source, place = s.channel[channel, at + f.SOURCE], s.channel[channel, at + f.PLACE]
    if source == ACTIVE_LIST:
        bank = s.request[request, f.BANK_OF]
        take_out(s.queue[s.channel[channel, f.ACTIVE_ROW]], place, s.channel[channel, f.ACTIVE])
        s.channel[channel, f.ACTIVE] -= 1
        s.bank[bank, f.CLAIMED] -= 1
        s.rank[s.bank[bank, f.B_RANK], f.R_CLAIMED] -= 1
    elif source == WRITE_QUEUE:
        take_out(s.queue[s.channel[channel, f.WRITE_ROW]], place, s.channel[channel, f.WRITES])
        s.channel[channel, f.WRITES] -= 1
        count_pending(s, request, -1)
    else:
        take_out(s.queue[s.channel[channel, f.READ_ROW]], place, s.channel[channel, f.READS])
        s.channel[channel, f.READS] -= 1


@compiled
def column(s: State, channel: int, at: int, request: int, clock: int) -> None:
    """A read or write: the request leaves the controller."""
    bank = s.request[request, f.BANK_OF]
    leave(s, channel, at, request)
    s.bank[bank, f.HITS] += 1
    write = s.request[request, f.WRITE]
    if write:
        complete(s, request, clock)
    else:
        complete_read(s, channel, request, clock + s.parameters[f.READ_CLOCKS])
    runs_on = s.parameters[f.WCK_WRITE if write else f.WCK_READ]
    s.channel[channel, f.WCK_END] = max(s.channel[channel, f.WCK_END], clock + runs_on)
    if s.parameters[f.CLOSED_POLICY] == 1:
        close_if_done(s, channel, bank)


@compiled
def close_if_done(s: State, channel: int, bank: int) -> None:
    """Closed row policy: closes the row behind its last waiting hit, or at the cap."""
    if s.bank[bank, f.CLAIMED] > 0:
        return
    row = s.bank[bank, f.ROW]
    more = s.bank[bank, f.HITS] < s.parameters[f.HIT_CAP] and (
        hits_in(s, s.queue[s.channel[channel, f.READ_ROW]], s.channel[channel, f.READS], bank, row)
        or hits_in(
            s, s.queue[s.channel[channel, f.WRITE_ROW]], s.channel[channel, f.WRITES], bank, row
        )
    )
    if not more:
        close_with_column(s, bank, s.bank[bank, f.B_RANK])


@compiled
def hits_in(s: State, queue: Ints, count: int, bank: int, row: int) -> bool:
    """Whether a queue holds a request for a row of a bank."""
    for at in range(count):
        request = queue[at]
        if s.request[request, f.BANK_OF] == bank and s.request[request, f.ROW_OF] == row:
            return True
    return False


@compiled
def issue_refresh(s: State, channel: int, kind: int, at: int, clock: int) -> None:
    """Issues the precharge or the refresh that the refresh at the front needs."""
    rank, bank = s.channel[channel, at + f.PLACE], -1
    if kind == c.PRE or kind == c.REFB:
        bank = rank
        rank = s.bank[bank, f.B_RANK]
    issue(s, channel, kind, bank, rank, -1, clock)
    if kind == c.PRE:
        close_row(s, bank, clock)
    elif kind == c.PREA:
        first = rank * s.parameters[f.BANKS]
        for other in range(first, first + s.parameters[f.BANKS]):
            if s.bank[other, f.ROW] >= 0:
                close_row(s, other, clock)
    else:
        finish(s, channel)


@compiled
def next_clock(s: State, channel: int, clock: int) -> int:
    """The first clock after ``clock`` in which the controller can do something."""
    if s.channel[channel, f.CAS_PENDING] == 1:
        return clock + 1
    if s.channel[channel, f.ACT2_REQUEST] >= 0:
        if s.channel[channel, f.ACT2_DEADLINE] > clock + 1:
            scan(s, channel, clock + 1)
        return clock + 1
    scan(s, channel, clock + 1)
    time = min(s.channel[channel, f.PLAN + f.TIME], s.channel[channel, f.ROW_PLAN + f.TIME])
    return int(max(min(time, s.channel[channel, f.REF_NEXT]), clock + 1))
