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
    while s[channel + f.REF_NEXT] <= clock:
        s[channel + f.REF_PENDING] += s[f.REFRESH_UNITS]
        s[channel + f.REF_NEXT] += s[f.REFRESH_INTERVAL]


@compiled
def front_rank(s: State, channel: int) -> int:
    """The rank that the next refresh is for."""
    front = s[channel + f.REF_FRONT]
    if s[f.REFRESH_BANK] == 1:
        front //= s[f.BANKS]
    return s[channel + f.FIRST_RANK] + front * f.RANK_FIELDS


@compiled
def front_bank(s: State, channel: int) -> int:
    """The bank that the next refresh is for, bank groups first; none if it is for a whole rank."""
    if s[f.REFRESH_BANK] == 0:
        return f.NONE
    banks, groups = s[f.BANKS], s[f.GROUPS]
    front = s[channel + f.REF_FRONT]
    place = front % banks
    number = front - place + place % groups * s[f.GROUP_BANKS] + place // groups
    return s[channel + f.FIRST_BANK] + number * f.BANK_FIELDS


@compiled
def held_back(s: State, channel: int, bank: int) -> bool:
    """Whether a pending refresh holds back the commands of a bank."""
    if s[channel + f.REF_BLOCKING] == 0:
        return False
    if s[f.REFRESH_BANK] == 1:
        return bank == front_bank(s, channel)
    return s[bank + f.B_RANK] == front_rank(s, channel)


@compiled
def finish(s: State, channel: int) -> None:
    """Takes the refresh at the front off, and turns to the next rank or bank."""
    count = s[f.RANKS]
    if s[f.REFRESH_BANK] == 1:
        count *= s[f.BANKS]
    s[channel + f.REF_PENDING] -= 1
    s[channel + f.REF_BLOCKING] = 0
    s[channel + f.REF_FRONT] = (s[channel + f.REF_FRONT] + 1) % count


@compiled
def refresh_step(s: State, channel: int, clock: int) -> bool:
    """Issues what the refresh at the front needs, bank by bank; whether that is legal by now."""
    rank, only = front_rank(s, channel), front_bank(s, channel)
    first = only
    end = only + f.BANK_FIELDS
    if only == f.NONE:
        first = s[channel + f.FIRST_BANK] + s[channel + f.REF_FRONT] * s[f.BANKS] * f.BANK_FIELDS
        end = first + s[f.BANKS] * f.BANK_FIELDS
    time, chosen = c.NEVER, f.NONE
    for bank in range(first, end, f.BANK_FIELDS):
        if s[bank + f.ROW] >= 0:
            ready = bank_time(s, channel, bank, c.PRE, clock)
            if ready < time:
                time, chosen = ready, bank
    if chosen == f.NONE:
        return refresh_now(s, channel, only, rank, clock)
    if time > clock:
        return False
    issue(s, channel, c.PRE, chosen, rank, f.NONE, clock)
    close_row(s, chosen, clock)
    return True


@compiled
def refresh_now(s: State, channel: int, bank: int, rank: int, clock: int) -> bool:
    """Issues the refresh of a closed rank or bank; whether that is legal by now."""
    if bank != f.NONE:
        time, command = bank_time(s, channel, bank, c.REFB, clock), c.REFB
    else:
        time, command = rank_time(s, channel, rank, c.REF, clock), c.REF
    if time > clock:
        return False
    issue(s, channel, command, bank, rank, f.NONE, clock)
    finish(s, channel)
    return True
