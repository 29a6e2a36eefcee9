"""What a comparison reads: saved results, whole, damaged or of another shape."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from test_compare import run

from codesign.errors import CodesignError, ReportError
from codesign.result.columns import MOST_ROWS, read_columns
from codesign.result.forms import MOST_BYTES
from codesign.result.saved import Saved, load_saved


def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "result"
    run(32).save(folder)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(CodesignError) as caught:
        load_saved(folder)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_what_is_saved_reads_back(tmp_path: Path) -> None:
    result = run(32, 16)
    result.save(tmp_path)
    found = load_saved(tmp_path)
    assert isinstance(found, Saved)
    assert found.makespan == result.replay.makespan
    assert found.energy_j == result.energy_j
    assert found.offchip_bytes == result.offchip_bytes
    assert found.operators == ("op0", "op1")
    assert sum(row["ps"] for row in found.parts) == found.makespan


def test_an_unknown_folder_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").startswith("no folder")


def test_the_folder_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    assert "is not the folder of a result" in refused(tmp_path)


@pytest.mark.parametrize("name", ["why.json", "operators.parquet"])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path)
    (folder / name).unlink()
    text = refused(folder)
    assert name in text
    assert "No such file" in text
    assert "save the result anew" in text


@pytest.mark.parametrize("name", ["why.json", "summary.json", "ledger.parquet"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000])
def test_a_damaged_file_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    folder = saved(tmp_path)
    (folder / name).write_bytes(content)
    assert name in refused(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"makespan_ps": 1}, "do not sum"),
        ({"parts": [1]}, "'parts.0'"),
        ({"parts": [{"cause": "compute"}]}, "'parts.0.ps'"),
        ({"makespan_ps": "1"}, "'makespan_ps': it must be a number"),
    ],
)
def test_a_file_of_another_shape_is_told(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    folder = saved(tmp_path)
    path = folder / "why.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert told in refused(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"energy_j": 1.0}, "its energy of 1 J is not the"),
        ({"energy_j": True}, "'energy_j': it must be a number"),
        ({"energy_j": math.nan}, "'energy_j'"),
        ({"latency_s": 99}, "its latency of 99 s is not the"),
        ({"latency_s": 1e300}, "'latency_s'"),
        ({"offchip_bytes": {"weight": "many"}}, "'offchip_bytes.weight'"),
        ({"offchip_bytes": {"weight": None}}, "'offchip_bytes.weight'"),
        ({"offchip_bytes": {"weight": True}}, "'offchip_bytes.weight'"),
    ],
)
def test_a_summary_that_cannot_be_is_told(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    folder = saved(tmp_path)
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    text = refused(folder)
    assert "summary.json" in text
    assert told in text


def test_a_part_of_less_than_nothing_is_told(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    path = folder / "why.json"
    why = json.loads(path.read_text())
    why["parts"] += [dict(why["parts"][0], ps=ps) for ps in (-5, 5)]
    path.write_text(json.dumps(why))
    assert ".ps'" in refused(folder)


def rewritten(path: Path, column: str, value: object) -> None:
    """Fills one column of a table with one value, of whatever type; None takes it out."""
    table = pyarrow.parquet.read_table(path)
    place = table.schema.get_field_index(column)
    changed = table.remove_column(place)
    if value is not None:
        changed = changed.add_column(place, column, pyarrow.array([value] * len(table)))
    pyarrow.parquet.write_table(changed, path)


@pytest.mark.parametrize(
    ("file", "column", "value", "told"),
    [
        ("ledger.parquet", "op", None, "no column 'op'"),
        ("ledger.parquet", "op", [1], "column 'op' must hold str"),
        ("ledger.parquet", "energy_j", math.nan, "column 'energy_j' must hold 0 or numbers"),
        ("ledger.parquet", "energy_j", -1.0, "column 'energy_j' must hold 0 or numbers"),
        ("ledger.parquet", "energy_j", 1.0, "its energy of"),
        ("ledger.parquet", "count", -1, "column 'count' must hold whole numbers"),
        ("operators.parquet", "name", None, "no column 'name'"),
        ("operators.parquet", "name", 7, "column 'name' must hold str"),
    ],
)
def test_a_column_that_cannot_be_is_told(
    tmp_path: Path, file: str, column: str, value: object, told: str
) -> None:
    folder = saved(tmp_path)
    rewritten(folder / file, column, value)
    assert told in refused(folder)


def test_a_folder_in_the_place_of_a_table_is_told(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / "operators.parquet").unlink()
    (folder / "operators.parquet").mkdir()
    assert "operators.parquet: cannot be read: it is no file" in refused(folder)


# -- files without an end ------------------------------------------------------------------------


def test_a_table_of_too_many_rows_is_refused_unread(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    path = folder / "operators.parquet"
    rows = pyarrow.repeat(pyarrow.scalar("op"), MOST_ROWS + 1)
    pyarrow.parquet.write_table(pyarrow.table({"name": rows}), path)
    assert path.stat().st_size < 1 << 20
    assert "it has 2,000,001 rows, more than 2,000,000; " in refused(folder)


def test_a_long_text_that_returns_in_every_row_is_made_once(tmp_path: Path) -> None:
    text = "x" * 1_000_000
    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 100_000), [text])
    pyarrow.parquet.write_table(pyarrow.table({"name": column}), tmp_path / "t.parquet")
    (values,) = read_columns(tmp_path / "t.parquet", {"name": str}).values()
    assert len(values) == 100_000
    assert len({id(value) for value in values}) == 1


@pytest.mark.parametrize("name", ["summary.json", "why.json", "ledger.parquet"])
def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path)
    with (folder / name).open("r+b") as file:
        file.truncate(MOST_BYTES + 1)  # a hole: it takes no room
    text = refused(folder)
    assert f"{name}: it is larger than 268,435,456 B; " in text


def test_a_table_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    texts = pyarrow.array(["x" * (1 << 20)] * 32)
    schema = pyarrow.schema({"name": pyarrow.string()})
    with pyarrow.parquet.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False
    ) as writer:
        for _ in range(33):
            writer.write_table(pyarrow.table({"name": texts}))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ReportError, match=r"t.parquet: it unpacks to more than 1,073,741,824 B"):
        read_columns(path, {"name": str})
