"""Points of a front that are equal in every objective are one row for people, and all stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swept_tables import Point, records, table

from codesign.explore.alike import alike_on_front
from codesign.explore.swept import Swept

SIZES = ["64 KiB", "256 KiB", "1 MiB", "2 MiB", "4 MiB"]


def enough(point: Point) -> dict[str, float]:
    """A buffer beyond 256 KiB brings nothing; a faster memory costs energy."""
    reloads = {"64 KiB": 2.0, "256 KiB": 1.0}.get(point["size"], 0.0)
    return {"energy_j": 1.0 + reloads + point["rate"], "latency_s": 2.0 + reloads - point["rate"]}


def rows_of(
    space: Mapping[str, Any], measure: Callable[[Point], Mapping[str, float]], **changes: Any
) -> list[tuple[list[int], dict[str, str]]]:
    front = alike_on_front(table(space, measure, **changes))
    return [([row["index"] for row in one.rows], dict(one.spans)) for one in front]


def test_values_without_effect_are_one_row_that_tells_their_range() -> None:
    space = {"size": SIZES, "rate": [0.25, 0.5]}
    assert rows_of(space, enough) == [
        ([4, 6, 8], {"size": "1 MiB … 4 MiB"}),
        ([5, 7, 9], {"size": "1 MiB … 4 MiB"}),
    ]


def test_the_front_itself_keeps_every_point() -> None:
    found = table({"size": SIZES, "rate": [0.25, 0.5]}, enough)
    assert [row for one in alike_on_front(found) for row in one.rows] == found.pareto()


def test_the_first_of_the_space_stands_for_all_also_where_sizes_go_down() -> None:
    found = alike_on_front(table({"size": SIZES[::-1], "rate": [0.5]}, enough))
    (one,) = found
    assert (one.first["size"], one.spans) == ("4 MiB", {"size": "1 MiB … 4 MiB"})
    assert one.values("size") == {"'1 MiB'", "'2 MiB'", "'4 MiB'"}


def test_without_ties_there_is_a_row_for_each_point() -> None:
    found = rows_of({"n": [1, 2, 3]}, lambda p: {"energy_j": p["n"], "latency_s": -p["n"]})
    assert found == [([0], {}), ([1], {}), ([2], {})]


def test_what_differs_in_the_last_digit_is_not_alike() -> None:
    near = {1: 1.0, 2: 1.0 + 2**-52}
    found = rows_of({"n": [1, 2]}, lambda p: {"energy_j": near[p["n"]], "latency_s": -p["n"]})
    assert found == [([0], {}), ([1], {})]


def test_several_without_effect_are_told_each() -> None:
    space = {"a": [1, 2, 3], "b": ["x", "y"], "c": [True, False]}
    assert rows_of(space, lambda _: {"energy_j": 1.0}) == [
        (list(range(12)), {"a": "1 … 3", "b": "x, y", "c": "True, False"})
    ]


def test_values_that_go_together_only_are_told_in_brackets() -> None:
    zipped = rows_of(
        {"rows": [8, 16, 32], "cols": [8, 16, 32], "k": [1, 2]},
        lambda _: {"energy_j": 1.0},
        keep=lambda p: p["rows"] == p["cols"],
    )
    # any k goes with each of them; 16 rows go with 16 columns alone
    assert zipped == [
        ([0, 1, 8, 9, 16, 17], {"rows": "8 (16, 32)", "cols": "8 (16, 32)", "k": "1, 2"})
    ]


def test_a_gap_in_a_range_is_seen() -> None:
    cheap = {1: 1.0, 2: 1.0, 3: 1.0, 4: 9.0, 5: 1.0}
    (found,) = rows_of({"n": list(cheap)}, lambda p: {"energy_j": cheap[p["n"]]})
    assert found == ([0, 1, 2, 4], {"n": "1 … 3, 5"})


def test_a_long_list_with_gaps_ends_in_a_count() -> None:
    (found,) = rows_of({"n": list(range(20))}, lambda p: {"energy_j": float(p["n"] % 2)})
    assert found[1] == {"n": "0, 2 and 8 more"}


def test_a_parameter_that_some_points_lack_is_a_dash() -> None:
    (found,) = rows_of({"n": [None, 1, 2, 3]}, lambda _: {"energy_j": 1.0})
    assert found[1] == {"n": "-, 1 … 3"}


def test_a_front_without_points_has_no_rows() -> None:
    assert rows_of({"n": [1]}, lambda _: {"energy_j": 1.0}, feasible=lambda _: False) == []


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=24),
    st.sampled_from([[], ["a"], ["a", "b"]]),
)
def test_rows_are_the_front_in_order_each_vector_once(
    values: Sequence[tuple[int, int]], maximise: list[str]
) -> None:
    found = table(
        {"n": list(range(len(values)))},
        lambda p: dict(zip("ab", map(float, values[p["n"]]), strict=True)),
        maximise=maximise,
    )
    front = alike_on_front(found)
    assert [row for one in front for row in one.rows] == found.pareto()
    vectors = [(one.first["a"], one.first["b"]) for one in front]
    assert len(vectors) == len(set(vectors))
    for one, vector in zip(front, vectors, strict=True):
        assert {(row["a"], row["b"]) for row in one.rows} == {vector}
        assert one.first["index"] == min(row["index"] for row in one.rows)
        assert bool(one.spans) == (len(one.rows) > 1)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_the_journal_moves_nothing(order: int) -> None:
    study, planned, *done = records({"size": SIZES, "rate": [0.25, 0.5]}, enough)
    found = alike_on_front(Swept.of([study, planned, *done[::order]]))
    assert [one.spans["size"] for one in found] == ["1 MiB … 4 MiB"] * 2
