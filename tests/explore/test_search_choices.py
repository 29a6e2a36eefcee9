"""A space as a row of choices: what is ordered, which choices make a point, and what is near."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import StudyError
from codesign.explore.grammar import Constraint
from codesign.explore.search.choices import (
    choices_at,
    choices_of,
    draw_free,
    in_order,
    is_ordered,
    neighbours,
    values_at,
)
from codesign.explore.space import Parameter, Space


def space(*parameters: Parameter, **others: Any) -> Space:
    return Space(parameters, **others)


CELL = Parameter.of("cell", ["lstm", "cifg", "sru"])
BLOCKS = Parameter.of("blocks", [1, 2, 4], when="cell == 'cifg'")
SIZE = Parameter.of("sram.size", ["64 KiB", "128 KiB", "1 MiB"])
RATE = Parameter.of("dram.bandwidth", ["1 GB/s", "2 GB/s", "4 GB/s"])
SPACE = space(
    CELL,
    BLOCKS,
    SIZE,
    RATE,
    zipped=(("sram.size", "dram.bandwidth"),),
    constraints=(Constraint.parse("not (cell == 'sru' and sram.size == '64 KiB')"),),
)


@pytest.mark.parametrize(
    "values",
    [
        [384, 448, 512],
        [8, 4, 2.5],
        ["256 KiB", "512 KiB", "1 MiB", "16 MB"],
        ["1 GB/s", "800 MB/s"],
        ["layer-major:4", "layer-major:16"],
        ["int4", "int8", "int16"],
        range(1, 9, 2),
    ],
)
def test_values_that_rise_or_fall_are_ordered(values: list[Any]) -> None:
    assert is_ordered(values)


@pytest.mark.parametrize(
    "values",
    [
        [1],
        [1, 3, 2],
        [1, 1.0],
        ["lstm", "gru"],
        [None, 4, 8],
        [True, False],
        ["time-major", "layer-major:4", "layer-major:8"],
        ["int8", "fp16"],
        ["1 MiB", "1 GB/s"],
        ["lpddr4x", "lpddr5"],
    ],
)
def test_other_values_are_not(values: list[Any]) -> None:
    assert not is_ordered(values)


def test_every_point_of_a_space_is_made_by_its_choices() -> None:
    found = [index for index in range(SPACE.size) if SPACE.point(index) is not None]
    assert len(found) == 14  # 3 x 3 of cifg, 3 of lstm, 2 of sru
    for index in found:
        point = SPACE.point(index)
        assert point is not None
        assert SPACE.index(choices_of(SPACE, point)) == index
        assert choices_at(SPACE, index) == choices_of(SPACE, point)
        assert values_at(SPACE, index) == point


def test_what_a_condition_leaves_out_is_not_looked_at() -> None:
    plain = {"cell": "lstm", "sram.size": "1 MiB", "dram.bandwidth": "4 GB/s"}
    assert choices_of(SPACE, plain | {"blocks": 4}) == choices_of(SPACE, plain)
    assert choices_of(SPACE, plain | {"blocks": "whatever"}) == (0, 0, 2)


def test_a_point_that_a_constraint_excludes_has_choices_and_values() -> None:
    excluded = {"cell": "sru", "sram.size": "64 KiB", "dram.bandwidth": "1 GB/s"}
    index = SPACE.index(choices_of(SPACE, excluded))
    assert SPACE.point(index) is None
    assert values_at(SPACE, index) == excluded


def test_a_truth_is_no_number() -> None:
    switch = space(Parameter.of("split", [False, True]), Parameter.of("batch", [1, 0]))
    assert choices_of(switch, {"split": True, "batch": 1}) == (1, 0)
    with pytest.raises(StudyError, match=r"split must be one of \[False, True\], got 1"):
        choices_of(switch, {"split": 1, "batch": 1})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "gru"}, r"cell must be one of \['lstm', 'cifg', 'sru'\], got 'gru'"),
        ({"hidden": 4}, "'hidden' does not vary; known: blocks, cell,"),
        ({"sram.size": "128 KiB"}, "'sram.size' and 'dram.bandwidth' do not go together"),
        ({"cell": "cifg"}, "'blocks' is missing; give it a value"),
    ],
)
def test_what_is_no_point_is_refused(change: dict[str, Any], message: str) -> None:
    point = {"cell": "lstm", "sram.size": "64 KiB", "dram.bandwidth": "1 GB/s"}
    with pytest.raises(StudyError, match=message):
        choices_of(SPACE, point | change)


def test_neighbours_differ_in_one_choice_and_near_values_come_first() -> None:
    plain = space(CELL, Parameter.of("hidden", range(1, 6)))
    start = (1, 1)
    ordered = in_order(plain)
    assert ordered == (False, True)
    draw = random.Random(0)
    found = [choices_at(plain, n) for n in neighbours(plain, start, ordered, draw)]
    assert sorted(found) == [(0, 1), (1, 0), (1, 2), (1, 3), (1, 4), (2, 1)]
    assert found[-2:] == [(1, 3), (1, 4)]
    near = [choices_at(plain, n) for n in neighbours(plain, start, ordered, draw, most=1)]
    assert set(near) == set(found[:4]) == {(0, 1), (2, 1), (1, 0), (1, 2)}


@given(st.integers(0, 2**32), st.sets(st.integers(0, SPACE.size - 1)))
def test_a_draw_is_a_point_that_is_not_taken_until_there_is_none(
    seed: int, taken: set[int]
) -> None:
    free = {n for n in range(SPACE.size) if SPACE.point(n) is not None} - taken
    drawn = draw_free(SPACE, taken, random.Random(seed))
    assert drawn in free if free else drawn is None
    assert drawn == draw_free(SPACE, taken, random.Random(seed))


def test_the_last_point_of_a_large_space_is_found() -> None:
    large = space(Parameter.of("a", range(200)), Parameter.of("b", range(200)))
    taken = set(range(large.size)) - {12345}
    assert draw_free(large, taken, random.Random(0)) == 12345
