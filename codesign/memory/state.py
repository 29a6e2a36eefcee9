"""What one command changes in banks, ranks and buses, and when the next is legal. Hot."""

from __future__ import annotations

from typing import Final

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State

BITS: Final = 36
"""Binary digits of a place in the state of a run."""
PLACES: Final = (1 << BITS) - 1
FAR: Final = 1 << 26
"""Clocks that no gate reaches, since none adds up four timings, which ``MOST_CLOCKS`` of
``device_check`` bounds: what is so far ahead is never legal."""
NO_CHOICE: Final = (FAR << BITS) - 1
"""Not before any choice, see ``ranked``."""


@compiled
def is_column(command: int) -> bool:
    """Whether a command reads or writes."""
    return command == c.RD or command == c.WR


@compiled
def bus_of(s: State, command: int) -> int:
    """0 for the bus of row commands, 1 for that of column commands where there are two."""
    return s[f.BUS + command]


@compiled
def aligned(s: State, command: int, clock: int) -> int:
    """The clock, or the next rising edge where the command must start on one."""
    return clock | s[f.ODD + command]


@compiled
def legal(s: State, bank: int, command: int) -> int:
    """First clock at which a command for one bank breaks no gate."""
    return max(s[bank + f.BANK_READY + command], s[s[bank + f.B_RANK] + f.RANK_READY + command])


@compiled
def bank_time(s: State, channel: int, bank: int, command: int, clock: int) -> int:
    """First clock from ``clock`` on at which a command for one bank is legal and has a slot."""
    free = max(clock, s[channel + f.BUS_FREE + bus_of(s, command)])
    return aligned(s, command, max(free, legal(s, bank, command)))


@compiled
def rank_time(s: State, channel: int, rank: int, command: int, clock: int) -> int:
    """First clock from ``clock`` on at which a command for a whole rank is legal and has a slot."""
    free = max(clock, s[channel + f.BUS_FREE])
    return aligned(s, command, max(free, s[rank + f.RANK_READY + command]))


@compiled
def ranked(clocks: int, place: int) -> int:
    """One number for what is ready in some clocks: the sooner goes first, then the lower place."""
    return (min(clocks, FAR) << BITS) + place


@compiled
def raise_ready(s: State, command: int, bank: int, rank: int, clock: int) -> None:
    """Moves the first clocks of later commands behind a command at ``clock``."""
    raise_record(s, rank + f.RANK_READY, c.RANK, command, clock)
    if bank != f.NONE:
        raise_record(s, bank + f.BANK_READY, c.BANK, command, clock)
        raise_group(s, bank, command, clock)


@compiled
def raise_record(s: State, ready: int, level: int, command: int, clock: int) -> None:
    """Applies the gates of one command to the first clocks of one record."""
    row = f.GATES + (level * c.COMMANDS + command) * f.GATE_ROW
    for at in range(row + 1, row + 2 * s[row], 2):
        field = ready + s[at]
        s[field] = max(s[field], clock + s[at + 1])


@compiled
def raise_group(s: State, bank: int, command: int, clock: int) -> None:
    """Applies the gates of one command to all banks of its group."""
    if s[f.GATES + (c.GROUP * c.COMMANDS + command) * f.GATE_ROW] == 0:
        return
    first = s[bank + f.FIRST_NEIGHBOUR]
    for other in range(first, first + s[f.GROUP_BANKS] * f.BANK_FIELDS, f.BANK_FIELDS):
        raise_record(s, other + f.BANK_READY, c.GROUP, command, clock)


@compiled
def write_log(s: State, command: int, bank: int, rank: int, request: int, clock: int) -> None:
    """Keeps a command if the run has a log; a command for a whole rank has no bank."""
    at = s[f.LOG] + s[f.LOGGED] * f.LOG_ROW
    if at < s[f.LOG_END]:
        s[at] = clock
        s[at + 1] = command
        s[at + 2] = bank if bank != f.NONE else -rank
        s[at + 3] = s[request + f.ROW_OF] if request != f.NONE else -1
        s[at + 4] = request
        s[f.LOGGED] += 1


@compiled
def issue(
    s: State, channel: int, command: int, bank: int, rank: int, request: int, clock: int
) -> None:
    """Issues a command: occupies its bus, moves the gates, counts it."""
    write_log(s, command, bank, rank, request, clock)
    raise_ready(s, command, bank, rank, clock)
    s[channel + f.BUS_FREE + bus_of(s, command)] = clock + s[f.SLOTS + command]
    s[f.COUNTED + command] += 1
    if is_column(command):
        burst(s, command, rank, clock)
    elif command == c.ACT:
        window(s, rank, clock)


@compiled
def burst(s: State, command: int, rank: int, clock: int) -> None:
    """Keeps the other ranks off the data bus and counts turnarounds."""
    first = s[rank + f.FIRST_SIBLING]
    for other in range(first, first + s[f.SIBLINGS] * f.RANK_FIELDS, f.RANK_FIELDS):
        if other != rank:
            raise_record(s, other + f.RANK_READY, c.SIBLING, command, clock)
    if s[first + f.DIRECTION] >= 0 and s[first + f.DIRECTION] != command:
        s[f.TURNAROUNDS] += 1
    s[first + f.DIRECTION] = command


@compiled
def window(s: State, rank: int, clock: int) -> None:
    """At most four activates of a rank in tFAW: the next waits for the oldest of the last four."""
    at = s[rank + f.RING]
    s[rank + f.LAST_FOUR + at] = clock
    oldest = (at + 1) & 3
    s[rank + f.RING] = oldest
    ready = rank + f.RANK_READY + c.ACT
    s[ready] = max(s[ready], s[rank + f.LAST_FOUR + oldest] + s[f.T_FAW])


@compiled
def open_row(s: State, bank: int, row: int, clock: int) -> None:
    """Marks a row as open and its rank as active."""
    rank = s[bank + f.B_RANK]
    s[bank + f.ROW] = row
    s[bank + f.HITS] = 0
    if s[rank + f.OPEN_BANKS] == 0:
        # a row that closes with its last column command closes after that command's clock
        s[rank + f.OPEN_SINCE] = max(clock, s[rank + f.OPEN_SINCE])
    s[rank + f.OPEN_BANKS] += 1


@compiled
def close_row(s: State, bank: int, clock: int) -> None:
    """Marks a bank as closed, and its rank as idle with the last one."""
    rank = s[bank + f.B_RANK]
    s[bank + f.ROW] = -1
    s[bank + f.HITS] = 0
    s[rank + f.OPEN_BANKS] -= 1
    if s[rank + f.OPEN_BANKS] == 0:
        s[rank + f.OPEN_CLOCKS] += clock - s[rank + f.OPEN_SINCE]
        s[rank + f.OPEN_SINCE] = clock


@compiled
def close_with_column(s: State, bank: int, rank: int) -> None:
    """Closes a row as part of its last column command, as soon as the row may be closed."""
    clock = s[bank + f.BANK_READY + c.PRE]
    raise_ready(s, c.PRE, bank, rank, clock)
    s[f.COUNTED + c.PRE] += 1
    write_log(s, c.PRE, bank, rank, f.NONE, clock)
    close_row(s, bank, clock)


@compiled
def touch(s: State, request: int, kind: int) -> None:
    """Counts a request as row hit, miss or conflict by its first command."""
    if s[request + f.TOUCHED] == 0:
        s[request + f.TOUCHED] = 1
        s[kind] += 1
