"""The table, the JSON and the page of benchmarks; nothing here takes a time."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
WHERE = {"python": "3.11.7", "numpy": "2.0.0", "processor": "x86_64", "cpus": 2}


def load(name: str) -> ModuleType:
    """A module of the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def report() -> Iterator[Any]:
    yield load("bench_report")
    del sys.modules["bench_report"]


@pytest.fixture(scope="module")
def cases(report: Any) -> Iterator[Any]:
    yield load("bench_cases")
    del sys.modules["bench_cases"]


@pytest.fixture
def faster(report: Any) -> Any:
    return report.Figure("map", 0.05, "CPU s", "ZigZag", 90.7, "own run", 0.08)


@pytest.fixture
def oftener(report: Any) -> Any:
    source = "this run"
    return report.Figure(
        "bounds", 400_000.0, "per CPU s", "replays", 12.5, source, better=report.MORE
    )


def test_a_ratio_says_how_many_times_better_ours_is(faster: Any, oftener: Any) -> None:
    assert faster.ratio == pytest.approx(90.7 / 0.05)
    assert oftener.ratio == pytest.approx(400_000 / 12.5)


def test_a_ratio_below_one_is_worse_either_way(report: Any) -> None:
    slow = report.Figure("slow", 4.0, "CPU s", "other", 1.0, "this run")
    few = report.Figure("few", 1.0, "per CPU s", "other", 4.0, "this run", better=report.MORE)
    assert slow.ratio == few.ratio == 0.25


@pytest.mark.parametrize("fields", [(0.0, 1.0, None), (1.0, -1.0, None), (1.0, 1.0, 0.0)])
def test_a_figure_of_nothing_is_refused(report: Any, fields: tuple[Any, ...]) -> None:
    ours, theirs, cold = fields
    with pytest.raises(ValueError, match="map: figures must be finite and above 0, got"):
        report.Figure("map", ours, "CPU s", "other", theirs, "this run", cold)


@pytest.mark.parametrize("ours", [float("inf"), float("nan")])
def test_a_figure_without_an_end_is_refused(report: Any, ours: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        report.Figure("map", ours, "CPU s", "other", 1.0, "this run")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (0.4, "0.400"),
        (0.9999, "1.000"),
        (4.5678, "4.57"),
        (34.44, "34.4"),
        (789.9, "790"),
        (1814.0, "1,810"),
        (5_251_234.0, "5,250,000"),
    ],
)
def test_a_number_has_three_digits(report: Any, value: float, text: str) -> None:
    assert report.digits(value) == text


def test_a_row_has_a_cell_for_each_column(report: Any, faster: Any, oftener: Any) -> None:
    row = report.cells(faster)
    assert len(row) == len(report.HEAD)
    assert dict(zip(report.HEAD, row, strict=True)) == {
        "what": "map",
        "ours": "0.0500",
        "first time": "0.0800",
        "unit": "CPU s",
        "baseline": "ZigZag",
        "theirs": "90.7",
        "ratio": "1,810 x",
    }
    assert report.cells(oftener)[2] == "-"


def test_json_reads_back_to_three_digits(report: Any, faster: Any, oftener: Any) -> None:
    text = report.as_json([faster, oftener], WHERE)
    figures, where = report.from_json(text)
    assert where == WHERE
    assert figures == [faster, oftener]
    assert report.as_json(figures, where) == text


def test_json_does_not_move_with_the_fourth_digit(report: Any) -> None:
    one, two = (
        report.as_json([report.Figure("map", ours, "s", "other", 1.0, "this run")], WHERE)
        for ours in (0.12341, 0.12344)
    )
    assert one == two


def test_json_says_what_the_page_says(report: Any, faster: Any) -> None:
    (row,) = json.loads(report.as_json([faster], WHERE))["figures"]
    assert row == {
        "what": "map",
        "ours": 0.05,
        "unit": "CPU s",
        "baseline": "ZigZag",
        "theirs": 90.7,
        "source": "own run",
        "cold": 0.08,
        "better": "less is better",
        "ratio": 1810.0,
    }


def test_the_machine_is_told_without_its_name_or_the_day(report: Any) -> None:
    assert set(report.machine()) == {"python", "numpy", "processor", "cpus"}


def test_a_page_has_a_row_a_figure_and_every_source_once(
    report: Any, faster: Any, oftener: Any
) -> None:
    page = report.as_page([faster, faster, oftener], WHERE)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 3
    assert {row.count("|") for row in rows} == {len(report.HEAD) + 1}
    assert page.count("- ZigZag: own run") == 1
    assert page.count("- replays: this run") == 1
    assert "python 3.11.7, numpy 2.0.0, processor x86_64, cpus 2" in page


def test_a_page_has_no_block_that_would_be_run(report: Any, faster: Any) -> None:
    assert "```" not in report.as_page([faster], WHERE)


def test_a_bar_in_a_name_does_not_break_the_table(report: Any) -> None:
    figure = report.Figure("a | b", 1.0, "s", "other", 1.0, "this run")
    assert "a \\| b" in report.as_page([figure], WHERE)


def test_names_choose_cases_in_their_own_order(report: Any) -> None:
    known = {"one": "first", "two": "second", "three": "third"}
    assert list(report.chosen(known, [])) == ["one", "two", "three"]
    assert report.chosen(known, ["three", "one"]) == {"one": "first", "three": "third"}


def test_an_unknown_name_is_told_with_those_that_are_known(report: Any) -> None:
    with pytest.raises(ValueError, match="no benchmark 'four'; known: one, two"):
        report.chosen({"one": 1, "two": 2}, ["one", "four"])


def test_every_case_is_a_function_with_a_sentence(cases: Any) -> None:
    assert len(cases.CASES) == len(set(cases.CASES.values())) > 5
    for name, case in cases.CASES.items():
        assert callable(case), name
        assert case.__doc__, name


def test_cases_import_neither_torch_nor_rich_before_they_measure(cases: Any) -> None:
    source = (FOLDER / "bench_cases.py").read_text()
    top = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in top if "torch" in line or "codesign" in line]


def test_the_committed_figures_and_page_are_of_one_run(report: Any) -> None:
    figures = report.from_json((FOLDER / "results.json").read_text())
    assert (ROOT / "docs" / "benchmarks.md").read_text() == report.as_page(*figures)


def test_the_committed_figures_cover_what_was_promised(report: Any) -> None:
    figures, _ = report.from_json((FOLDER / "results.json").read_text())
    peers = {figure.baseline for figure in figures}
    assert {"budget", "ZigZag", "ONNXim", "idiomatic SimPy", "DRAMsim3"} <= peers
