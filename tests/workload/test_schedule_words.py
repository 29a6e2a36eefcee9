"""What schedules say: their notes, and the refusal of texts and of what is no trace."""

from __future__ import annotations

from typing import Any

import pytest
from test_schedule_stacks import Layer, stack

from codesign.errors import TraceError
from codesign.workload.schedule import hoist_projections, layer_major, time_major
from codesign.workload.schedule_text import check_schedule, with_schedule

LAYERS = stack([Layer("plain"), Layer("plain")], 4)


def test_one_chunk_one_step_and_one_frame_are_told_in_the_singular() -> None:
    assert "schedule of 1 chunk of 4 steps of 'l0'" in layer_major(LAYERS, 4).notes[-1]
    assert "schedule of 4 chunks of 1 step of 'l0'" in layer_major(LAYERS, 1).notes[-1]
    pair = layer_major(LAYERS, 2).notes[-1]
    assert "a step waits for up to 1 other (mean 0.5)" in pair
    assert "is up to 1 step (mean 0.5) behind" in pair
    once = stack([Layer("plain")], 1)
    assert time_major(once).notes[-1].startswith("time-major schedule of 1 frame: each goes")
    assert time_major(LAYERS).notes[-1].startswith("time-major schedule of 4 frames: each goes")


@pytest.mark.parametrize("text", ["layer-major:-3", "layer-major:" + "9" * 20, "layer-major:"])
def test_steps_that_are_no_number_of_one_to_nine_digits_are_told_as_such(text: str) -> None:
    with pytest.raises(TraceError) as caught:
        check_schedule(text)
    assert str(caught.value) == (
        "schedule must be time-major or layer-major:STEPS with a whole number, "
        f"got {text!r}; STEPS has 1 to 9 digits and no sign; write for example layer-major:8"
    )


def test_nine_digits_are_a_number() -> None:
    check_schedule("layer-major:" + "9" * 9)


@pytest.mark.parametrize(
    "schedule",
    [
        lambda trace: layer_major(trace, 8),
        time_major,
        hoist_projections,
        lambda trace: with_schedule(trace, "time-major"),
    ],
)
@pytest.mark.parametrize(
    ("what", "said"), [(None, "NoneType None"), ("x", "str 'x'"), (3, "int 3")]
)
def test_what_is_no_trace_is_refused_in_one_line(schedule: Any, what: object, said: str) -> None:
    with pytest.raises(TraceError) as caught:
        schedule(what)
    assert str(caught.value) == (
        f"a schedule takes a trace, got {said}; capture a model with codesign.trace"
    )
