"""The map of memories: boxes that do not cover each other, and what is told of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_case import generated, small

from codesign.report.figures.residency import (
    MOST_TENSORS,
    Stayed,
    draw_residency,
    most_at_once,
    stacked,
    stayed_in,
)
from codesign.report.saved import read_saved

boxes = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 90), st.integers(1, 30)), min_size=1, max_size=25
).map(
    lambda found: tuple(
        Stayed(f"t{n}", "weight", "kept", size, start, start + length)
        for n, (size, start, length) in enumerate(found)
    )
)


@given(boxes)
def test_no_box_covers_another(rows: tuple[Stayed, ...]) -> None:
    found = stacked(rows)
    assert sorted(one.tensor for one in found) == sorted(one.tensor for one in rows)
    for a, b in itertools.combinations(found, 2):
        together = a.start < b.end and b.start < a.end
        level = a.floor < b.floor + b.bytes and b.floor < a.floor + a.bytes
        assert not (together and level)


@given(boxes)
def test_the_drawing_is_at_least_as_high_as_what_is_there_at_once(rows: tuple[Stayed, ...]) -> None:
    most = most_at_once(rows)
    assert max(one.bytes for one in rows) <= most <= sum(one.bytes for one in rows)
    assert max(one.floor + one.bytes for one in stacked(rows)) >= most


def test_what_ends_as_another_begins_is_not_there_together() -> None:
    rows = (Stayed("a", "", "", 5, 0, 10), Stayed("b", "", "", 7, 10, 20))
    assert most_at_once(rows) == 7
    assert [one.floor for one in stacked(rows)] == [0, 0]


def test_each_box_is_named_with_role_bytes_and_times(tmp_path: Path) -> None:
    small().save(tmp_path)
    saved = read_saved(tmp_path)
    drawn = draw_residency(saved)
    titles = [text for texts in drawn.titles.values() for text in texts]
    assert len(titles) == sum(map(len, stayed_in(saved).values()))
    assert any(text.startswith("rnn.u (weight, kept): 1.024 kB, from ") for text in titles)
    titles_above = [axes.get_title(loc="left") for axes in drawn.figure.axes]
    assert titles_above[0].startswith("sram0 of 65.54 kB: at most ")


@pytest.mark.parametrize(("count", "left"), [(MOST_TENSORS, ""), (MOST_TENSORS + 3, "3 smaller")])
def test_the_largest_are_drawn_and_the_rest_is_told_of(
    tmp_path: Path, count: int, left: str
) -> None:
    drawn = draw_residency(read_saved(generated(tmp_path, count)))
    assert len(drawn.titles) == MOST_TENSORS
    assert ("smaller ones" in drawn.figure.axes[0].get_title(loc="left")) == bool(left)
    assert left in drawn.figure.axes[0].get_title(loc="left")
