"""Parquet files of a saved result as columns: what is damaged or has no end is refused unread."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pyarrow
import pyarrow.parquet

from codesign.errors import ReportError
from codesign.result.forms import LARGEST, MOST_BYTES, SMALLEST, check_file

Columns = dict[str, list[Any]]
"""Values by column, all of one length."""
MOST_ROWS = 2_000_000
"""Rows of a table that are read (assumed): a ledger of ResNet-50 has some thousand."""
_MOST_UNPACKED = 4 * MOST_BYTES
"""Bytes of a table without its compression that are read (assumed)."""
_MOST_INT = 2**63 - 1
_KINDS = {
    int: pyarrow.types.is_integer,
    float: pyarrow.types.is_floating,
    str: lambda kind: (
        pyarrow.types.is_string(kind)
        or (pyarrow.types.is_dictionary(kind) and pyarrow.types.is_string(kind.value_type))
        or pyarrow.types.is_null(kind)
    ),
}


def read_columns(path: Path, wanted: Mapping[str, type], *, empty: Collection[str] = ()) -> Columns:
    """Reads some columns of a file.

    Args:
        path: of the file.
        wanted: ``int``, ``float`` or ``str`` by name of a column. Numbers are finite and at least
            0.
        empty: columns that may have empty places, which are None.

    Raises:
        ReportError: it cannot be read, is too large, lacks a column, or one holds something else.
    """
    check_file(path)
    texts = [name for name, kind in wanted.items() if kind is str]
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_head(file, path, wanted)
        # equal texts stay one: a small file could else unpack to more than any memory
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=list(wanted))
        columns = {name: _values(table[name]) for name in wanted}
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        told = getattr(error, "strerror", None) or "it is no Parquet file that can be read"
        raise ReportError(f"{path}: damaged, {told}; save the result anew") from error
    for name, kind in wanted.items():
        _check_values(path, name, kind, columns[name], can_be_empty=name in empty)
    return columns


def _check_head(file: pyarrow.parquet.ParquetFile, path: Path, wanted: Mapping[str, type]) -> None:
    """Finds out before anything is read what the file says of itself."""
    head, schema = file.metadata, file.schema_arrow
    if head.num_rows > MOST_ROWS:
        _refuse_large(path, f"it has {head.num_rows:,} rows, more than {MOST_ROWS:,}")
    groups = [head.row_group(place) for place in range(head.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > _MOST_UNPACKED:
        _refuse_large(path, f"it unpacks to more than {_MOST_UNPACKED:,} B")
    for name, kind in wanted.items():
        if schema.names.count(name) != 1:
            _refuse(path, f"it has no column {name!r}")
        found = schema.field(name).type
        if head.num_rows and not _KINDS[kind](found):
            _refuse(path, f"column {name!r} must hold {kind.__name__}, it holds {str(found)[:60]}")


def _values(column: pyarrow.ChunkedArray) -> list[Any]:
    """Values of a column; each text of a dictionary is made once."""
    found: list[Any] = []
    for chunk in column.chunks:
        if isinstance(chunk, pyarrow.DictionaryArray):
            words = chunk.dictionary.to_pylist()
            found += [None if at is None else words[at] for at in chunk.indices.to_pylist()]
        else:
            found += chunk.to_pylist()
    return found


def _check_values(
    path: Path, name: str, kind: type, values: list[Any], *, can_be_empty: bool
) -> None:
    if not can_be_empty and None in values:
        _refuse(path, f"column {name!r} has empty places")
    known = [value for value in values if value is not None]
    if kind is int and known and not 0 <= min(known) <= max(known) <= _MOST_INT:
        _refuse(path, f"column {name!r} must hold whole numbers from 0 to {_MOST_INT}")
    if kind is float:
        wrong = next((value for value in known if not _is_amount(value)), None)
        if wrong is not None:
            _refuse(
                path,
                f"column {name!r} must hold 0 or numbers from {SMALLEST:g} to {LARGEST:g}, it "
                f"holds {wrong!r}",
            )


def _is_amount(value: float) -> bool:
    return value == 0 or (math.isfinite(value) and SMALLEST <= value <= LARGEST)


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ReportError(f"{path}: damaged, {reason}; save the result anew")


def _refuse_large(path: Path, reason: str) -> NoReturn:
    raise ReportError(
        f"{path}: {reason}; simulate a part of the model, or open the file with another tool"
    )
