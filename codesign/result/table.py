"""Per-operator figures as columns."""

from __future__ import annotations

from collections import Counter

from codesign.mapping.placement import Placement
from codesign.result.ledger import Ledger

Table = dict[str, list[str | int | float]]

COLUMNS = (
    "name",
    "module",
    "kind",
    "engine",
    "runs",
    "tiles",
    "macs",
    "moved_bytes",
    "energy_j",
    "compute_s",
)


def operator_table(placement: Placement, ledger: Ledger) -> Table:
    """Columns name, module, kind, engine, runs, tiles, macs, bytes moved, energy_j, compute_s.

    All figures are totals over the runs of an operator.
    """
    energy = ledger.energy_by("op")
    moved = _moved(ledger, placement.home)
    rows = [
        (
            a.op.name,
            a.op.module,
            a.op.kind,
            a.engine,
            times,
            a.plan.tiles * times if a.plan else 0,
            a.op.macs * times,
            moved[a.op.name],
            energy.get(a.op.name, 0.0),
            a.plan.cycles / a.plan.clock_hz * times if a.plan else 0.0,
        )
        for a, times in placement.assignments()
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}


def _moved(ledger: Ledger, home: str) -> Counter[str]:
    """Bytes between home memory and buffers, by operator."""
    total: Counter[str] = Counter()
    at_home = (ledger.component == home) & (ledger.role != "")
    for index, count in zip(
        ledger.op[at_home].tolist(), ledger.count[at_home].tolist(), strict=True
    ):
        total[ledger.ops[index]] += count
    return total
