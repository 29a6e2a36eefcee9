"""Which tensor lies where from when to when, as a saved result tells it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from strategies import Sketch, machine, machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Residency
from codesign.result.residents import COLUMNS, residency_table
from codesign.result.result import Result
from codesign.workload.record import Trace

Rows = list[dict[str, Any]]


def rows(result: Result) -> Rows:
    table = residency_table(result.placement, result.replay)
    assert tuple(table) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*table.values(), strict=True)]


def recurrent(width: int = 32, **options: Any) -> Result:
    sketch = Sketch("kept")
    x = sketch.recurrent("rnn", sketch.input("x", 4, width), width)
    sketch.matmul("head", x, 24)
    return simulate(sketch.trace(), machine(), **options)


def windows(result: Result) -> dict[str, tuple[int, int]]:
    return {one.op.name: (total.first, total.last) for one, total in result.replay.totals}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(traces(), machines())
def test_every_tensor_lies_somewhere_within_the_run(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    found = rows(result)
    assert all(0 <= one["start_ps"] <= one["end_ps"] <= result.replay.makespan for one in found)
    assert len({(one["tensor"], one["memory"], one["start_ps"]) for one in found}) == len(found)
    moved = {a.tensor.name for one in result.replay.program for a in one.op.operands}
    assert moved <= {one["tensor"] for one in found}
    assert {one["memory"] for one in found} <= {memory.name for memory in hardware.memories}


def test_what_a_region_keeps_is_kept_from_its_load_to_its_last_step() -> None:
    result = recurrent()
    (kept,) = [one for one in rows(result) if (one["tensor"], one["why"]) == ("rnn.u", "kept")]
    times = windows(result)
    assert (kept["memory"], kept["why"], kept["role"]) == ("sram0", "kept", "weight")
    assert kept["start_ps"] == times["rnn.preload"][0]
    assert kept["end_ps"] == max(end for name, (_, end) in times.items() if name != "head")


def test_what_is_not_kept_lives_at_home() -> None:
    found = rows(recurrent(residency="none"))
    assert {one["why"] for one in found} == {"home"}
    assert {one["memory"] for one in found} == {"dram"}


def test_weights_lie_at_home_for_the_whole_run_and_results_from_their_first_byte() -> None:
    result = recurrent(residency="none")
    found = {one["tensor"]: one for one in rows(result)}
    weight, made = found["head.weight"], found["head.out"]
    assert (weight["start_ps"], weight["end_ps"]) == (0, result.replay.makespan)
    assert (made["start_ps"], made["end_ps"]) == windows(result)["head"]


def test_what_stays_from_run_to_run_is_there_all_the_time() -> None:
    result = recurrent(residency=Residency("greedy", across_runs=True))
    kept = [one for one in rows(result) if one["why"] == "kept" and one["role"] == "weight"]
    assert kept
    assert {(one["start_ps"], one["end_ps"]) for one in kept} == {(0, result.replay.makespan)}


@pytest.mark.parametrize("policy", ["region", "greedy"])
def test_the_part_of_a_weight_that_stays_has_the_times_of_its_cut_operator(policy: Any) -> None:
    sketch = Sketch("cut")
    sketch.recurrent("rnn", sketch.input("x", 8, 64), 64)
    small = machine(size=6 * 1024)
    result = simulate(sketch.trace(), small, residency=Residency(policy, partial=True))
    cut = [name for name in windows(result) if name.startswith("rnn") and "[" in name]
    kept = [one for one in rows(result) if one["why"] == "kept" and one["role"] == "weight"]
    assert cut, "nothing was cut, so this test shows nothing"
    assert kept
    assert any(0 < one["bytes"] < 64 * 64 for one in kept)
    assert all(one["start_ps"] < one["end_ps"] for one in kept)
