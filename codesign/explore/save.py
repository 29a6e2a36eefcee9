"""The table of a study as a file, which appears whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet

from codesign.whole_file import write_whole

if TYPE_CHECKING:
    from codesign.explore.swept import Swept

RESULTS = "results.parquet"
"""Name of the table in the folder of a study."""


def write_rows(swept: Swept, folder: Path) -> None:
    """Writes ``results.parquet``: every point in order of the space, failed ones with ``message``.

    A parameter whose values are not all of one type is written as text.

    Raises:
        OSError: the folder cannot be written.
    """
    rows = sorted((*swept.done, *swept.failed), key=lambda row: row["index"])
    names = list(dict.fromkeys(name for row in (*swept.done, *swept.failed) for name in row))
    table = pyarrow.table({name: _column([row.get(name) for row in rows]) for name in names})
    write_whole(folder / RESULTS, lambda draft: pyarrow.parquet.write_table(table, draft))


def _column(values: list[Any]) -> pyarrow.Array:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        values = [None if value is None else str(value) for value in values]
    elif kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
    return pyarrow.array(values)
