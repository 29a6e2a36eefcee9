"""The builder: bindings, constants, names, updates in place."""

from __future__ import annotations

import pytest
from hand_graph import FP32, LOWERINGS, built, given_input, node, value

from codesign.errors import CaptureError, TraceError
from codesign.workload.assembly import Assembly
from codesign.workload.builder import Builder
from codesign.workload.graph import Graph
from codesign.workload.record import Op, Region

X = value("x", 4, 8)
ROW = value("row", 8)
STATE = value("state", 4, 8)


def ops(builder: Builder) -> list[Op]:
    return [item for item in builder.items if isinstance(item, Op)]


def test_a_view_is_free_and_an_operator_is_counted() -> None:
    alias, y = value("alias", 4, 8), value("y", 4, 8)
    nodes = [node("toy.alias", alias, X), node("toy.work", y, alias)]
    builder, assembly = built([given_input(X)], nodes, [y])
    assert (assembly.modelled, assembly.views) == (1, 1)
    assert ops(builder)[0].inputs == (builder.access(X),)


def test_a_constant_is_stored_only_if_an_operator_reads_it() -> None:
    table, y = value("table", 8), value("y", 8)
    builder, _ = built([], [node("toy.table", table)], [])
    assert not builder.items
    builder, _ = built(
        [given_input(ROW)], [node("toy.table", table), node("toy.work", y, ROW, table)]
    )
    assert [a.tensor.role for a in ops(builder)[0].inputs] == ["input", "constant"]


def test_what_is_computed_from_constants_alone_is_worked_out_before_the_run() -> None:
    table, half, y = value("table", 8), value("half", 8), value("y", 8)
    nodes = [
        node("toy.table", table),
        node("toy.work", half, table),
        node("toy.work", y, ROW, half),
    ]
    builder, assembly = built([given_input(ROW)], nodes)
    (op,) = ops(builder)
    assert op.inputs[1].tensor.role == "constant"
    assert (assembly.modelled, assembly.views) == (1, 2)


def test_buffers_count_as_constants_and_weights_do_not() -> None:
    for role, expected in (("constant", 0), ("weight", 1), ("input", 1), ("state", 1)):
        y = value("y", 4, 8)
        builder, _ = built([given_input(X, role)], [node("toy.work", y, X)])  # type: ignore[arg-type]
        assert len(builder.items) == expected, role


def test_a_uniform_constant_is_one_element_whose_number_is_known() -> None:
    zeros = value("zeros", 4, 8)
    builder, _ = built([], [node("toy.zeros", zeros)])
    access = builder.access(zeros)
    assert (access.tensor.shape, access.shape) == ((), (4, 8))
    assert builder.fill(access) == 0.0


def test_a_number_is_not_known_of_other_tensors() -> None:
    table = value("table", 4)
    builder, _ = built([given_input(X)], [node("toy.table", table)])
    assert builder.fill(builder.access(table)) is None
    assert builder.fill(builder.access(X)) is None


def test_names_say_module_and_target_and_are_unique() -> None:
    outputs = [value(f"y{i}", 4, 8) for i in range(3)]
    nodes = [node("toy.work.default", y, X, module="body.0") for y in outputs]
    builder, _ = built([given_input(X)], nodes, outputs)
    assert [op.name for op in ops(builder)] == [
        "body.0.work",
        "body.0.work_1",
        "body.0.work_2",
    ]
    assert len({op.outputs[0].tensor.name for op in ops(builder)}) == 3
    assert {op.module for op in ops(builder)} == {"body.0"}
    assert {op.source for op in ops(builder)} == {"toy.work.default"}


def test_a_reshape_that_the_strides_forbid_is_one_move() -> None:
    flat = value("flat", 32)
    builder, _ = built([given_input(X)], [node("toy.flatten", flat, X)])
    (op,) = ops(builder)
    assert (op.kind, op.inputs[0].strides, op.outputs[0].shape) == ("move", (1, 8), (8, 4))
    assert builder.access(flat).shape == (32,)


def test_an_update_of_a_mutated_input_writes_only_what_changes() -> None:
    after = value("after", 4, 8)
    nodes = [node("aten.select_scatter", after, STATE, ROW, 2)]
    builder, _ = built(
        [given_input(STATE, "state"), given_input(ROW)], nodes, [], [("after", "state")]
    )
    (op,) = ops(builder)
    assert (op.outputs[0].offset, op.outputs[0].elements) == (16, 8)
    assert builder.access(after) == builder.access(STATE)


def test_an_update_whose_old_content_is_still_needed_copies_first() -> None:
    after, y = value("after", 4, 8), value("y", 4, 8)
    nodes = [node("aten.select_scatter", after, STATE, ROW, 2), node("toy.work", y, STATE)]
    builder, _ = built(
        [given_input(STATE, "state"), given_input(ROW)], nodes, [y], [("after", "state")]
    )
    assert [op.name for op in ops(builder)] == ["fill", "select_scatter", "work", "write_back"]


def test_an_input_that_is_not_mutated_is_never_written() -> None:
    after = value("after", 4, 8)
    nodes = [node("aten.select_scatter", after, X, ROW, 2)]
    builder, _ = built([given_input(X), given_input(ROW)], nodes, [after])
    assert "x" not in {a.tensor.name for op in ops(builder) for a in op.outputs}


def test_the_next_content_of_a_state_is_written_straight_into_it() -> None:
    after = value("after", 4, 8)
    builder, _ = built(
        [given_input(STATE, "state"), given_input(X)],
        [node("toy.work", after, X)],
        [],
        [("after", "state")],
    )
    assert [op.outputs[0].tensor.name for op in ops(builder)] == ["state"]


@pytest.mark.parametrize(("target", "writes"), [("toy.work", 2), ("toy.overlap", 1)])
def test_only_an_operator_that_may_overlap_overwrites_what_it_reads(
    target: str, writes: int
) -> None:
    after = value("after", 4, 8)
    builder, _ = built(
        [given_input(STATE, "state")], [node(target, after, STATE)], [], [("after", "state")]
    )
    assert len(builder.items) == writes


def test_a_state_that_ends_as_another_input_is_written_back() -> None:
    builder, _ = built([given_input(STATE, "state"), given_input(X)], [], [], [("x", "state")])
    (op,) = ops(builder)
    assert (op.kind, op.inputs[0].tensor.name, op.outputs[0].tensor.name) == ("move", "x", "state")


def test_a_value_that_nothing_has_bound_is_an_error_that_names_it() -> None:
    builder, _ = built([given_input(X)], [])
    with pytest.raises(CaptureError, match="'ghost'"):
        builder.access(value("ghost", 1))


def test_binding_another_shape_is_an_error_that_shows_both() -> None:
    builder, _ = built([given_input(X)], [])
    with pytest.raises(TraceError, match=r"y: .*\[3\].*\[4, 8\]"):
        builder.bind(value("y", 3), builder.access(X))


def test_items_collected_apart_do_not_enter_the_trace() -> None:
    builder, _ = built([given_input(X)], [])
    with builder.collecting() as body:
        builder.emit("move", [builder.access(X)], [], what="inside")
    assert not builder.items
    builder.append(Region("loop", 3, tuple(body)))
    assert [item.name for item in builder.items] == ["loop"]


def test_a_body_is_lowered_with_its_inputs_bound_and_its_names_apart() -> None:
    y, h, out = value("y", 4, 8), value("h", 4, 8), value("out", 4, 8)
    builder, assembly = built([given_input(X)], [node("toy.work", y, X)])
    graph = Graph((given_input(h),), (node("toy.work", out, h),), (out, None))
    body = builder.body(graph, [builder.access(y)], "scan")
    (op,) = body.items
    assert op.name == "scan.work"
    assert isinstance(op, Op)
    assert op.inputs == (builder.access(y),)
    assert body.outputs == (op.outputs[0], None)
    assert assembly.modelled == 2


def test_a_body_never_overwrites_what_it_got_from_outside() -> None:
    y, h, after = value("y", 4, 8), value("h", 4, 8), value("after", 4, 8)
    builder, _ = built([given_input(X), given_input(ROW)], [node("toy.work", y, X)])
    update = node("aten.select_scatter", after, h, value("r", 8), 1)
    graph = Graph((given_input(h), given_input(value("r", 8))), (update,), (after,))
    body = builder.body(graph, [builder.access(y), builder.access(ROW)], "scan")
    written = {a.tensor for item in body.items if isinstance(item, Op) for a in item.outputs}
    assert builder.access(y).tensor not in written


def test_new_storage_can_be_laid_out_in_another_order() -> None:
    assembly = Assembly(LOWERINGS)
    builder = Builder(Graph((), (), ()), [], assembly)
    access = builder.new(value("y", 2, 3, 5), order=(1, 0, 2))
    assert access.tensor.shape == (3, 2, 5)
    assert (access.shape, access.strides) == ((2, 3, 5), (5, 10, 1))


def test_notes_are_kept_once_and_in_order() -> None:
    builder, assembly = built([], [])
    for text in ("first", "second", "first"):
        builder.note(text)
    assert list(assembly.notes) == ["first", "second"]


def test_an_output_that_nothing_reads_is_known() -> None:
    y, z = value("y", 8), value("z", 8)
    nodes = [node("toy.work", y, ROW), node("toy.work", z, ROW)]
    builder, _ = built([given_input(ROW)], nodes, [z])
    assert (builder.is_used(y), builder.is_used(z)) == (False, True)
    assert builder.users(ROW) == tuple(nodes)
    assert builder.users(z) == (None,)


def test_a_tensor_gets_the_format_it_is_asked_for() -> None:
    builder, _ = built([], [])
    tensor = builder.tensor("scratch", [2, 3], FP32)
    assert (tensor.name, tensor.shape, tensor.role) == ("scratch", (2, 3), "activation")
    assert builder.tensor("scratch", [2], FP32).name == "scratch_1"
