"""Hoisting: what leaves a loop, what stays in it, and what becomes of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from strategies import Sketch
from test_schedule_stacks import Layer, Stack, stack
from test_schedule_values import results

from codesign.workload.check import check_trace
from codesign.workload.record import Access, Op, Region, Trace
from codesign.workload.schedule import hoist_projections

STEPS = 6


def hoisted(trace: Trace) -> Trace:
    """The hoisted trace, after it was found to compute the same."""
    changed = hoist_projections(trace)
    check_trace(changed)
    assert changed.macs == trace.macs
    found = results(changed)
    assert {name: found[name] for name in results(trace)} == results(trace)
    return changed


def layer(
    kind: str, batch: int = 1, *, starts_at_zero: bool = False, keeps_state: bool = False
) -> Trace:
    found = Layer(kind, starts_at_zero=starts_at_zero, keeps_state=keeps_state)
    return stack([found], STEPS, batch=batch)


def op(trace: Trace, name: str) -> Op:
    return next(op for op, _ in trace.ops() if op.name == name)


def inside(trace: Trace) -> list[str]:
    (region,) = trace.regions
    return [item.name for item in region.body]


def outside(trace: Trace) -> list[str]:
    return [item.name for item in trace.items if isinstance(item, Op)]


def read(trace: Trace, name: str) -> list[str]:
    return [access.tensor.name for access in op(trace, name).inputs]


# -- what leaves ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2])
def test_a_projection_becomes_one_product_over_all_steps(batch: int) -> None:
    trace = hoisted(layer("plain", batch))
    assert outside(trace) == ["l0.gate"]
    assert op(trace, "l0.gate").gemm == (1, STEPS * batch, 3, 4)
    assert op(trace, "l0.gate").loops.dims == ("m", "n", "k")
    assert inside(trace) == ["l0.cell", "l0.collect"]


def test_a_step_reads_its_row_of_the_product() -> None:
    trace = hoisted(layer("plain"))
    row = op(trace, "l0.cell").inputs[2]
    assert row.tensor == op(trace, "l0.gate").outputs[0].tensor
    assert row.tensor.shape == (STEPS, 1, 4)
    assert row.advance == (4,)


def test_functions_of_the_product_alone_leave_with_it() -> None:
    trace = hoisted(layer("normed"))
    assert op(trace, "l0.input").functions == ("tanh",)


def test_what_makes_a_factor_leaves_too() -> None:
    trace = hoisted(layer("normed"))
    assert outside(trace) == ["l0.scale", "l0.input"]
    assert op(trace, "l0.scale").outputs[0].shape == (STEPS, 1, 3)


def test_matrices_of_past_inputs_leave_too() -> None:
    trace = hoisted(layer("lagged"))
    # the state of the first step, all inputs behind it, and both products over all steps
    assert outside(trace) == ["l0.past.first", "l0.new", "l0.shift", "l0.old"]
    assert inside(trace) == ["l0.update", "l0.collect"]
    (region,) = trace.regions
    assert [carry.state.name for carry in region.carries] == ["l0.h"]
    past = op(trace, "l0.old").inputs[0]
    assert (past.tensor.shape, past.offset) == ((STEPS + 1, 1, 3), 0)


def test_a_past_input_of_zeros_is_filled_in() -> None:
    trace = hoisted(layer("lagged", starts_at_zero=True))
    assert op(trace, "l0.past.first").inputs == ()


def test_the_last_past_input_is_where_others_look_for_it() -> None:
    trace = hoisted(layer("lagged", keeps_state=True))
    last = op(trace, "l0.past.next.last")
    assert last.inputs[0].offset == STEPS * 3
    assert read(trace, "l0.keep1") == ["l0.past.next"]


# -- what stays ----------------------------------------------------------------------------------


def test_the_recurrent_product_takes_the_sums_behind_a_projection() -> None:
    trace = hoisted(layer("fused"))
    assert op(trace, "l0.input").functions == ()
    assert inside(trace) == ["l0.recurrent", "l0.update", "l0.collect"]
    product = op(trace, "l0.recurrent")
    assert product.functions == ("add", "add")
    assert read(trace, "l0.recurrent")[2:] == ["l0.input.product", "l0.bias"]


def test_a_bias_stays_with_the_step() -> None:
    trace = hoisted(layer("gated"))
    assert read(trace, "l0.gate") == ["x", "l0.gate.w"]
    assert read(trace, "l0.gate.epilogue") == ["l0.gate.product", "l0.bias"]
    assert op(trace, "l0.gate.epilogue").functions == ("add", "sigmoid")
    assert inside(trace)[0] == "l0.gate.epilogue"


def with_gate(trace: Trace, **changes: object) -> Trace:
    """The trace with another input product in its loop."""
    (region,) = trace.regions
    body = tuple(
        replace(item, **changes) if item.name == "l0.input" else item  # type: ignore[arg-type]
        for item in region.body
    )
    return trace.replace(items=(replace(region, body=body),))


def test_functions_before_the_state_leave_with_the_product() -> None:
    trace = hoisted(with_gate(layer("fused"), functions=("sigmoid", "add", "add")))
    assert op(trace, "l0.input").functions == ("sigmoid",)
    assert op(trace, "l0.recurrent").functions == ("add", "add")


def test_a_sum_with_the_bias_first_stays_an_operator_of_its_own() -> None:
    trace = layer("fused")
    old = op(trace, "l0.input")
    inputs = (*old.inputs[:2], old.inputs[3], old.inputs[2])
    operands = old.loops.operands
    nest = replace(old.loops, operands=(*operands[:2], operands[3], operands[2], operands[4]))
    trace = hoisted(with_gate(trace, inputs=inputs, nest=nest))
    # (w x + b) + u h is not (w x + u h) + b in floating point
    assert read(trace, "l0.input.epilogue") == ["l0.input.product", "l0.bias", "l0.recurrent.out"]
    assert op(trace, "l0.recurrent").functions == ()


def test_a_recurrent_product_that_others_read_stays_as_it_is() -> None:
    trace = layer("fused")
    (region,) = trace.regions
    update = next(item for item in region.body if item.name == "l0.update")
    assert isinstance(update, Op)
    product = op(trace, "l0.recurrent").outputs[0]
    reader = replace(update, inputs=(*update.inputs, product))
    body = tuple(reader if item == update else item for item in region.body)
    trace = hoisted(trace.replace(items=(replace(region, body=body),)))
    assert op(trace, "l0.recurrent").functions == ()
    assert "l0.input.epilogue" in inside(trace)


def test_without_a_recurrence_nothing_stays() -> None:
    trace = layer("gated")
    (region,) = trace.regions
    gate = region.body[0]
    assert isinstance(gate, Op)
    kept = next(tensor for tensor in trace.tensors if tensor.name == "l0.y")
    row = Access(kept, gate.outputs[0].shape, gate.outputs[0].strides, advance=(4,))
    alone = replace(gate, outputs=(row,))
    loop = Region("heads", STEPS, (alone,))
    trace = hoisted(trace.replace(items=(loop,)))
    assert [item.name for item in trace.items] == ["l0.gate"]
    assert op(trace, "l0.gate").functions == ("add", "sigmoid")
    assert op(trace, "l0.gate").gemm == (1, STEPS, 3, 4)


def test_a_product_of_two_inputs_stays() -> None:
    under = Stack()
    x = under.sequence("x", STEPS, 4, "input")
    under.layer("l0", x, Layer("plain"))
    trace = Trace("pair", tuple(under.items), tuple(under.tensors))
    (region,) = trace.regions
    gate = region.body[0]
    assert isinstance(gate, Op)
    # a matrix that is another one at each step is read as often either way
    moving = replace(gate.inputs[1], shape=(4, 4), strides=(0, 1), advance=(1,))
    wide = replace(moving.tensor, shape=(4 * STEPS, 4))
    body = (replace(gate, inputs=(gate.inputs[0], replace(moving, tensor=wide))), *region.body[1:])
    tensors = tuple(wide if t.name == wide.name else t for t in trace.tensors)
    trace = trace.replace(items=(replace(region, body=body),), tensors=tensors)
    assert hoist_projections(trace) == trace


def test_a_product_of_the_state_stays() -> None:
    trace = layer("standing")
    assert hoist_projections(trace) == trace


def test_what_a_step_leaves_for_the_next_one_stays() -> None:
    trace = layer("plain")
    (region,) = trace.regions
    # the cell reads the gate of the step before, which no carry hands on
    body = (*region.body[1:], region.body[0])
    late = trace.replace(items=(replace(region, body=body),))
    assert hoist_projections(late) == late


def test_what_a_step_writes_in_pieces_stays() -> None:
    trace = layer("plain")
    (region,) = trace.regions
    gate = region.body[0]
    assert isinstance(gate, Op)
    wide = replace(gate.outputs[0].tensor, shape=(2, 4))
    part = replace(gate, outputs=(replace(gate.outputs[0], tensor=wide),))
    items = (replace(region, body=(part, *region.body[1:])),)
    tensors = tuple(wide if t.name == wide.name else t for t in trace.tensors)
    partial = trace.replace(items=items, tensors=tensors)
    assert hoist_projections(partial) == partial


# -- nesting and repetition ----------------------------------------------------------------------


def test_a_projection_leaves_the_innermost_of_nested_loops() -> None:
    sketch = Sketch()
    sketch.recurrent("loop", sketch.input("x", 5, 4), 4, repeats=3)
    trace = hoisted(sketch.trace())
    (outer,) = trace.regions
    assert [item.name for item in outer.body] == ["loop.gate", "loop"]
    assert op(trace, "loop.gate").gemm == (1, 5, 4, 4)
    assert hoist_projections(trace) == trace


def test_hoisting_twice_changes_nothing_more() -> None:
    for kind in ("plain", "fused", "gated", "lagged", "normed", "standing"):
        once = hoist_projections(layer(kind))
        assert hoist_projections(once) == once


def test_values_that_nobody_names_any_more_are_gone() -> None:
    names = {tensor.name for tensor in hoist_projections(layer("lagged")).tensors}
    assert not names & {"l0.new.out", "l0.old.out", "l0.past", "l0.past.next"}
