"""The time that each operator adds to a run: a partition of the whole, loops kept as they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from strategies import Sketch, machine, machines, traces

from codesign import Result, simulate
from codesign.hardware.spec import Hardware
from codesign.workload.record import Trace


def added(result: Result) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one, ticks in result.replay.added:
        found[one.op.name] += ticks
    return dict(found)


@given(traces(), machines())
def test_what_all_operators_add_is_the_latency(trace: Trace, hardware: Hardware) -> None:
    result = simulate(trace, hardware)
    assert sum(added(result).values()) == result.replay.makespan
    assert all(ticks >= 0 for ticks in added(result).values())
    assert set(added(result)) == set(result.operators["name"])


@pytest.mark.parametrize("preset", ["edge-npu", "edge-npu-lpddr5", "server-npu"])
def test_what_operators_add_in_a_folded_loop_is_what_its_runs_add_one_by_one(preset: str) -> None:
    sketch = Sketch("long")
    sketch.matmul("head", sketch.recurrent("rnn", sketch.input("x", 300, 48), 64), 32)
    result = simulate(sketch.trace(), preset)
    want: Counter[str] = Counter()
    before = 0
    for span in sorted(result.replay.spans, key=lambda span: span.end):
        want[span.assignment.op.name] += span.end - before
        before = span.end
    assert len(result.replay.spans) > 300
    assert sum(added(result).values()) == result.replay.makespan == before
    assert added(result) == dict(want)


def test_an_operator_that_waits_for_memory_adds_more_than_it_computes() -> None:
    """256 KiB of weights take 2.6 ms at 0.1 GB/s, and the array is done long before."""
    sketch = Sketch("slow")
    small = sketch.matmul("small", sketch.input("x", 64, 64), 512)
    sketch.matmul("large", sketch.pointwise("relu", small), 512)
    result = simulate(sketch.trace(), machine(bandwidth=1e8, size=1 << 20))
    columns = (result.operators["name"], result.operators["compute_s"])
    ticks, computes = added(result), dict(zip(*columns, strict=True))
    assert ticks["large"] >= 256 * 1024 * 10_000
    assert ticks["large"] / 1e12 > 2 * float(computes["large"])
