"""Matrix products: MACs as torch counts them, operands in place, biases fused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from aten_case import counted, lowered, macs, meta, only
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

EINSUMS = [
    ("bhmk,bhnk->bhmn", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("...ij,kj->...ik", (2, 3, 4, 5), (6, 5)),
    ("bij,bjk", (2, 3, 4), (2, 4, 5)),
    ("ab,ab->a", (3, 4), (3, 4)),
    ("abc,cd->dab", (2, 3, 4), (4, 5)),
    ("i,i->", (7,), (7,)),
]


@pytest.mark.parametrize(("equation", "one", "two"), EINSUMS)
def test_an_einsum_costs_what_torch_counts(
    equation: str, one: tuple[int, ...], two: tuple[int, ...]
) -> None:
    def call(a: Any, b: Any) -> Any:
        return torch.einsum(equation, a, b)

    op = only(call, meta(*one), meta(*two))
    assert op.macs == counted(call, meta(*one), meta(*two)) > 0
    assert op.outputs[0].elements == math.prod(call(meta(*one), meta(*two)).shape)


def test_an_einsum_without_a_sum_is_elementwise() -> None:
    op = only(lambda a, b: torch.einsum("i,j->ij", a, b), meta(3), meta(4))
    assert (op.kind, op.functions, op.outputs[0].shape) == ("elementwise", ("mul",), (3, 4))


def test_an_einsum_of_one_operand_is_a_view_or_a_sum() -> None:
    assert not lowered(lambda a: torch.einsum("ij->ji", a), meta(3, 4))
    assert not lowered(lambda a: torch.einsum("bii->bi", a), meta(2, 3, 3))
    op = only(lambda a: torch.einsum("ijk->j", a), meta(2, 3, 4))
    assert (op.kind, op.attribute("width")) == ("reduce", 8)


def test_a_label_that_one_operand_alone_has_is_summed_before_the_product() -> None:
    reduce, product = lowered(
        lambda a, b: torch.einsum("ijs,jk->ik", a, b), meta(2, 3, 7), meta(3, 4)
    )
    assert (reduce.kind, reduce.attribute("width")) == ("reduce", 7)
    assert product.macs == 2 * 3 * 4


def test_three_operands_are_contracted_from_left_to_right() -> None:
    first, second = lowered(
        lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c), meta(2, 3), meta(3, 4), meta(4, 5)
    )
    assert (first.macs, second.macs) == (2 * 3 * 4, 2 * 4 * 5)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.booleans())
def test_a_linear_layer_reads_each_operand_once(lead: list[int], bias: bool) -> None:
    op = only(torch.nn.Linear(5, 7, bias, device="meta"), meta(*lead, 5))
    rows = math.prod(lead)
    assert op.macs == rows * 35
    assert [a.elements for a in op.operands] == [rows * 5, 35, *([7] if bias else []), rows * 7]
    assert op.functions == (("add",) if bias else ())
    assert op.inputs[1].tensor.role == "weight"


def test_a_linear_layer_over_a_cut_keeps_several_row_loops_and_copies_nothing() -> None:
    op = only(lambda x, w: functional.linear(x[:, :2], w), meta(3, 4, 5), meta(6, 5))
    assert op.kind == "contraction"
    assert op.loops.dims == ("m0", "m1", "n", "k")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((3, 4), (4, 5)),
        ((2, 3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((2, 6, 3, 4), (2, 1, 4, 5)),
        ((6, 3, 4), (2, 1, 4, 5)),
        ((4,), (4, 5)),
        ((3, 4), (4,)),
        ((2, 3, 4), (4,)),
        ((4,), (2, 4, 5)),
        ((4,), (4,)),
    ],
)
def test_matmul_of_any_ranks_counts_every_product(
    one: tuple[int, ...], two: tuple[int, ...]
) -> None:
    op = only(torch.matmul, meta(*one), meta(*two))
    assert op.macs == math.prod(torch.matmul(meta(*one), meta(*two)).shape) * 4
    assert [a.elements for a in op.inputs] == [math.prod(one), math.prod(two)]


def test_a_transposed_weight_is_read_where_it_lies() -> None:
    op = only(lambda x, w: x @ w.T, meta(3, 4), meta(5, 4))
    assert op.inputs[1].strides == (1, 4)


@pytest.mark.parametrize("call", [torch.addmm, torch.baddbmm])
def test_an_added_matrix_is_a_third_operand(call: Any) -> None:
    lead = (2,) if call is torch.baddbmm else ()
    op = only(call, meta(*lead, 3, 5), meta(*lead, 3, 4), meta(*lead, 4, 5))
    assert (len(op.inputs), op.functions) == (3, ("add",))
    assert op.macs == math.prod(lead) * 60


def test_a_bias_row_is_read_once_and_runs_over_the_columns() -> None:
    op = only(torch.addmm, meta(5), meta(3, 4), meta(4, 5))
    assert op.inputs[2].elements == 5
    assert op.loops.uses(2) == op.loops.uses(1) - op.loops.uses(0)


def test_a_bias_scaled_by_zero_is_not_read() -> None:
    op = only(lambda c, a, b: torch.addmm(c, a, b, beta=0), meta(5), meta(3, 4), meta(4, 5))
    assert (len(op.inputs), op.functions) == (2, ())


@pytest.mark.parametrize("rows", [8, 7, 3, 1])
def test_experts_share_rows_evenly_and_lose_none(rows: int) -> None:
    def call(x: Any, w: Any, ends: Any) -> Any:
        return torch._grouped_mm(x, w, offs=ends)

    args = (
        meta(rows, 16, dtype=torch.bfloat16),
        meta(4, 16, 8, dtype=torch.bfloat16),
        meta(4, dtype=torch.int32),
    )
    found = lowered(call, *args)
    assert macs(found) == rows * 16 * 8
    experts = sum(op.inputs[1].elements for op in found) // (16 * 8)
    assert experts == min(rows, 4)
    assert sum(op.outputs[0].elements for op in found) == rows * 8
