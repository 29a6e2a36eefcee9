from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import check_pass
from codesign.workload.attention import attention_parts
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

PASSES = registry().get("codesign_fusion_passes")
ATTENTION, SHARE = PASSES["35-attention"], PASSES["36-grouped-query"]
LAYOUT = PASSES["37-attention-layout"]


class Call(nn.Module):  # type: ignore[misc]  # torch is untyped
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: torch.Tensor) -> Any:
        return self.function(*args)


def captured(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Trace:
    with torch.device("meta"):
        return trace(Call(function), tuple(torch.zeros(s) for s in shapes), fuse=False)


def ops(made: Trace) -> list[Op]:
    return [op for op, _ in made.ops()]


def plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, -1) @ v


def masked(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    return torch.softmax(q @ k.transpose(-1, -2) * 0.25 + m, -1) @ v


@given(
    batch=st.integers(1, 3),
    heads=st.integers(1, 3),
    queries=st.integers(1, 4),
    keys=st.integers(2, 4),
    width=st.integers(2, 4),
)
@settings(max_examples=10, deadline=None)
def test_the_whole_has_the_macs_and_shapes_of_its_parts(
    batch: int, heads: int, queries: int, keys: int, width: int
) -> None:
    shapes = [(batch, heads, n, width) for n in (queries, keys, keys)]
    made = captured(plain, *shapes)
    (op,) = ops(check_pass(ATTENTION, made))
    assert op.kind == "attention"
    assert [a.shape for a in op.inputs] == shapes
    assert op.macs == made.macs == sum(part.macs for part in attention_parts(op))


def test_a_mask_is_the_fourth_operand_read_once_for_all_heads() -> None:
    made = captured(masked, (2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 8), (2, 1, 1, 5))
    (op,) = ops(check_pass(ATTENTION, made))
    assert op.inputs[3].shape == (2, 3, 4, 5)
    assert op.inputs[3].elements == 2 * 5


def test_a_product_without_heads_is_one_head() -> None:
    (op,) = ops(check_pass(ATTENTION, captured(plain, (7, 4, 8), (7, 5, 8), (7, 5, 8))))
    assert op.inputs[0].shape == (1, 7, 4, 8)


def test_scores_that_are_returned_stay() -> None:
    def shown(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> Any:
        weights = torch.softmax(q @ k.transpose(-1, -2), -1)
        return weights @ v, weights

    made = captured(shown, (2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 8))
    assert ATTENTION(made) is made


def test_a_softmax_over_the_queries_is_no_attention() -> None:
    def wrong(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.softmax(q @ k.transpose(-1, -2), -2) @ v

    made = captured(wrong, (2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 8))
    assert ATTENTION(made) is made


def repeat(x: torch.Tensor, times: int) -> torch.Tensor:
    batch, heads, length, width = x.shape
    wide = x[:, :, None].expand(batch, heads, times, length, width)
    return wide.reshape(batch, heads * times, length, width)


def grouped(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return nn.functional.scaled_dot_product_attention(q, repeat(k, 2), repeat(v, 2))


def test_repeated_keys_and_values_are_read_once_per_group() -> None:
    made = captured(grouped, (2, 4, 6, 8), (2, 2, 6, 8), (2, 2, 6, 8))
    assert [op.kind for op in ops(made)] == ["move", "move", "attention"]
    (op,) = ops(check_pass(SHARE, made))
    assert [a.shape[1] for a in op.inputs] == [4, 2, 2]
    assert op.attribute("gqa") is True
    assert op.macs == made.macs


def test_repeated_keys_alone_stay_repeated() -> None:
    def half(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(q, repeat(k, 2), v)

    made = captured(half, (2, 4, 6, 8), (2, 2, 6, 8), (2, 4, 6, 8))
    assert SHARE(made) is made


def test_heads_are_stored_side_by_side_where_a_copy_would_put_them() -> None:
    def joined(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return plain(q, k, v).transpose(1, 2).reshape(2, 4, 24)

    made = ATTENTION(captured(joined, (2, 3, 4, 8), (2, 3, 5, 8), (2, 3, 5, 8)))
    assert [op.kind for op in ops(made)] == ["attention", "move"]
    (op,) = ops(check_pass(LAYOUT, made))
    assert op.outputs[0].shape == (2, 3, 4, 8)
    assert op.outputs[0].strides == (96, 8, 24, 1)
    assert op.outputs[0].tensor.role == "output"


@pytest.mark.parametrize("change", [ATTENTION, SHARE, LAYOUT])
def test_a_trace_without_attention_is_left_alone(change: Callable[[Trace], Trace]) -> None:
    made = captured(lambda x: torch.relu(x.transpose(0, 1).reshape(-1)), (3, 4))
    assert change(made) is made
