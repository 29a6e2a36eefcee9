"""Law 1, continued: handling every event or skipping what recurs gives the same result."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KIB, Sketch, machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.workload.dtype import DType
from codesign.workload.record import Trace

POLICIES: tuple[Policy, ...] = ("none", "region", "greedy")


def both(trace: Trace, hardware: Hardware | str, policy: Policy) -> tuple[Result, Result]:
    """Results with every event and with the accelerations, checked to be equal."""
    plain, fast = (
        simulate(trace, hardware, residency=policy, exact_events=exact) for exact in (True, False)
    )
    assert fast.digest == plain.digest
    assert fast.to_arrow().equals(plain.to_arrow())
    assert fast.replay.spans == plain.replay.spans
    assert (fast.replay.busy, fast.replay.moved) == (plain.replay.busy, plain.replay.moved)
    assert (fast.replay.lower, fast.replay.serial) == (plain.replay.lower, plain.replay.serial)
    return plain, fast


@settings(max_examples=25)
@given(traces(), machines(), st.sampled_from(POLICIES))
def test_skipping_what_recurs_changes_no_figure(
    trace: Trace, hardware: Hardware, policy: Policy
) -> None:
    plain, fast = both(trace, hardware, policy)
    assert fast.fabric_events <= plain.fabric_events


def layers(count: int) -> Trace:
    """Equal layers of two products and a residual addition, on 24 rows."""
    sketch = Sketch("layers", DType.parse("fp32"))
    x = sketch.input("x", 24, 192)
    for number in range(count):
        hidden = sketch.matmul(f"up{number}", x, 768)
        hidden = sketch.matmul(f"down{number}", sketch.pointwise(f"act{number}", hidden), 192)
        x = sketch.pointwise(f"add{number}", hidden, x, function="add")
    return sketch.trace()


def recurrence(steps: int) -> Trace:
    """A recurrent layer of width 96 over a sequence, twice."""
    sketch = Sketch("recurrence", DType.parse("fp32"))
    sketch.recurrent("rnn", sketch.input("x", steps, 96), 96, repeats=2)
    return sketch.trace()


@pytest.mark.parametrize("preset", ["edge-npu", "server-npu"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("trace", [layers(24), recurrence(80)], ids=lambda trace: trace.name)
def test_presets_give_the_same_digest_for_fewer_events(
    trace: Trace, policy: Policy, preset: str
) -> None:
    plain, fast = both(trace, preset, policy)
    assert fast.fabric_events < plain.fabric_events / 2


def test_events_of_a_buffer_too_small_for_anything_are_skipped_too() -> None:
    # tiles are many and small where the buffer is
    sketch = Sketch("wide", DType.parse("fp32"))
    sketch.matmul("wide", sketch.input("x", 4, 1024), 4096)
    small = {"sram.size": 16 * KIB}
    plain, fast = (
        simulate(sketch.trace(), "edge-npu", settings=small, exact_events=exact)
        for exact in (True, False)
    )
    assert fast.digest == plain.digest
    assert plain.tiles > 500
    assert fast.fabric_events < plain.fabric_events / 10
