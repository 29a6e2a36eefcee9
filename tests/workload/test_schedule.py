"""Schedules of small stacks: structure, notes, and mistakes told in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from strategies import Sketch
from test_schedule_stacks import Layer, Stack, stack
from test_schedule_values import order, results

from codesign import simulate
from codesign.errors import TraceError
from codesign.workload import view
from codesign.workload.record import Carry, Item, Op, Region, Tensor, Trace
from codesign.workload.schedule import hoist_projections, layer_major, time_major


def refused(trace: Trace, chunk: Any = 2) -> str:
    """What a chunk is refused with: one line."""
    with pytest.raises(TraceError) as error:
        layer_major(trace, chunk)
    text = str(error.value)
    assert "\n" not in text
    assert text.strip() == text
    return text


def nested(items: tuple[Item, ...]) -> list[object]:
    """Regions as [steps, what is inside], operators by name."""
    return [
        [item.steps, *nested(item.body)] if isinstance(item, Region) else item.name
        for item in items
    ]


# -- structure -----------------------------------------------------------------------------------


def test_a_chunk_holds_a_loop_for_each_layer() -> None:
    trace = layer_major(stack([Layer("plain"), Layer("plain", 2)], 12), 4)
    steps = ["cell", "collect"]
    assert nested(trace.items) == [
        [
            3,
            "l0.gate",
            [4, *(f"l0.{name}" for name in steps)],
            "l1.gate",
            [2, *(f"l1.{name}" for name in steps)],
        ]
    ]


def test_a_layer_with_one_step_in_a_chunk_needs_no_loop() -> None:
    trace = layer_major(stack([Layer("plain"), Layer("plain", 4)], 12), 4)
    assert nested(trace.items)[0] == [
        3,
        "l0.gate",
        [4, "l0.cell", "l0.collect"],
        "l1.gate",
        "l1.cell",
        "l1.collect",
    ]


def test_a_chunk_of_one_step_is_frame_by_frame() -> None:
    trace = stack([Layer("fused"), Layer("standing")], 6)
    assert order(layer_major(trace, 1)) == order(time_major(trace))


def test_one_chunk_may_be_the_whole_sequence() -> None:
    trace = layer_major(stack([Layer("plain", before="linear")], 6), 6)
    (chunk,) = trace.regions
    assert chunk.steps == 1
    assert nested(chunk.body) == ["l0.lead", "l0.gate", [6, "l0.cell", "l0.collect"]]


def test_without_hoisting_a_loop_keeps_its_projection() -> None:
    trace = layer_major(stack([Layer("plain")], 6), 3, hoist=False)
    assert nested(trace.items) == [[2, [3, "l0.gate", "l0.cell", "l0.collect"]]]


def test_projections_stay_inside_their_chunk() -> None:
    trace = layer_major(stack([Layer("plain")], 6), 1)
    assert nested(trace.items) == [[6, "l0.gate", "l0.cell", "l0.collect"]]


@pytest.mark.parametrize(
    ("strides", "expected"),
    [
        ((1, 1), [8, "0", "1"]),
        ((1, 2), [4, [2, "0"], "1"]),
        ((1, 2, 2), [2, [2, [2, "0"], "1"], "2"]),
        ((1, 2, 1, 2), [2, [2, [2, "0"], "1", "2"], "3"]),
        ((1, 4, 1), [2, [4, "0"], "1", "2"]),
    ],
)
def test_frames_nest_by_rate(strides: tuple[int, ...], expected: list[object]) -> None:
    trace = time_major(stack([Layer("plain", stride) for stride in strides], 8))

    def layers(found: list[object]) -> list[object]:
        """Regions as they are, of the operators in a row those of another layer."""
        names = [layers(x) if isinstance(x, list) else str(x)[1:].split(".")[0] for x in found[1:]]
        return [
            found[0],
            *(x for n, x in enumerate(names) if isinstance(x, list) or x not in names[:n]),
        ]

    (frame,) = nested(trace.items)
    assert isinstance(frame, list)
    assert layers(frame) == expected


def test_rates_without_a_common_step_take_turns_in_the_frame() -> None:
    sketch = Sketch()
    sketch.recurrent("slow", sketch.input("x", 4, 4), 4)
    sketch.recurrent("fast", sketch.input("y", 6, 4), 4)
    trace = time_major(sketch.trace())
    (frame,) = trace.regions
    assert frame.steps == 2
    assert [item.steps for item in frame.body if isinstance(item, Region)] == [2, 3]
    assert results(trace) == results(sketch.trace())


def test_a_loop_that_stands_inside_another_one_is_carried_along() -> None:
    sketch = Sketch()
    sketch.recurrent("inner", sketch.input("x", 5, 4), 4, repeats=6)
    trace = sketch.trace()
    changed = layer_major(trace, 3)
    assert nested(changed.items) == [[2, [3, "inner.gate", [5, "inner.cell", "inner.keep"]]]]
    assert (changed.macs, results(changed)) == (trace.macs, results(trace))


def test_the_state_of_an_inner_loop_starts_from_the_outer_one() -> None:
    trace = layer_major(stack([Layer("plain")], 6), 3)
    (chunk,) = trace.regions
    (loop,) = (item for item in chunk.body if isinstance(item, Region))
    (outer,), (inner,) = chunk.carries, loop.carries
    assert outer.initial is not None
    assert (outer.initial.name, outer.update, inner.initial) == (
        "l0.h.first",
        inner.update,
        outer.state,
    )
    assert (outer.state.name, outer.state.role) == ("l0.h.held", "state")


def test_a_state_of_zeros_starts_from_zeros_in_the_first_chunk_only() -> None:
    trace = layer_major(stack([Layer("standing", starts_at_zero=True)], 6), 3)
    (chunk,) = trace.regions
    assert [carry.initial for carry in chunk.carries] == [None, None]
    (loop,) = (item for item in chunk.body if isinstance(item, Region))
    assert [c.initial for c in loop.carries] == [c.state for c in chunk.carries]


def test_names_that_are_taken_are_left_alone() -> None:
    trace = stack([Layer("plain")], 6)
    (loop,) = trace.regions
    taken = trace.replace(items=(replace(loop, name="chunks"),))
    assert layer_major(taken, 3).items[0].name == "chunks_1"


def test_a_small_model_can_be_simulated_in_both_schedules() -> None:
    trace = stack([Layer("fused"), Layer("standing", 2)], 8, batch=2)
    energies = [
        simulate(changed, "edge-npu").energy_j
        for changed in (trace, layer_major(trace, 4), time_major(trace))
    ]
    assert all(energy > 0 for energy in energies)


# -- mistakes ------------------------------------------------------------------------------------

LOOPS = stack([Layer("plain"), Layer("plain", 3)], 12)


@pytest.mark.parametrize("chunk", [0, -2, 1.5, True, "8"])
def test_a_chunk_is_a_number_of_steps(chunk: Any) -> None:
    assert refused(LOOPS, chunk) == (
        f"chunk must be a whole number of at least 1 step, got {chunk!r}; choose one of 3, 6, 12"
    )


def test_a_chunk_is_no_longer_than_the_sequence() -> None:
    assert refused(LOOPS, 15) == (
        "chunk must be at most the 12 steps of 'l0', got 15; choose one of 3, 6, 12"
    )


def test_there_is_no_partial_chunk() -> None:
    assert refused(LOOPS, 5) == (
        "chunk must divide the 12 steps of 'l0', since there is no partial chunk, got 5; "
        "choose one of 3, 6, 12"
    )


def test_every_layer_gets_whole_steps() -> None:
    assert refused(LOOPS, 4) == (
        "chunk must give 'l1' whole steps, got 4 steps in 3 chunks of 4; choose one of 3, 6, 12"
    )


def test_of_many_chunks_some_are_named() -> None:
    trace = stack([Layer("plain")], 360)
    assert refused(trace, 7).endswith("choose one of 1, 2, 3, 4, 5, ..., 360")


@pytest.mark.parametrize("schedule", [lambda trace: layer_major(trace, 2), time_major])
def test_a_schedule_needs_a_loop_over_time(schedule: Any) -> None:
    sketch = Sketch("mlp")
    sketch.matmul("linear", sketch.input("x", 8, 4), 4)
    with pytest.raises(TraceError, match=r"trace 'mlp' must hold a region .* got none: capture"):
        schedule(sketch.trace())


def test_frames_need_a_step_that_all_rates_share() -> None:
    sketch = Sketch()
    for name, steps in (("a", 6), ("b", 4), ("c", 9)):
        sketch.recurrent(name, sketch.input(f"{name}.x", steps, 4), 4)
    with pytest.raises(TraceError, match=r"a: must have frames in common with 'b', got 6 and 4"):
        time_major(sketch.trace())


def test_a_loop_that_runs_backwards_is_refused() -> None:
    under = Stack()
    x = under.sequence("x", 6, 3, "input")
    under.layer("back", view.flip(x, [0]), Layer("plain"))
    trace = Trace("reverse", tuple(under.items), tuple(under.tensors))
    assert refused(trace) == (
        "back: must run forwards to be cut into chunks or frames, but goes through 'x' from its "
        "end; leave the reverse direction out"
    )


def test_a_loop_that_starts_from_the_end_of_another_one_is_refused() -> None:
    trace = stack([Layer("plain"), Layer("plain")], 6)
    first, second = trace.regions
    carry = Carry(second.carries[0].state, second.carries[0].update, first.carries[0].update)
    trace = trace.replace(items=(first, replace(second, carries=(carry,))))
    assert refused(trace) == (
        "l1: must not wait for the last step of 'l0' to take turns with it, but 'l0' takes "
        "'l0.h.next' as a whole; schedule them as traces of their own"
    )


def test_a_loop_that_starts_from_a_copy_of_the_end_is_refused() -> None:
    trace = stack([Layer("plain", keeps_state=True), Layer("plain")], 6)
    *rest, second = trace.items
    assert isinstance(second, Region)
    kept = next(tensor for tensor in trace.tensors if tensor.name == "l0.kept0")
    carry = replace(second.carries[0], initial=kept)
    trace = trace.replace(items=(*rest, replace(second, carries=(carry,))))
    assert refused(trace) == (
        "l1: must need nothing from after the last step, but uses 'l0.kept0' of 'l0.keep0': "
        "'l0.keep0' uses 'l0.h.next' as 'l0' leaves it; schedule the part before it as a trace of "
        "its own"
    )


def test_hoisting_needs_no_loop() -> None:
    sketch = Sketch()
    sketch.matmul("linear", sketch.input("x", 8, 4), 4)
    assert hoist_projections(sketch.trace()) == sketch.trace()


# -- what does not run over time ---------------------------------------------------------------


PAIR = stack([Layer("plain"), Layer("plain")], 6, features=4)


def mean_of(name: str) -> tuple[Op, Tensor]:
    """The mean over time of a sequence of ``PAIR``, and where it goes."""
    source = next(tensor for tensor in PAIR.tensors if tensor.name == name)
    made = replace(source, name="mean.out", shape=(1, 4), role="activation")
    turned = replace(source.access(), shape=(4, 6), strides=(1, 4))
    facts = (("width", 6),)
    return Op("mean", "reduce", (turned,), (made.access(),), None, ("mean",), facts), made


def with_mean(name: str, where: int, *, starts: int | None = None) -> Trace:
    """``PAIR`` with a mean over time in it, from which one of the loops may start."""
    op, made = mean_of(name)
    items = [*PAIR.items]
    if starts is not None:
        loop = PAIR.regions[starts]
        items[starts] = replace(loop, carries=(replace(loop.carries[0], initial=made),))
    items.insert(where, op)
    return PAIR.replace(items=tuple(items), tensors=(*PAIR.tensors, made))


@pytest.mark.parametrize(("name", "where"), [("l1.y", 2), ("l0.y", 1), ("x", 0)])
def test_a_mean_over_time_waits_for_the_last_chunk(name: str, where: int) -> None:
    trace = with_mean(name, where)
    changed = layer_major(trace, 2)
    assert [item.name for item in changed.items] == ["chunks", "mean"]
    assert results(changed) == results(trace)
    assert next(t.shape for t in changed.tensors if t.name == name) == (6, 1, 4)


@pytest.mark.parametrize(("name", "where"), [("l0.y", 1), ("x", 1), ("x", 0)])
def test_a_loop_that_starts_from_a_mean_over_time_is_refused(name: str, where: int) -> None:
    trace = with_mean(name, where, starts=1)
    results(trace)
    assert refused(trace) == (
        "l1: must need nothing from after the last step, but uses 'mean.out' of 'mean': 'mean' "
        "cannot be cut, none of its axes runs over time in equal pieces; schedule the part before "
        "it as a trace of its own"
    )


def test_what_stands_between_loops_and_needs_none_goes_before() -> None:
    trace = stack([Layer("plain"), Layer("plain", starts_at_zero=True)], 6)
    first, second = trace.regions
    start = replace(second.carries[0].state, name="start", role="activation")
    fill = Op("fill", "move", (), (start.access(),))
    carry = replace(second.carries[0], initial=start)
    mixed = trace.replace(
        items=(first, fill, replace(second, carries=(carry,))), tensors=(*trace.tensors, start)
    )
    changed = layer_major(mixed, 2)
    assert [item.name for item in changed.items] == ["fill", "chunks"]
    assert results(changed) == results(mixed)
