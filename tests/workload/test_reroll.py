from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.testing.passes import Sketch, check_pass
from codesign.workload import view
from codesign.workload.record import Access, Op, Region, Role, Trace
from codesign.workload.reroll import reroll

B, X, H = 2, 3, 4


def cell(sketch: Sketch, x: Access, h: Access, weights: tuple[Access, Access]) -> Access:
    """A plain recurrent cell: tanh(x w + h u)."""
    driven = sketch.matmul(x, weights[0])
    recurrent = sketch.matmul(h, weights[1])
    return sketch.map("tanh", sketch.map("add", driven, recurrent))


def loop(steps: int, layers: int = 1, *, stack: int | None = 0, head: bool = True) -> Trace:
    """An unrolled loop over time with layers inside; optionally stacked results and a head."""
    s = Sketch()
    x = s.tensor("x", (steps, B, X), "input")
    state = [s.tensor(f"h{layer}", (B, H), "input") for layer in range(layers)]
    weights = [
        (
            s.tensor(f"w{layer}", (X if layer == 0 else H, H), "weight"),
            s.tensor(f"u{layer}", (H, H), "weight"),
        )
        for layer in range(layers)
    ]
    collected = []
    for t in range(steps):
        value = view.select(x, 0, t)
        for layer in range(layers):
            state[layer] = value = cell(s, value, state[layer], weights[layer])
        collected.append(value)
    if stack is not None:
        rows = [view.unsqueeze(value, stack) for value in collected]
        shape = list(rows[0].shape)
        shape[stack] = steps
        s.op("move", (), rows, shape, "output")
    if head:
        s.matmul(collected[-1], s.tensor("head", (H, 5), "weight"), "output")
    return s.trace()


def only_region(trace: Trace) -> Region:
    (region,) = trace.regions
    return region


@given(steps=st.integers(3, 9), layers=st.integers(1, 3), stack=st.sampled_from([None, 0, 1]))
@settings(max_examples=30, deadline=None)
def test_a_rerolled_loop_keeps_the_ledger(steps: int, layers: int, stack: int | None) -> None:
    trace = loop(steps, layers, stack=stack)
    changed = check_pass(reroll, trace)
    assert only_region(changed).steps == steps


@given(steps=st.integers(3, 9), layers=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_a_body_does_exactly_one_step(steps: int, layers: int) -> None:
    region = only_region(reroll(loop(steps, layers)))
    assert len(region.body) == 4 * layers
    assert len(region.carries) == layers


def test_two_steps_stay_unrolled() -> None:
    trace = loop(2)
    assert reroll(trace) is trace


def test_the_smallest_loop_worth_a_region_is_a_choice() -> None:
    assert only_region(reroll(loop(2), minimum=2)).steps == 2


def test_inputs_advance_by_one_time_step() -> None:
    region = only_region(reroll(loop(5)))
    first = region.body[0]
    assert isinstance(first, Op)
    assert first.inputs[0].tensor.name == "x"
    assert first.inputs[0].advance == (B * X,)
    assert first.inputs[1].advance == ()


def test_the_initial_state_is_the_input_tensor() -> None:
    (carry,) = only_region(reroll(loop(5))).carries
    assert carry.initial is not None
    assert carry.initial.name == "h0"
    assert carry.state.role == "state"


@pytest.mark.parametrize(("stack", "advance"), [(0, B * H), (1, H)])
def test_stacked_results_are_written_slice_by_slice(stack: int, advance: int) -> None:
    changed = reroll(loop(6, stack=stack))
    assert not [op for op, _ in changed.ops() if op.kind == "move"]
    last = only_region(changed).body[-1]
    assert isinstance(last, Op)
    assert [a.advance for a in last.outputs] == [(), (advance,)]


def test_what_follows_the_loop_reads_the_last_state() -> None:
    changed = reroll(loop(4, stack=None))
    head = changed.items[-1]
    assert isinstance(head, Op)
    (carry,) = only_region(changed).carries
    assert head.inputs[0].tensor == carry.update


def test_an_output_of_the_model_is_written_once_after_the_loop() -> None:
    s = Sketch()
    weights = (s.tensor("w", (X, H), "weight"), s.tensor("u", (H, H), "weight"))
    x, h = s.tensor("x", (5, B, X), "input"), s.tensor("h", (B, H), "input")
    for t in range(5):
        h = cell(s, view.select(x, 0, t), h, weights)
    last = s.items.pop()
    assert isinstance(last, Op)
    s.tensors.pop()
    s.op("elementwise", ["tanh"], last.inputs, (B, H), "output")
    changed = check_pass(reroll, s.trace())
    region = only_region(changed)
    assert region.steps == 5
    written = [a.tensor.role for op in region.body if isinstance(op, Op) for a in op.outputs]
    assert "output" not in written


def test_a_broadcast_initial_state_is_moved_into_place() -> None:
    s = Sketch()
    weights = (s.tensor("w", (X, H), "weight"), s.tensor("u", (H, H), "weight"))
    x = s.tensor("x", (5, B, X), "input")
    h = view.expand(s.tensor("zero", (), "constant"), (B, H))
    for t in range(5):
        h = cell(s, view.select(x, 0, t), h, weights)
    s.map("neg", h, role="output")
    changed = check_pass(reroll, s.trace())
    fill, region, _ = changed.items
    assert isinstance(fill, Op)
    assert fill.kind == "move"
    assert isinstance(region, Region)
    assert region.steps == 5
    assert region.carries[0].initial == fill.outputs[0].tensor


def test_layers_with_their_own_weights_are_not_a_loop() -> None:
    s = Sketch()
    h = s.tensor("h", (B, H), "input")
    for layer in range(6):
        h = s.map("relu", s.matmul(h, s.tensor(f"w{layer}", (H, H), "weight")))
    s.map("neg", h, role="output")
    trace = s.trace()
    assert reroll(trace) is trace


def test_a_weight_used_again_and_again_is_a_loop() -> None:
    s = Sketch()
    h, w = s.tensor("h", (B, H), "input"), s.tensor("w", (H, H), "weight")
    for _ in range(6):
        h = s.map("relu", s.matmul(h, w))
    s.map("neg", h, role="output")
    assert only_region(check_pass(reroll, s.trace())).steps == 6


def test_a_step_that_reads_two_steps_back_is_left_alone() -> None:
    s = Sketch()
    w = s.tensor("w", (H, H), "weight")
    older, h = s.tensor("a", (B, H), "input"), s.tensor("b", (B, H), "input")
    for _ in range(6):
        older, h = h, s.map("add", s.matmul(h, w), older)
    s.map("neg", h, role="output")
    trace = s.trace()
    assert all(len(region.body) > 2 for region in reroll(trace).regions)


def test_results_of_early_steps_used_elsewhere_forbid_a_loop() -> None:
    s = Sketch()
    w, x = s.tensor("w", (X, H), "weight"), s.tensor("x", (4, B, X), "input")
    rows = [s.matmul(view.select(x, 0, t), w) for t in range(4)]
    total = s.map("add", rows[2], rows[0])
    s.map("add", s.map("mul", rows[1], rows[3]), total, role="output")
    trace = s.trace()
    assert reroll(trace) is trace


def test_uneven_slices_forbid_a_loop() -> None:
    s = Sketch()
    w, x = s.tensor("w", (H, H), "weight"), s.tensor("x", (9, B, H), "input")
    h = s.tensor("h", (B, H), "input")
    for t in (0, 1, 3, 7, 8, 2):
        h = s.map("add", s.matmul(h, w), view.select(x, 0, t))
    s.map("neg", h, role="output")
    trace = s.trace()
    assert reroll(trace) is trace


def test_a_sequence_read_backwards_advances_by_a_negative_offset() -> None:
    s = Sketch()
    w, x = s.tensor("w", (H, H), "weight"), s.tensor("x", (5, B, H), "input")
    h = s.tensor("h", (B, H), "input")
    for t in reversed(range(5)):
        h = s.map("add", s.matmul(h, w), view.select(x, 0, t))
    s.map("neg", h, role="output")
    region = only_region(check_pass(reroll, s.trace()))
    advances = [a.advance for op in region.body if isinstance(op, Op) for a in op.inputs]
    assert (-B * H,) in advances


def test_rerolling_twice_changes_nothing_more() -> None:
    once = reroll(loop(5, 2))
    assert reroll(once) == once


def test_an_elementwise_chain_without_anything_from_outside_is_no_loop() -> None:
    s = Sketch()
    h = s.tensor("h", (B, H), "input")
    for _ in range(5):
        h = s.map("relu", h)
    s.map("neg", h, role="output")
    trace = s.trace()
    assert reroll(trace) is trace


def test_an_unrolled_elementwise_recurrence_is_a_loop() -> None:
    s = Sketch()
    decay, x = s.tensor("decay", (H,), "weight"), s.tensor("x", (7, B, H), "input")
    h = s.tensor("h", (B, H), "input")
    rows = []
    for t in range(7):
        h = s.map("add", s.map("mul", h, decay), view.select(x, 0, t))
        rows.append(view.unsqueeze(h, 0))
    s.op("move", (), rows, (7, B, H), "output")
    changed = check_pass(reroll, s.trace())
    assert only_region(changed).steps == 7
    assert len(changed.items) == 1


@pytest.mark.parametrize("role", ["input", "constant"])
def test_a_first_step_that_differs_stays_outside(role: Role) -> None:
    s = Sketch()
    w, x = s.tensor("w", (H, H), "weight"), s.tensor("x", (6, B, H), role)
    h = s.tensor("h", (B, H), "input")
    rows = []
    for t in range(6):
        h = s.map("add", s.matmul(h, w), view.select(x, 0, t))
        h = s.map("exp", h) if t == 0 else h
        rows.append(h)
    s.op("move", (), rows, (6, B, H))
    changed = check_pass(reroll, s.trace())
    assert only_region(changed).steps == 5
    assert not [t for t in changed.tensors if t.role == "weight" and t.name != "w"]


def test_what_a_gathering_move_copies_from_outside_the_loop_is_still_copied() -> None:
    s = Sketch()
    w, h = s.tensor("w", (H, H), "weight"), s.tensor("h", (B, H), "input")
    rows = [s.map("neg", h)]
    for _ in range(5):
        h = s.map("relu", s.matmul(h, w))
        rows.append(h)
    s.op("move", (), rows, (6, B, H))
    changed = check_pass(reroll, s.trace())
    (move,) = [op for op, _ in changed.ops() if op.kind == "move"]
    assert len(move.inputs) == 1
    assert move.inputs[0].tensor.name == "neg0.out"
    written = [a for op, _ in changed.ops() for a in op.outputs if a.tensor.role == "output"]
    assert sorted((a.offset, a.advance) for a in written) == [(0, ()), (B * H, (B * H,))]


def test_the_cut_between_steps_hands_on_as_little_as_it_can() -> None:
    s = Sketch()
    wide, narrow = s.tensor("wide", (H, 9 * H), "weight"), s.tensor("narrow", (9 * H, H), "weight")
    # the run starts in the middle of a step: it could be cut where the wide value is alive
    h = s.map("relu", s.matmul(s.tensor("first", (B, 9 * H), "input"), narrow))
    for _ in range(4):
        h = s.map("relu", s.matmul(s.map("relu", s.matmul(h, wide)), narrow))
    region = only_region(check_pass(reroll, s.trace()))
    assert sum(carry.state.bytes for carry in region.carries) == 4 * B * H


def test_regions_already_there_are_left_alone() -> None:
    once = reroll(loop(5))
    twice = once.replace(items=(*once.items,))
    assert reroll(twice).regions == once.regions


def test_a_state_updated_in_place_is_carried_in_place() -> None:
    s = Sketch()
    w, state = s.tensor("w", (H, H), "weight"), s.tensor("state", (B, H), "state")
    for _ in range(5):
        s.op("elementwise", ["tanh"], [s.matmul(state, w)], state)
    s.map("neg", state)
    region = only_region(check_pass(reroll, s.trace()))
    (carry,) = region.carries
    assert carry.state == carry.update == carry.initial == state.tensor
