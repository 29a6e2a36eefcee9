"""The records of a trace: what they count, and what they refuse."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.testing import elementwise, matmul, move
from codesign.testing.operators import whole
from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import (
    KINDS,
    Access,
    Branch,
    Carry,
    Coverage,
    Op,
    Region,
    Tensor,
    Trace,
    contiguous_strides,
    iterate,
)

LAW = settings(max_examples=80, deadline=None, derandomize=True)
SHAPES = st.lists(st.integers(1, 9), max_size=4).map(tuple)


@LAW
@given(SHAPES, st.sampled_from(["int8", "int4", "fp16", "fp4[16x8]"]))
def test_a_whole_access_has_the_bytes_of_its_tensor(shape: tuple[int, ...], dtype: str) -> None:
    tensor = Tensor("t", shape, DType.parse(dtype), "input")
    access = tensor.access()
    assert (access.elements, access.bytes) == (tensor.elements, tensor.bytes)
    assert access.run == tensor.elements


@LAW
@given(SHAPES)
def test_row_major_strides_number_the_elements_without_a_gap(shape: tuple[int, ...]) -> None:
    strides = contiguous_strides(shape)
    last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    assert last + 1 == Tensor("t", shape, DType.parse("int8"), "input").elements


@LAW
@given(SHAPES.filter(lambda shape: len(shape) > 1))
def test_a_permuted_view_reads_the_same_bytes_in_the_same_runs(
    shape: tuple[int, ...],
) -> None:
    tensor = Tensor("t", shape, DType.parse("int8"), "input")
    access = tensor.access()
    turned = Access(tensor, access.shape[::-1], access.strides[::-1])
    assert (turned.bytes, turned.run) == (access.bytes, access.run)


def view(shape: tuple[int, ...], strides: tuple[int, ...]) -> Access:
    return Access(Tensor("t", (100,), DType.parse("fp16"), "weight"), shape, strides)


def test_a_broadcast_axis_counts_once() -> None:
    assert view((5, 8), (0, 1)).elements == 8
    assert view((5, 8), (0, 1)).bytes == 16


@pytest.mark.parametrize(
    ("shape", "strides", "run"),
    [
        ((4, 8), (8, 1), 32),
        ((4, 6), (8, 1), 6),
        ((4, 8), (1, 4), 32),
        ((4,), (2,), 1),
        ((4, 1), (1, 50), 4),
        ((4,), (-1,), 4),
        ((), (), 1),
    ],
)
def test_the_run_is_the_longest_stretch_of_neighbours(
    shape: tuple[int, ...], strides: tuple[int, ...], run: int
) -> None:
    assert view(shape, strides).run == run


def test_a_scalar_is_one_element() -> None:
    assert Tensor("s", (), DType.parse("fp32"), "constant").bytes == 4


# -- operators ------------------------------------------------------------------------------------


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TraceError, match=r"x: unknown kind 'conv'; known: contraction, attention"):
        Op("x", "conv", (), ())


def test_a_contraction_without_a_nest_is_refused() -> None:
    with pytest.raises(TraceError, match="x: a contraction needs a loop nest"):
        Op("x", "contraction", (), ())


def test_a_nest_of_another_number_of_operands_is_refused() -> None:
    op = matmul(2, 3, 4)
    with pytest.raises(TraceError, match="describes 3 operands, the operator has 2"):
        replace(op, inputs=op.inputs[:1])


def test_a_contraction_whose_points_share_an_output_element_is_refused() -> None:
    """A transposed convolution written as one nest: input pixels and taps meet in a pixel."""
    pixel, tap, inner = (Axis(((dim, 1),)) for dim in range(3))
    operands = ((pixel, inner), (inner, tap), (Axis(((0, 2), (1, 1)), -1),))
    nest = LoopNest(("ix", "kx", "ci"), (5, 4, 3), operands)
    accesses = whole("x", (5, 3)), whole("w", (3, 4)), whole("y", (10,))
    with pytest.raises(
        TraceError, match=r"up: axis 0 of operand 2, an output, must name one .*red"
    ):
        Op("up", "contraction", accesses[:2], accesses[2:], nest)
    apart = replace(nest, operands=(*operands[:2], (Axis(((0, 4), (1, 1))),)))
    output = whole("y", (20,))
    assert Op("up", "contraction", accesses[:2], (output,), apart).macs == 60


def test_an_operator_without_a_nest_says_so_when_asked() -> None:
    with pytest.raises(TraceError, match="a move has no loop nest"):
        _ = move((4,)).loops


def test_operands_are_inputs_then_outputs() -> None:
    op = matmul(2, 3, 4)
    assert [access.tensor.name for access in op.operands] == ["x", "w", "y"]


def test_attributes_are_found_by_name_or_have_a_default() -> None:
    op = Op("x", "move", (), (), attributes=(("width", 5),))
    assert op.attribute("width") == 5
    assert op.attribute("height") is None
    assert op.attribute("height", 7) == 7


def test_only_matrix_work_counts_macs() -> None:
    assert matmul(2, 3, 4, batch=5).macs == 120
    assert elementwise((100,)).macs == 0


def test_attention_counts_both_of_its_products() -> None:
    shapes = {"q": (2, 8, 10, 64), "k": (2, 4, 30, 64), "v": (2, 4, 30, 32)}
    inputs = tuple(whole(name, shape) for name, shape in shapes.items())
    op = Op("a", "attention", inputs, (whole("y", (2, 8, 10, 32)),))
    assert op.macs == 2 * 8 * 10 * 30 * (64 + 32)


def test_names_and_places_do_not_change_the_content() -> None:
    op = matmul(2, 3, 4)
    other = Tensor("another", (2, 3), op.inputs[0].tensor.dtype, "input").access()
    moved = replace(op, name="elsewhere", module="m", source="s", inputs=(other, op.inputs[1]))
    assert moved.content == op.content
    assert hash(moved.content) == hash(op.content)


@pytest.mark.parametrize(
    "other",
    [
        matmul(2, 3, 5),
        matmul(2, 3, 4, dtype="bf16"),
        replace(matmul(2, 3, 4), functions=("relu",)),
        replace(matmul(2, 3, 4), attributes=(("width", 1),)),
        replace(matmul(2, 3, 4), outputs=(whole("y", (2, 4), "activation"),)),
    ],
    ids=["shape", "format", "function", "attribute", "role"],
)
def test_whatever_the_cost_depends_on_changes_the_content(other: Op) -> None:
    assert other.content != matmul(2, 3, 4).content


def test_an_output_turned_input_changes_the_content() -> None:
    x, y = whole("x", (4,)), whole("y", (4,))
    assert Op("a", "move", (x,), (y,)).content != Op("a", "move", (), (x, y)).content


def test_records_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        matmul(1, 1, 1).name = "other"  # type: ignore[misc]


def test_every_kind_is_named_once() -> None:
    assert len(set(KINDS)) == len(KINDS)


# -- regions, branches, traces --------------------------------------------------------------------


def loop(steps: int = 3) -> Region:
    weight, bias = whole("w", (4, 4), "weight"), whole("b", (1, 4), "weight")
    rows = whole("x", (3, 4), "input")
    row = Access(rows.tensor, (1, 4), (4, 1), advance=(4,))
    state, update = whole("h", (1, 4)), whole("h2", (1, 4))
    product = replace(matmul(1, 4, 4), inputs=(state, weight), outputs=(update,))
    shift = Op("shift", "elementwise", (update, row, bias), (update,), functions=("add",))
    return Region("loop", steps, (product, shift), (Carry(state.tensor, update.tensor),))


def test_invariants_are_read_at_every_step_and_written_at_none() -> None:
    assert [tensor.name for tensor in loop().invariants] == ["w", "b"]


@pytest.mark.parametrize("steps", [0, -1])
def test_a_region_runs_at_least_once(steps: int) -> None:
    with pytest.raises(TraceError, match=f"loop: a region must have at least 1 step, got {steps}"):
        loop(steps)


def test_nested_regions_multiply_and_the_likelier_side_of_a_branch_counts() -> None:
    yes, no = replace(move((4,)), name="yes"), replace(move((4,)), name="no")
    branch = Branch("b", 0.2, (yes,), (no,))
    items = (Region("outer", 5, (Region("inner", 3, (branch, matmul(1, 2, 3))),)),)
    assert [(op.name, times) for op, times in iterate(items)] == [
        ("no", 15),
        ("matmul 1x1x2x3", 15),
    ]


def test_a_trace_adds_up_macs_over_all_steps() -> None:
    trace = Trace("t", (loop(7), matmul(2, 3, 4)), ())
    assert trace.macs == 7 * 16 + 24
    assert [region.name for region in trace.regions] == ["loop"]


def test_parameters_are_the_weights_and_nothing_else() -> None:
    tensors = (
        Tensor("w", (10,), DType.parse("int4"), "weight"),
        Tensor("v", (3,), DType.parse("fp32"), "weight"),
        Tensor("c", (99,), DType.parse("fp32"), "constant"),
    )
    trace = Trace("t", (), tensors)
    assert (trace.parameters, trace.parameter_bytes) == (13, 5 + 12)


def test_replace_changes_a_copy() -> None:
    trace = Trace("t", (), ())
    assert trace.replace(name="u").name == "u"
    assert trace.name == "t"


def test_coverage_is_the_modelled_share_of_what_costs() -> None:
    assert Coverage(3, 100, (("aten.mystery", 1),)).share == 0.75
    assert Coverage(0, 5).share == 1.0
