"""``codesign compare`` of results that have little in common: what only one has is said so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Codesign
from rich.table import Table
from strategies import Sketch

import codesign as library
from codesign.cli.compare_report import report
from codesign.result.compare import Comparison, Row, compare_results
from codesign.result.saved import load_saved


def folder(path: Path, *names: str, hardware: str = "edge-npu") -> Path:
    sketch = Sketch("model of " + " and ".join(names))
    x = sketch.input("x", 4, 64)
    for name in names:
        x = sketch.matmul(name, x, 64)
    library.simulate(sketch.trace(), hardware).save(path)
    return path


def rows(out: str, title: str) -> dict[str, list[str]]:
    """Cells of a table by what stands in front."""
    lines = out[out.index(title) :].splitlines()[2:]
    found = {}
    for line in lines:
        if not line:
            break
        first, *cells = re.split(r"\s{2,}", line.strip())
        found[first] = cells
    return found


def test_operators_of_one_model_only_are_no_zeros(tmp_path: Path, codesign: Codesign) -> None:
    both = folder(tmp_path / "a", "stem", "left"), folder(tmp_path / "b", "stem", "right")
    ran = codesign("compare", *both)
    assert ran.code == 0
    assert "results of different models" in ran.err
    found = rows(ran.out, "Energy by op")
    assert found["left"][1] == "-"
    assert found["left"][3] == "only A"
    assert found["left"][2] == f"-{found['left'][0]}"
    assert found["right"][0] == "-"
    assert found["right"][3] == "only B"
    assert "stem" not in found, "it takes as much in both"
    assert " 0 J " not in ran.out
    assert "1 operator only in A: left\n" in ran.out
    assert "1 operator only in B: right\n" in ran.out


def test_parts_of_one_hardware_only_are_no_zeros(tmp_path: Path, codesign: Codesign) -> None:
    both = [
        folder(tmp_path / name, "stem", hardware=name) for name in ("edge-npu", "edge-npu-lpddr5")
    ]
    found = rows(codesign("compare", *both).out, "Energy by action")
    assert found["refresh"][0] == "-"
    assert found["refresh"][3] == "only B"
    assert found["refresh"][2] == f"+{found['refresh'][1]}"


def test_time_in_which_no_operand_moved_is_called_so(tmp_path: Path, codesign: Codesign) -> None:
    both = [folder(tmp_path / name, "stem", hardware=name) for name in ("edge-npu", "server-npu")]
    found = rows(codesign("compare", *both).out, "Latency by role")
    assert "none" not in found
    assert found["none moved"][2][0] in "+-"


def test_only_a_few_of_many_names_are_listed(tmp_path: Path, codesign: Codesign) -> None:
    names = [f"op{n}" for n in range(9)]
    both = folder(tmp_path / "a", "stem", *names), folder(tmp_path / "b", "stem")
    ran = codesign("compare", *both)
    assert "9 operators only in A: op0, op1, op2, op3, op4, op5 and 3 more\n" in ran.out
    assert "only in B" not in ran.out


def test_a_result_beside_itself_is_its_totals_and_a_count(
    tmp_path: Path, codesign: Codesign
) -> None:
    one = folder(tmp_path / "a", "stem", "left")
    found = compare_results(load_saved(one), load_saved(one))
    parts = [*found.path.values(), *found.joules.values(), found.moved]
    lines = codesign("compare", one, one).out.splitlines()
    assert lines[-1] == f"{sum(map(len, parts))} rows without a difference left out"
    assert "by" not in " ".join(lines[3:]).split()
    assert [line.split()[0] for line in lines[4:7]] == ["latency", "energy", "off"]


def test_rows_without_a_difference_are_left_out_and_counted(tmp_path: Path) -> None:
    one = load_saved(folder(tmp_path / "a", "stem"))
    other = compare_results(one, one)
    changed = {name: getattr(other, name) for name in Comparison.__dataclass_fields__}
    empty: dict[str, tuple[Row[int], ...]] = {"cause": (), "op": ()}
    changed |= {"path": empty, "moved": (Row("weight", 8, 8), Row("input", 8, 9))}
    changed["joules"] = {"op": (Row("x", 1.0, 1.0),)}
    parts = list(report(Comparison(**changed)))
    titles = [str(part.title) for part in parts if isinstance(part, Table)]
    assert titles[1:] == ["Off-chip bytes by role"], "behind that of the totals"
    assert "2 rows without a difference left out" in parts
    changed["joules"] = {}
    assert "1 row without a difference left out" in list(report(Comparison(**changed)))
    changed["moved"] = (Row("input", 8, 9),)
    assert not any("left out" in str(part) for part in report(Comparison(**changed)))


@pytest.mark.parametrize(
    ("first", "second", "cells"),
    [
        (1.0, 2.0, ["1 J", "2 J", "+1 J", "2.000"]),
        (2.0, 0.0, ["2 J", "-", "-2 J", "only A"]),
        (0.0, 2.0, ["-", "2 J", "+2 J", "only B"]),
        (1.0, 1234.5, ["1 J", "1.234 kJ", "+1.234 kJ", "1,234"]),
        (2000.0, 1.0, ["2.000 kJ", "1 J", "-1.999 kJ", "< 0.001"]),
    ],
)
def test_ratios_are_told_as_far_as_they_say_something(
    first: float, second: float, cells: list[str], tmp_path: Path
) -> None:
    one = load_saved(folder(tmp_path / "a", "stem"))
    found = compare_results(one, one)
    changed = {name: getattr(found, name) for name in Comparison.__dataclass_fields__}
    changed["joules"] = {"op": (Row("x", first, second),)}
    parts = list(report(Comparison(**changed)))
    table = next(p for p in parts if str(getattr(p, "title", "")) == "Energy by op")
    assert not isinstance(table, str)
    shown = [str(next(iter(column.cells))) for column in table.columns]  # type: ignore[union-attr]
    assert shown == ["x", *cells]
