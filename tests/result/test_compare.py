"""Two results beside each other: differences that sum to the difference of the totals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, machine

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.result.compare import Comparison, compare_results
from codesign.result.result import Result
from codesign.result.saved import load_saved

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
