"""Per-operator figures as columns."""

from __future__ import annotations

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.run import Replay
from codesign.result.ledger import Ledger, moved_bytes, runs_of

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


def operator_table(
    placement: Placement, hardware: Hardware, replay: Replay, ledger: Ledger
) -> Table:
    """Columns name, module, kind, engine, runs, tiles, macs, bytes moved, energy_j, compute_s.

    All figures are totals over the runs of an operator.
    """
    energy = ledger.energy_by("op")
    moved = moved_bytes(placement, hardware, replay)
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
        for a, times in runs_of(placement, replay)
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
