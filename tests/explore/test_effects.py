"""Main effects against cases worked out by hand, and against plain means of complete tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swept_tables import Point, table

from codesign.errors import StudyError
from codesign.explore import additive
from codesign.explore.effects import MOST_VALUES, Effect, Effects, main_effects

COSTS = {"x": 0.0, "y": 1.0, "z": 5.0}


def cost(point: Point) -> dict[str, float]:
    """Ten for each a, and what b costs: no interplay."""
    return {"energy_j": 10.0 * point["a"] + COSTS[point["b"]]}


def effect(found: Effects, name: str) -> Effect:
    (only,) = (one for one in found.effects if one.name == name)
    return only


def test_means_and_shares_of_a_complete_table_are_those_by_hand() -> None:
    found = main_effects(table({"a": [1, 2], "b": ["x", "y", "z"]}, cost))
    a, b = found.effects
    assert (a.parameters, a.values, a.counts) == (("a",), ("1", "2"), (3, 3))
    assert (b.parameters, b.values, b.counts) == (("b",), ("x", "y", "z"), (2, 2, 2))
    assert a.means["energy_j"] == pytest.approx([12, 22])
    assert b.means["energy_j"] == pytest.approx([15, 16, 20])
    # squares around 17: 6 x 25 by a, and 2 x (4 + 1 + 9) by b
    assert a.shares["energy_j"] == pytest.approx(150 / 178)
    assert b.shares["energy_j"] == pytest.approx(28 / 178)
    assert (found.together, found.interplay) == ({"energy_j": 0.0}, {"energy_j": 0.0})
    assert found.points == 6


def test_what_no_sum_explains_is_interplay() -> None:
    found = main_effects(
        table({"a": [0, 1], "b": [0, 1]}, lambda p: {"energy_j": float(p["a"] ^ p["b"])})
    )
    assert [one.shares["energy_j"] for one in found.effects] == [0.0, 0.0]
    assert [one.means["energy_j"] for one in found.effects] == [(0.5, 0.5), (0.5, 0.5)]
    assert found.interplay["energy_j"] == 1.0
    product = main_effects(
        table({"a": [1, 2], "b": [1, 3]}, lambda p: {"energy_j": float(p["a"] * p["b"])})
    )
    # 1, 3, 2, 6: a sum gives 0.5, 3.5, 2.5, 5.5, which leaves 4 x 0.25 of 14
    assert product.interplay["energy_j"] == pytest.approx(1 / 14)


def test_a_value_measured_next_to_cheap_ones_does_not_look_cheap() -> None:
    found = main_effects(
        table({"a": [1, 2], "b": ["x", "y", "z"]}, cost, keep=lambda p: p != {"a": 2, "b": "z"})
    )
    a, b = found.effects
    assert (a.counts, b.counts) == ((3, 2), (2, 2, 1))
    assert np.diff(a.means["energy_j"]) == pytest.approx([10])  # plain means differ by 8.5
    assert np.diff(b.means["energy_j"]) == pytest.approx([1, 4])
    # all five points took a = 1: 10 + 0, 1, 5, 0, 1
    assert a.means["energy_j"][0] == pytest.approx(10 + 7 / 5)
    shares = [one.shares["energy_j"] for one in found.effects]
    assert all(0 < share < 1 for share in shares)
    assert sum(shares) + found.together["energy_j"] == pytest.approx(1)
    assert abs(found.together["energy_j"]) > 0.01
    assert found.interplay["energy_j"] == 0.0


def test_shares_of_an_incomplete_table_are_what_the_sum_loses() -> None:
    found = main_effects(
        table(
            {"a": [0, 1], "b": [0, 1]},
            lambda p: {"energy_j": 10.0 * p["a"] + p["b"]},
            keep=lambda p: p["a"] + p["b"] < 2,
        )
    )
    # 0, 1, 10; without a: 5, 5 and 1, off by 50; without b: 0.5, 0.5 and 10, off by 0.5; of 182 / 3
    assert effect(found, "a").shares["energy_j"] == pytest.approx(50 / (182 / 3))
    assert effect(found, "b").shares["energy_j"] == pytest.approx(0.5 / (182 / 3))


@settings(max_examples=20)
@given(st.data())
def test_means_of_a_complete_table_are_plain_means(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    space = {f"p{n}": list(range(size)) for n, size in enumerate(sizes)}
    numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))
    drawn: dict[tuple[Any, ...], float] = {}

    def measure(point: Point) -> dict[str, float]:
        key = tuple(point.values())
        drawn.setdefault(key, data.draw(numbers))
        return {"energy_j": 1e-9 * drawn[key]}

    swept = table(space, measure)
    found = main_effects(swept)
    everything = np.array([row["energy_j"] for row in swept.done])
    variance = np.sum((everything - everything.mean()) ** 2)
    for one in found.effects:
        column = np.array([row[one.name] for row in swept.done])
        plain = np.array([everything[column == int(v)].mean() for v in one.values])
        assert one.means["energy_j"] == pytest.approx(plain, rel=1e-9, abs=1e-15)
        between = np.sum(np.array(one.counts) * (plain - everything.mean()) ** 2)
        share = between / variance if np.ptp(everything) else 0.0
        assert one.shares["energy_j"] == pytest.approx(share, abs=1e-9)
    assert found.together["energy_j"] == pytest.approx(0, abs=1e-9)


def test_parameters_that_always_change_together_are_one() -> None:
    found = main_effects(
        table(
            {"rows": [8, 16], "columns": [8, 16], "kind": ["a", "b"]},
            lambda p: {"latency_s": p["rows"] + (p["kind"] == "b")},
            keep=lambda p: p["rows"] == p["columns"],
        )
    )
    assert [one.name for one in found.effects] == ["rows + columns", "kind"]
    assert found.effects[0].values == ("8, 8", "16, 16")
    assert found.effects[0].shares["latency_s"] == pytest.approx(64 / 65)


def test_a_parameter_that_only_some_points_have_is_told_apart_from_its_condition() -> None:
    swept = table(
        {"kind": ["plain", "gated"], "gates": [None, 2, 4], "h": [1, 2]},
        lambda p: {"energy_j": 8.0 * (p["kind"] == "gated") + p.get("gates", 3) + 0.1 * p["h"]},
        keep=lambda p: (p["kind"] == "gated") == ("gates" in p),
    )
    found = main_effects(swept)
    gates = effect(found, "gates")
    assert (gates.values, gates.counts) == (("2", "4"), (2, 2))
    assert gates.means["energy_j"] == pytest.approx([10.15, 12.15])
    assert effect(found, "kind").means["energy_j"] == pytest.approx([3.15, 11.15])
    # squares: 4 around the mean of both gates, 2 x (16 / 3)^2 + 4 x (8 / 3)^2 between the kinds
    total = 4 + 256 / 3 + 6 * 0.05**2
    assert gates.shares["energy_j"] == pytest.approx(4 / total)
    assert effect(found, "kind").shares["energy_j"] == pytest.approx(256 / 3 / total)
    assert (found.together["energy_j"], found.interplay["energy_j"]) == (0.0, 0.0)


def test_values_stand_in_order_of_their_size() -> None:
    sizes = ["1 MiB", "64 KiB", "512 KiB"]
    space = {"size": sizes, "n": [30, 4, 5.5], "name": ["b", "a", "2"]}
    found = main_effects(table(space, lambda p: {"energy_j": len(p["size"]) + p["n"]}))
    assert [one.values for one in found.effects] == [
        ("64 KiB", "512 KiB", "1 MiB"),
        ("4", "5.5", "30"),
        ("b", "a", "2"),
    ]


def test_true_is_not_one() -> None:
    found = main_effects(
        table({"a": [True, 1, "1"]}, lambda p: {"energy_j": float(p["a"] is True)})
    )
    assert found.effects[0].values == ("True", "1", "1")


def test_neighbours_among_many_values_go_together() -> None:
    rates = [f"{n} GB/s" for n in range(60, 0, -1)]
    found = main_effects(
        table({"rate": rates, "k": [1, 2]}, lambda p: {"latency_s": 1 / float(p["rate"][:-5])})
    )
    rate = effect(found, "rate")
    assert len(rate.values) == MOST_VALUES
    assert (rate.values[0], rate.values[-1]) == ("1 GB/s to 5 GB/s", "56 GB/s to 60 GB/s")
    assert rate.counts == (10,) * MOST_VALUES
    first = np.mean([1 / n for n in range(1, 6)])
    assert rate.means["latency_s"][0] == pytest.approx(first)
    few = main_effects(table({"rate": rates[:MOST_VALUES]}, lambda p: {"latency_s": 1.0}))
    assert few.effects[0].counts == (1,) * MOST_VALUES


def test_one_frequent_value_among_many_leaves_no_group_empty() -> None:
    space = {"a": [0, *range(1, 31)], "b": list(range(40))}
    swept = table(
        space, lambda p: {"energy_j": float(p["a"])}, keep=lambda p: p["a"] == 0 or p["b"] == 0
    )
    counts = effect(main_effects(swept), "a").counts
    assert min(counts) > 0
    assert sum(counts) == len(swept.done)


def test_an_objective_that_never_changes_has_no_variance() -> None:
    found = main_effects(
        table({"a": [1, 2], "b": [1, 2]}, lambda p: {"area_m2": 0.1, "energy_j": 0.0})
    )
    for one in found.effects:
        assert one.means == {
            "area_m2": pytest.approx((0.1, 0.1), rel=1e-15),
            "energy_j": (0.0, 0.0),
        }
        assert one.shares == {"area_m2": 0.0, "energy_j": 0.0}
    assert found.interplay == found.together == {"area_m2": 0.0, "energy_j": 0.0}


def test_the_unit_of_an_objective_changes_no_share() -> None:
    def measure(point: Point) -> dict[str, float]:
        value = math.sin(7 * point["a"]) + point["b"]
        return {"small": 1e-200 * value, "large": 1e200 * value, "negative": -3 * value - 1}

    found = main_effects(table({"a": [1, 2, 3], "b": [1, 2]}, measure, keep=lambda p: p["a"] < 5))
    for one in found.effects:
        assert one.shares["small"] == pytest.approx(one.shares["large"], rel=1e-12)
        assert one.shares["small"] == pytest.approx(one.shares["negative"], rel=1e-12)


def test_effects_are_ranked_by_what_they_explain() -> None:
    found = main_effects(table({"b": ["x", "y", "z"], "a": [1, 2]}, cost))
    assert [one.name for one in found.ranked("energy_j")] == ["a", "b"]
    assert [one.name for one in found.effects] == ["b", "a"]


def test_one_point_has_no_effects() -> None:
    found = main_effects(table({"a": [1], "b": ["x"]}, cost))
    assert (found.points, found.effects) == (1, ())
    assert found.interplay == {"energy_j": 0.0}


def test_points_that_break_constraints_count_too() -> None:
    space = {"a": [1, 2], "b": ["x", "y", "z"]}
    loose = main_effects(table(space, cost))
    assert main_effects(table(space, cost, feasible=lambda p: p["a"] == 1)) == loose


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(StudyError, match="need a measured point, got none"):
        main_effects(table({"a": [1]}, lambda p: {}, keep=lambda p: False))


def test_blocks_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"a": [1, 2, 3], "b": ["x", "y", "z"], "c": list(range(5))}
    whole = main_effects(table(space, cost, keep=lambda p: (p["a"] + p["c"]) % 3 > 0))
    monkeypatch.setattr(additive, "_BLOCK", 7)
    parts = main_effects(table(space, cost, keep=lambda p: (p["a"] + p["c"]) % 3 > 0))
    for one, other in zip(whole.effects, parts.effects, strict=True):
        assert one.means["energy_j"] == pytest.approx(other.means["energy_j"], rel=1e-12)
        assert one.shares["energy_j"] == pytest.approx(other.shares["energy_j"], abs=1e-10)
