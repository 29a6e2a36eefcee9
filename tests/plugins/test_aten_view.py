"""Views are free; what must move is moved once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from aten_case import Called, each, lowered, meta, only
from torch.nn import functional

from codesign.workload.capture import trace
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


# -- views of another element size -----------------------------------------------------------------

SIZES = [
    (torch.float32, torch.int8, (4, 32)),
    (torch.float32, torch.int16, (4, 16)),
    (torch.float32, torch.float64, (4, 4)),
    (torch.bfloat16, torch.float32, (4, 4)),
    (torch.bool, torch.float32, (4, 2)),
]


@pytest.mark.parametrize(("old", "new", "shape"), SIZES)
def test_a_view_of_another_element_size_keeps_its_bytes_and_scales_its_last_axis(
    old: Any, new: Any, shape: tuple[int, ...]
) -> None:
    x = meta(4, 8, dtype=old)
    op = only(lambda x: x.view(new), x)
    (source,), (target,) = op.inputs, op.outputs
    assert target.shape == shape == tuple(x.view(new).shape)
    assert target.bytes == source.bytes == x.view(new).nbytes
    assert op.kind == "move"


def test_a_view_of_another_element_size_says_that_it_is_counted_as_a_copy() -> None:
    found = trace(Called(lambda x: x.view(torch.int8)), (meta(4, 8),))
    (note,) = [note for note in found.notes if "is counted as a copy" in note]
    assert note.startswith("a view of fp32 as int8")


def test_a_view_of_the_same_element_size_is_free() -> None:
    op = only(lambda x: x.view(torch.int32) + 1, meta(4, 8))
    assert op.inputs[0].tensor.name == "args_0"


# -- scatters of views -----------------------------------------------------------------------------

SCATTERS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "select": (lambda x, y: torch.select_scatter(x, y, 0, 1), (6,)),
    "select from the end": (lambda x, y: torch.select_scatter(x, y, dim=-1, index=-2), (4,)),
    "slice": (lambda x, y: torch.slice_scatter(x, y, 0, 1, 3), (2, 6)),
    "slice by steps": (lambda x, y: torch.slice_scatter(x, y, dim=1, start=0, step=2), (4, 3)),
    "whole slice": (lambda x, y: torch.slice_scatter(x, y), (4, 6)),
    "diagonal": (lambda x, y: torch.diagonal_scatter(x, y), (4,)),
    "diagonal above": (lambda x, y: torch.diagonal_scatter(x, y, 3), (3,)),
    "diagonal below": (lambda x, y: torch.diagonal_scatter(x, y, offset=-1, dim1=0, dim2=1), (3,)),
    "strides": (lambda x, y: torch.as_strided_scatter(x, y, (2, 2), (1, 6), 3), (2, 2)),
    "strides from the start": (lambda x, y: torch.as_strided_scatter(x, y, (4,), (7,)), (4,)),
}


@pytest.mark.parametrize("name", SCATTERS)
def test_a_scatter_copies_what_others_still_hold_and_writes_the_replaced_elements(
    name: str,
) -> None:
    call, shape = SCATTERS[name]
    x, y = meta(4, 6), meta(*shape)
    whole = call(x, y)
    copy, update = lowered(call, x, y)
    assert (copy.kind, update.kind) == ("move", "move")
    assert copy.outputs[0].shape == tuple(whole.shape)
    assert copy.outputs[0].bytes == whole.nbytes
    assert update.outputs[0].tensor == copy.outputs[0].tensor
    assert update.outputs[0].shape == shape
    assert update.outputs[0].bytes == update.inputs[0].bytes == y.nbytes


@pytest.mark.parametrize("name", SCATTERS)
def test_a_scatter_into_what_nobody_needs_any_more_writes_only_that(name: str) -> None:
    call, shape = SCATTERS[name]
    add, update = lowered(lambda x, y: call(x + 1, y), meta(4, 6), meta(*shape))
    assert (add.kind, update.kind) == ("elementwise", "move")
    assert update.outputs[0].tensor == add.outputs[0].tensor


@pytest.mark.parametrize("name", SCATTERS)
def test_a_scatter_writes_the_elements_that_torch_writes(name: str) -> None:
    call, shape = SCATTERS[name]
    wrote = call(torch.zeros(4, 6), torch.ones(shape)).flatten().nonzero().flatten().tolist()
    region = lowered(lambda x, y: call(x + 1, y), meta(4, 6), meta(*shape))[-1].outputs[0]
    ours = torch.arange(24).as_strided(region.shape, region.strides, region.offset)
    assert sorted(ours.flatten().tolist()) == wrote


def test_a_scatter_of_nothing_is_no_operator() -> None:
    (add,) = lowered(lambda x, y: torch.slice_scatter(x + 1, y, 0, 2, 2), meta(4, 6), meta(0, 6))
    assert add.kind == "elementwise"


def test_strides_begin_where_their_source_begins_unless_told() -> None:
    first, second = each(
        [
            lambda x: torch.as_strided(x[1:], (2, 2), (1, 2)) + 1,
            lambda x: torch.as_strided(x[1:], (2, 2), (1, 2), 2) + 1,
        ],
        meta(4, 6),
    )
    assert (first.inputs[0].offset, second.inputs[0].offset) == (6, 2)


def test_strides_over_a_constant_of_one_number_stay_inside_it() -> None:
    ones = torch.ones(4, 4)
    op = only(lambda y: ones.new_zeros(4, 4).as_strided((2, 2), (1, 2)) + y, torch.zeros(2, 2))
    assert all(access.strides != (1, 2) for access in op.inputs)
