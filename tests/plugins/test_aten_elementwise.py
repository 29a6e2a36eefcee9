"""Elementwise operators: functions by name, broadcasts read once, numbers free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from aten_case import each, lowered, meta, only
from torch.nn import functional

NAMED: list[tuple[Callable[[Any], Any], tuple[str, ...]]] = [
    (lambda x: x + 1, ("add",)),
    (lambda x: torch.add(x, x, alpha=2), ("mul", "add")),
    (lambda x: 1 - x, ("sub",)),
    (lambda x: x**2, ("pow",)),
    (lambda x: 2**x, ("pow",)),
    (lambda x: functional.gelu(x), ("gelu",)),
    (lambda x: functional.hardswish(x), ("hardswish",)),
    (lambda x: functional.softplus(x), ("softplus",)),
    (lambda x: functional.glu(x), ("sigmoid", "mul")),
    (lambda x: x.clamp(0, 6), ("clamp",)),
    (lambda x: torch.div(x, 2, rounding_mode="floor"), ("div", "floor")),
    (lambda x: x.to(torch.bfloat16), ("cast",)),
    (lambda x: torch.min(x, x), ("minimum",)),
    (lambda x: x.cumsum(-1), ("cumsum",)),
    (lambda x: torch.diff(x), ("sub",)),
    (lambda x: torch.lerp(x, x, 0.5), ("sub", "mul", "add")),
]


def test_functions_are_named_plainly() -> None:
    found = each([call for call, _ in NAMED], meta(4, 6))
    assert {op.kind for op in found} == {"elementwise"}
    assert [op.functions for op in found] == [names for _, names in NAMED]


def test_an_update_in_place_costs_what_the_plain_call_does() -> None:
    found = lowered(lambda x: functional.relu_(x * 2).add_(1), meta(4))
    assert [op.functions for op in found] == [("mul",), ("relu",), ("add",)]


def test_a_choice_reads_its_condition_and_its_sides() -> None:
    op = only(torch.where, meta(4, dtype=torch.bool), meta(4), meta(1))
    assert (op.functions, [a.elements for a in op.inputs]) == (("where",), [4, 4, 1])


def test_a_broadcast_operand_is_read_once() -> None:
    op = only(lambda x, b: x + b, meta(8, 4), meta(4))
    assert [a.shape for a in op.inputs] == [(8, 4), (8, 4)]
    assert [a.elements for a in op.inputs] == [32, 4]


def test_numbers_and_uniform_constants_are_no_operands() -> None:
    assert len(only(lambda x: x * 3.0, meta(4)).inputs) == 1
    op = only(lambda x: x * torch.full((4,), 2.0, device="meta"), meta(4))
    assert len(op.inputs) == 1


def test_a_cast_changes_the_bytes_that_are_written() -> None:
    op = only(lambda x: x.to(torch.float16), meta(4))
    assert (op.inputs[0].bytes, op.outputs[0].bytes) == (16, 8)


def test_a_comparison_writes_booleans() -> None:
    op = only(lambda x: x > 0, meta(4))
    assert (str(op.outputs[0].tensor.dtype), op.functions) == ("bool", ("gt",))


def test_the_halves_of_a_gate_are_read_where_they_lie() -> None:
    op = only(lambda x: functional.glu(x, 0), meta(6, 4))
    assert [(a.shape, a.offset) for a in op.inputs] == [((3, 4), 0), ((3, 4), 12)]


def test_slopes_of_a_prelu_lie_along_axis_1_or_are_one_for_all() -> None:
    for shape in ((2, 8), (2, 8, 7), (2, 8, 7, 8)):
        many = only(torch.nn.PReLU(8), meta(*shape))
        assert many.inputs[1].shape == shape
        assert many.inputs[1].strides == tuple(int(axis == 1) for axis in range(len(shape)))
        assert many.inputs[1].elements == 8
        one = only(torch.nn.PReLU(), meta(*shape))
        assert one.inputs[1].elements == 1
        assert one.functions == many.functions == ("prelu",)
