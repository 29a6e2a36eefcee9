"""Writing a result: each file appears whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet

from codesign.errors import CodesignError
from codesign.replay.run import Replay
from codesign.result.exporters import write_perfetto
from codesign.result.ledger import Ledger
from codesign.result.parts import component_rows
from codesign.result.residents import residency_table
from codesign.units import PS_PER_S
from codesign.whole_file import write_whole

if TYPE_CHECKING:
    from codesign.result.result import Result

MOST_SPANS = 100_000
"""Runs of operators in ``spans.parquet``, at most."""


def check_ticks(end: int) -> None:
    """Raises a CodesignError where a time in picoseconds leaves the 64 bits of a column."""
    if end >= 2**63:
        raise CodesignError(
            f"a run of {end / PS_PER_S:.3g} s cannot be saved: columns of picoseconds end at "
            f"{2**63 / PS_PER_S:.3g} s; take fewer steps or faster parts"
        )


def ledger_to_arrow(ledger: Ledger) -> pyarrow.Table:
    """Columns op (name, null for static energy), component, action, role, count, energy_j."""
    names = [ledger.ops[index] if index >= 0 else None for index in ledger.op.tolist()]
    return pyarrow.table(
        {
            "op": pyarrow.array(names, pyarrow.string()).dictionary_encode(),
            "component": pyarrow.array(ledger.component.tolist(), pyarrow.string()),
            "action": pyarrow.array(ledger.action.tolist(), pyarrow.string()),
            "role": pyarrow.array(ledger.role.tolist(), pyarrow.string()),
            "count": pyarrow.array(ledger.count, pyarrow.int64()),
            "energy_j": pyarrow.array(ledger.energy, pyarrow.float64()),
        }
    )


def spans_to_arrow(replay: Replay) -> pyarrow.Table:
    """Columns op, engine, start_ps (first transfer or compute) and end_ps, in program order.

    One row for each run; of more than ``MOST_SPANS``, those that ended first.
    """
    rows = sorted(islice(replay.log.in_time(), MOST_SPANS), key=lambda row: row.number)
    runs = [replay.program[row.op] for row in rows]
    names = pyarrow.array([one.op.name for one in runs], pyarrow.string())
    engines = pyarrow.array([one.engine for one in runs], pyarrow.string())
    return pyarrow.table(
        {
            "op": names.dictionary_encode(),
            "engine": engines.dictionary_encode(),
            "start_ps": pyarrow.array([row.start for row in rows], pyarrow.int64()),
            "end_ps": pyarrow.array([row.end for row in rows], pyarrow.int64()),
        }
    )


def save_result(result: Result, folder: Path) -> None:
    """Writes the files of a result, see ``Result.save``."""
    check_ticks(result.replay.makespan)
    hardware = [dataclasses.asdict(row) for row in result.machine.sources]
    why = result.why().as_json()
    operators = pyarrow.table(dict(result.operators))
    components = component_rows(result.machine, result.placement, result.replay)
    residency = pyarrow.table(residency_table(result.placement, result.replay))
    ledger, spans = result.to_arrow(), spans_to_arrow(result.replay)
    writers: dict[str, Callable[[Path], object]] = {
        "summary.json": lambda p: p.write_text(json.dumps(result.summary(), indent=2) + "\n"),
        "hardware.json": lambda p: p.write_text(json.dumps(hardware, indent=2) + "\n"),
        "components.json": lambda p: p.write_text(json.dumps(components, indent=2) + "\n"),
        "timeline.json": lambda p: write_perfetto(result, p),
        "ledger.parquet": lambda p: pyarrow.parquet.write_table(ledger, p),
        "operators.parquet": lambda p: pyarrow.parquet.write_table(operators, p),
        "spans.parquet": lambda p: pyarrow.parquet.write_table(spans, p),
        "residency.parquet": lambda p: pyarrow.parquet.write_table(residency, p),
        "why.json": lambda p: p.write_text(json.dumps(why) + "\n"),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in writers.items():
            write_whole(folder / name, write)
    except OSError as error:
        raise CodesignError(
            f"cannot write the result to {folder}: {error.strerror or error}; give another folder"
        ) from error
