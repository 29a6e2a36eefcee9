"""Room that sequences take: one iteration, where nobody needs more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_schedule_stacks import Layer, stack
from test_schedule_values import results

from codesign.workload.check import check_trace
from codesign.workload.record import Op, Region, Trace
from codesign.workload.schedule import layer_major, time_major
from codesign.workload.schedule_local import localised


def shapes(trace: Trace) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in trace.tensors}


@pytest.mark.parametrize(
    ("is_batch_first", "whole", "chunk"),
    [(False, (12, 2, 4), (3, 2, 4)), (True, (2, 12, 4), (2, 3, 4))],
)
def test_a_sequence_between_layers_takes_the_room_of_a_chunk(
    is_batch_first: bool, whole: tuple[int, ...], chunk: tuple[int, ...]
) -> None:
    layers = [Layer("plain"), Layer("plain")]
    trace = stack(layers, 12, batch=2, is_batch_first=is_batch_first)
    changed = layer_major(trace, 3)
    assert shapes(trace)["l0.y"] == whole
    assert shapes(changed)["l0.y"] == chunk
    assert results(changed) == results(trace)


def test_inputs_and_outputs_keep_their_room() -> None:
    trace = stack([Layer("plain")], 12)
    found = shapes(layer_major(trace, 3))
    assert (found["x"], found["l0.y"]) == ((12, 1, 3), (12, 1, 4))


def test_a_result_that_nobody_reads_keeps_its_room() -> None:
    trace = stack([Layer("plain")], 12)
    (region,) = trace.regions
    *body, collect = region.body
    assert isinstance(collect, Op)
    plain = replace(collect.outputs[0].tensor, role="activation")
    kept = replace(collect, outputs=(replace(collect.outputs[0], tensor=plain),))
    items = (replace(region, body=(*body, kept)),)
    tensors = tuple(plain if tensor.name == plain.name else tensor for tensor in trace.tensors)
    trace = trace.replace(items=items, tensors=tensors)
    changed = layer_major(trace, 3)
    assert shapes(changed)["l0.y"] == (12, 1, 4)
    assert results(changed) == results(trace)


def test_what_is_read_after_the_chunks_keeps_its_room() -> None:
    trace = stack([Layer("plain"), Layer("plain")], 12)
    sequence = next(tensor for tensor in trace.tensors if tensor.name == "l0.y")
    last = replace(sequence.access(), shape=(1, 4), strides=(4, 1), offset=44)
    out = replace(sequence, name="last", shape=(1, 4), role="output")
    items = (*trace.items, Op("last", "move", (last,), (out.access(),)))
    longer = trace.replace(items=items, tensors=(*trace.tensors, out))
    changed = layer_major(longer, 3)
    assert shapes(changed)["l0.y"] == (12, 1, 4)
    assert results(changed) == results(longer)


def test_what_a_window_reads_again_keeps_its_room() -> None:
    trace = stack([Layer("plain", before="windows")], 12)
    changed = layer_major(trace, 3)
    assert shapes(changed)["l0.lead.padded"] == (13, 1, 3)
    assert shapes(changed)["l0.lead.sum"] == (3, 1, 3)


def test_frames_shrink_further_what_lives_in_a_part_of_them() -> None:
    trace = stack([Layer("plain"), Layer("plain", 2), Layer("plain", 2), Layer("plain")], 16)
    found = shapes(time_major(trace))
    assert [found[f"l{n}.y"][0] for n in range(4)] == [2, 2, 1, 4]


def test_values_of_a_step_keep_their_room() -> None:
    trace = stack([Layer("fused"), Layer("gated")], 12)
    changed = layer_major(trace, 3, hoist=False)
    own = {name: shape for name, shape in shapes(trace).items() if name.endswith(".out")}
    assert own
    assert {name: shapes(changed)[name] for name in own} == own


def test_the_chunk_sets_the_room_of_all_activations() -> None:
    trace = stack([Layer("standing"), Layer("standing"), Layer("standing")], 24)

    def room(changed: Trace) -> int:
        sequences = [t for t in changed.tensors if t.name.endswith((".driven", ".y"))]
        return sum(tensor.bytes for tensor in sequences if tensor.role == "activation")

    whole = room(trace)
    for chunk in (1, 2, 4, 8, 12, 24):
        assert room(layer_major(trace, chunk)) * 24 == whole * chunk


def test_a_tensor_without_an_axis_over_time_gets_one() -> None:
    trace = stack([Layer("plain"), Layer("plain")], 12, batch=2)
    sequence = next(tensor for tensor in trace.tensors if tensor.name == "l0.y")
    flat = replace(sequence, shape=(96,))

    def flattened(item: Op) -> Op:
        inputs, outputs = (
            tuple(replace(a, tensor=flat) if a.tensor == sequence else a for a in side)
            for side in (item.inputs, item.outputs)
        )
        return replace(item, inputs=inputs, outputs=outputs)

    items = tuple(
        replace(region, body=tuple(flattened(op) for op in region.body if isinstance(op, Op)))
        for region in trace.regions
    )
    tensors = tuple(flat if tensor == sequence else tensor for tensor in trace.tensors)
    trace = trace.replace(items=items, tensors=tensors)
    changed = layer_major(trace, 3)
    assert shapes(changed)["l0.y"] == (24,)
    assert results(changed) == results(trace)


def test_without_regions_nothing_shrinks() -> None:
    trace = stack([Layer("plain")], 6)
    assert localised(trace) == trace
    loose = trace.replace(items=())
    assert localised(loose) == loose


def test_a_sequence_of_one_loop_alone_is_not_kept() -> None:
    trace = stack([Layer("standing")], 6)
    product, region = trace.items
    assert isinstance(region, Region)
    # the product of a step is made in the step: of the sequence one row is left
    piece = layer_major(trace, 1)
    check_trace(piece)
    assert shapes(piece)["l0.driven"] == (1, 1, 4)
    assert shapes(trace)["l0.driven"] == (6, 1, 4)
    assert isinstance(product, Op)
