"""The page in a browser: it asks for nothing, runs nothing of others, and needs no mouse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import (
    ask,
    console,
    focus,
    log,
    needs_browser,
    opened,
    press,
    said,
    slice_of,
    window,
)

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytest_plugins = ["report_fixtures"]
pytestmark = needs_browser


SIZES = """
return [...document.querySelectorAll('svg.figure, canvas')].map((one) => {
  const box = one.getBoundingClientRect(); return [one.tagName, box.width, box.height];
});
"""


@pytest.mark.parametrize("page", ["few.html", "many.html"])
def test_nothing_is_complained_about_and_nothing_is_asked_for(
    driver: Chrome, pages: Path, page: str
) -> None:
    console(driver)
    log(driver, "performance")
    opened(driver, pages / page)
    assert console(driver) == []
    events = [json.loads(entry)["message"] for entry in log(driver, "performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    # the profile of a new browser may still open its own first page
    assert {url for url in asked if not url.startswith(("data:", "chrome"))} == {
        (pages / page).as_uri()
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
