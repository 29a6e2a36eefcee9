"""Points of a space: each combination once, what goes together together, and nothing else."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import StudyError
from codesign.explore.grammar import Constraint
from codesign.explore.space import Parameter, Space


def space(
    zipped: tuple[tuple[str, ...], ...] = (),
    constraints: tuple[str, ...] = (),
    when: dict[str, str] | None = None,
    **values: Any,
) -> Space:
    told = when or {}
    parameters = tuple(Parameter.of(name, some, told.get(name)) for name, some in values.items())
    return Space(parameters, zipped, tuple(Constraint.parse(text) for text in constraints))


def test_a_grid_has_every_combination_once_and_the_last_varies_fastest() -> None:
    found = list(space(a=[1, 2], b=range(3)).points())
    assert [tuple(point.values()) for point in found] == list(itertools.product([1, 2], range(3)))
    assert list(found[0]) == ["a", "b"]


def test_zipped_values_go_together() -> None:
    found = list(space(zipped=(("a", "c"),), a=[1, 2], b=["x", "y"], c=[10, 20]).points())
    assert [tuple(point.items()) for point in found] == [
        (("a", a), ("c", 10 * a), ("b", b)) for a in (1, 2) for b in ("x", "y")
    ]


def test_a_condition_leaves_a_parameter_out_and_no_point_twice() -> None:
    found = list(
        space(
            cell=["gru", "lstm"], projection=[64, 128], when={"projection": "cell == 'lstm'"}
        ).points()
    )
    assert found == [
        {"cell": "gru"},
        {"cell": "lstm", "projection": 64},
        {"cell": "lstm", "projection": 128},
    ]


def test_a_condition_on_what_is_not_there_does_not_hold() -> None:
    when = {"b": "a == 2", "c": "b == 1"}
    found = list(space(a=[1, 2], b=[1, 2], c=[5, 6], when=when).points())
    assert found == [{"a": 1}, {"a": 2, "b": 1, "c": 5}, {"a": 2, "b": 1, "c": 6}, {"a": 2, "b": 2}]


def test_constraints_leave_points_out_and_wait_for_what_they_do_not_know() -> None:
    found = list(space(constraints=("a + b <= 3", "params <= 20e6"), a=[1, 2], b=[1, 2]).points())
    assert [(point["a"], point["b"]) for point in found] == [(1, 1), (1, 2), (2, 1)]
    assert list(space(constraints=("a > 5",), a=[1, 2]).points()) == []


def test_a_sample_has_different_points_of_the_space_and_depends_on_its_seed_alone() -> None:
    grid = space(constraints=("a != b",), a=range(20), b=range(20))
    every = list(grid.points())
    one, again, other = grid.sample(30, 1), grid.sample(30, 1), grid.sample(30, 2)
    assert one == again != other
    assert len({tuple(point.values()) for point in one}) == 30
    assert all(point in every for point in one)
    assert one[0] == {"a": 3, "b": 8}  # on any machine


def test_a_sample_larger_than_the_space_is_all_of_it() -> None:
    grid = space(constraints=("a < 3",), a=range(5))
    assert grid.sample(5) == grid.sample(99) == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert len(space(constraints=("a == 7",), a=range(50)).sample(9)) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 3))
def test_points_by_index_are_the_points(radices: list[int], limit: int) -> None:
    values: dict[str, Any] = {f"p{n}": range(radix) for n, radix in enumerate(radices)}
    grid = space(constraints=(f"p0 <= {limit}",), **values)
    by_index = [point for n in range(grid.size) if (point := grid.point(n)) is not None]
    expected = [
        dict(zip(values, row, strict=True))
        for row in itertools.product(*values.values())
        if row[0] <= limit
    ]
    assert by_index == list(grid.points()) == expected


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({}, "must have at least one parameter"),
        ({"a": []}, "a: must have at least one value, got none; the space is empty"),
        ({"a": "lstm"}, "a: must have a list of values, got 'lstm'; write ['lstm']"),
        ({"a": 4}, "a: must have a list of values, got 4; write [4]"),
        ({"a": [1, 2, 1]}, "a: has the value 1 twice"),
        ({"a": [1], "zipped": (("a", "b"),)}, "zip: unknown parameter 'b'; known: a"),
        ({"a": [1], "b": [1, 2], "zipped": (("a", "b"),)}, "a has 1, b has 2"),
        ({"a": [1], "b": [2], "zipped": (("a", "b"), ("b",))}, "'b' stands in two groups"),
        ({"a": [1], "b": [2], "when": {"a": "b == 2"}}, "'b', which is no parameter before it"),
        ({"a": [1], "when": {"a": "=="}}, "must stand here"),
    ],
)
def test_a_mistake_is_told(made: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        space(**made)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(StudyError, match="'a' is given twice"):
        Space((Parameter.of("a", [1]), Parameter.of("a", [2])))
