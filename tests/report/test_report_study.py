"""The page of a study, and the files of figures of results and studies."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from page_reader import HOSTILE, Page
from report_case import OLD, banked, generated, with_why
from swept_tables import Point, records, write

from codesign.errors import CodesignError, ReportError, StudyError
from codesign.explore.swept import Swept
from codesign.report import FORMATS, write_figures, write_report
from codesign.report.make import read_source

SPACE = {"kind": ["GRU", "LSTM"], "sram.size": ["128 KiB", "64 KiB", "32 KiB"], "layers": [1, 2]}
HEADS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def cost(point: Point) -> dict[str, float]:
    small = {"128 KiB": 1, "64 KiB": 2, "32 KiB": 4}[point["sram.size"]]
    layers = point["layers"] * (1 + (point["kind"] == "LSTM"))
    return {"energy_j": 1e-6 * small * layers, "latency_s": 1e-3 / layers, "quality": 0.1 * layers}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    lines = records(
        SPACE, cost, maximise=["quality"], feasible=lambda point: point["sram.size"] != "32 KiB"
    )
    failed = {
        "event": "failed",
        "index": 99,
        "key": "k",
        "seconds": 0.0,
        "point": {"kind": "GRU"},
        "message": "it <b>broke</b>",
    }
    return write(tmp_path / "study", [*lines, {"event": "pruned", "points": 5}, failed])


def page_of(folder: Path, output: Path) -> Page:
    write_report(folder, output)
    return Page(output.read_text(encoding="utf-8"))


def test_a_study_is_found_out_by_its_files_and_has_its_sections(
    study: Path, tmp_path: Path
) -> None:
    page = page_of(study, tmp_path / "page.html")
    assert page.headings == [
        "At a glance", "Pareto front", "What the front is made of", "Sensitivity", "Hypervolume",
        "Failures", "Provenance",
    ]  # fmt: skip
    assert page.texts["h1"] == ["cell on edge-npu: a study"]
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 4
    assert [tag for tag, _ in page.tags].count("script") == 1


def test_the_headline_counts_points_and_says_what_is_best(study: Path, tmp_path: Path) -> None:
    page = page_of(study, tmp_path / "page.html")
    cards = dict(zip(page.texts["dt"], page.texts["dd"][::2], strict=True))
    assert cards["Measured"] == "12"
    assert cards["Pruned"] == "5"
    assert cards["Failed"] == "1"
    assert cards["Least energy"] == "1 µJ"
    assert cards["Most quality"] == "0.4"
    assert cards["On the front"] == str(len(Swept.read(study).pareto())) == "4"
    assert "of 12 measured points; 3 different" in page.texts["dd"]


def test_the_table_of_the_front_is_that_of_the_study(study: Path, tmp_path: Path) -> None:
    page = page_of(study, tmp_path / "page.html")
    front = Swept.read(study).pareto()
    cells = page.texts["td"]
    width = 1 + len(SPACE) + 3 + 1
    rows = [cells[place * width : (place + 1) * width] for place in range(3)]
    # an LSTM has twice the layers of a GRU, so one with one layer is a GRU with two
    assert [row[:4] for row in rows] == [
        ["0", "GRU", "128 KiB", "1"],
        ["1", "GRU (LSTM)", "128 KiB", "2 (1)"],
        ["7", "LSTM", "128 KiB", "2"],
    ]
    assert [row[-1] for row in rows] == ["1", "2", "1"]
    assert len(front) == 4
    assert all(row[4].endswith("J") and row[5].endswith("s") for row in rows)


def test_points_are_named_for_who_points_at_them(study: Path, tmp_path: Path) -> None:
    titles = page_of(study, tmp_path / "page.html").texts["title"]
    front = Swept.read(study).pareto()
    named = [title for title in titles if title.startswith(f"point {front[0]['index']}: ")]
    assert len(named) == 3, "once in each panel"
    assert named[0].startswith(f"point {front[0]['index']}: kind {front[0]['kind']}, sram.size ")
    feasible = sum(row["feasible"] for row in Swept.read(study).done)
    assert sum(title.startswith("point ") for title in titles) == 3 * feasible


def test_sensitivity_of_a_pruned_study_is_told_by_measured_pairs(
    study: Path, tmp_path: Path
) -> None:
    page = page_of(study, tmp_path / "page.html")
    assert any(text.startswith("Each line joins two measured points") for text in page.texts["p"])
    assert not any("share of the variance that" in text for text in page.texts["p"])
    assert "GRU to LSTM" in page.texts["td"]
    cells = page.texts["td"]
    # three sizes cost 1, 2 and 4, one and two layers of a GRU 1 and 2: a mean of 7 / 3 x 3 / 2
    place = cells.index("GRU to LSTM")
    assert cells[place + 1 : place + 3] == ["6", "3.5 to 7 µJ, +100.0%"]


def test_sensitivity_of_a_whole_study_is_told_by_main_effects(tmp_path: Path) -> None:
    page = page_of(write(tmp_path / "study", records(SPACE, cost)), tmp_path / "page.html")
    assert any("share of the variance that" in text for text in page.texts["p"])
    assert not any("joins two measured points" in text for text in page.texts["p"])


def test_a_study_that_was_interrupted_says_how_much_is_to_come(tmp_path: Path) -> None:
    study, planned, *done = records(SPACE, cost)
    whole = page_of(write(tmp_path / "whole", [study, planned, *done]), tmp_path / "a.html")
    part = page_of(write(tmp_path / "part", [study, planned, *done[:5]]), tmp_path / "b.html")
    assert not any("still to come" in text for text in whole.texts["p"])
    (told,) = (text for text in part.texts["p"] if "still to come" in text)
    assert told.startswith("The study has not ended: at most 7 of 12 points are still to come")
    assert "codesign sweep STUDY -o DIR --resume goes on" in told


@pytest.mark.parametrize("measured", [12, 0])
def test_a_kind_that_does_not_ship_is_an_assumption_of_the_page(
    measured: int, tmp_path: Path
) -> None:
    study, planned, *done = records(SPACE, cost)
    failed = {"event": "failed", "index": 99, "key": "", "seconds": 0.0, "point": {}}
    own = {
        "event": "own_kinds",
        "lines": ["own: own kind '<b>mine</b>'", f"x: own kind 'y' {'long ' * 80}end"],
    }
    lines = [study, own, planned, *done[:measured], failed | {"message": "no"}]
    page = page_of(write(tmp_path / "study", lines), tmp_path / "page.html")
    assert page.texts["li"] == own["lines"]
    assert "Assumptions" in page.headings
    plain = page_of(write(tmp_path / "plain", [study, planned, *done]), tmp_path / "page.html")
    assert "Assumptions" not in plain.headings


def test_failures_say_why(study: Path, tmp_path: Path) -> None:
    page = page_of(study, tmp_path / "page.html")
    assert "it <b>broke</b>" in page.texts["td"]


def test_a_study_all_of_whose_points_failed_has_a_page_that_says_why(tmp_path: Path) -> None:
    study, planned, *_ = records(SPACE, cost, keep=lambda point: False)
    failed = {"event": "failed", "key": "k", "seconds": 0.0, "point": {}}
    lines = [failed | {"index": n, "message": f"<b>{n}</b>"} for n in range(2)]
    folder = write(tmp_path / "study", [study, planned | {"points": 12}, *lines])
    page = page_of(folder, tmp_path / "page.html")
    assert page.headings == ["At a glance", "Failures"]
    assert page.texts["td"] == ["0", "<b>0</b>", "1", "<b>1</b>"]
    cards = dict(zip(page.texts["dt"], page.texts["dd"][::2], strict=True))
    assert (cards["Measured"], cards["Failed"], cards["Least energy"]) == ("0", "2", "none")
    with pytest.raises(
        ReportError, match=r"got none of 12, 2 failed; codesign report .* lists why"
    ):
        write_figures(folder, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_study_in_which_no_point_keeps_to_the_constraints_has_a_page(tmp_path: Path) -> None:
    lines = records(SPACE, cost, feasible=lambda point: False)
    page = page_of(write(tmp_path / "study", lines), tmp_path / "page.html")
    assert "none" in page.texts["dd"]
    assert any("no point keeps to all constraints" in text for text in page.texts["text"])


def test_a_study_of_one_objective_and_no_failure_has_a_page(tmp_path: Path) -> None:
    lines = records({"width": [1, 2, 3]}, lambda point: {"energy_j": 1e-6 * point["width"]})
    page = page_of(write(tmp_path / "study", lines), tmp_path / "page.html")
    assert "Failures" not in page.headings


def test_hostile_names_of_a_study_are_text(tmp_path: Path) -> None:
    space = {HOSTILE[1]: list(HOSTILE), HOSTILE[7]: [1, 2]}
    lines = records(space, lambda point: {HOSTILE[0]: float(point[HOSTILE[7]]), "energy_j": 1.0})
    lines[0] |= {"model": HOSTILE[0], "hardware": HOSTILE[2]}
    page = page_of(write(tmp_path / "study", lines), tmp_path / "page.html")
    assert page.texts["h1"] == [f"{HOSTILE[0]} on {HOSTILE[2]}: a study"]
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert [tag for tag, _ in page.tags].count("img") == 0


@pytest.mark.parametrize("key", ["model", "hardware"])
def test_dollars_in_the_name_of_a_study_are_no_mathematics(tmp_path: Path, key: str) -> None:
    name = "$a\\frac{$"
    lines = records({"width": [1, 2]}, lambda point: {"energy_j": 1e-6 * point["width"]})
    lines[0] |= {key: name}
    page = page_of(write(tmp_path / "study", lines), tmp_path / "page.html")
    assert name in page.texts["h1"][0]


@pytest.mark.parametrize("size", [1e308, -1e200, 1e-300])
def test_a_figure_that_no_axis_can_hold_is_one_line(tmp_path: Path, size: float) -> None:
    lines = records({"width": [1, 2]}, lambda point: {"energy_j": size * (point["width"] / 2)})
    with pytest.raises(ReportError, match=r"energy_j of point 0 is .* figures show 0 and sizes"):
        read_source(write(tmp_path / "study", lines))


def test_a_parameter_that_no_axis_can_hold_is_one_line(tmp_path: Path) -> None:
    lines = records({"width": [1, 10**300]}, lambda _: {"energy_j": 1e-6})
    with pytest.raises(ReportError, match=r"width of point 1 is 1e\+300"):
        read_source(write(tmp_path / "study", lines))


def test_a_journal_is_held_to_its_rules(tmp_path: Path) -> None:
    lines = records({"width": [1, 2]}, lambda _: {"energy_j": 1e-6})
    next(line for line in lines if line["event"] == "done")["figures"]["energy_j"] = "much"
    with pytest.raises(StudyError, match="finite number"):
        read_source(write(tmp_path / "study", lines))


# -- files of figures ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("result")
    found = banked()
    found.save(folder)
    with_why(folder, found.replay.makespan)
    return folder


ALL = ("timeline", "energy", "bytes", "roofline", "residency", "dram", "critical-path")


def test_every_figure_of_a_result_is_written_in_every_format(result: Path, tmp_path: Path) -> None:
    written = write_figures(result, tmp_path / "made" / "here")
    assert [path.name for path in written] == [f"{name}.{form}" for name in ALL for form in FORMATS]
    for path in written:
        data = path.read_bytes()
        assert data.startswith(HEADS[path.suffix[1:]]), path
        assert len(data) > 3000, path


def test_figures_of_the_version_before_are_those_that_it_knows(tmp_path: Path) -> None:
    written = write_figures(OLD, tmp_path, ["svg"])
    assert [path.stem for path in written] == ["timeline", "energy", "bytes", "roofline"]


def test_figures_of_a_study_are_its_own(study: Path, tmp_path: Path) -> None:
    written = write_figures(study, tmp_path / "made", ["png"])
    assert [path.stem for path in written] == ["front", "parallel", "effects", "hypervolume"]


def test_the_same_result_gives_the_same_files(tmp_path: Path) -> None:
    source = generated(tmp_path / "result", 8)
    first = write_figures(source, tmp_path / "first")
    second = write_figures(source, tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_the_page_holds_the_figures_that_are_files(result: Path, tmp_path: Path) -> None:
    """One implementation of each: the same boxes stand in both."""
    write_report(result, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for path in write_figures(result, tmp_path / "made", ["svg"]):
        own = re.findall(r'viewBox="[^"]*"', path.read_text())[0]
        start = page.index(f'aria-labelledby="{path.stem}-title')
        # a file has its letters as outlines, a page as text, so only their widths may differ
        assert own.split()[-1] in page[page.rindex("<svg", 0, start) : start], path.name


@pytest.mark.parametrize(
    ("formats", "told"),
    [(["gif"], "figures are written as png, svg, pdf, got 'gif'"), ([], "figures need a format")],
)
def test_formats_are_checked_first(tmp_path: Path, formats: Sequence[str], told: str) -> None:
    with pytest.raises(ReportError, match=told):
        write_figures(OLD, tmp_path / "made", formats)
    assert not (tmp_path / "made").exists()


def test_a_file_in_the_way_of_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CodesignError, match="give another folder"):
        write_figures(OLD, tmp_path / "file", ["svg"])


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for make in (write_report, write_figures):
        with pytest.raises(ReportError, match=rf"needs {library}, .* 'codesign\[plot\]'"):
            make(OLD, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_torn_last_line_of_a_journal_does_no_harm(study: Path) -> None:
    path = study / "journal.jsonl"
    path.write_bytes(path.read_bytes() + json.dumps({"event": "done"}).encode()[:-4])
    assert read_source(study)
