"""Reductions, sorts and windows: how many elements make one result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from aten_case import each, lowered, meta, only
from torch import nn
from torch.nn import functional

from codesign.workload.nest import Axis

REDUCTIONS: list[tuple[Callable[[Any], Any], str, int]] = [
    (lambda x: x.sum(), "sum", 60),
    (lambda x: x.mean((1, 2)), "mean", 20),
    (lambda x: x.mean(0, keepdim=True), "mean", 3),
    (lambda x: x.amax(-1), "max", 5),
    (lambda x: x.max(1).values, "max", 4),
    (lambda x: x.argmax(), "argmax", 60),
    (lambda x: x.any(2), "any", 5),
    (lambda x: x.var(1), "var", 4),
    (lambda x: torch.linalg.vector_norm(x, dim=2), "norm", 5),
    (lambda x: torch.histc(x, 10, 0, 1), "histogram", 60),
]


def test_a_reduction_says_how_many_elements_it_combines() -> None:
    found = each([call for call, _, _ in REDUCTIONS], meta(3, 4, 5))
    assert {op.kind for op in found} == {"reduce"}
    facts = [(op.functions[0], op.attribute("width")) for op in found]
    assert facts == [(function, width) for _, function, width in REDUCTIONS]
    assert {op.inputs[0].elements for op in found} == {60}


def test_reduced_axes_come_last() -> None:
    op = only(lambda x: x.sum(0), meta(3, 4, 5))
    assert op.inputs[0].shape == (4, 5, 3)


def test_indices_are_written_only_if_somebody_reads_them() -> None:
    assert len(only(lambda x: x.max(1).values, meta(3, 4)).outputs) == 1
    assert len(only(lambda x: x.max(1), meta(3, 4)).outputs) == 2


SORTS: list[tuple[Callable[[Any], Any], int, int]] = [
    (lambda x: x.sort(0).values, 3, 3),
    (lambda x: x.argsort(-1), 8, 8),
    (lambda x: torch.topk(x, 2), 8, 2),
    (lambda x: torch.topk(x, 1, dim=0).indices, 3, 1),
    (lambda x: torch.sort(x, stable=True, dim=0).values, 3, 3),
]


def test_a_sort_says_how_long_its_rows_are() -> None:
    found = each([call for call, _, _ in SORTS], meta(3, 8))
    facts = [(op.kind, op.attribute("width"), op.attribute("keep")) for op in found]
    assert facts == [("sort", width, keep) for _, width, keep in SORTS]
    assert [op.inputs[0].shape[-1] for op in found] == [width for _, width, _ in SORTS]


def test_a_pool_is_a_window_like_that_of_a_convolution() -> None:
    op = only(nn.MaxPool2d(3, 2, 1), meta(2, 4, 9, 9))
    assert (op.kind, op.functions, op.attribute("width")) == ("reduce", ("max",), 9)
    assert op.loops.dims == ("b", "c", "oy", "ox", "ky", "kx")
    assert op.loops.operands[0][2] == Axis(((2, 2), (4, 1)), -1)
    assert op.loops.points == 2 * 4 * 5 * 5 * 9


@pytest.mark.parametrize(
    ("call", "shape", "taps"),
    [
        (lambda x: functional.avg_pool2d(x, 2), (1, 2, 8, 8), 4),
        (lambda x: functional.avg_pool1d(x, 3, 1), (1, 2, 8), 3),
        (lambda x: functional.max_pool1d(x, 2), (1, 2, 8), 2),
        (lambda x: functional.adaptive_avg_pool2d(x, 2), (1, 2, 8, 6), 12),
        (lambda x: functional.adaptive_avg_pool2d(x, 3), (1, 2, 8, 8), 16),
        (lambda x: functional.adaptive_max_pool1d(x, 4), (1, 2, 8), 2),
    ],
)
def test_windows_combine_the_taps_that_they_cover(call: Any, shape: Any, taps: int) -> None:
    op = only(call, meta(*shape))
    assert op.attribute("width") == taps
    assert op.loops.points == call(meta(*shape)).numel() * taps


def test_adaptive_windows_reach_the_last_pixel() -> None:
    op = only(lambda x: functional.adaptive_avg_pool2d(x, 3), meta(1, 1, 8, 8))
    window = op.loops.operands[0][2]
    assert sum(c * (op.loops.extents[d] - 1) for d, c in window.terms) == 7


def test_an_image_that_shrinks_to_one_pixel_reads_every_pixel_once() -> None:
    op = lowered(lambda x: functional.adaptive_avg_pool2d(x, 1), meta(2, 4, 7, 7))[-1]
    assert (op.kind, op.attribute("width")) == ("reduce", 49)
    assert op.inputs[0].elements == 2 * 4 * 49


@pytest.mark.parametrize(
    ("mode", "function"), [("nearest", "nearest"), ("bilinear", "bilinear"), ("bicubic", "bicubic")]
)
def test_a_resize_reads_its_input_once(mode: str, function: str) -> None:
    op = only(lambda x: functional.interpolate(x, scale_factor=2, mode=mode), meta(1, 2, 4, 4))
    assert (op.kind, op.functions) == ("elementwise", (function,))
    assert (op.inputs[0].elements, op.outputs[0].elements) == (32, 128)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [((4, 8), 0), ((4, 8), -1), ((8,), 0), ((2, 3, 4), 1)])
def test_the_smallest_but_some_has_the_shape_of_torch_with_its_axis_or_without(
    shape: tuple[int, ...], dim: int, keep: bool
) -> None:
    x = meta(*shape)
    op = only(lambda x: torch.kthvalue(x, 2, dim, keep), x)
    values, places = torch.kthvalue(torch.zeros(shape), 2, dim, keep)
    assert [access.tensor.shape for access in op.outputs] == [values.shape, places.shape]
    assert [access.bytes for access in op.outputs] == [values.nbytes, places.nbytes]
    assert (op.attribute("width"), op.attribute("keep")) == (shape[dim], 1)
