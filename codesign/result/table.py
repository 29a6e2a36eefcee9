"""Per-operator figures as columns."""

from __future__ import annotations

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement
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


def operator_table(placement: Placement, ledger: Ledger, hardware: Hardware) -> Table:
    """Columns name, module, kind, engine, runs, tiles, macs, bytes moved, energy_j, compute_s.

    All figures are totals over the runs of an operator.
    """
    energy = ledger.energy_by("op")
    rows = [
        (
            a.op.name,
            a.op.module,
            a.op.kind,
            a.engine,
            times,
            a.plan.tiles * times if a.plan else 0,
            a.op.macs * times,
            _moved(a, placement.home, hardware) * times,
            energy.get(a.op.name, 0.0),
            a.plan.cycles / a.plan.clock_hz * times if a.plan else 0.0,
        )
        for a, times in placement.assignments()
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}


def _moved(assignment: Assignment, home: str, hardware: Hardware) -> int:
    if assignment.plan is None or hardware.engine(assignment.engine).buffer == home:
        return 0
    return sum(assignment.plan.loaded.values()) + sum(assignment.plan.stored.values())
