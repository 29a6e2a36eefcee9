"""The timeline under a mouse and fingers, and how much a frame of it draws."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import (
    ITEMS,
    ask,
    at,
    console,
    focus,
    needs_browser,
    opened,
    press,
    said,
    settled,
    slice_of,
    stats,
    tip,
    window,
)

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytest_plugins = ["report_fixtures"]
pytestmark = needs_browser


# -- mouse and touch -----------------------------------------------------------------------------


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


PATH = 26 + 2 * (42 + 8)
"""Pixels down to the row of the critical path, below two engines."""
COLOUR = """
const [x, y] = arguments, canvas = document.querySelector('#timeline canvas');
const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
return [...canvas.getContext('2d').getImageData(x * canvas.width, y * ratio, 1, 1).data];
"""


@pytest.fixture
def loop(driver: Chrome, pages: Path) -> Chrome:
    opened(driver, pages / "loop.html")
    return driver


def test_causes_that_took_turns_stand_above_each_other_for_all_of_the_stretch(loop: Chrome) -> None:
    """Computing for 30 % of it at the bottom, waiting for weights above, from end to end."""
    computing, waiting = ([ask(loop, COLOUR, x, PATH + y) for x in (0.57, 0.97)] for y in (39, 5))
    assert computing[0] == computing[1] != waiting[0] == waiting[1]
    before = [ask(loop, COLOUR, 0.3, PATH + y) for y in (39, 5)]
    assert before[0] == before[1] == waiting[0], "one cause fills the height"


def test_pointing_at_a_folded_stretch_tells_the_shares_of_its_causes(loop: Chrome) -> None:
    at(loop, "pointermove", 0.9, PATH + 20)
    assert tip(loop) == (
        "folded: 50 parts in turns on critical path: starts at 3 µs, takes 3 µs: "
        "bandwidth 70.0 %, compute 30.0 %, in turns"
    )
    at(loop, "pointermove", 0.3, PATH + 20)
    assert tip(loop).endswith("on critical path: starts at 0 s, takes 3 µs")


def test_keys_reach_a_folded_stretch_and_say_the_same(loop: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    console(loop)
    focus(loop)
    press(loop, Keys.ARROW_DOWN, Keys.ARROW_DOWN, "n", "n")
    assert said(loop).endswith("bandwidth 70.0 %, compute 30.0 %, in turns")
    assert console(loop) == []


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
