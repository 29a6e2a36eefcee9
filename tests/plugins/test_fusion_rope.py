from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from codesign.plugins import registry
from codesign.testing.passes import check_pass
from codesign.workload.capture import trace
from codesign.workload.record import Op, Trace

ROPE = registry().get("codesign_fusion_passes")["25-rope"]
Rotation = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Rotate(nn.Module):  # type: ignore[misc]  # torch is untyped
    def __init__(self, function: Rotation, width: int) -> None:
        super().__init__()
        self.register_buffer("cos", torch.zeros(5, width))
        self.register_buffer("sin", torch.zeros(5, width))
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, self.cos, self.sin)


def captured(function: Rotation, width: int = 16) -> Trace:
    with torch.device("meta"):
        return trace(Rotate(function, width), (torch.zeros(2, 3, 5, 16),), fuse=False)


def only_op(made: Trace) -> Op:
    (op,) = [op for op, _ in made.ops()]
    return op


def halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    rotated = torch.cat((-x[..., 8:], x[..., :8]), dim=-1)
    return x * cos + rotated * sin


def pairs(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    rotated = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)
    return x * cos + rotated * sin


def parts(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    low, high = x[..., :8], x[..., 8:]
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


@pytest.mark.parametrize(("function", "width"), [(halves, 16), (pairs, 16), (parts, 8)])
def test_every_spelling_of_a_rotation_is_one_operator(function: Rotation, width: int) -> None:
    op = only_op(check_pass(ROPE, captured(function, width)))
    assert (op.kind, op.functions) == ("elementwise", ("rope",))
    assert [a.tensor.name for a in op.inputs][-2:] == ["cos", "sin"]
    assert {a.tensor.role for a in op.inputs} == {"input", "constant"}


def test_tables_are_read_once_for_all_heads() -> None:
    op = only_op(ROPE(captured(halves)))
    assert [a.elements for a in op.inputs] == [2 * 3 * 5 * 16, 5 * 16, 5 * 16]


def test_a_rotation_of_another_vector_is_none() -> None:
    def other(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        y = x + 1
        return x * cos + torch.cat((-y[..., 8:], y[..., :8]), dim=-1) * sin

    made = captured(other)
    assert ROPE(made) is made


def test_a_sum_without_the_sign_is_no_rotation() -> None:
    def unsigned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        return x * cos + torch.cat((x[..., 8:], x[..., :8]), dim=-1) * sin

    made = captured(unsigned)
    assert ROPE(made) is made
