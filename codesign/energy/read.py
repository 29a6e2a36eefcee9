"""Tables as CSV files: strict, every mistake told with its line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from codesign.energy.query import read_node, read_volts
from codesign.energy.row import COLUMNS, STATUSES, Quantity, Row
from codesign.errors import EnergyError, UnitError, did_you_mean
from codesign.units import parse_quantity

MAX_BYTES = 2**22
"""Largest table file."""
_REQUIRED = ("component", "status", "source")
_TEXTS = ("component", "action", "tool", "type", "status", "source", "note")


def _number(unit: str) -> Callable[[str], float]:
    return lambda text: parse_quantity(text, unit)


_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "node_nm": read_node,
    "vdd_v": read_volts,
    "size_bytes": _number("B"),
    "width_bits": _number("1"),
    "energy_j": _number("J"),
    "latency_s": _number("s"),
    "area_m2": _number("1"),
    "leakage_w": _number("W"),
}
COLUMN_NAMES = (*_TEXTS, *_NUMBERS)
"""Every column that a table may have."""


def read_tables(paths: Sequence[Path | str], *, is_own: bool = True) -> tuple[Row, ...]:
    """Rows of CSV files, and of all ``*.csv`` files of folders, in order.

    Raises:
        EnergyError: no such file, or a file that breaks a rule; with file and line.
    """
    rows: list[Row] = []
    for path in map(Path, paths):
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        if not files:
            raise EnergyError(f"{path}: the folder has no *.csv file; give a table file")
        for file in files:
            rows += read_table(_text(file), file.name, is_own=is_own)
    return tuple(rows)


def read_table(text: str, label: str, *, is_own: bool = True) -> tuple[Row, ...]:
    """Rows of one table.

    Args:
        text: CSV with a heading of column names; a number is in the SI unit of its column, or has
            a unit behind it such as ``3 pJ``.
        label: what errors call it.
        is_own: whether the rows are the user's and beat shipped ones.

    Raises:
        EnergyError: an unknown or missing column, a cell that breaks its rule, or a figure that is
            given twice; with the line.
    """
    # spreadsheets put a byte order mark in front
    lines = csv.reader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        heads = [head.strip() for head in next(lines, [])]
        _check_heads(heads, f"{label}:1: ")
        rows = tuple(
            _row(heads, cells, f"{label}:{lines.line_num}", is_own) for cells in lines if cells
        )
    except csv.Error as error:
        raise EnergyError(f"{label}:{lines.line_num}: not valid CSV: {error}; mend it") from error
    _check_twice(rows)
    return rows


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise EnergyError(f"{path}: no such file; give a CSV table or a folder of them")
        if path.stat().st_size > MAX_BYTES:
            raise EnergyError(f"{path}: must be at most {MAX_BYTES:,} bytes; split it")
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise EnergyError(f"{path}: not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise EnergyError(f"{path}: cannot be read: {error.strerror}; check the path") from error


def _check_heads(heads: Sequence[str], place: str) -> None:
    for head in heads:
        if head not in COLUMN_NAMES:
            hint = did_you_mean(head[:60], COLUMN_NAMES)
            raise EnergyError(f"{place}unknown column {head[:60]!r}{hint}")
        if heads.count(head) > 1:
            raise EnergyError(f"{place}column {head!r} is there twice; remove one")
    for head in _REQUIRED:
        if head not in heads:
            raise EnergyError(f"{place}column {head!r} is missing; add it")


def _check_twice(rows: Sequence[Row]) -> None:
    first: dict[tuple[object, ...], Row] = {}
    for row in rows:
        for quantity in COLUMNS:
            if row.figure(quantity) is None:
                continue
            other = first.setdefault(_point(row, quantity), row)
            if other is not row and not _may_repeat(row, other, quantity):
                raise EnergyError(
                    f"{row.place}: gives the {quantity} of {row.component} {row.action}".rstrip()
                    + f" a second time, after {other.place} (same tool, type, node, voltage, size "
                    "and width); remove one, or give it another tool or type"
                )


def _point(row: Row, quantity: Quantity) -> tuple[object, ...]:
    """What tells two rows of a table apart."""
    action = row.action if quantity in ("energy", "latency") else ""
    curve = (quantity, row.component, action, row.tool, row.type)
    return (*curve, row.node_nm, row.vdd_v, row.size_bytes, row.width_bits)


def _may_repeat(row: Row, other: Row, quantity: Quantity) -> bool:
    """Area and leakage have no action: rows of two actions may both state them, if they agree."""
    return row.action != other.action and row.figure(quantity) == other.figure(quantity)


def _row(heads: Sequence[str], cells: Sequence[str], place: str, is_own: bool) -> Row:
    if len(cells) != len(heads):
        raise EnergyError(
            f"{place}: must have {len(heads)} cells as the heading, got {len(cells)}; mend it"
        )
    written = {head: cell.strip() for head, cell in zip(heads, cells, strict=True)}
    values = {head: written.get(head, "") for head in _TEXTS}
    for head in _REQUIRED:
        if not values[head]:
            raise EnergyError(f"{place}: {head} is empty; fill it in")
    if values["status"] not in STATUSES:
        hint = did_you_mean(values["status"][:60], STATUSES)
        raise EnergyError(f"{place}: unknown status {values['status'][:60]!r}{hint}")
    values["tool"] = values["tool"] or values["source"]
    numbers = {
        head: _cell(head, written[head], place) for head in _NUMBERS if written.get(head, "")
    }
    if not set(numbers) & set(COLUMNS.values()):
        columns = ", ".join(COLUMNS.values())
        raise EnergyError(f"{place}: the row gives no figure; fill in one of {columns}")
    if numbers.get("energy_j") == 0 and not values["note"]:
        raise EnergyError(
            f"{place}: energy_j must not be 0 without a reason; leave the cell empty if it is not "
            "known, or say in the column note why it is 0"
        )
    return Row(**values, **numbers, place=place, is_own=is_own)  # type: ignore[arg-type]


def _cell(head: str, text: str, place: str) -> float:
    try:
        number = _NUMBERS[head](text)
    except UnitError as error:
        raise EnergyError(f"{place}: {head}: {error}") from error
    may_be_zero = head in ("energy_j", "leakage_w")
    if number < 0 or (number == 0 and not may_be_zero):
        rule = "must not be negative" if may_be_zero else "must be above 0"
        raise EnergyError(f"{place}: {head} {rule}, got {text[:40]!r}; correct it")
    return number
