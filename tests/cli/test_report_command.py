"""``codesign report``: a page, figures, both, and what it refuses in one line."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from shutil import copytree

import pytest
from conftest import Codesign

OLD = Path(__file__).parents[1] / "report" / "v0_1_result"


def test_a_page_is_written_and_its_size_is_told(tmp_path: Path, codesign: Codesign) -> None:
    page = tmp_path / "report.html"
    ran = codesign("report", OLD, "-o", page)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{page}: {page.stat().st_size / 1e6:.2f} MB\n"
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("here", [False, True])
def test_a_page_without_a_name_stands_beside_its_folder(
    tmp_path: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch, here: bool
) -> None:
    folder = copytree(OLD, tmp_path / "run.1")
    monkeypatch.chdir(folder if here else tmp_path)
    ran = codesign("report", "." if here else "run.1")
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "run.1.html").read_text().startswith("<!doctype html>")


def test_a_saved_run_is_reported_end_to_end(
    tmp_path: Path, codesign: Codesign, sample: Path
) -> None:
    folder, page = tmp_path / "saved", tmp_path / "report.html"
    assert codesign("simulate", sample, "--hardware", "edge-npu", "--out", folder).code == 0
    assert codesign("report", folder, "--output", page).code == 0
    assert "earlier version" not in page.read_text()


def test_figures_alone_are_told_by_number(tmp_path: Path, codesign: Codesign) -> None:
    ran = codesign("report", OLD, "--figures", tmp_path / "made", "--format", "png")
    assert (ran.code, ran.out) == (0, f"4 figures in {tmp_path / 'made'}\n")
    assert {path.suffix for path in (tmp_path / "made").iterdir()} == {".png"}


def test_page_and_figures_come_together_in_several_formats(
    tmp_path: Path, codesign: Codesign
) -> None:
    made, page = tmp_path / "made", tmp_path / "page.html"
    words = ("--figures", made, "--format", "svg", "--format", "pdf", "-o", page)
    assert codesign("report", OLD, *words).code == 0
    assert len(list(made.iterdir())) == 8
    assert page.exists()


@pytest.mark.parametrize("found", [True, False])
def test_a_page_is_opened_on_request(
    tmp_path: Path, codesign: Codesign, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    asked: list[str] = []

    def show(link: str) -> bool:
        asked.append(link)
        return found

    monkeypatch.setattr(webbrowser, "open", show)
    page = tmp_path / "page.html"
    ran = codesign("report", OLD, "-o", page, "--open")
    assert (ran.code, asked) == (0, [page.as_uri()])
    assert ("no browser was found" in ran.err) is not found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((OLD, "-o", "page.html", "--format", "png"), "--format is of figures"),
        ((OLD, "--figures", "made", "--open"), "--open is of a page"),
        ((OLD, "--figures", "made", "--format", "gif"), "got 'gif'"),
        (("none", "-o", "page.html"), "none is no folder"),
        ((".", "-o", "page.html"), "holds neither a result (summary.json) nor a study"),
        ((OLD, "-o", "."), "it is a folder; give a file"),
        ((OLD, "-o", "none/page.html"), "is not a folder that can be written"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    tmp_path: Path,
    codesign: Codesign,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str | Path, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = codesign("report", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_names_from_outside_reach_the_terminal_on_one_line(
    tmp_path: Path, codesign: Codesign
) -> None:
    ran = codesign("report", tmp_path / "a\nb", "-o", tmp_path / "page.html")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
