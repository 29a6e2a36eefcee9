"""Names from outside on a page: they are read as they are, and can do nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import HOSTILE, Page, page_of
from report_case import generated, with_why

from codesign.report.names import shown


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, str]:
    folder = tmp_path_factory.mktemp("hostile")
    generated(
        folder / "result", len(HOSTILE), name=lambda n: HOSTILE[n] + f" {n}", model=HOSTILE[0]
    )
    for name in ("summary.json", "components.json", "hardware.json"):
        path = folder / "result" / name
        found: Any = json.loads(path.read_text())
        if name == "summary.json":
            found |= {"assumptions": list(HOSTILE), "hardware": HOSTILE[1], "version": HOSTILE[2]}
        elif name == "components.json":
            found[0]["notes"], found[1]["kind"] = list(HOSTILE), HOSTILE[2]
            found[4]["device"] = HOSTILE[0]
        else:
            found[0] |= {"source": HOSTILE[0], "note": HOSTILE[2], "field": HOSTILE[5]}
        path.write_text(json.dumps(found))
    with_why(folder / "result", len(HOSTILE) * 1_000_000)
    why = folder / "result" / "why.json"
    why.write_text(why.read_text().replace('"head"', json.dumps(HOSTILE[1])))
    return page_of(folder / "result", folder / "page.html")


def test_hostile_names_add_no_element_and_no_attribute(hostile: tuple[Page, str]) -> None:
    page, _ = hostile
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["script"] == 2
    assert tags["img"] == 0
    assert not {name for _, attributes in page.tags for name in attributes if name.startswith("on")}


def test_hostile_names_are_read_as_they_are(hostile: tuple[Page, str]) -> None:
    page, _ = hostile
    assert page.texts["h1"] == [f"{HOSTILE[0]} on {HOSTILE[1]}"]
    for text in HOSTILE:
        assert shown(text) in page.texts["li"], text
        assert f"{shown(text)} " in " ".join(page.texts["td"]), text
    assert "49" not in page.texts["li"]


def test_hostile_names_stay_within_the_data(hostile: tuple[Page, str]) -> None:
    data, script = hostile[0].texts["script"]
    assert "<" not in data
    assert {shown(f"{text} {n}", 160) for n, text in enumerate(HOSTILE)} <= set(
        json.loads(data)["names"]
    )
    assert script.lstrip().startswith("// What the timeline says")


@given(st.text(max_size=300))
def test_a_shown_name_can_stand_in_any_xml_and_is_short(text: str) -> None:
    found = shown(text, 40)
    assert len(found) <= 40
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]", found
    )
    assert shown(found, 40) == found


def test_plain_names_are_shown_as_they_are() -> None:
    assert shown("encoder.layer.0 (weight) 名前") == "encoder.layer.0 (weight) 名前"
    assert shown("a\nb") == "a b"
    assert shown("abcdefghij", 5) == "ab…ij"


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4, unique=True))
def test_any_names_give_a_page_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    names = [name.encode("utf-8", "replace").decode() for name in names]
    folder = tmp_path_factory.mktemp("any")
    generated(folder / "result", len(names), name=lambda n: f"{n}{names[n]}")
    page, _ = page_of(folder / "result", folder / "page.html")
    assert Counter(tag for tag, _ in page.tags)["script"] == 2
