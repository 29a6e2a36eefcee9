"""``codesign pareto``: figures and main effects of a folder, also of one that is half done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign
from swept_tables import Point, records, write

from codesign.explore.figures import FORMATS

NAMES = ("front", "parallel", "effects", "hypervolume")


def cost(point: Point) -> dict[str, float]:
    """Energy by size alone, quality by both and their product."""
    small = point["sram.size"] == "64 KiB"
    quality = 0.5 + 0.1 * (point["kind"] == "LSTM") + 0.2 * (small and point["kind"] == "LSTM")
    return {"energy_j": 3e-6 if small else 2e-6, "quality": quality}


SPACE = {"kind": ["GRU", "LSTM"], "sram.size": ["128 KiB", "64 KiB"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "study", records(SPACE, cost, maximise=["quality"]))


def test_main_effects_are_a_short_table_behind_the_front(folder: Path, codesign: Codesign) -> None:
    plain, ran = codesign("pareto", folder), codesign("pareto", folder, "--effects")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(plain.out)
    heading, heads, *lines = ran.out.removeprefix(plain.out).strip().splitlines()
    assert heading == (
        "main effects over 4 points: share of the variance, and the mean over all other parameters"
    )
    assert " ".join(heads.split()) == "objective parameter share best mean at worst mean at"
    assert [" ".join(line.split()) for line in lines] == [
        "energy_j sram.size 100.0 % 128 KiB: 2 µJ 64 KiB: 3 µJ (+50.0%)",
        "kind 0.0 % all the same",
        # 0.5, 0.5, 0.6, 0.8: squares 0.04 by kind, 0.01 by size, 0.01 by neither alone
        "quality kind 66.7 % LSTM: 0.7 GRU: 0.5 (-28.6%)",
        "sram.size 16.7 % 64 KiB: 0.65 128 KiB: 0.55 (-15.4%)",
        "interplay 16.7 %",
    ]


def test_what_several_explain_together_is_said(tmp_path: Path, codesign: Codesign) -> None:
    lines = records(
        {"a": [0, 1], "b": [0, 1]},
        lambda p: {"energy_j": 1.0 + p["a"] + 3 * p["b"]},
        keep=lambda p: p != {"a": 1, "b": 0},
    )
    ran = codesign("pareto", write(tmp_path / "study", lines), "--effects")
    assert "several together" in ran.out
    assert "interplay" not in ran.out


def test_the_front_stands_in_units_with_one_prefix_for_each_objective(
    tmp_path: Path, codesign: Codesign
) -> None:
    def measure(point: Point) -> dict[str, float]:
        n = point["n"]
        return {"energy_j": 0.6e-6 * n, "edp_js": 4e-9 / n, "params": 12345 * n, "merit": 0.1 * n}

    lines = records({"n": [1, 2, 3]}, measure, maximise=["merit"])
    ran = codesign("pareto", write(tmp_path / "study", lines))
    table = [" ".join(line.split()[:8]) for line in ran.out.splitlines()[2:]]
    assert table == [
        "point n energy_j edp_js params merit changes",
        "0 1 0.6 µJ 4 nJ s 12,345",
        "1 2 1.2 µJ 2 nJ s 24,690",
        "2 3 1.8 µJ 1.333 nJ s 37,035",
    ]


def pruned(folder: Path, **changes: Any) -> Path:
    """The folder of a study that measured three of its four points."""
    lines = records(SPACE, cost, maximise=["quality"], keep=lambda p: p != LEFT_OUT, **changes)
    return write(folder, [*lines, {"event": "pruned", "points": 1}])


LEFT_OUT = {"kind": "GRU", "sram.size": "64 KiB"}


def test_of_a_pruned_study_only_changes_between_measured_points_are_told(
    tmp_path: Path, codesign: Codesign
) -> None:
    ran = codesign("pareto", pruned(tmp_path / "study"), "--effects")
    text = ran.out[ran.out.index("1 points were") :]
    assert "so no mean over all is known" in text
    assert "(codesign sweep --exhaustive" in text
    assert "share" not in text
    heads, *lines = text.splitlines()[2:]
    assert heads.split() == ["parameter", "change", "pairs", "energy_j", "quality"]
    assert [" ".join(line.split()) for line in lines] == [
        "kind GRU to LSTM 1 stays 2 µJ 0.5 to 0.6, +20.0%",
        "sram.size 64 KiB to 128 KiB 1 3 to 2 µJ, -33.3% 0.8 to 0.6, -25.0%",
    ]


def test_what_no_two_points_differ_in_alone_is_said(tmp_path: Path, codesign: Codesign) -> None:
    lines = records(
        {"a": [1, 2, 3], "b": [1, 2]},
        lambda p: {"energy_j": 1.0 * p["a"]},
        keep=lambda p: p in ({"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 1}),
    )
    folder = write(tmp_path / "study", [*lines, {"event": "pruned", "points": 3}])
    ran = codesign("pareto", folder, "--effects")
    assert ran.out.endswith("no two measured points differ in one of these alone: b\n")
    assert "1 to 3" in ran.out


def test_of_many_changes_those_with_most_pairs_are_told(tmp_path: Path, codesign: Codesign) -> None:
    lines = records(
        {"a": list(range(30)), "b": [1, 2]},
        lambda p: {"energy_j": 1.0 + p["a"]},
        keep=lambda p: p["b"] == 1 or p["a"] > 20,
    )
    folder = write(tmp_path / "study", [*lines, {"event": "pruned", "points": 21}])
    ran = codesign("pareto", folder, "--effects")
    assert "28 to 29" in ran.out
    assert "17 to 18" not in ran.out
    assert "and 17 more" in ran.out


def test_programs_get_the_pairs_of_a_pruned_study(tmp_path: Path, codesign: Codesign) -> None:
    folder = pruned(tmp_path / "study")
    found = json.loads(codesign("pareto", folder, "--effects", "--json").out)["effects"]
    assert (found["points"], found["untried"]) == (3, 1)
    kind, size = found["pairs"]
    assert kind["names"] == ["kind"]
    (change,) = size["changes"]
    assert (change["before"], change["after"], change["pairs"]) == ("64 KiB", "128 KiB", 1)
    assert change["means"] == {"energy_j": [3e-6, 2e-6], "quality": pytest.approx([0.8, 0.6])}
    assert set(found) == {"points", "untried", "pairs"}


def test_programs_get_the_same_effects(folder: Path, codesign: Codesign) -> None:
    found = json.loads(codesign("pareto", folder, "--effects", "--json").out)["effects"]
    assert found["points"] == 4
    kind, size = found["parameters"]
    assert (kind["names"], kind["values"], kind["counts"]) == (["kind"], ["GRU", "LSTM"], [2, 2])
    assert size["names"] == ["sram.size"]
    assert size["values"] == ["64 KiB", "128 KiB"]
    assert size["means"]["energy_j"] == pytest.approx([3e-6, 2e-6])
    assert kind["shares"]["quality"] == pytest.approx(2 / 3)
    assert found["interplay"]["quality"] == pytest.approx(1 / 6)
    assert found["together"] == {"energy_j": 0.0, "quality": 0.0}


def test_figures_are_drawn_into_a_folder(folder: Path, codesign: Codesign) -> None:
    plain = codesign("pareto", folder).out
    ran = codesign("pareto", folder, "--figures", folder / "figures")
    names = sorted(f"{name}.{form}" for name in NAMES for form in FORMATS)
    assert sorted(path.name for path in (folder / "figures").iterdir()) == names
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{plain}12 figures in {folder / 'figures'}\n"


def test_programs_get_the_names_of_the_figures(folder: Path, codesign: Codesign) -> None:
    found = json.loads(codesign("pareto", folder, "--figures", folder / "f", "--json").out)
    assert found["figures"] == [
        str(folder / "f" / f"{name}.{form}") for name in NAMES for form in FORMATS
    ]
    assert found["done"] == 4


def test_hypervolume_is_drawn_in_the_order_of_the_journal(
    folder: Path, tmp_path: Path, codesign: Codesign
) -> None:
    study, planned, *done = records(SPACE, cost, maximise=["quality"])
    other = write(tmp_path / "other", [study, planned, *reversed(done)])
    for one in (folder, other):
        assert codesign("pareto", one, "--figures", one / "f").code == 0
    same = {
        name: (folder / "f" / f"{name}.svg").read_bytes()
        == (other / "f" / f"{name}.svg").read_bytes()
        for name in NAMES
    }
    assert same == {"front": True, "parallel": True, "effects": True, "hypervolume": False}


def test_a_study_with_failures_and_events_of_other_kinds_is_drawn(
    tmp_path: Path, codesign: Codesign
) -> None:
    lines = records(SPACE, cost, maximise=["quality"], feasible=lambda p: False)
    failed = {"event": "failed", "index": 9, "key": "k", "point": {"kind": "X"}, "seconds": 0.0}
    folder = write(
        tmp_path / "study",
        [
            *lines,
            failed | {"message": "no"},
            {"event": "asked", "search": "gp", "points": [3]},
        ],
    )
    ran = codesign("pareto", folder, "--figures", tmp_path / "f", "--effects")
    assert (ran.code, ran.err) == (0, "")
    assert "1 failed" in ran.out
    assert "no point keeps to all constraints" in ran.out


def test_one_point_has_no_main_effects(tmp_path: Path, codesign: Codesign) -> None:
    lines = records({"a": [1]}, lambda p: {"energy_j": 1.0})
    ran = codesign("pareto", write(tmp_path / "study", lines), "--effects")
    assert ran.out.endswith("no main effects: no parameter varies among the measured points\n")


@pytest.mark.parametrize("option", [["--effects"], ["--figures", "out"]])
def test_nothing_measured_is_one_line(
    option: list[str], tmp_path: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study, planned, *_ = records(SPACE, cost, keep=lambda p: False)
    failed = {"event": "failed", "index": 0, "key": "k", "point": {}, "seconds": 0.0}
    write(tmp_path / "study", [study, planned | {"points": 4}, failed | {"message": "no"}])
    ran = codesign("pareto", "study", *option)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: study/journal.jsonl: {option[0][2:]} need a measured point, got none of 4, "
        "1 failed; codesign report study lists why\n"
    )
    plain = codesign("pareto", "study")
    assert plain.code == 0
    assert plain.out.splitlines()[1:] == [
        "at most 3 still to come: unless it runs just now, codesign sweep STUDY -o study --resume "
        "goes on",
        "no point was measured; study/journal.jsonl has why, and codesign report study lists it",
    ]
    assert not (tmp_path / "out").exists()


def test_a_missing_matplotlib_is_one_line(
    folder: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("codesign.explore.figures.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = codesign("pareto", folder, "--figures", folder / "f")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: figures need matplotlib, which cannot be imported")
    assert ran.err.endswith("pip install 'codesign[plot]'\n")
    assert codesign("pareto", folder, "--effects").code == 0
    assert not (folder / "f").exists()


EXTREMES = [5e-324, -5e-324, 1e-308, 1.7e308, -1.7e308, 0.0, 1e22]


@pytest.mark.parametrize("name", ["energy_j", "area_m2", "merit"])
@pytest.mark.parametrize("some", [EXTREMES, EXTREMES[:2], EXTREMES[3:5], [1.7e308, 1.6e308]])
def test_numbers_at_the_ends_of_what_there_is_are_told(
    name: str, some: list[float], tmp_path: Path, codesign: Codesign
) -> None:
    space = {"n": list(range(len(some))), "k": [1, 2, 3]}
    lines = records(space, lambda p: {name: some[p["n"]], "latency_s": -1.0 * p["n"]})
    folder = write(tmp_path / "study", [*lines, {"event": "pruned", "points": 1}])
    ran = codesign("pareto", folder, "--effects")
    assert (ran.code, ran.err) == (0, "")
    assert "nan" not in ran.out
    assert " inf " not in ran.out
