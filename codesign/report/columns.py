"""Parquet files of a saved result as columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from codesign.errors import ReportError

Columns = dict[str, list[Any]]
"""Values by column, all of one length."""

_KINDS = {
    int: pyarrow.types.is_integer,
    float: pyarrow.types.is_floating,
    str: lambda kind: (
        pyarrow.types.is_string(kind)
        or (pyarrow.types.is_dictionary(kind) and pyarrow.types.is_string(kind.value_type))
        or pyarrow.types.is_null(kind)
    ),
}


def read_columns(path: Path, wanted: Mapping[str, type]) -> Columns:
    """Reads some columns of a file.

    Args:
        path: of the file.
        wanted: ``int``, ``float`` or ``str`` by name of a column.

    Raises:
        ReportError: it cannot be read, or lacks a column, or one is of another type.
    """
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        told = getattr(error, "strerror", None) or "it is no Parquet file that can be read"
        raise ReportError(f"{path}: damaged, {told}; save the result anew") from error
    for name, kind in wanted.items():
        if name not in table.column_names:
            raise ReportError(f"{path}: damaged, it has no column {name!r}; save the result anew")
        if len(table) and not _KINDS[kind](table.schema.field(name).type):
            raise ReportError(
                f"{path}: damaged, column {name!r} must hold {kind.__name__}, it holds "
                f"{table.schema.field(name).type}; save the result anew"
            )
        if kind is not str and table[name].null_count:
            raise ReportError(
                f"{path}: damaged, column {name!r} has empty places; save the result anew"
            )
    columns: Columns = table.select(list(wanted)).to_pydict()
    return columns
