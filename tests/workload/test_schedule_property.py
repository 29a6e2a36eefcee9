"""Laws of schedules over random stacks of recurrent layers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from test_schedule_stacks import Layer, stack, stacks
from test_schedule_values import order, results

from codesign.workload.check import check_trace
from codesign.workload.decode import decode_trace
from codesign.workload.encode import encode_trace
from codesign.workload.record import Op, Region, Trace
from codesign.workload.schedule import hoist_projections, layer_major, time_major

OWN_LOOPS = ("plain", "fused", "gated", "standing", "lagged", "normed")
"""Kinds of layers whose loop holds one layer."""


def assert_same_work(before: Trace, after: Trace) -> None:
    check_trace(after)
    assert (after.macs, after.parameter_bytes) == (before.macs, before.parameter_bytes)
    wanted, found = results(before), results(after)
    assert wanted
    assert {name: found[name] for name in wanted} == wanted
    assert decode_trace(encode_trace(after)) == after


def chunks(found: tuple[Trace, int], data: st.DataObject) -> tuple[Trace, int, int]:
    """A trace, a chunk that fits it, and the number of chunks."""
    trace, most = found
    count = data.draw(st.sampled_from([n for n in range(1, most + 1) if most % n == 0]))
    return trace, max(region.steps for region in trace.regions) // count, count


@given(found=stacks(), hoist=st.booleans(), data=st.data())
@settings(max_examples=70)
def test_chunks_compute_what_the_layers_compute(
    found: tuple[Trace, int], hoist: bool, data: st.DataObject
) -> None:
    trace, chunk, count = chunks(found, data)
    changed = layer_major(trace, chunk, hoist=hoist)
    assert_same_work(trace, changed)
    assert [region.steps for region in changed.regions] == [count]


@given(found=stacks())
@settings(max_examples=40)
def test_frames_compute_what_the_layers_compute(found: tuple[Trace, int]) -> None:
    trace, slowest = found
    changed = time_major(trace)
    assert_same_work(trace, changed)
    assert [region.steps for region in changed.regions] == [slowest]


@given(found=stacks())
@settings(max_examples=40)
def test_hoisting_alone_computes_what_the_layers_compute(found: tuple[Trace, int]) -> None:
    assert_same_work(found[0], hoist_projections(found[0]))


@given(found=stacks(), data=st.data())
@settings(max_examples=12)
def test_a_schedule_of_a_schedule_computes_the_same(
    found: tuple[Trace, int], data: st.DataObject
) -> None:
    trace, chunk, count = chunks(found, data)
    once = layer_major(trace, chunk)
    again = data.draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
    assert_same_work(trace, layer_major(once, again))
    assert_same_work(trace, time_major(once))
    assert_same_work(trace, hoist_projections(once))
    assert_same_work(trace, layer_major(time_major(trace), again))


# -- order ---------------------------------------------------------------------------------------


def is_over_time(op: Op) -> bool:
    return not any(word in op.name for word in (".keep", ".back"))


def steps_of(trace: Trace) -> list[tuple[int, list[str]]]:
    """What runs over time, in order: its number of steps and the operators of one step."""
    speed = {region.name: region.steps for region in trace.regions}
    found = []
    for item in trace.items:
        if isinstance(item, Region):
            found.append((item.steps, [op.name for op in item.body if isinstance(op, Op)]))
        elif isinstance(item, Op) and is_over_time(item):
            found.append((speed[item.name.split(".")[0]], [item.name]))
    return found


def ends(trace: Trace) -> list[str]:
    return [i.name for i in trace.items if isinstance(i, Op) and not is_over_time(i)]


@st.composite
def plain_stacks(draw: st.DrawFn) -> tuple[Trace, int]:
    """Stacks of one loop for each layer, every operator of which is cut or stays at the end."""
    strides = draw(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=4))
    between = st.sampled_from(["nothing", "linear", "norm", "relu", "residual"])
    layers = [
        Layer(draw(st.sampled_from(OWN_LOOPS)), stride, draw(between), False, draw(st.booleans()))
        for stride in strides
    ]
    slowest = draw(st.sampled_from([2, 4, 6]))
    steps = slowest
    for stride in strides:
        steps *= stride
    return stack(layers, steps, batch=draw(st.sampled_from([1, 2]))), slowest


@given(found=plain_stacks(), data=st.data())
@settings(max_examples=40)
def test_a_chunk_runs_every_layer_for_its_share_in_the_old_order(
    found: tuple[Trace, int], data: st.DataObject
) -> None:
    trace, chunk, count = chunks(found, data)
    expected = []
    for _ in range(count):
        for item, (steps, names) in zip(timed(trace), steps_of(trace), strict=True):
            expected += names * (steps // count if isinstance(item, Region) else 1)
    assert order(layer_major(trace, chunk, hoist=False)) == expected + ends(trace)


def timed(trace: Trace) -> list[Op | Region]:
    return [
        item
        for item in trace.items
        if isinstance(item, Region) or (isinstance(item, Op) and is_over_time(item))
    ]


@given(found=plain_stacks())
@settings(max_examples=40)
def test_a_frame_runs_every_step_as_soon_as_its_time_is_over(found: tuple[Trace, int]) -> None:
    trace, _ = found
    moments = [
        (Fraction(step + 1, steps), place, names)
        for place, (steps, names) in enumerate(steps_of(trace))
        for step in range(steps)
    ]
    expected = [name for _, _, names in sorted(moments) for name in names]
    assert order(time_major(trace)) == expected + ends(trace)


# -- weights -------------------------------------------------------------------------------------


def weight_reads(trace: Trace) -> dict[str, int]:
    """Times that each weight is read."""
    found: dict[str, int] = {}
    for op, times in trace.ops():
        for access in op.inputs:
            if access.tensor.role == "weight":
                found[access.tensor.name] = found.get(access.tensor.name, 0) + times
    return found


@given(found=plain_stacks(), data=st.data())
@settings(max_examples=40)
def test_loops_read_their_weights_as_often_as_before(
    found: tuple[Trace, int], data: st.DataObject
) -> None:
    trace, chunk, count = chunks(found, data)
    inside = weight_reads(trace.replace(items=trace.regions))
    for changed in (layer_major(trace, chunk, hoist=False), time_major(trace)):
        reads = weight_reads(changed)
        assert {name: reads[name] for name in inside} == inside
    hoisted = weight_reads(layer_major(trace, chunk))
    for name, times in inside.items():
        projects = name.endswith((".gate.w", ".input.w", ".new.w", ".old.w"))
        assert hoisted[name] == (count if projects else times)
