"""Changes between measured points: exact where they are told, and silent elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_parts import RATES, study
from swept_tables import Point, records, table

from codesign.errors import StudyError
from codesign.explore.effects import main_effects
from codesign.explore.pairs import Contrast, Pairs, Step, measured_pairs
from codesign.explore.swept import Swept

SPACE = {"rows": [16, 32, 64], "rate": ["1 GB/s", "2 GB/s"], "kind": ["GRU", "LSTM"]}


def cost(point: Point) -> dict[str, float]:
    """The last rows help a fast memory alone: an interplay that no sum has."""
    rate = float(point["rate"][0])
    latency = max(128 / point["rows"], 4 / rate) * (1 + (point["kind"] == "LSTM"))
    return {"latency_s": latency, "energy_j": 1e-6 * point["rows"] + 1e-5 / rate}


def measured(keep: Callable[[Point], bool]) -> Swept:
    """Some points of the whole table, the rest pruned."""
    some = records(SPACE, cost, keep=keep)
    whole = len(records(SPACE, cost)) - 2
    return Swept.of([*some, {"event": "pruned", "points": whole - len(some) + 2}])


def contrast(found: Pairs, name: str) -> Contrast:
    (only,) = (one for one in found.contrasts if one.name == name)
    return only


def test_a_change_is_told_by_the_means_of_its_pairs() -> None:
    kept = [(16, "1 GB/s", "GRU"), (32, "1 GB/s", "GRU"), (16, "2 GB/s", "GRU"),
            (32, "2 GB/s", "GRU"), (64, "2 GB/s", "LSTM")]  # fmt: skip
    found = measured_pairs(measured(lambda p: tuple(p.values()) in kept))
    assert (found.points, found.untried) == (5, 7)
    (step,) = contrast(found, "rows").steps
    assert (step.before, step.after, step.pairs) == ("16", "32", 2)
    assert step.means["latency_s"] == pytest.approx((8, 4))
    assert step.means["energy_j"] == pytest.approx((16e-6 + 7.5e-6, 32e-6 + 7.5e-6))
    (rate,) = contrast(found, "rate").steps
    assert rate.pairs == 2
    assert rate.means["latency_s"] == pytest.approx((6, 6))
    assert [one.name for one in found.told] == ["rows", "rate"]
    assert [one.name for one in found.untold] == ["kind"], "64 rows were measured of no GRU"


def test_pairs_join_neighbours_so_that_no_difference_counts_twice() -> None:
    found = measured_pairs(measured(lambda p: p["rate"] == "1 GB/s"))
    told = [(step.before, step.after, step.pairs) for step in contrast(found, "rows").steps]
    assert told == [("16", "32", 2), ("32", "64", 2)]
    gap = measured_pairs(measured(lambda p: p["rate"] == "1 GB/s" and p["rows"] != 32))
    assert [(s.before, s.after) for s in contrast(gap, "rows").steps] == [("16", "64")]


@settings(max_examples=60)
@given(st.sets(st.integers(0, 11), min_size=1))
def test_whatever_was_pruned_every_change_is_that_of_the_whole_table(kept: set[int]) -> None:
    whole = {row["index"]: row for row in table(SPACE, cost).done}
    swept = measured(lambda p: index(p) in kept)
    found = measured_pairs(swept)
    for one in found.contrasts:
        name = one.parameters
        assert len(one.places) == sum(step.pairs for step in one.steps)
        for step in one.steps:
            mine = [pair for pair in one.places if changed(swept, name, pair) == named(step)]
            assert len(mine) == step.pairs
            both = [[whole[swept.done[place]["index"]] for place in pair] for pair in mine]
            for before, after in both:
                differ = {key for key in SPACE if before[key] != after[key]}
                assert differ == set(name), "nothing else changed"
            for goal, _ in swept.objectives:
                exact = np.mean([[row[goal] for row in pair] for pair in both], axis=0)
                assert step.means[goal] == pytest.approx(tuple(exact), rel=1e-12)


@settings(max_examples=60)
@given(st.sets(st.integers(0, 11), min_size=1))
def test_every_pair_of_neighbours_that_was_measured_is_found(kept: set[int]) -> None:
    swept = measured(lambda p: index(p) in kept)
    for one in measured_pairs(swept).contrasts:
        groups: dict[tuple[object, ...], int] = {}
        for row in swept.done:
            key = tuple(row[other] for other in SPACE if other not in one.parameters)
            groups[key] = groups.get(key, 0) + 1
        assert len(one.places) == sum(count - 1 for count in groups.values())


def index(point: Point) -> int:
    """Its place in the space."""
    rows, rate, kind = (SPACE[name].index(point[name]) for name in SPACE)  # type: ignore[attr-defined]
    return int(4 * rows + 2 * rate + kind)


def changed(swept: Swept, names: tuple[str, ...], pair: list[int]) -> tuple[str, str]:
    rows = [swept.done[place] for place in pair]
    before, after = (", ".join(str(row[name]) for name in names) for row in rows)
    return before, after


def named(step: Step) -> tuple[str, str]:
    return step.before, step.after


def test_a_fitted_sum_is_far_off_where_pairs_are_exact() -> None:
    def gain(means: tuple[float, ...]) -> float:
        return means[1] / means[0]

    # a fast memory halves the time of 64 rows, and does nothing for fewer
    whole = main_effects(table(SPACE, cost)).effects[1]
    assert gain(whole.means["latency_s"]) == pytest.approx((8 + 4 + 2) / (8 + 4 + 4))
    swept = measured(lambda p: p["rate"] == "2 GB/s" or p["rows"] == 64)
    fitted = main_effects(swept).effects[1]
    assert gain(fitted.means["latency_s"]) < 0.75
    (rate,) = contrast(measured_pairs(swept), "rate").steps
    assert (rate.pairs, gain(rate.means["latency_s"])) == (2, 0.5), "at 64 rows, of both kinds"


def test_parameters_that_always_change_together_are_one_change() -> None:
    swept = table(
        {"rows": [8, 16], "columns": [8, 16], "kind": ["a", "b"]},
        lambda p: {"latency_s": p["rows"] + (p["kind"] == "b")},
        keep=lambda p: p["rows"] == p["columns"],
    )
    found = measured_pairs(swept)
    assert [one.name for one in found.contrasts] == ["rows + columns", "kind"]
    (step,) = contrast(found, "rows + columns").steps
    assert (step.before, step.after, step.pairs) == ("8, 8", "16, 16", 2)
    assert step.means["latency_s"] == pytest.approx((8.5, 16.5))


def test_a_parameter_that_a_point_lacks_makes_no_pair() -> None:
    swept = table(
        {"kind": ["plain", "gated"], "gates": [None, 2, 4]},
        lambda p: {"energy_j": 1.0 + p.get("gates", 0)},
        keep=lambda p: (p["kind"] == "gated") == ("gates" in p),
    )
    found = measured_pairs(swept)
    (gates,) = contrast(found, "gates").steps
    assert (gates.before, gates.after, gates.pairs) == ("2", "4", 1)
    assert [one.name for one in found.untold] == ["kind"], "with the kind the gates come and go"


def test_many_values_are_each_a_value_of_its_own() -> None:
    swept = table({"n": list(range(40))}, lambda p: {"energy_j": math.sqrt(p["n"])})
    steps = measured_pairs(swept).contrasts[0].steps
    assert [step.pairs for step in steps] == [1] * 39
    assert steps[8].means["energy_j"] == pytest.approx((math.sqrt(8), 3.0))


def test_one_point_has_no_pairs_and_none_is_an_error() -> None:
    found = measured_pairs(table({"a": [1]}, lambda p: {"energy_j": 1.0}))
    assert (found.contrasts, found.untried) == ((), 0)
    with pytest.raises(StudyError, match="need a measured point, got none"):
        measured_pairs(table({"a": [1]}, lambda p: {}, keep=lambda p: False))


def test_pairs_of_a_study_that_prunes_are_those_of_one_that_does_not(tmp_path: Path) -> None:
    space = {"dram.bandwidth": RATES, "npu.rows": [16, 32], "sram.size": ["64 KiB", "128 KiB"]}
    given = study(hardware_space=space, objectives=["energy_j", "latency_s", "max:params"])
    some = given.run(tmp_path / "some")
    whole = given.run(tmp_path / "whole", exhaustive=True)
    assert some.pruned > 0
    assert whole.untried == 0
    rows = {row["index"]: row for row in whole.done}
    found = measured_pairs(some)
    assert found.untried == some.pruned
    assert found.told
    for one in found.told:
        told = sum(s.pairs * (s.means["energy_j"][1] - s.means["energy_j"][0]) for s in one.steps)
        both = [[rows[some.done[place]["index"]]["energy_j"] for place in p] for p in one.places]
        assert told == pytest.approx(sum(after - before for before, after in both), abs=1e-18)
