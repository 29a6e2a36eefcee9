"""When refreshes become due and which command one needs next. Hot."""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.state import bank_time, close_row, issue, rank_time


@compiled
def due(s: State, channel: int, clock: int) -> None:
    """Counts the refreshes that have become due."""
    while s.channel[channel, f.REF_NEXT] <= clock:
        s.channel[channel, f.REF_PENDING] += s.parameters[f.REFRESH_UNITS]
        s.channel[channel, f.REF_NEXT] += s.parameters[f.REFRESH_INTERVAL]


@compiled
def front_rank(s: State, channel: int) -> int:
    """The rank that the next refresh is for."""
    front = s.channel[channel, f.REF_FRONT]
    if s.parameters[f.REFRESH_BANK] == 1:
        front //= s.parameters[f.BANKS]
    return int(channel * s.parameters[f.RANKS] + front)


@compiled
def front_bank(s: State, channel: int) -> int:
    """The bank that the next refresh is for, bank groups first; -1 if it is for a whole rank."""
    if s.parameters[f.REFRESH_BANK] == 0:
        return -1
    banks, groups = s.parameters[f.BANKS], s.parameters[f.GROUPS]
    rank = front_rank(s, channel)
    place = s.channel[channel, f.REF_FRONT] % banks
    in_rank = (place % groups) * s.parameters[f.GROUP_BANKS] + place // groups
    return int(rank * banks + in_rank)


@compiled
def held_back(s: State, channel: int, bank: int) -> bool:
    """Whether a pending refresh holds back the commands of a bank."""
    if s.channel[channel, f.REF_BLOCKING] == 0:
        return False
    if s.parameters[f.REFRESH_BANK] == 1:
        return bank == front_bank(s, channel)
    return bool(s.bank[bank, f.B_RANK] == front_rank(s, channel))


@compiled
def finish(s: State, channel: int) -> None:
    """Takes the refresh at the front off, and turns to the next rank or bank."""
    count = s.parameters[f.RANKS]
    if s.parameters[f.REFRESH_BANK] == 1:
        count *= s.parameters[f.BANKS]
    s.channel[channel, f.REF_PENDING] -= 1
    s.channel[channel, f.REF_BLOCKING] = 0
    s.channel[channel, f.REF_FRONT] = (s.channel[channel, f.REF_FRONT] + 1) % count


@compiled
def refresh_step(s: State, channel: int, clock: int) -> int:
    """Issues what the refresh at the front needs, if that is legal by ``clock``: bank by bank.

    Returns:
        The first clock at which something is legal; ``clock`` or earlier if it was issued.
    """
    rank, only = front_rank(s, channel), front_bank(s, channel)
    first, count = rank * s.parameters[f.BANKS], s.parameters[f.BANKS]
    if only >= 0:
        first, count = only, 1
    time, chosen, all_closed = c.NEVER, -1, True
    for bank in range(first, first + count):
        if s.bank[bank, f.ROW] >= 0:
            all_closed = False
            ready = bank_time(s, channel, bank, c.PRE, clock)
            if ready < time:
                time, chosen = ready, bank
    if all_closed:
        return refresh_now(s, channel, only, rank, clock)
    if time <= clock:
        issue(s, channel, c.PRE, chosen, rank, -1, clock)
        close_row(s, chosen, clock)
    return time


@compiled
def refresh_now(s: State, channel: int, bank: int, rank: int, clock: int) -> int:
    """Issues the refresh of a closed rank or bank if it is legal by ``clock``."""
    if bank >= 0:
        time, command = bank_time(s, channel, bank, c.REFB, clock), c.REFB
    else:
        time, command = rank_time(s, channel, rank, c.REF, clock), c.REF
    if time <= clock:
        issue(s, channel, command, bank, rank, -1, clock)
        finish(s, channel)
    return time
