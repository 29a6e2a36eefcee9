"""What a saved result knows of its memories off the chip: rows, refreshes, power states."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.report.roof import bytes_of
from codesign.report.saved import Saved
from codesign.report.sums import counts_by_role
from codesign.result.forms import Part

UNSAID = "idle"
"""What the replay calls the state of a memory whose kind names none, ``Memory.IDLE``."""


@dataclass(frozen=True)
class Banks:
    """One memory off the chip.

    Attributes:
        part: what it is.
        hits: bursts that found their row open, by role; empty where rows are not modelled.
        misses: bursts for which a row was opened, by role.
        states: picoseconds in each power state; empty where its kind has none.
        used: share of its peak that it moved: the utilisation of the headline.
        state_j: joules of its background by power state and regular action.
        refreshes: how often; None where it refreshes nothing.
    """

    part: Part
    hits: dict[str, int]
    misses: dict[str, int]
    states: dict[str, int]
    state_j: dict[str, float]
    refreshes: int | None
    used: float = 0.0

    @property
    def hit_share(self) -> float:
        """Share of the bursts that found their row open; 0 where there are none."""
        hits = sum(self.hits.values())
        total = hits + sum(self.misses.values())
        return hits / total if total else 0.0

    @property
    def knows_rows(self) -> bool:
        """Whether rows are modelled."""
        return bool(self.misses)


def find_banks(saved: Saved) -> tuple[Banks, ...]:
    """Every memory off the chip."""
    return tuple(_banks(saved, part) for part in saved.off_chip)


def _banks(saved: Saved, part: Part) -> Banks:
    misses = counts_by_role(saved, part.name, ["activate"])
    hits: dict[str, int] = {}
    if part.burst_bytes and misses:
        moved = counts_by_role(saved, part.name, ["read", "write"])
        hits = {
            role: max(0, size // part.burst_bytes - misses.get(role, 0))
            for role, size in moved.items()
        }
    spent = saved.summary.background_by_state_j.get(part.name, {})
    refreshes = [
        count
        for op, name, action, count in zip(
            *(saved.ledger[name] for name in ("op", "component", "action", "count")), strict=True
        )
        if op is None and name == part.name and action == "refresh"
    ]
    return Banks(
        part,
        hits,
        misses,
        power_states(part),
        dict(spent),
        sum(refreshes) if refreshes else None,
        _used(saved, part),
    )


def power_states(part: Part) -> dict[str, int]:
    """Picoseconds in each power state; empty where the kind of a memory has none.

    The replay books all time that a kind says nothing of as idle: of a kind without power
    states that is the whole run, however much it moves.
    """
    return {} if set(part.states) <= {UNSAID} else dict(part.states)


def _used(saved: Saved, part: Part) -> float:
    """As the summary has it; what the ledger says where an earlier version wrote the folder."""
    peak, seconds = saved.peak(part.name), saved.makespan / 1e12
    moved = bytes_of(saved, part.name) / (peak * seconds) if peak else 0.0
    return saved.summary.utilization.get(part.name, moved)
