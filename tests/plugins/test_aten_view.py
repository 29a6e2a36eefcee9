"""Views are free; what must move is moved once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from aten_case import each, meta, only
from torch.nn import functional

from codesign.workload.record import Op

FREE: dict[str, Callable[[Any], Any]] = {
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(-1, 0),
    "slice": lambda x: x[:, 1:3],
    "step": lambda x: x[..., ::2],
    "select": lambda x: x[1],
    "unsqueeze": lambda x: x[:, None],
    "squeeze": lambda x: x[:1].squeeze(0),
    "expand": lambda x: x[:1].expand(5, -1, -1),
    "view": lambda x: x.view(6, 4),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(2, (2, 2)),
    "split": lambda x: x.split([1, 2], dim=1)[1],
    "chunk": lambda x: x.chunk(2, -1)[1],
    "unbind": lambda x: x.unbind(1)[2],
    "diagonal": lambda x: x.diagonal(0, 0, 1),
    "unfold": lambda x: x.unfold(2, 2, 1),
    "movedim": lambda x: x.movedim(0, -1),
    "repeat of one": lambda x: x[:1].repeat(3, 1, 1),
    "dropout": lambda x: functional.dropout(x, training=False),
    "detach": lambda x: x.detach(),
    "same format": lambda x: x.to(torch.float32),
    "contiguous of a view": lambda x: x.transpose(0, 1).contiguous(),
}


@cache
def readers() -> dict[str, Op]:
    """For each view, the operator that reads it."""
    found = each([lambda x, make=make: make(x).exp() for make in FREE.values()], meta(2, 3, 4))
    return dict(zip(FREE, found, strict=True))


@pytest.mark.parametrize("name", FREE)
def test_a_view_costs_nothing_and_its_reader_reads_the_source(name: str) -> None:
    op = readers()[name]
    assert op.inputs[0].tensor.name == "args_0"
    assert op.inputs[0].shape == tuple(FREE[name](meta(2, 3, 4)).shape)


MOVES: list[tuple[Callable[[Any], Any], int, int]] = [
    (lambda x: torch.cat([x, x[:, :1]], 1), 6 * 4 + 2 * 4, 8 * 4),
    (lambda x: torch.stack([x, x]), 2 * 24, 48),
    (lambda x: functional.pad(x, (1, 1)), 24, 36),
    (lambda x: torch.roll(x, 1, 0), 24, 24),
    (lambda x: x.repeat(2, 1, 1), 24, 48),
    (lambda x: x.transpose(0, 1).reshape(-1), 24, 24),
]


def test_what_changes_the_order_of_memory_is_one_move() -> None:
    found = each([call for call, _, _ in MOVES], meta(2, 3, 4))
    assert {op.kind for op in found} == {"move"}
    moved = [(sum(a.elements for a in op.inputs), op.outputs[0].elements) for op in found]
    assert moved == [(read, written) for _, read, written in MOVES]


def test_joining_with_nothing_reads_nothing() -> None:
    op = only(lambda x: torch.cat([x[:0], x]), meta(2, 3))
    assert len(op.inputs) == 1


def test_guards_leave_no_operator() -> None:
    op = only(lambda x: x.relu().to(torch.float32, copy=False), meta(2, 3))
    assert op.functions == ("relu",)


def test_flip_reads_backwards() -> None:
    op = only(lambda x: x.flip(1).relu(), meta(2, 3))
    assert (op.inputs[0].strides, op.inputs[0].offset) == ((3, -1), 2)
