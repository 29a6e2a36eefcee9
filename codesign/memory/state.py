"""What one command changes in banks, ranks and buses, and when the next is legal. Hot."""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import Ints, State


@compiled
def bus_of(s: State, command: int) -> int:
    """0 for the bus of row commands, 1 for that of column commands where there are two."""
    if s.parameters[f.DUAL] == 1 and (command == c.RD or command == c.WR):
        return 1
    return 0


@compiled
def aligned(s: State, command: int, clock: int) -> int:
    """The clock, or the next rising edge where the command must start on one."""
    if s.parameters[f.HALF_CLOCK] == 1 and command != c.PRE and command != c.PREA:
        return clock | 1
    return clock


@compiled
def bank_time(s: State, channel: int, bank: int, command: int, clock: int) -> int:
    """First clock from ``clock`` on at which a command for one bank is legal and has a slot."""
    legal = max(
        max(s.bank[bank, f.BANK_READY + command], s.group[s.bank[bank, f.B_GROUP], command]),
        max(
            s.rank[s.bank[bank, f.B_RANK], f.RANK_READY + command],
            s.channel[channel, f.BUS_FREE + bus_of(s, command)],
        ),
    )
    return aligned(s, command, max(legal, clock))


@compiled
def rank_time(s: State, channel: int, rank: int, command: int, clock: int) -> int:
    """First clock from ``clock`` on at which a command for a whole rank is legal and has a slot."""
    legal = max(s.rank[rank, f.RANK_READY + command], s.channel[channel, f.BUS_FREE])
    return aligned(s, command, max(legal, clock))


@compiled
def raise_ready(s: State, command: int, bank: int, rank: int, clock: int) -> None:
    """Moves the first clocks of later commands behind a command at ``clock``."""
    raise_row(s, s.rank, rank, f.RANK_READY, c.RANK * c.COMMANDS + command, clock)
    if bank >= 0:
        raise_row(s, s.bank, bank, f.BANK_READY, c.BANK * c.COMMANDS + command, clock)
        raise_row(s, s.group, s.bank[bank, f.B_GROUP], 0, c.GROUP * c.COMMANDS + command, clock)


@compiled
def raise_row(s: State, table: Ints, row: int, first: int, gates: int, clock: int) -> None:
    """Applies the gates of one command at one level: pairs of a later command and clocks."""
    for at in range(1, 2 * s.gates[gates, 0], 2):
        field = first + s.gates[gates, at]
        table[row, field] = max(table[row, field], clock + s.gates[gates, at + 1])


@compiled
def write_log(s: State, command: int, bank: int, rank: int, request: int, clock: int) -> None:
    """Keeps a command if the run has a log; a command for a whole rank has bank -1 - rank."""
    at = s.counters[f.LOGGED]
    if at < s.log.shape[0]:
        s.log[at, 0] = clock
        s.log[at, 1] = command
        s.log[at, 2] = bank if bank >= 0 else -1 - rank
        s.log[at, 3] = s.request[request, f.ROW_OF] if request >= 0 else -1
        s.log[at, 4] = request
    s.counters[f.LOGGED] = at + 1


@compiled
def issue(
    s: State, channel: int, command: int, bank: int, rank: int, request: int, clock: int
) -> None:
    """Issues a command: occupies its bus, moves the gates, counts it."""
    if s.log.shape[0] > 0:
        write_log(s, command, bank, rank, request, clock)
    raise_ready(s, command, bank, rank, clock)
    s.channel[channel, f.BUS_FREE + bus_of(s, command)] = clock + s.parameters[f.SLOTS + command]
    s.counters[command] += 1
    if command == c.RD or command == c.WR:
        burst(s, command, rank, clock)
    elif command == c.ACT:
        window(s, rank, clock)


@compiled
def burst(s: State, command: int, rank: int, clock: int) -> None:
    """Keeps the other ranks off the data bus and counts turnarounds."""
    first = s.rank[rank, f.FIRST_SIBLING]
    for other in range(first, first + s.parameters[f.SIBLINGS]):
        if other != rank:
            raise_row(s, s.rank, other, f.RANK_READY, c.SIBLING * c.COMMANDS + command, clock)
    if s.rank[first, f.DIRECTION] >= 0 and s.rank[first, f.DIRECTION] != command:
        s.counters[f.TURNAROUNDS] += 1
    s.rank[first, f.DIRECTION] = command


@compiled
def window(s: State, rank: int, clock: int) -> None:
    """At most four activates of a rank in tFAW: the next waits for the oldest of the last four."""
    at = s.rank[rank, f.RING]
    s.rank[rank, f.LAST_FOUR + at] = clock
    oldest = (at + 1) & 3
    s.rank[rank, f.RING] = oldest
    s.rank[rank, f.RANK_READY + c.ACT] = max(
        s.rank[rank, f.RANK_READY + c.ACT],
        s.rank[rank, f.LAST_FOUR + oldest] + s.parameters[f.T_FAW],
    )


@compiled
def open_row(s: State, bank: int, row: int, clock: int) -> None:
    """Marks a row as open and its rank as active."""
    rank = s.bank[bank, f.B_RANK]
    s.bank[bank, f.ROW] = row
    s.bank[bank, f.HITS] = 0
    if s.rank[rank, f.OPEN_BANKS] == 0:
        # a row that closes with its last column command closes after that command's clock
        s.rank[rank, f.OPEN_SINCE] = max(clock, s.rank[rank, f.OPEN_SINCE])
    s.rank[rank, f.OPEN_BANKS] += 1


@compiled
def close_row(s: State, bank: int, clock: int) -> None:
    """Marks a bank as closed, and its rank as idle with the last one."""
    rank = s.bank[bank, f.B_RANK]
    s.bank[bank, f.ROW] = -1
    s.bank[bank, f.HITS] = 0
    s.rank[rank, f.OPEN_BANKS] -= 1
    if s.rank[rank, f.OPEN_BANKS] == 0:
        s.rank[rank, f.OPEN_CLOCKS] += clock - s.rank[rank, f.OPEN_SINCE]
        s.rank[rank, f.OPEN_SINCE] = clock


@compiled
def close_with_column(s: State, bank: int, rank: int) -> None:
    """Closes a row as part of its last column command, as soon as the row may be closed."""
    clock = max(s.bank[bank, f.BANK_READY + c.PRE], s.group[s.bank[bank, f.B_GROUP], c.PRE])
    raise_ready(s, c.PRE, bank, rank, clock)
    s.counters[c.PRE] += 1
    write_log(s, c.PRE, bank, rank, -1, clock)
    close_row(s, bank, clock)


@compiled
def touch(s: State, request: int, kind: int) -> None:
    """Counts a request as row hit, miss or conflict by its first command."""
    if s.request[request, f.TOUCHED] == 0:
        s.request[request, f.TOUCHED] = 1
        s.counters[kind] += 1
