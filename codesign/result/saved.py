"""A result as it was saved: read back, and refused where something is missing or damaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from codesign.errors import CodesignError, ReportError
from codesign.mistaken import other_than
from codesign.result.columns import Columns, read_columns
from codesign.result.forms import Summary, Why, read_form

SUMMARY = "summary.json"
WHY = "why.json"
_LEDGER = {
    "op": str, "component": str, "action": str, "role": str, "count": int, "energy_j": float
}  # fmt: skip
_NEAR = 1e-9
"""Relative: sums of floats in another order (assumed)."""


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
        own_kinds: kinds that do not ship with codesign, one a line.
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
    own_kinds: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Folder, model and hardware."""
        return f"{self.folder} ({self.model} on {self.hardware})"


def is_scenario(folder: Path) -> bool:
    """Whether ``ScenarioResult.save`` wrote a folder, which has runs and no operators."""
    return (folder / "runs.parquet").exists() and not (folder / "operators.parquet").exists()


def read_ledger(folder: Path) -> Columns:
    """The ledger of a saved result; ``op`` is None for what flows all the time.

    Raises:
        ReportError: it is missing or damaged.
    """
    return read_columns(folder / "ledger.parquet", _LEDGER, empty=("op",))


def load_saved(folder: str | Path) -> Saved:
    """Reads what ``Result.save`` wrote.

    Args:
        folder: where.

    Raises:
        CodesignError: no such folder, the folder of something else, a damaged file, or files that
            say different things of one figure.
    """
    place = Path(folder)
    told = other_than(place, "result")
    if place.is_file():
        its = f", {place.parent}" if (place.parent / SUMMARY).is_file() else ""
        seems = f", and seems to be {told}" if told else ""
        raise CodesignError(
            f"{folder} is a file and no folder of a result{seems}; give the folder that 'codesign "
            f"simulate --out' wrote{its}"
        )
    if not place.is_dir():
        raise CodesignError(
            f"no folder {str(folder)!r}; save a result there with 'codesign simulate --out'"
        )
    if told:
        raise CodesignError(f"{folder} is not the folder of a result but of {told}")
    if not (place / SUMMARY).is_file() or not (place / "ledger.parquet").is_file():
        raise CodesignError(
            f"{folder} is not the folder of a result: it has no summary.json or ledger.parquet; "
            "give one that 'codesign simulate --out' wrote"
        )
    said: Summary = read_form(place / SUMMARY, Summary)
    why: Why = read_form(place / WHY, Why)
    ledger = read_ledger(place)
    operators = read_columns(place / "operators.parquet", {"name": str})
    _check_agree(place, said, why, ledger)
    return Saved(
        str(folder),
        said.model,
        said.hardware,
        said.trace_digest,
        said.hardware_digest,
        said.version,
        why.makespan_ps,
        said.energy_j,
        said.offchip_bytes,
        [part.model_dump() for part in why.parts],
        [dict(zip(ledger, row, strict=True)) for row in zip(*ledger.values(), strict=True)],
        tuple(operators["name"]),
        tuple(said.own_kinds),
    )


def _check_agree(place: Path, said: Summary, why: Why, ledger: Columns) -> None:
    """Differences of two results sum only if the figures of each do.

    A report shows the same laws and which of them is broken.
    """
    if sum(part.ps for part in why.parts) != why.makespan_ps:
        _refuse(place / WHY, "its parts do not sum to its makespan")
    if not math.isclose(said.latency_s, why.makespan_ps / 1e12, rel_tol=_NEAR):
        _refuse(
            place / SUMMARY,
            f"its latency of {said.latency_s:g} s is not the {why.makespan_ps} ps of {WHY}",
        )
    energy = math.fsum(ledger["energy_j"])
    if not math.isclose(said.energy_j, energy, rel_tol=_NEAR, abs_tol=1e-30):
        _refuse(
            place / SUMMARY,
            f"its energy of {said.energy_j:g} J is not the {energy:g} J of ledger.parquet",
        )


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ReportError(f"{path}: damaged, {reason}; save the result anew")
