"""Numbers that the hot loop uses for commands, levels, fields and sources."""

from __future__ import annotations

from typing import Final

ACT: Final = 0
PRE: Final = 1
RD: Final = 2
WR: Final = 3
REF: Final = 4
PREA: Final = 5
REFB: Final = 6
ACT2: Final = 7
CAS: Final = 8
COMMANDS: Final = 9
NOTHING: Final = COMMANDS
"""In the place of a command where none is wanted: it is never legal."""
COMMAND_NAMES: Final = ("ACT", "PRE", "RD", "WR", "REF", "PREA", "REFB", "ACT2", "CAS")
"""Activate, precharge one bank, read, write, refresh a rank, precharge a rank, refresh a bank;
the second half of a split activate and the clock synchronisation of LPDDR5."""

BANK: Final = 0
GROUP: Final = 1
RANK: Final = 2
SIBLING: Final = 3
LEVELS: Final = 4
LEVEL_NAMES: Final = ("bank", "group", "rank", "sibling")
"""How far a gate reaches from the command that sets it: its bank, its bank group, its rank (or
pseudo-channel), the other ranks on the same data bus."""

NEVER: Final = 1 << 60
"""A clock that no run reaches."""
NO_GATE: Final = -(1 << 40)
"""Clocks of a gate that does not exist."""
