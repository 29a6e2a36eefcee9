"""A saved result as the report reads it, also one that an earlier version has written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ReportError
from codesign.result.columns import Columns, read_columns
from codesign.result.forms import Part, Summary, Value, Why, read_form
from codesign.result.saved import SUMMARY, WHY, is_scenario, read_ledger

_OPERATORS = {
    "name": str, "module": str, "kind": str, "engine": str, "runs": int, "tiles": int,
    "macs": int, "moved_bytes": int, "energy_j": float, "compute_s": float,
}  # fmt: skip
_SPANS = {"op": str, "engine": str, "start_ps": int, "end_ps": int}
_RESIDENCY = {
    "tensor": str, "role": str, "memory": str, "bytes": int, "why": str,
    "start_ps": int, "end_ps": int,
}  # fmt: skip
_PS_PER_US = 1_000_000
_LAST = 2**62
"""Picoseconds that differences and sums of two have room for in 64 bits."""


@dataclass(frozen=True)
class Spans:
    """When each run of each operator was at work, in picoseconds, in order of the file."""

    ops: tuple[str, ...]
    engines: tuple[str, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True)
class Saved:
    """The files of one result.

    Attributes:
        folder: where they are.
        summary: the figures of the run.
        values: of the hardware, each with its source and status.
        ledger: every byte and joule, by column.
        operators: one row for each operator, by column.
        spans: runs of operators.
        parts: the components; empty where an earlier version wrote the folder.
        residency: which tensor lies where, by column; None where an earlier version wrote it.
        why: the critical path; None where nobody has asked for it.
        lacks: what an earlier version has not written, in sentences.
    """

    folder: Path
    summary: Summary
    values: tuple[Value, ...]
    ledger: Columns
    operators: Columns
    spans: Spans
    parts: tuple[Part, ...]
    residency: Columns | None
    why: Why | None
    lacks: tuple[str, ...]

    @property
    def makespan(self) -> int:
        """Picoseconds of the run; at least 1, so that axes have a length."""
        return max(1, round(self.summary.latency_s * 1e12))

    @cached_property
    def runs(self) -> dict[str, int]:
        """How often each operator ran, by its name; ``spans`` has no more than the first of all."""
        return dict(zip(self.operators["name"], self.operators["runs"], strict=True))

    @property
    def left_out(self) -> int:
        """Runs of operators that ``spans`` does not have."""
        return sum(self.runs.values()) - len(self.spans.ops)

    @cached_property
    def by_name(self) -> dict[str, Part]:
        """Components by name."""
        return {part.name: part for part in self.parts}

    def peak(self, name: str) -> float:
        """Bytes per second that a memory or link can move; 0 where nobody knows."""
        part = self.by_name.get(name)
        return (part.bytes_per_s or 0.0) if part else 0.0

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """Names of engines, those that ran nothing too where they are known."""
        known = [part.name for part in self.parts if part.sort == "engine"]
        return tuple(dict.fromkeys((*known, *self.operators["engine"])))

    @cached_property
    def off_chip(self) -> tuple[Part, ...]:
        """Memories off the chip."""
        return tuple(part for part in self.parts if part.sort == "memory" and part.off_chip)


def read_saved(folder: Path) -> Saved:
    """Reads what ``Result.save`` has written, in this version or an earlier one.

    Raises:
        ReportError: a file is missing or damaged.
    """
    if is_scenario(folder):
        raise ReportError(
            f"{folder} holds a scenario, of which there is no report; give a folder that "
            "simulate --out wrote, or print the scenario with codesign scenario"
        )
    summary: Summary = read_form(folder / SUMMARY, Summary)
    values: list[Value] = read_form(folder / "hardware.json", list[Value])
    ledger = read_ledger(folder)
    operators = read_columns(folder / "operators.parquet", _OPERATORS)
    if not all(operators["runs"]):
        _refuse(folder / "operators.parquet", "an operator has run 0 times")
    lacks: list[str] = []
    parts: list[Part] = []
    if _has(folder, "components.json", lacks, "peaks of engines, memories and links"):
        parts = read_form(folder / "components.json", list[Part])
    residency = None
    if _has(folder, "residency.parquet", lacks, "which tensor lies in which memory"):
        residency = read_columns(folder / "residency.parquet", _RESIDENCY)
    if _has(folder, "spans.parquet", lacks, "when transfers of an operator began before its turn"):
        source = folder / "spans.parquet"
        spans = _spans(read_columns(source, _SPANS))
    else:
        source = folder / "timeline.json"
        spans = _from_timeline(source)
    _check_spans(source, spans, operators)
    why: Why | None = read_form(folder / WHY, Why) if (folder / WHY).exists() else None
    return Saved(
        folder, summary, tuple(values), ledger, operators, spans, tuple(parts), residency, why,
        tuple(lacks),
    )  # fmt: skip


def _has(folder: Path, name: str, lacks: list[str], what: str) -> bool:
    if (folder / name).exists():
        return True
    lacks.append(f"{name} ({what})")
    return False


def _spans(columns: Columns) -> Spans:
    return Spans(
        tuple(columns["op"]),
        tuple(columns["engine"]),
        np.array(columns["start_ps"], dtype=np.int64),
        np.array(columns["end_ps"], dtype=np.int64),
    )


def _check_spans(path: Path, spans: Spans, operators: Columns) -> None:
    unknown = next(iter(set(spans.ops).difference(operators["name"])), None)
    if unknown is not None:
        _refuse(path, f"operators.parquet has no operator {unknown[:60]!r}")
    if (spans.starts < 0).any() or (spans.starts > spans.ends).any():
        _refuse(path, "an operator ends before it begins, or begins before the run")
    if (spans.ends > _LAST).any():
        _refuse(path, f"an operator ends after {_LAST} ps")


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ReportError(f"{path}: damaged, {reason}; save the result anew")


def _from_timeline(path: Path) -> Spans:
    """Spans of a Chrome trace, whose slices of one track do not overlap.

    Raises:
        ReportError: it is none.
    """
    trace: dict[str, Any] = read_form(path, dict[str, Any])
    try:
        events = trace["traceEvents"]
        tracks = {
            one["tid"]: str(one["args"]["name"])
            for one in events
            if one["ph"] == "M" and one["name"] == "thread_name"
        }
        slices = [one for one in events if one["ph"] == "X"]
        starts = [round(one["ts"] * _PS_PER_US) for one in slices]
        ends = [round((one["ts"] + one["dur"]) * _PS_PER_US) for one in slices]
        names, engines = (
            [str(one["name"]) for one in slices],
            [tracks[one["tid"]] for one in slices],
        )
        return _spans({"op": names, "engine": engines, "start_ps": starts, "end_ps": ends})
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ReportError(
            f"{path}: damaged, it is no Chrome trace; save the result anew"
        ) from error
