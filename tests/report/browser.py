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

ITEMS = 20_000
"""Slices of the larger page."""
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


def press(driver: Chrome, *keys: str) -> None:
    """Presses keys where the focus is, and waits for what they draw."""
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()
    settled(driver)


def focus(driver: Chrome) -> None:
    ask(driver, "document.querySelector('#timeline canvas').focus();")
    settled(driver)


def window(driver: Chrome) -> tuple[float, float]:
    found = stats(driver)
    return found["from"], found["to"]


def slice_of(name: str, engine: str, start: str) -> str:
    """What is told of a slice of the page of a few: a microsecond, of which a tenth computes."""
    told = f"{name} (contraction) on {engine}: starts at {start}, takes 1 µs"
    return f"{told}, computes 10.0 % of it"


def said(driver: Chrome) -> str:
    return str(ask(driver, "return document.getElementById('timeline-said').textContent;"))


def at(driver: Chrome, kind: str, x: float, y: float, **more: Any) -> None:
    """Sends a pointer event at a place of the canvas, as shares of its width and pixels."""
    ask(
        driver,
        "const [kind, x, y, more] = arguments;"
        "const canvas = document.querySelector('#timeline canvas');"
        "canvas.setPointerCapture = () => {};"
        "const box = canvas.getBoundingClientRect();"
        "const type = kind === 'wheel' ? WheelEvent : PointerEvent;"
        "canvas.dispatchEvent(new type(kind, {clientX: box.left + x * box.width,"
        " clientY: box.top + y, bubbles: true, cancelable: true, pointerId: 1, ...more}));",
        kind,
        x,
        y,
        more,
    )
    settled(driver)


def tip(driver: Chrome) -> str:
    return str(
        ask(
            driver,
            "const tip = document.querySelector('.tip'); return tip.hidden ? '' : tip.textContent;",
        )
    )


def media(driver: Chrome, **features: Any) -> None:
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    settled(driver)
