"""What is known before the run costs nothing until it is read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aten_case import ids, lowered, meta, only
from torch.nn import functional


@pytest.mark.parametrize(
    "make",
    [
        lambda x: torch.zeros(4, 4),
        lambda x: x.new_ones(4, 4),
        lambda x: torch.full_like(x, 3.0),
        lambda x: torch.empty_like(x),
        lambda x: torch.arange(16.0).view(4, 4),
        lambda x: torch.ones(4, 4).tril().log(),
        lambda x: torch.eye(4) @ torch.eye(4),
    ],
)
def test_making_a_constant_costs_nothing(make: Any) -> None:
    assert not lowered(lambda x: (make(x), x)[1:], meta(4, 4))


def test_a_table_computed_from_constants_is_read_as_stored_data() -> None:
    def call(x: Any) -> Any:
        angles = torch.outer(torch.arange(4.0), 1.0 / 10 ** torch.arange(6.0))
        return x * angles.cos().to(x.device)

    op = only(call, meta(2, 4, 6))
    assert op.inputs[1].tensor.role == "constant"
    assert op.inputs[1].bytes == 4 * 6 * 4


def test_a_causal_mask_is_a_constant_that_is_read_once() -> None:
    def call(q: Any) -> Any:
        mask = torch.ones(5, 5, dtype=torch.bool).tril().to(q.device)
        return functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)

    op = only(call, meta(2, 3, 5, 8))
    assert (op.kind, op.inputs[3].tensor.role, op.inputs[3].elements) == (
        "attention",
        "constant",
        25,
    )


def test_a_uniform_constant_is_stored_as_one_element() -> None:
    op = only(lambda x: torch.cat([x, x.new_zeros(100, 4)]), meta(2, 4))
    assert op.inputs[1].elements == 1
    assert op.outputs[0].elements == 102 * 4


def test_what_depends_on_an_input_is_not_folded() -> None:
    assert len(lowered(lambda i: torch.ones(4, 4)[0, 0] * i, ids(4))) == 1


def test_arithmetic_on_weights_is_kept() -> None:
    layer = torch.nn.Linear(4, 4, bias=False, device="meta")
    module = torch.nn.Sequential(layer)
    module.forward = lambda x: functional.linear(x, layer.weight * 2)
    assert [op.kind for op in lowered(module, meta(2, 4))] == ["elementwise", "contraction"]
