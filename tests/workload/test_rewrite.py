from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.testing.passes import Sketch
from codesign.workload import view
from codesign.workload.affine import (
    advancing,
    broadcast,
    covers,
    is_row_major,
    project,
    traversal,
    without_broadcast,
)
from codesign.workload.check import check_trace
from codesign.workload.nest import Axis
from codesign.workload.record import Access, Branch, Carry, Op, Region, Trace
from codesign.workload.rewrite import (
    Editor,
    carried,
    drop_unused,
    every_op,
    redirect,
    with_operands,
)

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def tensor(shape: tuple[int, ...]) -> Access:
    return Sketch().tensor("t", shape)


def elements(access: Access) -> list[int]:
    """Storage positions in the order in which a view reads them."""
    return [
        access.offset + sum(i * s for i, s in zip(index, access.strides, strict=True))
        for index in itertools.product(*map(range, access.shape))
    ]


@given(SHAPES, st.data())
def test_equal_traversals_read_equal_elements_in_equal_order(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    whole = tensor(shape)
    order = data.draw(st.permutations(range(len(shape))))
    one, two = view.permute(whole, order), whole
    assert (traversal(one) == traversal(two)) == (elements(one) == elements(two))


@given(SHAPES)
def test_a_reshaped_tensor_is_still_covered(shape: tuple[int, ...]) -> None:
    flat = view.reshape(tensor(shape), (-1,))
    assert flat is not None
    assert covers(flat)


def test_a_slice_does_not_cover_its_tensor() -> None:
    assert not covers(view.slice_axis(tensor((4, 3)), 0, 0, 3, 1))


def test_a_moving_view_does_not_cover_its_tensor() -> None:
    assert not covers(advancing(tensor((4, 3)), 12, 0))


@given(SHAPES, SHAPES)
def test_broadcast_repeats_without_touching_more(
    lead: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    access = tensor(shape)
    wide = broadcast(access, (*lead, *shape))
    assert wide is not None
    assert wide.shape == (*lead, *shape)
    assert set(elements(wide)) == set(elements(access))


@pytest.mark.parametrize(("shape", "target"), [((3,), (4,)), ((2, 3), (3,)), ((2, 3), (3, 2))])
def test_broadcast_refuses_what_torch_refuses(
    shape: tuple[int, ...], target: tuple[int, ...]
) -> None:
    assert broadcast(tensor(shape), target) is None


def test_a_projection_drops_what_is_broadcast_and_keeps_the_axes_of_the_rest() -> None:
    bias = broadcast(tensor((5,)), (2, 3, 5))
    assert bias is not None
    axes = (Axis(((0, 1),)), Axis(((1, 1),)), Axis(((2, 1),)))
    operand, kept = project(bias, axes)
    assert operand == without_broadcast(bias)
    assert operand.shape == (5,)
    assert kept == axes[2:]


def test_an_added_operand_stands_before_the_output_in_the_nest() -> None:
    s = Sketch()
    s.matmul(s.tensor("x", (2, 3), "input"), s.tensor("w", (3, 5), "weight"))
    (op,) = s.items
    assert isinstance(op, Op)
    bias, axes = s.tensor("b", (5,), "weight"), (Axis(((2, 1),)),)
    grown = with_operands(op, [(bias, axes)], op.outputs[0])
    assert grown.inputs[-1] == bias
    assert grown.loops.operands[-2] == axes
    assert grown.loops.operands[-1] == op.loops.operands[-1]
    assert grown.macs == op.macs


def test_an_operator_without_a_nest_takes_no_operand() -> None:
    s = Sketch()
    s.map("relu", s.tensor("x", (2,), "input"))
    (op,) = s.items
    assert isinstance(op, Op)
    with pytest.raises(ValueError, match="no loop nest"):
        with_operands(op, [], op.outputs[0])


@pytest.mark.parametrize(("depth", "expected"), [(0, (7,)), (2, (0, 0, 7))])
def test_an_access_advances_at_its_depth(depth: int, expected: tuple[int, ...]) -> None:
    assert advancing(tensor((3,)), 7, depth).advance == expected


def test_an_outer_advance_is_kept_inside() -> None:
    assert advancing(advancing(tensor((3,)), 5, 0), 7, 2).advance == (5, 0, 7)


def test_row_major_views_are_adjacent() -> None:
    whole = tensor((4, 3))
    assert is_row_major(view.slice_axis(whole, 0, 1, 3, 1))
    assert not is_row_major(view.slice_axis(whole, 1, 0, 2, 1))
    assert is_row_major(tensor(()))


# --- the editor ---


def chain() -> tuple[Sketch, Trace]:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    s.map("exp", s.map("neg", x))
    return s, s.trace()


def ops(trace: Trace) -> list[Op]:
    return list(every_op(trace.items))


def test_an_untouched_trace_comes_back_itself() -> None:
    _, trace = chain()
    assert Editor(trace).finish() is trace


def test_a_merge_replaces_both_and_drops_what_lay_between() -> None:
    _, trace = chain()
    editor = Editor(trace)
    neg, exp = ops(trace)
    fused = replace(exp, inputs=neg.inputs, functions=("neg", "exp"))
    editor.merge((neg, exp), exp, fused)
    changed = editor.finish()
    assert changed.items == (fused,)
    assert [t.name for t in changed.tensors] == ["x", "exp1.out"]


def test_the_editor_knows_makers_and_readers() -> None:
    _, trace = chain()
    editor = Editor(trace)
    neg, exp = ops(trace)
    middle = neg.outputs[0].tensor
    assert editor.maker(middle) == neg
    assert editor.readers(middle) == (exp,)
    assert editor.only_read_by(middle, exp)
    assert editor.maker(neg.inputs[0].tensor) is None


def test_outputs_of_the_model_have_no_private_maker() -> None:
    _, trace = chain()
    assert Editor(trace).maker(ops(trace)[1].outputs[0].tensor) is None


def test_what_is_written_in_pieces_has_no_maker() -> None:
    s = Sketch()
    x, y = s.tensor("x", (2, 3), "input"), s.tensor("y", (4, 3))
    for start in (0, 2):
        s.op("move", (), [x], view.slice_axis(y, 0, start, start + 2, 1))
    s.map("exp", y)
    assert Editor(s.trace()).maker(y.tensor) is None


def test_a_reader_may_not_move_past_an_update_in_place() -> None:
    s = Sketch()
    state = s.tensor("state", (2, 3), "state")
    old = s.map("neg", state)
    s.op("elementwise", ["add"], [state], state)
    s.map("exp", old)
    trace = s.trace()
    neg, update, exp = ops(trace)
    editor = Editor(trace)
    assert not editor.may_merge((neg, exp), exp)
    assert editor.may_merge((neg, update), update)


def looped(body: list[Op], carries: tuple[Carry, ...] = ()) -> Region:
    return Region("loop", 3, tuple(body), carries)


def test_operators_do_not_merge_across_the_edge_of_a_region() -> None:
    _, trace = chain()
    neg, exp = ops(trace)
    trace = trace.replace(items=(neg, looped([exp])))
    assert not Editor(trace).may_merge((neg, exp), exp)


def test_carried_tensors_have_no_private_maker() -> None:
    s = Sketch()
    h = s.tensor("h", (2, 3), "state")
    new = s.map("neg", h)
    (op,) = s.items
    assert isinstance(op, Op)
    s.items = [looped([op], (Carry(h.tensor, new.tensor),))]
    s.map("exp", new)
    trace = s.trace()
    assert carried(trace.items) == {"h", new.tensor.name}
    assert Editor(trace).maker(new.tensor) is None


def test_a_merge_inside_a_region_leaves_its_surroundings() -> None:
    _, trace = chain()
    neg, exp = ops(trace)
    trace = trace.replace(items=(looped([neg, exp]),))
    editor = Editor(trace)
    editor.merge((neg, exp), exp, replace(exp, inputs=neg.inputs))
    (region,) = editor.finish().regions
    assert region.steps == 3
    assert len(region.body) == 1


def test_both_sides_of_a_branch_are_walked() -> None:
    _, trace = chain()
    neg, exp = ops(trace)
    branched = trace.replace(items=(neg, Branch("b", 0.9, (exp,), ())))
    assert list(every_op(branched.items)) == [neg, exp]
    other = trace.replace(items=(neg, Branch("b", 0.9, (), (exp,))))
    assert list(every_op(other.items)) == [neg, exp]


def test_redirected_operators_use_a_part_of_another_tensor() -> None:
    _, trace = chain()
    stack = Sketch().tensor("stack", (5, 2, 3))
    target = advancing(view.select(stack, 0, 1), 6, 0)
    middle = ops(trace)[0].outputs[0].tensor
    neg, exp = (op for op in redirect(trace.items, middle, target) if isinstance(op, Op))
    assert neg.outputs[0].tensor == exp.inputs[0].tensor == stack.tensor
    assert neg.outputs[0].offset == exp.inputs[0].offset == 6
    assert exp.inputs[0].advance == (6,)


def test_redirection_reaches_into_regions_and_branches() -> None:
    _, trace = chain()
    middle = ops(trace)[0].outputs[0].tensor
    other = Sketch().tensor("other", (2, 3))
    inner: tuple[Op, ...] = tuple(ops(trace))
    nested = (Branch("b", 0.5, (looped(list(inner)),), ()),)
    moved = redirect(nested, middle, other)
    assert middle.name not in {a.tensor.name for op in every_op(moved) for a in op.operands}


def test_only_unused_activations_are_dropped() -> None:
    s = Sketch()
    s.tensor("weight", (2,), "weight")
    s.tensor("spare", (2,))
    s.map("neg", s.tensor("x", (2,), "input"))
    trace = Trace("t", tuple(s.items), tuple(s.tensors))
    check_trace(trace)
    assert [t.name for t in drop_unused(trace).tensors] == ["weight", "x", "neg0.out"]
