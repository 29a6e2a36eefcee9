"""Attention stays whole: operands as heads, flags from the call, joining the heads free."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten_case import counted, lowered, meta, only
from torch.nn import functional

from codesign.workload.attention import attention_parts

attend = functional.scaled_dot_product_attention


def test_an_attention_is_one_operator_and_costs_what_torch_counts() -> None:
    args = meta(2, 4, 6, 8), meta(2, 4, 10, 8), meta(2, 4, 10, 8)
    op = only(attend, *args)
    assert op.kind == "attention"
    assert op.macs == counted(attend, *args)
    assert [a.shape for a in op.inputs] == [tuple(a.shape) for a in args]


def test_causal_and_grouped_are_read_from_the_call() -> None:
    q, k = meta(2, 4, 6, 8), meta(2, 2, 6, 8)
    plain = only(attend, q, q, q)
    grouped = only(lambda a, b: attend(a, b, b, is_causal=True, enable_gqa=True), q, k)
    assert (plain.attribute("causal"), plain.attribute("gqa")) == (False, False)
    assert (grouped.attribute("causal"), grouped.attribute("gqa")) == (True, True)
    assert grouped.macs == plain.macs
    assert sum(part.macs for part in attention_parts(grouped)) == grouped.macs


def test_a_mask_is_the_fourth_operand_and_is_broadcast() -> None:
    q = meta(2, 4, 6, 8)
    op = only(lambda a, m: attend(a, a, a, attn_mask=m), q, meta(6, 6))
    assert (op.inputs[3].shape, op.inputs[3].elements) == ((2, 4, 6, 6), 36)


def test_splitting_and_joining_heads_around_an_attention_is_free() -> None:
    def call(x: Any) -> Any:
        heads = x.view(2, 6, 4, 8).transpose(1, 2)
        return attend(heads, heads, heads).transpose(1, 2).reshape(2, 6, 32)

    assert [op.kind for op in lowered(call, meta(2, 6, 32))] == ["attention"]


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (2, 3, 4)])
def test_any_number_of_leading_axes_is_four_in_the_operator(lead: tuple[int, ...]) -> None:
    q = meta(*lead, 6, 8)
    op = only(attend, q, q, q)
    assert {len(a.shape) for a in op.operands} == {4}
    assert op.macs == 2 * 6 * 6 * 8 * max(1, torch.Size(lead).numel())
