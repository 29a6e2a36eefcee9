"""What the log of a run says of the clocks between two of its own. Hot."""

from __future__ import annotations

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.compiled import compiled
from codesign.memory.layout import State
from codesign.memory.state import is_column


@compiled
def tally(s: State) -> None:
    """Counts what happened after clock ``BEGIN`` and not after ``STOP``.

    Takes the log in the order of its clocks, and ranks as they were before the run. Leaves the
    commands at ``TALLY`` and the turnarounds behind them, and the clocks with a bank open with each
    rank; one that is open at the end of the log is left open.
    """
    begin, stop = s[f.BEGIN], s[f.STOP]
    for at in range(s[f.LOG], s[f.LOG] + s[f.LOGGED] * f.LOG_ROW, f.LOG_ROW):
        clock, command, place = s[at], s[at + 1], s[at + 2]
        inside = clock > begin and clock <= stop
        if inside:
            s[f.TALLY + command] += 1
        rank = s[place + f.B_RANK] if place >= 0 else -place
        if is_column(command):
            bus = s[rank + f.FIRST_SIBLING] + f.DIRECTION
            if inside and s[bus] >= 0 and s[bus] != command:
                s[f.TALLY + c.COMMANDS] += 1
            s[bus] = command
        elif command == c.ACT or command == c.PRE or command == c.PREA:
            follow(s, rank, command, clock)


@compiled
def follow(s: State, rank: int, command: int, clock: int) -> None:
    """Follows how many banks of a rank are open."""
    before = s[rank + f.OPEN_BANKS]
    now = before + 1 if command == c.ACT else before - 1 if command == c.PRE else 0
    s[rank + f.OPEN_BANKS] = now
    if before <= 0 and now > 0:
        s[rank + f.OPEN_SINCE] = clock
    elif before > 0 and now <= 0:
        opened = max(s[rank + f.OPEN_SINCE], s[f.BEGIN])
        s[rank + f.OPEN_CLOCKS] += max(0, min(clock, s[f.STOP]) - opened)
