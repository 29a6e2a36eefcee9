"""Reference tables: CSV files of the data folder, checked row by row."""

from __future__ import annotations

import csv
import io
import math
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import ValidationError, did_you_mean

MAX_BYTES = 64 << 20
"""The longest file that is read."""
_SHOWN = 40
"""Columns that a message names at most."""
_MARKS = ";\t|"
"""What other programs put between cells."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a reference table, with its place for messages.

    Attributes:
        file: the file as the user named it.
        line: line in the file, from 1.
        cells: texts by column.
    """

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell as it is written, without blanks around it."""
        return self.cells[column].strip()

    def number(self, column: str) -> float:
        """The cell as a finite number.

        Raises:
            ValidationError: it is none.
        """
        try:
            value = float(self.text(column))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.fault(column, "a finite number")
        return value

    def whole(self, column: str) -> int:
        """The cell as a whole number of at least 0; ``4991.0`` is one.

        Raises:
            ValidationError: it is none.
        """
        value = self.number(column)
        if value < 0 or not value.is_integer():
            raise self.fault(column, "a whole number of at least 0")
        return int(value)

    def fault(self, column: str, rule: str) -> ValidationError:
        """The error of a cell that breaks a rule.

        Args:
            column: its column.
            rule: what it must be, such as ``a whole number``.
        """
        return ValidationError(
            f"{self.file}:{self.line}: {column} must be {rule}, got {self.text(column)[:60]!r}; "
            "correct it or take the row out"
        )


def read_table(path: Path, columns: Sequence[str]) -> tuple[TableRow, ...]:
    """Reads a CSV file with a header line.

    Args:
        path: the file, UTF-8 with or without a byte order mark, of at most ``MAX_BYTES``.
        columns: those that the caller reads; others are kept too.

    Raises:
        ValidationError: a file that cannot be read or is too long, or as ``parse_table``.
    """
    try:
        mode = path.stat().st_mode
        # a pipe would be waited for; a folder is told by the system
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ValidationError(f"{path} is a pipe or a device; save what it gives to a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValidationError(f"{path} is longer than {MAX_BYTES >> 20} MiB; cut it")
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise ValidationError(f"{path} is no text in UTF-8; replace it") from error
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}; replace it") from error
    return parse_table(text, columns, str(path))


def parse_table(text: str, columns: Sequence[str], name: str) -> tuple[TableRow, ...]:
    """Reads CSV text with a header line, such as a few rows that a plugin holds itself.

    Args:
        text: the header and rows.
        columns: those that the caller reads; others are kept too.
        name: what messages call it.

    Raises:
        ValidationError: no CSV, a missing column, two of one name, no row, or a row with more or
            fewer cells than the header.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\n"), newline=""), strict=True)
    try:
        _check_header(reader.fieldnames or (), columns, name)
        found = tuple(TableRow(name, reader.line_num, row) for row in reader)
    except csv.Error as error:
        # the line number stands at the last row that was read
        line = reader.line_num + 1
        raise ValidationError(f"{name}:{line} is no CSV: {error}; correct it") from error
    for row in found:
        # csv marks cells that a row lacks, or has too many of, with None
        if None in row.cells or None in row.cells.values():
            raise ValidationError(
                f"{name}:{row.line}: a row must have as many cells as the header; correct it"
            )
    if not found:
        raise ValidationError(f"{name} has no row below its header; replace it")
    return found


def _check_header(header: Sequence[str], columns: Sequence[str], name: str) -> None:
    """Every column that is read is there, and none twice: the last one would count in silence."""
    for column in columns:
        if column not in header:
            known = did_you_mean(column, [one[:60] for one in header[:_SHOWN]])
            if len(header) == 1 and any(mark in header[0] for mark in _MARKS):
                known = "; separate the cells by commas"
            raise ValidationError(f"{name}:1: no column {column!r}{known}")
    for column, count in Counter(header).items():
        if count > 1:
            raise ValidationError(f"{name}:1: {count} columns are called {column[:60]!r}; keep one")
