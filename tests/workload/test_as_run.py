"""A trace as it runs: its number format, and its schedule as a text."""

from __future__ import annotations

import pytest
from strategies import Sketch

from codesign import simulate
from codesign.errors import CodesignError, TraceError
from codesign.workload.as_run import NATIVE, as_run
from codesign.workload.dtype import DType
from codesign.workload.record import Region, Trace
from codesign.workload.schedule import layer_major, time_major
from codesign.workload.schedule_text import with_schedule

FLOAT, INT8 = DType.parse("fp32"), DType.parse("int8")


def layers(dtype: DType = FLOAT) -> Trace:
    """Two recurrent layers over 12 steps."""
    sketch = Sketch("layers", dtype)
    first = sketch.recurrent("first", sketch.input("x", 12, 8), 8)
    sketch.recurrent("second", first, 8)
    return sketch.trace()


def test_a_text_names_the_schedule_that_the_function_makes() -> None:
    trace = layers()
    assert with_schedule(trace, "time-major") == time_major(trace)
    assert with_schedule(trace, "layer-major:4") == layer_major(trace, 4)
    assert time_major(trace) != layer_major(trace, 4)


@pytest.mark.parametrize(
    "text",
    ["", "time", "time-major:1", "layer-major", "layer-major:", "layer-major:x", "layer-major:-4"],
)
def test_another_text_is_refused_in_one_line_with_an_example(text: str) -> None:
    with pytest.raises(
        TraceError, match="schedule must be time-major or layer-major:STEPS"
    ) as fault:
        with_schedule(layers(), text)
    assert repr(text) in str(fault.value)
    assert "layer-major:8" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_near_miss_is_told_what_was_meant() -> None:
    with pytest.raises(TraceError, match="did you mean 'layer-major'"):
        with_schedule(layers(), "layer-mayor:4")


def test_a_chunk_that_the_trace_does_not_allow_is_refused() -> None:
    with pytest.raises(TraceError, match="chunk must be at most the 12 steps"):
        with_schedule(layers(), "layer-major:24")


def formats(trace: Trace) -> set[str]:
    return {str(tensor.dtype) for tensor in trace.tensors}


def test_the_format_is_that_of_the_machine_unless_another_is_asked_for() -> None:
    trace = layers()
    assert formats(as_run(trace, INT8)) == {"int8"}
    assert formats(as_run(trace, INT8, "bf16")) == {"bf16"}
    assert as_run(trace, INT8, NATIVE) == trace
    assert as_run(trace, None) == trace


def test_format_and_schedule_go_together() -> None:
    changed = as_run(layers(), INT8, None, "layer-major:4")
    assert formats(changed) == {"int8"}
    (chunks,) = changed.regions
    assert chunks.steps == 3
    assert [item.steps for item in chunks.body if isinstance(item, Region)] == [4, 4]


def test_a_simulation_takes_the_schedule_and_says_so() -> None:
    trace = layers(INT8)
    plain = simulate(trace, "edge-npu", residency="none")
    chunked = simulate(trace, "edge-npu", residency="none", schedule="layer-major:4")
    assert chunked.macs == plain.macs
    assert chunked.offchip_bytes["weight"] < plain.offchip_bytes["weight"]
    assert any("layer-major schedule of 3 chunks" in line for line in chunked.assumptions)
    with pytest.raises(CodesignError, match="schedule must be"):
        simulate(trace, "edge-npu", schedule="both")
