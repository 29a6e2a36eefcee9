"""The page in light and dark, on narrow screens, on paper, and without its script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import ask, browser, focus, media, needs_browser, press, settled

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytest_plugins = ["report_fixtures"]
pytestmark = needs_browser


# -- light, dark, narrow, print, no script -------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(few: Chrome, scheme: str) -> None:
    media(few, features=[{"name": "prefers-color-scheme", "value": scheme}])
    pairs = ask(
        few,
        "return ['body', '.card .words', 'figcaption', 'nav a', 'th', '.help', 'svg.figure text']"
        ".map((name) => { const one = document.querySelector(name), style = getComputedStyle(one);"
        " return name.includes('svg') ? style.fill : style.color; });",
    )
    paper = ask(few, "return getComputedStyle(document.body).backgroundColor;")
    media(few, features=[])
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for colour in pairs:
        dark, bright = sorted((luminance(colour), luminance(paper)))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, colour


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(...)``, as WCAG 2.1 has it."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_what_is_drawn_has_another_colour_in_the_dark(few: Chrome) -> None:
    script = (
        "const bar = document.querySelector('#figure-energy svg [id*=mark] path');"
        "const mark = document.querySelector('.key i');"
        "return [getComputedStyle(bar).fill, getComputedStyle(mark).backgroundColor];"
    )
    found = []
    for scheme in ("light", "dark"):
        media(few, features=[{"name": "prefers-color-scheme", "value": scheme}])
        found.append(ask(few, script))
    media(few, features=[])
    for light, dark in zip(*found, strict=True):
        assert luminance(light) < luminance(dark)


def test_what_is_chosen_and_what_colours_mean_is_told_below_the_timeline(few: Chrome) -> None:
    placeholder = (
        "return getComputedStyle(document.getElementById('timeline-said'), '::before').content;"
    )
    assert "press N" in ask(few, placeholder)
    focus(few)
    press(few, "n")
    assert ask(few, placeholder) == "none"
    legend = ask(few, "return document.querySelector('.timeline .legend').textContent;")
    assert "computing" in legend
    assert "waiting, for transfers above all" in legend
    key = "return [...document.querySelectorAll('.key li')].map((one) => one.textContent);"
    assert ask(few, key) == ["compute", "bandwidth"]


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_screen_scrolls_down_only(few: Chrome, width: int) -> None:
    shape = {"width": width, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    few.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
    settled(few)
    wide = ask(few, "return document.documentElement.scrollWidth;")
    canvas = ask(few, "return document.querySelector('canvas').getBoundingClientRect().width;")
    script = "return getComputedStyle(document.querySelector('figure'), '::before').content;"
    hint = ask(few, script)
    few.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert ("sideways" in hint) == (width < 576)
    assert wide <= width
    assert 200 < canvas < width


def test_a_digest_is_whole_on_a_phone(few: Chrome) -> None:
    shape = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    few.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
    settled(few)
    found = ask(
        few,
        "const cell = [...document.querySelectorAll('td')]"
        ".find((one) => one.textContent === 'd'.repeat(64));"
        "const right = cell.getBoundingClientRect().right;"
        "return [right, innerWidth, cell.scrollWidth - cell.clientWidth];",
    )
    few.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    right, wide, hidden = found
    assert right <= wide
    assert hidden == 0


def test_paper_shows_figures_and_no_buttons(few: Chrome) -> None:
    media(few, media="print")
    shown = ask(
        few,
        "return ['.controls', 'nav', '.skip', 'svg.figure', 'canvas'].map("
        "(name) => document.querySelector(name).checkVisibility());",
    )
    media(few, media="")
    assert shown == [False, False, False, True, True]


def test_without_scripts_the_timeline_is_a_figure(pages: Path) -> None:
    with browser("--blink-settings=scriptEnabled=false") as driver:
        driver.get((pages / "few.html").as_uri())
        from selenium.webdriver.common.by import By

        figures = driver.find_elements(By.CSS_SELECTOR, "noscript svg.figure")
        assert len(figures) == 1
        assert figures[0].size["height"] > 100
