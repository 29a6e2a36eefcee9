"""Fixtures of tests of reports: saved results, pages, and a browser that has them open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import ITEMS, browser, opened
from report_case import banked, generated, small, with_folded_why, with_why

from codesign.report import write_report
from codesign.report.saved import Saved, read_saved
from codesign.result.result import Result

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 100 operators on two engines, 20,000 slices in all, and names that would harm."""
    made = tmp_path_factory.mktemp("pages")
    source = generated(
        made / "many", 100, runs=ITEMS // 100, name=lambda n: f"</script><b>{n:02d}</b>"
    )
    write_report(source, made / "many.html")
    source = generated(made / "few", 6, model="<script>alert(1)</script>")
    with_why(source, 6_000_000)
    write_report(source, made / "few.html")
    source = generated(made / "loop", 6)
    with_folded_why(source, 6_000_000)
    write_report(source, made / "loop.html")
    return made


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with browser() as opened_browser:
        yield opened_browser


@pytest.fixture
def few(driver: Chrome, pages: Path) -> Chrome:
    opened(driver, pages / "few.html")
    return driver


@pytest.fixture
def many(driver: Chrome, pages: Path) -> Chrome:
    opened(driver, pages / "many.html")
    return driver


@pytest.fixture(scope="session")
def result() -> Result:
    return small()


@pytest.fixture(scope="session")
def saved(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    folder = tmp_path_factory.mktemp("saved")
    result.save(folder)
    return read_saved(folder)


@pytest.fixture(scope="session")
def drams(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    folder = tmp_path_factory.mktemp("banked")
    banked().save(folder)
    return read_saved(folder)
