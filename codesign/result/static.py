"""What time costs whatever moves: leakage of every part, background of memories."""

from __future__ import annotations

from collections.abc import Collection

from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.replay.run import Replay
from codesign.units import PS_PER_S

STATIC = "static"
"""Where energy is grouped by operator: that of none, whose index is -1."""
NO_OPERATOR = " (no operator)"
"""What tells it from an operator that is called ``STATIC`` itself."""
COMPUTING = "computing"
"""Where energy is grouped by role: that of what moves no tensor."""
LEAKAGE = "leakage"
"""Action of the power that a part takes all the time; a memory's background has others."""

Row = tuple[int, str, str, str, int]
"""Operator, component, action, role and count of a row of the ledger."""


def static_name(operators: Collection[str]) -> str:
    """What energy of no operator is called beside some operators: ``STATIC`` unless one is.

    Args:
        operators: their names, each of which stays that of the operator.
    """
    name = STATIC
    while name in operators:
        name += NO_OPERATOR
    return name


def static_rows(hardware: Hardware, replay: Replay, span: int) -> list[tuple[Row, float]]:
    """Energy that flows whatever moves, by component and action, over a whole session.

    Args:
        hardware: its components.
        replay: of any stream of the session.
        span: ticks of the session.
    """
    rows: list[tuple[Row, float]] = []
    for name, part in hardware.components.items():
        if part.leakage:
            rows.append(((-1, name, LEAKAGE, "", 1), part.leakage * span / PS_PER_S))
        if isinstance(part, Memory) and name in replay.uses:
            spent = part.background(replay.uses[name].ticks)
            rows += [((-1, name, a, "", count), joules) for a, (count, joules) in spent.items()]
    return rows
