"""Laws of ``with_precision``: only the format of floating-point tensors changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.nest import matmul_nest
from codesign.workload.precision import with_precision
from codesign.workload.record import (
    ROLES,
    Access,
    Branch,
    Carry,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
    iterate,
)

FORMATS = ["fp32", "fp16", "bf16", "fp8", "fp4[16x8]", "int8", "int64", "uint4", "bool"]
TARGETS = st.sampled_from(["int8", "int4[32x16]", "bf16", "fp32", "uint1", "fp4[16x8]"])


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Matrix products and elementwise operators over a few square tensors, nested at random."""
    extent = draw(st.integers(1, 8))
    tensors = tuple(
        Tensor(
            f"t{index}",
            (extent, extent),
            DType.parse(draw(st.sampled_from(FORMATS))),
            draw(st.sampled_from(ROLES)),
        )
        for index in range(draw(st.integers(1, 6)))
    )
    names = iter(range(1_000))
    items = _block(draw, tensors, names, depth=2)
    return Trace("generated", items, tensors, notes=("made by hypothesis",))


def _block(
    draw: st.DrawFn, tensors: tuple[Tensor, ...], names: Iterator[int], depth: int
) -> tuple[Item, ...]:
    kinds = ["matmul", "cast", "region", "branch"] if depth else ["matmul", "cast"]
    return tuple(
        _item(draw, draw(st.sampled_from(kinds)), tensors, names, depth)
        for _ in range(draw(st.integers(0, 3)))
    )


def _item(
    draw: st.DrawFn, kind: str, tensors: tuple[Tensor, ...], names: Iterator[int], depth: int
) -> Item:
    name = f"{kind}{next(names)}"
    pick = st.sampled_from(tensors)
    first, second, out = draw(pick), draw(pick), draw(pick)
    if kind == "region":
        carry = Carry(first, second, draw(st.none() | pick))
        steps = draw(st.integers(1, 4))
        return Region(name, steps, _block(draw, tensors, names, depth - 1), (carry,))
    if kind == "branch":
        taken = _block(draw, tensors, names, depth - 1)
        return Branch(name, draw(st.floats(0, 1)), taken, _block(draw, tensors, names, depth - 1))
    moved = Access(second, second.shape, (1, second.shape[0]), 0, (0, 2))
    if kind == "cast":
        return Op(name, "elementwise", (moved,), (out.access(),), functions=("cast",))
    extent = first.shape[0]
    nest = matmul_nest(1, extent, extent, extent)
    return Op(name, "contraction", (first.access(), moved), (out.access(),), nest)


def _named(items: tuple[Item, ...]) -> list[Tensor]:
    """Every tensor that an operator or a carry names, both sides of a branch included."""
    found: list[Tensor] = []
    for item in items:
        if isinstance(item, Op):
            found += [access.tensor for access in item.operands]
        elif isinstance(item, Region):
            for carry in item.carries:
                found += [carry.state, carry.update]
                found += [carry.initial] if carry.initial else []
            found += _named(item.body)
        else:
            found += _named(item.taken) + _named(item.otherwise)
    return found


@given(traces(), TARGETS)
def test_every_floating_point_tensor_gets_the_format_and_no_other_tensor_changes(
    trace: Trace, target: str
) -> None:
    converted = with_precision(trace, target)
    for before, after in zip(trace.tensors, converted.tensors, strict=True):
        wanted = DType.parse(target) if before.dtype.is_float else before.dtype
        assert after == Tensor(before.name, before.shape, wanted, before.role)


@given(traces(), TARGETS)
def test_operators_name_exactly_the_tensors_of_the_table(trace: Trace, target: str) -> None:
    converted = with_precision(trace, target)
    table = {tensor.name: tensor for tensor in converted.tensors}
    named = _named(converted.items)
    assert [tensor.name for tensor in named] == [tensor.name for tensor in _named(trace.items)]
    assert all(tensor is table[tensor.name] for tensor in named)


@given(traces(), TARGETS)
def test_macs_views_and_attributes_of_operators_stay(trace: Trace, target: str) -> None:
    converted = with_precision(trace, target)
    assert converted.macs == trace.macs
    assert converted.parameters == trace.parameters
    for (before, times), (after, again) in zip(trace.ops(), converted.ops(), strict=True):
        assert times == again
        assert _skeleton(before) == _skeleton(after)


def _skeleton(op: Op) -> tuple[object, ...]:
    views = [(a.shape, a.strides, a.offset, a.advance) for a in op.operands]
    return op.name, op.kind, op.nest, op.functions, op.attributes, op.module, op.source, views


@given(traces(), TARGETS)
def test_a_second_conversion_to_the_same_format_changes_nothing(trace: Trace, target: str) -> None:
    once = with_precision(trace, target)
    assert with_precision(once, target) is once


@given(traces(), TARGETS)
def test_a_change_is_noted_and_no_change_is_not(trace: Trace, target: str) -> None:
    converted = with_precision(trace, target)
    note = f"floating-point tensors stored and computed as {target}"
    if converted.tensors == trace.tensors:
        assert converted is trace
    else:
        assert converted.notes == (*trace.notes, note)


@given(traces())
def test_going_down_and_up_again_restores_the_trace_but_for_its_notes(trace: Trace) -> None:
    wide = with_precision(trace, "fp64")
    back = with_precision(with_precision(wide, "bf16"), "fp64")
    assert back.replace(notes=()) == wide.replace(notes=())


@given(traces(), TARGETS)
def test_a_format_and_its_name_give_the_same_trace(trace: Trace, target: str) -> None:
    assert with_precision(trace, target) == with_precision(trace, DType.parse(target))


def test_the_side_of_a_branch_that_is_not_taken_is_converted_too() -> None:
    weight = Tensor("w", (4,), DType.parse("fp32"), "weight")
    op = Op("copy", "elementwise", (weight.access(),), (weight.access(),))
    trace = Trace("choice", (Branch("b", 1.0, (), (op,)),), (weight,))
    (branch,) = with_precision(trace, "int8").items
    assert isinstance(branch, Branch)
    ((converted, _),) = iterate(branch.otherwise)
    assert str(converted.inputs[0].tensor.dtype) == "int8"


def test_weights_in_int8_take_a_quarter_of_the_bytes_of_fp32() -> None:
    weight = Tensor("w", (30, 40), DType.parse("fp32"), "weight")
    trace = Trace("bytes", (), (weight,))
    assert trace.parameter_bytes == 4_800
    assert with_precision(trace, "int8").parameter_bytes == 1_200


def test_a_block_format_adds_its_scales() -> None:
    weight = Tensor("w", (64,), DType.parse("fp32"), "weight")
    converted = with_precision(Trace("bytes", (), (weight,)), "int4[32x16]")
    assert converted.parameter_bytes == 64 * 4 // 8 + 2 * 16 // 8


@pytest.mark.parametrize("kind", ["gather", "scatter"])
@pytest.mark.parametrize(("target", "size"), [("int8", 24), ("int4", 12), ("fp4[16x8]", 14)])
def test_the_row_size_of_a_lookup_follows_the_format(kind: str, target: str, size: int) -> None:
    table = Tensor("table", (10, 24), DType.parse("fp32"), "weight").access()
    picked = Tensor("picked", (5, 24), DType.parse("fp32"), "activation").access()
    operands = (table, picked) if kind == "gather" else (picked, table)
    facts = (("row_bytes", 96), ("rows", 5))
    op = Op("lookup", kind, operands[:1], operands[1:], attributes=facts)
    trace = Trace("lookup", (op,), (table.tensor, picked.tensor))
    ((converted, _),) = with_precision(trace, target).ops()
    assert converted.attributes == (("row_bytes", size), ("rows", 5))


def test_row_numbers_keep_their_width() -> None:
    rows = Tensor("rows", (8,), DType.parse("int64"), "input")
    trace = Trace("lookup", (), (rows,))
    assert with_precision(trace, "int8") is trace


@pytest.mark.parametrize("name", ["float", "int", "int8x", "", "fp4[16]"])
def test_a_name_of_no_format_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(TraceError, match="write for example int8"):
        with_precision(Trace("empty", (), ()), name)


def test_booleans_are_no_precision() -> None:
    with pytest.raises(TraceError, match="must be a format of numbers, got bool"):
        with_precision(Trace("empty", (), ()), "bool")
