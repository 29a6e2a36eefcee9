"""Loops that were written around several layers: one loop for each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_schedule_stacks import Layer, stack
from test_schedule_values import results

from codesign.testing.passes import Sketch
from codesign.workload import view
from codesign.workload.check import check_trace
from codesign.workload.record import Access, Branch, Op, Region, Tensor, Trace
from codesign.workload.reroll import reroll
from codesign.workload.rewrite import drop_unused
from codesign.workload.schedule import layer_major, time_major
from codesign.workload.schedule_access import Names
from codesign.workload.schedule_layers import by_layer

STEPS, WIDTH = 6, 4


def split(trace: Trace) -> Trace:
    """The trace by layers, after it was found to compute the same."""
    names = Names(trace)
    items = by_layer(trace, names)
    changed = drop_unused(items.replace(tensors=(*trace.tensors, *names.tensors)))
    check_trace(changed)
    assert changed.macs == trace.macs
    assert results(changed) == results(trace)
    return changed


def bodies(trace: Trace) -> list[list[str]]:
    return [[item.name.split(".")[-1] for item in region.body] for region in trace.regions]


def test_a_loop_of_two_layers_and_a_head_becomes_three() -> None:
    trace = split(stack([Layer("double")], STEPS))
    assert bodies(trace) == [["gate", "cell", "collect"], ["inner", "top", "scale"], ["head"]]
    assert [region.steps for region in trace.regions] == [STEPS] * 3
    assert [region.name for region in trace.regions] == ["l0", "l0_1", "l0_2"]


def test_each_loop_hands_on_its_own_state() -> None:
    trace = split(stack([Layer("double")], STEPS))
    states = [[carry.state.name for carry in region.carries] for region in trace.regions]
    assert states == [["l0.h"], ["l0.g"], []]


def test_a_state_that_the_next_layer_reads_is_collected() -> None:
    trace = split(stack([Layer("double")], STEPS))
    collect = next(op for op, _ in trace.ops() if op.name == "l0.h.next.collect")
    (target,) = collect.outputs
    assert (target.tensor.shape, target.advance) == ((STEPS, 1, WIDTH), (WIDTH,))
    inner = next(op for op, _ in trace.ops() if op.name == "l0.inner")
    assert inner.inputs[0].tensor == target.tensor


def test_a_value_of_one_step_is_written_to_its_place_at_once() -> None:
    trace = split(stack([Layer("double")], STEPS))
    scale = next(op for op, _ in trace.ops() if op.name == "l0.scale")
    assert [(a.tensor.shape, a.advance) for a in scale.outputs] == [((STEPS, 1, WIDTH), (WIDTH,))]


def test_a_layer_may_read_two_layers_below() -> None:
    trace = split(stack([Layer("triple", keeps_state=True)], STEPS, batch=2))
    assert bodies(trace) == [
        ["recurrent", "input", "update", "collect", "collect"],
        ["inner", "top", "skipped", "collect"],
        ["deep", "join", "collect"],
    ]


def test_one_layer_stays_one_loop() -> None:
    for kind in ("plain", "fused", "gated", "standing", "lagged", "normed"):
        trace = stack([Layer(kind)], STEPS)
        assert by_layer(trace, Names(trace)) == trace


def test_a_loop_with_a_choice_inside_stays_as_it_is() -> None:
    trace = stack([Layer("double")], STEPS)
    (region,) = trace.regions
    *body, head = region.body
    choice = Branch("skip", 0.9, (head,), ())
    chosen = trace.replace(items=(replace(region, body=(*body, choice)),))
    assert by_layer(chosen, Names(chosen)) == chosen


def test_a_state_that_becomes_another_state_stays_with_it() -> None:
    trace = stack([Layer("double")], STEPS)
    (region,) = trace.regions
    first, second = region.carries
    older = replace(first.state, name="l0.older")
    carries = (first, second, replace(first, state=older, update=first.state))
    shifted = trace.replace(
        items=(replace(region, carries=carries),), tensors=(*trace.tensors, older)
    )
    assert by_layer(shifted, Names(shifted)) == shifted


# -- loops that were unrolled --------------------------------------------------------------------


def unrolled(layers: int, steps: int = STEPS, batch: int = 2) -> Trace:
    """Steps of layers one after the other, as a loop in Python leaves them, and a head."""
    s = Sketch()
    x = s.tensor("x", (steps, batch, 3), "input")
    state = [s.tensor(f"h{n}", (batch, WIDTH), "input") for n in range(layers)]
    inputs = [s.tensor(f"w{n}", (WIDTH if n else 3, WIDTH), "weight") for n in range(layers)]
    loops = [s.tensor(f"u{n}", (WIDTH, WIDTH), "weight") for n in range(layers)]
    head = s.tensor("head", (WIDTH, 5), "weight")
    rows = []
    for t in range(steps):
        value = view.select(x, 0, t)
        for n in range(layers):
            driven, recurrent = s.matmul(value, inputs[n]), s.matmul(state[n], loops[n])
            state[n] = value = s.map("tanh", s.map("add", driven, recurrent))
        rows.append(view.unsqueeze(s.matmul(value, head), 0))
    s.op("move", (), rows, (steps, batch, 5), "output")
    return s.trace()


@given(layers=st.integers(1, 3), chunk=st.sampled_from([1, 2, 3, 6]), batch=st.integers(1, 2))
@settings(max_examples=12)
def test_a_loop_in_python_runs_layer_by_layer_in_a_chunk(
    layers: int, chunk: int, batch: int
) -> None:
    trace = reroll(unrolled(layers, batch=batch))
    assert len(trace.regions) == 1
    changed = layer_major(trace, chunk)
    assert (changed.macs, results(changed)) == (trace.macs, results(trace))
    count = STEPS // chunk
    reads: dict[str, int] = {}
    for op, times in changed.ops():
        for access in op.inputs:
            if access.tensor.role == "weight":
                reads[access.tensor.name] = times
    once = {name: count for name in reads if name[0] in "w" or name == "head"}
    assert reads == once | {f"u{n}": STEPS for n in range(layers)}


def test_a_loop_in_python_is_frame_by_frame_as_it_is() -> None:
    trace = reroll(unrolled(2))
    (frame,) = time_major(trace).regions
    (loop,) = trace.regions
    assert (frame.steps, frame.body) == (loop.steps, loop.body)


@pytest.mark.parametrize("chunk", [2, 3])
def test_layers_of_one_loop_hand_on_one_chunk_at_a_time(chunk: int) -> None:
    changed = layer_major(reroll(unrolled(3)), chunk)
    rows = [tensor for tensor in changed.tensors if tensor.name.endswith(".steps")]
    assert rows
    assert {tensor.shape[0] for tensor in rows} == {chunk}


def test_a_sequence_that_a_step_writes_and_a_later_layer_reads_is_one_already() -> None:
    trace = stack([Layer("plain"), Layer("plain")], STEPS)
    first, second = trace.regions
    both = Region("both", STEPS, first.body + second.body, first.carries + second.carries)
    joined = split(trace.replace(items=(both,)))
    assert bodies(joined) == [["gate", "cell", "collect"], ["gate", "cell", "collect"]]
    assert {tensor.name for tensor in joined.tensors} == {tensor.name for tensor in trace.tensors}


def test_a_place_that_two_steps_share_keeps_layers_together() -> None:
    trace = stack([Layer("plain"), Layer("plain")], STEPS)
    first, second = trace.regions
    # the second layer reads what the first one wrote a step ago, and again in this step
    sequence = next(tensor for tensor in trace.tensors if tensor.name == "l0.y")
    longer = Tensor("l0.y", (STEPS + 1, 1, WIDTH), sequence.dtype, "activation")
    start = Op("start", "move", (), (Access(longer, (1, WIDTH), (WIDTH, 1)),))

    def later(access: Access, steps: int) -> Access:
        if access.tensor.name != "l0.y":
            return access
        return replace(access, tensor=longer, offset=access.offset + steps * WIDTH)

    def moved(op: object, steps: int) -> Op:
        assert isinstance(op, Op)
        inputs, outputs = ([later(a, steps) for a in side] for side in (op.inputs, op.outputs))
        return replace(op, inputs=tuple(inputs), outputs=tuple(outputs))

    body = tuple(moved(op, 1) for op in first.body) + tuple(moved(op, 0) for op in second.body)
    both = Region("both", STEPS, body, first.carries + second.carries)
    tensors = tuple(longer if t.name == "l0.y" else t for t in trace.tensors)
    assert bodies(split(trace.replace(items=(start, both), tensors=tensors))) == [
        ["gate", "cell", "collect", "gate", "cell", "collect"]
    ]
