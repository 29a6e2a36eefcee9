"""Reads a table of measured operators: one protocol, a unit, and nothing that needs guessing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codesign.calibration.measurements import Measurements, check_enough, tabulate
from codesign.calibration.operators import OPERANDS, PRODUCT, Point
from codesign.errors import CalibrationError, TraceError, ValidationError
from codesign.validation.table import TableRow, read_table
from codesign.workload.dtype import DType

COLUMNS = ("kind", "dims", "dtype", "protocol", "source")
UNITS = {"latency_s": 1.0, "latency_ms": 1e-3, "latency_us": 1e-6, "latency_ns": 1e-9}
"""Columns of which a file has one: the measured time in its unit."""
RESOLUTION = 10
"""Steps of the clock that a time must have: below, its error is over 10 %."""
MOST_ELEMENTS = 2**53
"""Products or elements of one operator at most: beyond, a double no longer counts them."""
MOST_INPUTS = 16
"""Inputs of an elementwise operator at most."""
LONGEST_S = 3600.0
"""Seconds of one operator at most."""
_INPUTS = "inputs"
_DIMS = re.compile(r"[0-9]{1,16}(x[0-9]{1,16}){0,7}")
_LONGEST_SOURCE = 200
_NOISE = 1e-6  # of a step


def read_measurements(path: Path) -> Measurements:
    """Reads a CSV file with the columns ``kind, dims, dtype, latency_us, protocol, source``.

    ``dims`` is ``MxKxN`` or ``BATCHxMxKxN`` of a contraction, else the shape of an input.
    ``dtype`` is a format, or two for a contraction of two (``int8*int4``). The latency may be
    ``latency_s``, ``_ms``, ``_us`` or ``_ns``. A column ``inputs`` may say how many tensors an
    elementwise operator reads. Times at the resolution of the clock are left out.

    Args:
        path: the file.

    Raises:
        CalibrationError: columns that are missing or have no unit, cells that break a rule, mixed
            protocols, or too few different operators.
    """
    try:
        rows = read_table(path, COLUMNS)
        column = _latency(rows[0], str(path))
        protocols = sorted({row.text("protocol") for row in rows})
        sources = tuple(dict.fromkeys(_source(row) for row in rows))
        points = [_point(row, column) for row in rows]
    except ValidationError as error:
        raise CalibrationError(str(error)) from error
    if len(protocols) > 1:
        shown = " and ".join(repr(one[:60]) for one in protocols[:3])
        raise CalibrationError(
            f"{path}: a file must have one protocol, got {shown}; constants of one mean nothing "
            "for another: split the file"
        )
    kept = resolved(points)
    table = tabulate(kept, protocols[0], sources, len(points) - len(kept))
    check_enough(table, str(path))
    return table


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


def _latency(row: TableRow, name: str) -> str:
    found = [column for column in row.cells if column in UNITS]
    if len(found) == 1:
        return found[0]
    bare = [column for column in row.cells if "latency" in column or "time" in column]
    got = f"{len(found)} of them" if found else (repr(bare[0][:60]) if bare else "none")
    raise CalibrationError(
        f"{name}:1: one column must give the latency with its unit ({', '.join(UNITS)}), got "
        f"{got}; rename it"
    )


def _source(row: TableRow) -> str:
    source = row.text("source")
    if not source or not source.isprintable() or len(source) > _LONGEST_SOURCE:
        raise row.fault("source", f"a line of 1 to {_LONGEST_SOURCE} letters on where it is from")
    return source


def _point(row: TableRow, column: str) -> Point:
    kind = row.text("kind")
    if kind not in OPERANDS:
        raise row.fault("kind", f"one whose bytes its shape tells ({', '.join(OPERANDS)})")
    seconds = row.number(column) * UNITS[column]
    if not 0 < seconds <= LONGEST_S:
        raise row.fault(column, f"above 0 and at most {LONGEST_S:,.0f} s")
    return Point(kind, _dims(row, kind), _formats(row, kind), seconds, _inputs(row, kind))


def _dims(row: TableRow, kind: str) -> tuple[int, ...]:
    dims = row.text("dims")
    if not _DIMS.fullmatch(dims):
        raise row.fault("dims", "1 to 8 whole numbers joined by x, such as 64x4096x4096")
    sizes = tuple(int(size) for size in dims.split("x"))
    if min(sizes) < 1 or (kind == PRODUCT and len(sizes) not in (3, 4)):
        raise row.fault("dims", "sizes of at least 1: MxKxN or BATCHxMxKxN, else a shape")
    if math.prod(sizes) > MOST_ELEMENTS:
        raise row.fault("dims", f"at most {MOST_ELEMENTS:,} products or elements")
    return sizes


def _formats(row: TableRow, kind: str) -> tuple[DType, ...]:
    words = row.text("dtype").split("*")
    try:
        found = tuple(DType.parse(word) for word in words)
    except TraceError:
        raise row.fault("dtype", "a format such as fp16, or two such as int8*int4") from None
    if len(found) > (2 if kind == PRODUCT else 1):
        raise row.fault("dtype", "one format, or the two of a contraction")
    return found * 2 if kind == PRODUCT and len(found) == 1 else found


def _inputs(row: TableRow, kind: str) -> int:
    """Tensors that it reads: 1 where nothing is said."""
    if not row.cells.get(_INPUTS, "").strip():
        return 1
    count = row.whole(_INPUTS)
    most = MOST_INPUTS if kind == "elementwise" else 1
    if not 1 <= count <= most:
        rule = f"1 to {MOST_INPUTS} of an elementwise operator, and 1 or empty of any other"
        raise row.fault(_INPUTS, rule)
    return count
