"""Two results beside each other: differences that sum to the difference of the totals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, machine

from codesign import simulate
from codesign.errors import CodesignError, ReportError
from codesign.hardware.spec import Hardware
from codesign.result.columns import MOST_ROWS, read_columns
from codesign.result.compare import Comparison, compare_results
from codesign.result.forms import MOST_BYTES
from codesign.result.result import Result
from codesign.result.saved import Saved, load_saved

FAST = {"bandwidth": 16e9}


def run(*widths: int, name: str = "model", hardware: Hardware | None = None) -> Result:
    sketch = Sketch(name)
    x = sketch.input("x", 6, 32)
    for number, width in enumerate(widths):
        x = sketch.matmul(f"op{number}", x, width)
    return simulate(sketch.trace(), hardware or machine(bandwidth=1e9, leakage=1e-3))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("results")
    run(32, 48).save(base / "slow")
    run(32, 48, hardware=machine(bandwidth=4e9, leakage=1e-3)).save(base / "fast")
    return base / "slow", base / "fast"


def compared(first: Path, second: Path) -> Comparison:
    return compare_results(load_saved(first), load_saved(second))


def check_sums(found: Comparison) -> None:
    """Every breakdown holds all of its figure."""
    for rows in found.path.values():
        assert sum(row.first for row in rows) == found.latency.first
        assert sum(row.second for row in rows) == found.latency.second
        assert sum(row.change for row in rows) == found.latency.change
    for joules in found.joules.values():
        total = math.fsum(row.change for row in joules)
        assert math.isclose(total, found.energy.change, rel_tol=1e-9, abs_tol=1e-24)
        assert math.isclose(math.fsum(row.first for row in joules), found.energy.first)
    assert sum(row.change for row in found.moved) == found.offchip.change


def test_the_differences_sum_to_the_difference(folders: tuple[Path, Path]) -> None:
    found = compared(*folders)
    check_sums(found)
    assert found.latency.change < 0
    assert set(found.path) == {"cause", "component", "op", "role"}
    assert set(found.joules) == {"component", "action", "role", "op"}
    assert (found.only_first, found.only_second) == ((), ())


def test_a_faster_link_takes_its_own_time_off(folders: tuple[Path, Path]) -> None:
    row = compared(*folders).path["component"][0]
    assert row.name == "bus0"
    assert row.second < row.first


def test_the_largest_change_comes_first(folders: tuple[Path, Path]) -> None:
    for rows in compared(*folders).path.values():
        changes = [abs(row.change) for row in rows]
        assert changes == sorted(changes, reverse=True)


def test_the_other_way_round_every_sign_turns(folders: tuple[Path, Path]) -> None:
    one, other = compared(*folders), compared(*reversed(folders))
    for column, rows in one.path.items():
        turned = {row.name: -row.change for row in other.path[column]}
        assert {row.name: row.change for row in rows} == turned


def test_a_result_beside_itself_differs_in_nothing(folders: tuple[Path, Path]) -> None:
    found = compared(folders[0], folders[0])
    assert all(row.change == 0 for some in found.path.values() for row in some)
    assert all(row.change == 0 for some in found.joules.values() for row in some)
    assert found.latency.change == found.offchip.change == 0


def test_operators_that_only_one_has_are_named(tmp_path: Path) -> None:
    run(32, 48).save(tmp_path / "a")
    run(32, 48, 16, 8, name="deeper").save(tmp_path / "b")
    found = compared(tmp_path / "a", tmp_path / "b")
    check_sums(found)
    assert (found.only_first, found.only_second) == ((), ("op2", "op3"))
    assert found.notes == ("these are results of different models: model and deeper",)


def test_the_same_model_in_another_form_is_said(tmp_path: Path) -> None:
    run(32).save(tmp_path / "a")
    run(40).save(tmp_path / "b")
    (note,) = compared(tmp_path / "a", tmp_path / "b").notes
    assert note == "these are results of the same model in another form: model and model"


def test_two_hardwares_of_one_name_with_other_values_are_told(folders: tuple[Path, Path]) -> None:
    name = load_saved(folders[0]).hardware
    (note,) = compared(*folders).notes
    assert note == f"both ran on hardware called {name}, with other values or parts in each"
    assert compared(folders[0], folders[0]).notes == ()


def test_hardwares_of_two_names_need_no_note(folders: tuple[Path, Path], tmp_path: Path) -> None:
    parts = dict(machine(bandwidth=4e9, leakage=1e-3).components)
    run(32, 48, hardware=Hardware("another", "", None, parts)).save(tmp_path)
    assert compared(folders[0], tmp_path).notes == ()


@pytest.mark.parametrize("name", ["static", "none", "computing"])
def test_energy_that_flows_all_the_time_is_no_operators(tmp_path: Path, name: str) -> None:
    """An operator may have the name under which the energy of none is told."""
    sketch = Sketch("model")
    sketch.matmul(name, sketch.input("x", 6, 32), 32)
    result = simulate(sketch.trace(), machine(bandwidth=1e9, leakage=1e-3))
    result.save(tmp_path)
    found = compared(tmp_path, tmp_path)
    check_sums(found)
    rows = found.joules["op"]
    assert sorted(row.name for row in rows) == sorted([name, "static"])
    leaked = math.fsum(result.energy_split.leakage_by_component_j.values())
    assert any(math.isclose(row.first, leaked) for row in rows if row.name == "static")


def test_energy_is_named_as_in_the_report(folders: tuple[Path, Path]) -> None:
    names = {
        column: {row.name for row in rows} for column, rows in compared(*folders).joules.items()
    }
    assert "static" in names["op"] & names["role"]
    assert "computing" in names["role"]
    assert all("none" not in some for some in names.values())


def test_the_document_is_plain(folders: tuple[Path, Path]) -> None:
    found = json.loads(json.dumps(compared(*folders).as_json()))
    assert found["latency_ps"]["change"] == (
        found["latency_ps"]["second"] - found["latency_ps"]["first"]
    )
    for rows in found["path_ps"].values():
        assert sum(row["change"] for row in rows) == found["latency_ps"]["change"]


@settings(max_examples=10)
@given(st.lists(st.integers(4, 60), min_size=1, max_size=4), st.sampled_from([1e9, 7e9]))
def test_sums_hold_for_any_pair(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], bandwidth: float
) -> None:
    base = tmp_path_factory.mktemp("pair")
    run(20, 30).save(base / "a")
    run(*widths, hardware=machine(bandwidth=bandwidth)).save(base / "b")
    check_sums(compared(base / "a", base / "b"))


# -- bad folders ---------------------------------------------------------------------------------


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
