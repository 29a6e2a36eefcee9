"""The file of a page: it is the same every time, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from page_reader import page_of
from report_case import OLD, generated, small

from codesign.errors import ReportError
from codesign.report import write_report
from codesign.report.saved import read_saved


def test_a_result_that_nothing_ran_in_gives_a_page(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 0)
    path = folder / "summary.json"
    found = json.loads(path.read_text())
    path.write_text(
        json.dumps(found | {"latency_s": 0.0, "serial_bound_s": 0.0, "utilization": {}})
    )
    page, _ = page_of(folder, tmp_path / "page.html")
    assert "At a glance" in page.headings


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 2)
    with pytest.raises(ReportError, match=r"it is a folder; give a file such as report\.html"):
        write_report(folder, tmp_path)


def test_a_page_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 2)
    with pytest.raises(ReportError, match="is not a folder that can be written; give another file"):
        write_report(folder, tmp_path / "none" / "page.html")


def test_a_full_disk_leaves_the_page_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, output = generated(tmp_path / "result", 2), tmp_path / "page.html"
    output.write_text("the page before")

    def full(path: Path, text: str, encoding: str) -> int:
        path.write_bytes(b"<!doctype")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ReportError, match="No space left on device; give another file"):
        write_report(folder, output)
    assert output.read_bytes() == b"the page before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "result"]


def test_the_old_sample_is_what_the_names_of_its_files_say() -> None:
    assert read_saved(OLD).summary.model == small().model
