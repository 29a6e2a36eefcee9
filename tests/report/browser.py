"""A headless Chromium for tests of pages; tests that need it are skipped where there is none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no chromium and chromedriver on the path; apt-get install chromium chromium-driver",
)


@contextmanager
def browser(*flags: str, size: tuple[int, int] = (1200, 900)) -> Iterator[Chrome]:
    """An open browser with a profile of its own, which goes with it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, *flags, f"--window-size={size[0]},{size[1]}"):
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        try:
            yield driver
        finally:
            driver.quit()


def ask(driver: Chrome, script: str, *arguments: Any) -> Any:
    """What a script returns."""
    return driver.execute_script(script, *arguments)


def settled(driver: Chrome) -> None:
    """Waits for the frame after the next one: what a key has changed is then drawn."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
    )


def opened(driver: Chrome, page: Path) -> None:
    """Opens a page from disk and waits until it is drawn."""
    driver.get(page.absolute().as_uri())
    settled(driver)


def log(driver: Chrome, kind: str) -> list[str]:
    """Messages of ``browser`` or ``performance`` since the last time."""
    entries = driver.get_log(kind)  # type: ignore[no-untyped-call]
    return [str(entry["message"]) for entry in entries]


def console(driver: Chrome) -> list[str]:
    """All that the page or the browser complained about."""
    return log(driver, "browser")


def stats(driver: Chrome) -> dict[str, float]:
    """What the timeline says of its last frame."""
    found = ask(driver, "return {...document.querySelector('#timeline canvas').dataset};")
    return {name: float(value) for name, value in found.items()}
