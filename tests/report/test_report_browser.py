"""The page in a browser: it is drawn, it can be used without a mouse, and it asks for nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import ask, browser, console, log, needs_browser, opened, settled, stats
from report_case import generated, with_why

from codesign.report import write_report

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = needs_browser

ITEMS = 20_000
SIZES = """
return [...document.querySelectorAll('svg.figure, canvas')].map((one) => {
  const box = one.getBoundingClientRect(); return [one.tagName, box.width, box.height];
});
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 100 operators on two engines, 20,000 slices in all, and names that would harm."""
    made = tmp_path_factory.mktemp("pages")
    source = generated(
        made / "many", 100, runs=ITEMS // 100, name=lambda n: f"</script><b>{n:02d}</b>"
    )
    write_report(source, made / "many.html")
    source = generated(made / "few", 6, model="<script>alert(1)</script>")
    with_why(source, 6_000_000)
    write_report(source, made / "few.html")
    return made


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with browser() as opened_browser:
        yield opened_browser


@pytest.fixture
def few(driver: Chrome, folder: Path) -> Chrome:
    opened(driver, folder / "few.html")
    return driver


@pytest.fixture
def many(driver: Chrome, folder: Path) -> Chrome:
    opened(driver, folder / "many.html")
    return driver


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


@pytest.mark.parametrize("page", ["few.html", "many.html"])
def test_nothing_is_complained_about_and_nothing_is_asked_for(
    driver: Chrome, folder: Path, page: str
) -> None:
    console(driver)
    log(driver, "performance")
    opened(driver, folder / page)
    assert console(driver) == []
    events = [json.loads(entry)["message"] for entry in log(driver, "performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    # the profile of a new browser may still open its own first page
    assert {url for url in asked if not url.startswith(("data:", "chrome"))} == {
        (folder / page).as_uri()
    }


def test_the_policy_holds_back_what_a_page_might_ask_for(few: Chrome) -> None:
    console(few)
    refused = few.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'),"
        " () => done('refused'));"
    )
    assert refused == "refused"
    assert any("Content Security Policy" in line for line in console(few))


def test_every_figure_has_a_size(few: Chrome) -> None:
    sizes = ask(few, SIZES)
    assert [one[0].lower() for one in sizes].count("svg") == 6
    assert [one[0].lower() for one in sizes].count("canvas") == 1
    assert all(width > 300 and height > 80 for _, width, height in sizes)


def test_a_hostile_name_is_text_and_runs_nothing(few: Chrome) -> None:
    assert ask(few, "return document.querySelector('h1').textContent;") == (
        "<script>alert(1)</script> on nowhere"
    )
    assert few.title == "<script>alert(1)</script> on nowhere"
    assert ask(few, "return document.scripts.length;") == 2


def test_hostile_operators_are_text_in_the_timeline(many: Chrome) -> None:
    assert ask(many, "return document.querySelectorAll('b').length;") == 0
    focus(many)
    press(many, "n")
    assert said(many).startswith("</script><b>00</b> (contraction) on npu: starts at 0 s, ")


# -- keys ----------------------------------------------------------------------------------------


def test_tab_reaches_every_control_in_order_and_leaves_the_timeline(few: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    wanted = ask(
        few,
        "return [...document.querySelectorAll('a[href], button, canvas, summary, .scroll')]"
        ".filter((one) => one.checkVisibility()).length;",
    )
    reached: list[str] = []
    for _ in range(wanted):
        press(few, Keys.TAB)
        reached.append(
            ask(
                few,
                "const one = document.activeElement;"
                "one.dataset.reached = (Number(one.dataset.reached) || 0) + 1;"
                "return one.tagName + ' ' + (one.className || one.dataset.do || '');",
            )
        )
    assert reached[0] == "A skip"
    assert reached.count("CANVAS ") == 1
    assert [name for name in reached if name.startswith("BUTTON")] == [
        f"BUTTON {name}" for name in ("in", "out", "left", "right", "before", "after", "all")
    ]
    assert ask(few, "return document.querySelectorAll('[data-reached=\"1\"]').length;") == wanted


def test_the_skip_link_leads_to_the_content(few: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    press(few, Keys.TAB, Keys.ENTER)
    assert ask(few, "return document.activeElement.id;") == "main"


def test_keys_zoom_and_move_the_timeline_within_the_run(few: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    focus(few)
    assert window(few) == (0, 6_000_000)
    press(few, "+")
    assert window(few) == (1_500_000, 4_500_000)
    press(few, Keys.ARROW_RIGHT)
    assert window(few) == pytest.approx((2_100_000, 5_100_000))
    press(few, *[Keys.ARROW_RIGHT] * 5)
    assert window(few) == pytest.approx((3_000_000, 6_000_000)), "not beyond the end"
    press(few, *[Keys.ARROW_LEFT] * 9)
    assert window(few) == pytest.approx((0, 3_000_000)), "not before the start"
    press(few, "-", "-", "-")
    assert window(few) == (0, 6_000_000)
    press(few, "+", "+", "0")
    assert window(few) == (0, 6_000_000)


def test_zooming_in_ends_at_picoseconds(few: Chrome) -> None:
    focus(few)
    press(few, *["+"] * 40)
    start, end = window(few)
    assert end - start == pytest.approx(10)
    assert console(few) == []


def test_keys_choose_slices_and_say_operator_start_and_length(few: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    focus(few)
    press(few, "n")
    assert said(few) == slice_of("layer0000.linear", "npu", "0 s")
    press(few, "n")
    assert said(few) == slice_of("layer0002.linear", "npu", "2 µs")
    press(few, "p", "p")
    assert said(few) == slice_of("layer0000.linear", "npu", "0 s")
    press(few, Keys.ARROW_DOWN)
    assert said(few) == "vector"
    press(few, "n")
    assert said(few) == slice_of("layer0001.linear", "vector", "1 µs")
    press(few, Keys.ARROW_DOWN, "n")
    assert said(few).startswith("compute · npu · head on critical path: starts at 0 s")


def test_a_slice_that_is_chosen_comes_into_view(many: Chrome) -> None:
    focus(many)
    press(many, *["+"] * 12, "0", *["+"] * 10)
    before = window(many)
    press(many, *["n"] * 30)
    start, end = window(many)
    assert start > before[0]
    assert end - start == pytest.approx(before[1] - before[0])


# -- mouse and touch -----------------------------------------------------------------------------


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


def test_pointing_shows_operator_start_and_length(few: Chrome) -> None:
    at(few, "pointermove", 0.15, 40)
    assert tip(few) == slice_of("layer0000.linear", "npu", "0 s")
    at(few, "pointermove", 0.97, 40)
    assert tip(few) == "", "nothing runs there"
    at(few, "pointermove", 0.97, 90)
    assert tip(few) == slice_of("layer0005.linear", "vector", "5 µs")
    at(few, "pointermove", 0.5, 190)
    assert tip(few).startswith("sram: 1.5 GB/s at ")
    at(few, "pointerleave", 0.5, 190)
    assert tip(few) == ""


def test_pointing_at_many_slices_tells_how_many_and_the_shares_of_their_time(many: Chrome) -> None:
    """Engines take turns, and compute for a tenth of each slice: 1 of 20 parts of all time."""
    at(many, "pointermove", 0.5, 40)
    told = re.fullmatch(
        r"npu: (\d+) slices from ([\d.]+) ms to ([\d.]+) ms, "
        r"([\d.]+) % computing, ([\d.]+) % waiting",
        tip(many),
    )
    assert told, tip(many)
    count, start, end, computing, waiting = map(float, told.groups())
    assert count == pytest.approx((end - start) * 1000 / 2, abs=3)
    assert computing == pytest.approx(5, abs=0.5)
    assert waiting == pytest.approx(45, abs=4)
    focus(many)
    press(many, *["+"] * 12)
    at(many, "pointermove", 0.5, 40)
    assert "computes 10.0 % of it" in tip(many) or tip(many) == "", "alone it is told by name"


ALPHA = """
const [x, y] = arguments, canvas = document.querySelector('#timeline canvas');
const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
return canvas.getContext('2d').getImageData(x * canvas.width, y * ratio, 1, 1).data[3];
"""


def test_waiting_is_pale_above_what_computes_and_no_work_is_empty(few: Chrome) -> None:
    row, height = 26, 42
    top, bottom = row + 4, row + height - 2
    assert ask(few, ALPHA, 0.15, bottom) == 255, "a tenth of it computes"
    assert 40 < ask(few, ALPHA, 0.15, top) < 120
    assert ask(few, ALPHA, 0.3, bottom) == 0, "the other engine has the work"


def test_of_many_slices_the_height_is_the_share(many: Chrome) -> None:
    row, height = 26, 42
    assert ask(many, ALPHA, 0.5, row + height * 0.99) == 255
    assert 40 < ask(many, ALPHA, 0.5, row + height * 0.75) < 120, "taken for half of the time"
    assert ask(many, ALPHA, 0.5, row + height * 0.3) == 0


def test_dragging_moves_and_two_fingers_zoom(few: Chrome) -> None:
    focus(few)
    press(few, "+")
    at(few, "pointerdown", 0.5, 40)
    at(few, "pointermove", 0.4, 40)
    moved = window(few)
    assert moved[0] > 1_500_000
    assert moved[1] - moved[0] == pytest.approx(3_000_000)
    at(few, "pointerdown", 0.6, 40, pointerId=2)
    at(few, "pointermove", 0.8, 40, pointerId=2)
    start, end = window(few)
    assert end - start == pytest.approx(1_500_000)
    at(few, "pointerup", 0.4, 40)
    at(few, "pointerup", 0.8, 40, pointerId=2)


def test_the_wheel_zooms_only_where_it_is_wanted(few: Chrome) -> None:
    at(few, "wheel", 0.5, 40, deltaY=-300)
    assert window(few) == (0, 6_000_000), "the page scrolls"
    at(few, "wheel", 0.5, 40, deltaY=-300, ctrlKey=True)
    start, end = window(few)
    assert end - start == pytest.approx(6_000_000 / 2.718281828)


def test_a_click_chooses_a_slice(few: Chrome) -> None:
    at(few, "pointerdown", 0.15, 40)
    at(few, "pointerup", 0.15, 40)
    assert said(few).startswith("layer0000.linear (contraction) on npu")


def test_buttons_do_what_keys_do(few: Chrome) -> None:
    for name, expected in (("in", (1_500_000, 4_500_000)), ("all", (0, 6_000_000))):
        ask(few, "document.querySelector(`[data-do=${arguments[0]}]`).click();", name)
        settled(few)
        assert window(few) == expected


# -- how much a frame draws ----------------------------------------------------------------------


def test_a_frame_draws_no_more_than_there_are_pixels(many: Chrome) -> None:
    found = stats(many)
    pixels = ask(many, "return document.querySelector('#timeline canvas').clientWidth;")
    assert found["items"] == ITEMS
    # two engines, and three rates of a thousand steps
    assert found["drawn"] <= 2 * pixels + 3 * 1000
    assert found["looked"] <= 2 * pixels * 16 + 100


def test_a_frame_of_a_narrow_window_finds_what_it_shows_by_halving(many: Chrome) -> None:
    focus(many)
    press(many, *["+"] * 9)
    found = stats(many)
    visible = (found["to"] - found["from"]) / 1_000_000
    assert visible < 50
    assert found["drawn"] <= visible + 2 + 3 * (visible + 2)
    assert found["looked"] <= 5 * 16


def test_many_keys_between_two_frames_draw_once(many: Chrome) -> None:
    focus(many)
    before = stats(many)["frames"]
    ask(
        many,
        "const canvas = document.querySelector('#timeline canvas');"
        "for (let n = 0; n < 50; n += 1)"
        " canvas.dispatchEvent(new KeyboardEvent('keydown', {key: '+'}));",
    )
    settled(many)
    assert stats(many)["frames"] - before <= 2


# -- light, dark, narrow, print, no script -------------------------------------------------------


def media(driver: Chrome, **features: Any) -> None:
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    settled(driver)


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


def test_paper_shows_figures_and_no_buttons(few: Chrome) -> None:
    media(few, media="print")
    shown = ask(
        few,
        "return ['.controls', 'nav', '.skip', 'svg.figure', 'canvas'].map("
        "(name) => document.querySelector(name).checkVisibility());",
    )
    media(few, media="")
    assert shown == [False, False, False, True, True]


def test_without_scripts_the_timeline_is_a_figure(folder: Path) -> None:
    with browser("--blink-settings=scriptEnabled=false") as driver:
        driver.get((folder / "few.html").as_uri())
        from selenium.webdriver.common.by import By

        figures = driver.find_elements(By.CSS_SELECTOR, "noscript svg.figure")
        assert len(figures) == 1
        assert figures[0].size["height"] > 100
