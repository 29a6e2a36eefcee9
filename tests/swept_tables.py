"""Tables of studies that were never run: records of a journal, made of a function."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from codesign.explore.journal import Journal, Record
from codesign.explore.swept import JOURNAL, Swept

Point = dict[str, Any]
Measure = Callable[[Point], Mapping[str, float]]


def records(
    space: Mapping[str, Any],
    measure: Measure,
    *,
    keep: Callable[[Point], bool] = lambda point: True,
    feasible: Callable[[Point], bool] = lambda point: True,
    maximise: Sequence[str] = (),
    objectives: Sequence[str] = (),
) -> list[Record]:
    """Records of a full grid, the last parameter varying fastest, None left out of a point."""
    grid = [
        (n, {name: value for name, value in zip(space, values, strict=True) if value is not None})
        for n, values in enumerate(itertools.product(*space.values()))
    ]
    kept = [(n, point) for n, point in grid if keep(point)]
    provenance = {"key": "", "seconds": 0.0, "trace": "t", "hardware": "h", "version": "1"}
    done: list[Record] = [
        {"event": "done", "index": n, "point": point, "figures": dict(measure(point))}
        | {"violated": [] if feasible(point) else ["energy_j < 0"]}
        | provenance
        for n, point in kept
    ]
    names = objectives or (list(done[0]["figures"]) if done else ["energy_j"])
    study = {
        "event": "study",
        "model": "cell",
        "hardware": "edge-npu",
        "parameters": list(space),
        "objectives": [[name, name in maximise] for name in names],
    }
    planned = {"event": "planned", "points": len(kept), "left_out": len(grid) - len(kept)}
    return [study, planned, *done]


def table(space: Mapping[str, Any], measure: Measure, **changes: Any) -> Swept:
    """The same as a reader of the journal sees it."""
    return Swept.of(records(space, measure, **changes))


def write(folder: Path, lines: Sequence[Record]) -> Path:
    """A folder with these records in its journal."""
    folder.mkdir(exist_ok=True)
    with Journal(folder / JOURNAL, "d" * 64) as journal:
        for line in lines:
            journal.append(line)
    return folder
