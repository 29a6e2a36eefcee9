"""A space as columns of numbers has the points that it has one by one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.explore import grid as grids
from codesign.explore.grammar import Constraint
from codesign.explore.grid import Grid
from codesign.explore.space import Parameter, Space

CONDITIONS = ("a == 1", "a >= 1 and b != 2", "a == 1 or b == 0", "not c == 1")
CONSTRAINTS = ("a + b <= 2", "a != c", "d >= b", "max(a, b) < 3", "c == 0 or d == 1")
NAMES = "abcd"


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Up to four parameters, some of them conditional, some of them together."""
    count = draw(st.integers(1, 4))
    sizes = [draw(st.integers(1, 4)) for _ in range(count)]
    names = NAMES[:count]
    whens = [
        draw(st.sampled_from([None, None, *(w for w in CONDITIONS if known(w, names[:place]))]))
        for place in range(count)
    ]
    parameters = tuple(
        Parameter.of(name, range(size), when)
        for name, size, when in zip(names, sizes, whens, strict=True)
    )
    pairs = [
        (one, other)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if sizes[names.index(one)] == sizes[names.index(other)]
    ]
    zipped = draw(st.sampled_from([(), *((pair,) for pair in pairs)]))
    texts = draw(st.sets(st.sampled_from(CONSTRAINTS), max_size=2))
    kept = [Constraint.parse(text) for text in sorted(texts) if known(text, names)]
    return Space(parameters, zipped, tuple(kept))


def known(text: str, names: str) -> bool:
    return set(Constraint.parse(text).names) <= set(names)


@given(spaces())
def test_a_grid_has_the_points_of_its_space_in_order(space: Space) -> None:
    grid = Grid.of(space)
    assert [grid.point(place) for place in range(len(grid))] == list(space.points())


@given(spaces(), st.data())
def test_a_column_has_the_values_of_each_point(space: Space, data: st.DataObject) -> None:
    names = [parameter.name for parameter in space.parameters]
    asked = data.draw(st.sets(st.sampled_from(names)))
    column = Grid.of(space).column(asked)
    found = [column.values[number] for number in column.ids.tolist()]
    assert found == [
        {name: value for name, value in point.items() if name in asked} for point in space.points()
    ]
    told = [json.dumps(value, sort_keys=True) for value in column.values]
    assert len(set(told)) == len(told)


@given(spaces(), st.integers(1, 7))
def test_looking_at_a_few_at_a_time_changes_nothing(space: Space, few: int) -> None:
    whole = Grid.of(space).indexes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "_AT_ONCE", few)
        assert np.array_equal(Grid.of(space).indexes, whole)


@given(spaces(), st.data())
def test_some_of_the_points_keep_their_values(space: Space, data: st.DataObject) -> None:
    grid = Grid.of(space)
    size = len(grid)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    some = grid.only(mask)
    points = [point for point, kept in zip(space.points(), mask, strict=True) if kept]
    assert [some.point(place) for place in range(len(some))] == points


def test_combinations_and_digits_are_the_same_thing() -> None:
    space = Space(
        tuple(Parameter.of(name, range(size)) for name, size in zip("abc", (2, 3, 5), strict=True))
    )
    assert space.radices == (2, 3, 5)
    assert space.index((1, 2, 4)) == space.size - 1
    assert space.point(space.index((1, 0, 3))) == {"a": 1, "b": 0, "c": 3}


def test_a_constraint_on_everything_is_asked_once_for_each_combination_of_its_parameters() -> None:
    asked = []
    constraint = Constraint.parse("a + b < 9")
    parameters = tuple(Parameter.of(name, range(6)) for name in "abcd")
    space = Space(parameters, (), (constraint,))

    def keeps(self: Space, rule: Constraint, point: Any) -> bool:
        asked.append(point)
        return rule.holds(point)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Space, "keeps", keeps)
        grid = Grid.of(space)
    assert len(asked) == 36
    assert len(grid) == 36 * (36 - 3)
