"""Writing the result of a scenario: each file appears whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet

from codesign.errors import CodesignError
from codesign.result.save import check_ticks, ledger_to_arrow
from codesign.result.timeline.write import dump
from codesign.whole_file import write_whole

if TYPE_CHECKING:
    from codesign.scenario.result import ScenarioResult


def runs_to_arrow(result: ScenarioResult) -> pyarrow.Table:
    """Columns stream, utterance (0 throughout for the background), number, and ticks of each run.

    The ticks (picoseconds) are asked_ps, start_ps and end_ps.
    """
    rows = [
        (name, utterance, run.number, run.asked, run.start, run.end)
        for name, spans in result.played.runs.items()
        for utterance, runs in enumerate(spans)
        for run in runs
    ]
    names = ("stream", "utterance", "number", "asked_ps", "start_ps", "end_ps")
    return pyarrow.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def ledgers_to_arrow(result: ScenarioResult) -> pyarrow.Table:
    """The ledgers of all streams, as of ``Result.to_arrow`` with the column stream before them.

    Then what flows all the time, which has neither stream nor operator. The column energy_j sums to
    the energy of the scenario.
    """
    ledgers = [*((name, part.ledger) for name, part in result.parts.items()), (None, result.static)]
    tables = []
    for name, ledger in ledgers:
        table = ledger_to_arrow(ledger)
        table = table.set_column(0, "op", table["op"].cast(pyarrow.string()))
        names = pyarrow.array([name] * len(table), pyarrow.string())
        tables.append(table.add_column(0, "stream", names))
    return pyarrow.concat_tables(tables)


def save_scenario(result: ScenarioResult, folder: Path) -> None:
    """Writes the files of a result, see ``ScenarioResult.save``."""
    check_ticks(max(part.replay.makespan for part in result.parts.values()))
    hardware = [dataclasses.asdict(row) for row in result.machine.sources]
    timeline = dump(result.timeline())
    runs, ledger = runs_to_arrow(result), ledgers_to_arrow(result)
    writers: dict[str, Callable[[Path], object]] = {
        "summary.json": lambda p: p.write_text(json.dumps(result.summary(), indent=2) + "\n"),
        "hardware.json": lambda p: p.write_text(json.dumps(hardware, indent=2) + "\n"),
        "timeline.json": lambda p: p.write_text(timeline),
        "runs.parquet": lambda p: pyarrow.parquet.write_table(runs, p),
        "ledger.parquet": lambda p: pyarrow.parquet.write_table(ledger, p),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in writers.items():
            write_whole(folder / name, write)
    except OSError as error:
        raise CodesignError(
            f"cannot write the result to {folder}: {error.strerror or error}; give another folder"
        ) from error
