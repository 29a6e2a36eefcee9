"""A result as it was saved: read back, and refused where something is missing or damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from codesign.errors import CodesignError
from codesign.result.save import read_table

_MOST_BYTES = 1 << 28
"""Bytes of a file that is read at most: ``why.json`` of a result is far below (assumed)."""
_SUMMARY = {
    "model": str,
    "hardware": str,
    "trace_digest": str,
    "hardware_digest": str,
    "version": str,
    "energy_j": (int, float),
    "offchip_bytes": dict,
}
_PART = {"cause": str, "component": str, "op": str, "role": str, "ps": int}
_ENERGY = {"component": str, "action": str, "role": str, "energy_j": float}


@dataclass(frozen=True)
class Saved:
    """What a folder holds of a result.

    Attributes:
        folder: where it lies.
        model: name of the trace.
        hardware: name of the hardware.
        trace_digest: of the trace as simulated.
        hardware_digest: of the hardware with all of its values.
        version: of codesign.
        makespan: ticks of the run.
        energy_j: joules.
        offchip_bytes: by role.
        parts: of the critical path, see ``codesign.result.why``.
        ledger: rows of energy; ``op`` is None for what flows all the time.
        operators: names, in order.
    """

    folder: str
    model: str
    hardware: str
    trace_digest: str
    hardware_digest: str
    version: str
    makespan: int
    energy_j: float
    offchip_bytes: Mapping[str, int]
    parts: Sequence[Mapping[str, Any]]
    ledger: Sequence[Mapping[str, Any]]
    operators: tuple[str, ...]

    @property
    def label(self) -> str:
        """Folder, model and hardware."""
        return f"{self.folder} ({self.model} on {self.hardware})"


def load_saved(folder: str | Path) -> Saved:
    """Reads what ``Result.save`` wrote.

    Args:
        folder: where.

    Raises:
        CodesignError: no such folder, the folder of something else, or a damaged file.
    """
    place = Path(folder)
    if not place.is_dir():
        raise CodesignError(
            f"no folder {str(folder)!r}; save a result there with 'codesign simulate --out'"
        )
    if not (place / "summary.json").is_file() or not (place / "ledger.parquet").is_file():
        raise CodesignError(
            f"{folder} is not the folder of a result: it has no summary.json or ledger.parquet; "
            "give one that 'codesign simulate --out' wrote"
        )
    summary = _document(place / "summary.json", _SUMMARY)
    why = _document(place / "why.json", {"makespan_ps": int, "parts": list})
    for row in why["parts"]:
        _check(row, _PART, place / "why.json")
    ledger = read_table(place / "ledger.parquet")
    for row in ledger:
        _check(row, _ENERGY, place / "ledger.parquet")
    if sum(row["ps"] for row in why["parts"]) != why["makespan_ps"]:
        _refuse(place / "why.json", "its parts do not sum to its makespan")
    operators = read_table(place / "operators.parquet")
    return Saved(
        str(folder),
        summary["model"],
        summary["hardware"],
        summary["trace_digest"],
        summary["hardware_digest"],
        summary["version"],
        why["makespan_ps"],
        summary["energy_j"],
        summary["offchip_bytes"],
        why["parts"],
        ledger,
        tuple(str(row.get("name")) for row in operators),
    )


def _document(path: Path, fields: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            _refuse(path, f"it is larger than {_MOST_BYTES} B")
        found = json.loads(path.read_text())
    except FileNotFoundError:
        _refuse(path, "it is missing")
    except (OSError, ValueError, RecursionError) as error:
        _refuse(path, str(error))
    _check(found, fields, path)
    return dict(found)


def _check(row: object, fields: Mapping[str, Any], path: Path) -> None:
    if not isinstance(row, dict):
        _refuse(path, f"an entry is {type(row).__name__}, not a table")
    for name, kind in fields.items():
        if not isinstance(row.get(name), kind):
            _refuse(path, f"its {name!r} is missing or of another type")


def _refuse(path: Path, reason: str) -> NoReturn:
    raise CodesignError(
        f"{path} cannot be read: {' '.join(reason.split())}; save the result again with "
        "'codesign simulate --out'"
    )
