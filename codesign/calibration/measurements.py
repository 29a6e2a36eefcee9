"""Measured operators: a table with one protocol, a unit, and nothing that needs guessing."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CalibrationError, TraceError, ValidationError
from codesign.validation.table import TableRow, read_table
from codesign.workload.dtype import DType
from codesign.workload.record import KINDS

COLUMNS = ("kind", "dims", "dtype", "protocol", "source")
UNITS = {"latency_s": 1.0, "latency_ms": 1e-3, "latency_us": 1e-6, "latency_ns": 1e-9}
"""Columns of which a file has one: the measured time in its unit."""
FEWEST = 20
"""Points below which nothing is fitted."""
RESOLUTION = 10
"""Steps of the clock that a time must have: below, its error is over 10 %."""
_DIMS = re.compile(r"\d+(x\d+)*")
_PRODUCT = "contraction"
_NOISE = 1e-6  # of a step

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Measurements:
    """Operators as columns. All arrays have one length.

    Attributes:
        kind: kind of each operator.
        formats: ``fp16*fp16`` of a contraction, else one format.
        batch: products beside each other; 1 if it is no contraction.
        m: rows of results of a contraction; else rows of the operand.
        k: products added up for one result; 1 if it is no contraction.
        n: columns of results; else the length of a row.
        moved_bytes: of inputs and outputs, once each, at their true bits.
        element_bytes: bytes of an element of each of the first two operands, shape [2, points].
        seconds: measured.
        protocol: how; one for all.
        sources: where from, each once.
    """

    kind: Texts
    formats: Texts
    batch: Floats
    m: Floats
    k: Floats
    n: Floats
    moved_bytes: Floats
    element_bytes: Floats
    seconds: Floats
    protocol: str
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def rows(self) -> Floats:
        """Rows of all products of an operator."""
        return self.batch * self.m

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Measurements:
        """Some of the points, by a mask or by numbers."""
        columns = {
            field.name: value[..., chosen]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        return Measurements(**columns, protocol=self.protocol, sources=self.sources)

    @property
    def digest(self) -> str:
        """SHA-256 of all points in their order."""
        content = hashlib.sha256(self.protocol.encode())
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                content.update("\n".join(map(str, value.ravel().tolist())).encode())
        return content.hexdigest()


@dataclass(frozen=True, slots=True)
class Point:
    """One measured operator.

    Attributes:
        kind: of the operator.
        dims: ``(m, k, n)`` or ``(batch, m, k, n)`` of a contraction, else a shape.
        formats: of its factors, or of its operand.
        seconds: measured.
    """

    kind: str
    dims: tuple[int, ...]
    formats: tuple[DType, ...]
    seconds: float


def read_measurements(path: Path) -> Measurements:
    """Reads a CSV file with the columns ``kind, dims, dtype, latency_us, protocol, source``.

    ``dims`` is ``MxKxN`` or ``BATCHxMxKxN`` of a contraction, else the shape of the operand.
    ``dtype`` is a format, or two for a contraction of two (``int8*int4``). The latency may be
    ``latency_s``, ``_ms``, ``_us`` or ``_ns``. Times at the resolution of the clock are left out.

    Raises:
        CalibrationError: columns that are missing or have no unit, cells that break a rule, mixed
            protocols, or too few points.
    """
    try:
        rows = read_table(path, COLUMNS)
        column = _latency(rows[0], str(path))
        protocols = sorted({row.text("protocol") for row in rows})
        points = [_point(row, column) for row in rows]
    except ValidationError as error:
        raise CalibrationError(str(error)) from error
    if len(protocols) > 1:
        shown = " and ".join(map(repr, protocols[:3]))
        raise CalibrationError(
            f"{path}: a file must have one protocol, got {shown}; constants of one mean nothing "
            "for another: split the file"
        )
    kept = resolved(points)
    if len(kept) < FEWEST:
        left = f" ({len(points) - len(kept)} at the resolution of the clock left out)"
        raise CalibrationError(
            f"{path}: a fit needs at least {FEWEST} points, got {len(kept)}"
            f"{left if len(kept) < len(points) else ''}; measure more"
        )
    sources = tuple(dict.fromkeys(row.text("source") for row in rows))
    return tabulate(kept, protocols[0], sources)


def resolved(points: Sequence[Point]) -> list[Point]:
    """The points whose time is at least ``RESOLUTION`` steps of the clock.

    The step is the largest power of ten, in seconds, of which all times are multiples.
    """
    times = np.array([point.seconds for point in points])
    for power in range(1, 13):
        steps = times * 10.0**power
        if np.abs(steps - np.round(steps)).max() < _NOISE:
            return [p for p in points if p.seconds * 10.0**power > RESOLUTION - _NOISE]
    return list(points)


def tabulate(points: Sequence[Point], protocol: str, sources: tuple[str, ...]) -> Measurements:
    """Points as columns."""
    batch, m, k, n = np.array([_sizes(point) for point in points], float).reshape(-1, 4).T
    elements = [[_bytes(f) for f in (p.formats[0], p.formats[-1])] for p in points]
    return Measurements(
        np.array([point.kind for point in points], np.str_),
        np.array(["*".join(map(str, point.formats)) for point in points], np.str_),
        batch,
        m,
        k,
        n,
        np.array([_moved(point) for point in points], float),
        np.array(elements, float).reshape(-1, 2).T,
        np.array([point.seconds for point in points], float),
        protocol=protocol,
        sources=sources,
    )


def _latency(row: TableRow, name: str) -> str:
    found = [column for column in row.cells if column in UNITS]
    if len(found) == 1:
        return found[0]
    bare = [column for column in row.cells if "latency" in column or "time" in column]
    got = f"{len(found)} of them" if found else (repr(bare[0]) if bare else "none")
    raise CalibrationError(
        f"{name}:1: one column must give the latency with its unit ({', '.join(UNITS)}), got "
        f"{got}; rename it"
    )


def _point(row: TableRow, column: str) -> Point:
    kind, dims = row.text("kind"), row.text("dims")
    if kind not in KINDS or kind == "attention":
        raise row.fault("kind", "a kind of operator other than attention, such as contraction")
    if not _DIMS.fullmatch(dims) or len(dims) > 80:
        raise row.fault("dims", "whole numbers joined by x, such as 64x4096x4096")
    sizes = tuple(int(size) for size in dims.split("x"))
    counts = (3, 4) if kind == _PRODUCT else range(1, 9)
    if min(sizes) < 1 or len(sizes) not in counts:
        raise row.fault("dims", "sizes of at least 1: MxKxN or BATCHxMxKxN, else a shape")
    seconds = row.number(column) * UNITS[column]
    if seconds <= 0:
        raise row.fault(column, "above 0")
    return Point(kind, sizes, _formats(row, kind), seconds)


def _formats(row: TableRow, kind: str) -> tuple[DType, ...]:
    words = row.text("dtype").split("*")
    try:
        found = tuple(DType.parse(word) for word in words)
    except TraceError:
        raise row.fault("dtype", "a format such as fp16, or two such as int8*int4") from None
    if len(found) > (2 if kind == _PRODUCT else 1):
        raise row.fault("dtype", "one format, or the two of a contraction")
    return found * 2 if kind == _PRODUCT and len(found) == 1 else found


def _sizes(point: Point) -> tuple[int, int, int, int]:
    if point.kind != _PRODUCT:
        return 1, math.prod(point.dims[:-1]), 1, point.dims[-1]
    batch, m, k, n = (1, *point.dims)[-4:]
    return batch, m, k, n


def _bytes(dtype: DType) -> float:
    return (dtype.bits + (dtype.scale_bits / dtype.block if dtype.block else 0)) / 8


def _moved(point: Point) -> int:
    """Bytes once each; results have the format of the first operand."""
    batch, m, k, n = _sizes(point)
    first, second = point.formats[0], point.formats[-1]
    if point.kind == _PRODUCT:
        own = first.storage_bytes(batch * m * k) + second.storage_bytes(batch * k * n)
        return own + first.storage_bytes(batch * m * n)
    results = m if point.kind == "reduce" else m * n
    return first.storage_bytes(m * n) + first.storage_bytes(results)
