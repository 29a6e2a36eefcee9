"""View arithmetic against torch: shape, strides and offset of random chains of views."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codesign.workload import view
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Tensor

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def access_of(shape: list[int]) -> Access:
    return Tensor("t", tuple(shape), DType("fp", 32), "activation").access()


def cells(access: Access) -> list[int]:
    """Every element of the storage that the access touches, in row-major order."""
    found = [access.offset]
    for extent, stride in zip(access.shape, access.strides, strict=True):
        found = [start + i * stride for start in found for i in range(extent)]
    return found


def numbers(shape: list[int]) -> Any:
    """A tensor whose elements are their own positions in the storage."""
    return torch.arange(math.prod(shape)).reshape(shape)


def agree(access: Access, tensor: Any) -> None:
    assert access.shape == tuple(tensor.shape)
    assert cells(access) == tensor.flatten().tolist()


@given(shapes, st.data())
def test_any_chain_of_views_reads_the_elements_that_torch_reads(
    shape: list[int], data: st.DataObject
) -> None:
    access, tensor = access_of(shape), numbers(shape)
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from(sorted(STEPS)))
        access, tensor = STEPS[name](access, tensor, data)
        agree(access, tensor)


def _axis(tensor: Any, data: st.DataObject) -> int:
    return data.draw(st.integers(-tensor.dim(), tensor.dim() - 1)) if tensor.dim() else 0


def _permute(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    order = data.draw(st.permutations(range(tensor.dim())))
    return view.permute(access, order), tensor.permute(tuple(order))


def _transpose(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    one, two = _axis(tensor, data), _axis(tensor, data)
    return view.transpose(access, one, two), tensor.transpose(one, two)


def _unsqueeze(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    axis = data.draw(st.integers(-tensor.dim() - 1, tensor.dim()))
    return view.unsqueeze(access, axis), tensor.unsqueeze(axis)


def _squeeze(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    if data.draw(st.booleans()) or not tensor.dim():
        return view.squeeze(access), tensor.squeeze()
    axis = _axis(tensor, data)
    return view.squeeze(access, [axis]), tensor.squeeze(axis)


def _slice(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    if not tensor.dim():
        return access, tensor
    axis = _axis(tensor, data)
    start, step = data.draw(st.integers(-5, 3)), data.draw(st.integers(1, 3))
    end = data.draw(st.sampled_from([view.END, None, 2, -1]))
    expected = torch.ops.aten.slice(tensor, axis, start, end, step)
    return view.slice_axis(access, axis, start, end, step), expected


def _select(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    axis = _axis(tensor, data)
    if not tensor.dim() or not tensor.shape[axis]:
        return access, tensor
    index = data.draw(st.integers(-tensor.shape[axis], tensor.shape[axis] - 1))
    return view.select(access, axis, index), tensor.select(axis, index)


def _flip(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    if not tensor.dim():
        return access, tensor
    axis = _axis(tensor, data)
    return view.flip(access, [axis]), tensor.flip(axis)


def _expand(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    shape = [n if n != 1 else data.draw(st.integers(1, 3)) for n in tensor.shape]
    lead = data.draw(st.lists(st.integers(1, 2), max_size=1))
    return view.expand(access, [*lead, *shape]), tensor.expand([*lead, *shape])


def _diagonal(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    if tensor.dim() < 2:
        return access, tensor
    offset = data.draw(st.integers(-1, 1))
    return view.diagonal(access, offset, 0, -1), tensor.diagonal(offset, 0, -1)


def _unfold(access: Access, tensor: Any, data: st.DataObject) -> tuple[Access, Any]:
    axis = _axis(tensor, data)
    if not tensor.dim() or not tensor.shape[axis]:
        return access, tensor
    size, step = data.draw(st.integers(1, tensor.shape[axis])), data.draw(st.integers(1, 2))
    return view.unfold(access, axis, size, step), tensor.unfold(axis, size, step)


Step = Callable[[Access, Any, st.DataObject], tuple[Access, Any]]
STEPS: dict[str, Step] = {
    "permute": _permute,
    "transpose": _transpose,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "slice": _slice,
    "select": _select,
    "flip": _flip,
    "expand": _expand,
    "diagonal": _diagonal,
    "unfold": _unfold,
}


@given(shapes, st.data())
def test_a_reshape_is_a_view_exactly_where_it_is_one_in_torch(
    shape: list[int], data: st.DataObject
) -> None:
    access, tensor = access_of(shape), numbers(shape)
    for _ in range(data.draw(st.integers(0, 3))):
        name = data.draw(st.sampled_from(["permute", "slice", "expand", "unsqueeze"]))
        access, tensor = STEPS[name](access, tensor, data)
    target = data.draw(st.sampled_from(_factorings(math.prod(tensor.shape))))
    found = view.reshape(access, target)
    try:
        expected = tensor.view(target)
    except RuntimeError:
        assert found is None
    else:
        assert found is not None
        agree(found, expected)


def _factorings(elements: int) -> list[list[int]]:
    found = [[elements], [1, elements], [elements, 1]]
    for first in range(2, elements):
        if elements % first == 0:
            found += [[first, elements // first], [first, 1, elements // first]]
    return found


@given(shapes, st.data())
def test_splitting_an_axis_and_joining_it_again_changes_nothing(
    shape: list[int], data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    shape = [2 * extent for extent in shape]
    access = view.transpose(access_of(shape), 0, -1)
    split = view.split_axis(access, axis, 2)
    assert len(split.shape) == len(shape) + 1
    assert view.reshape(split, access.shape) is not None
    assert cells(split) == cells(access)


def test_a_broadcast_touches_its_elements_once() -> None:
    assert view.expand(access_of([3, 1]), [5, 3, 4]).elements == 3


@pytest.mark.parametrize(
    ("shape", "expected"), [([2, -1], (2, 6)), ([-1], (12,)), ([3, 4], (3, 4))]
)
def test_an_extent_of_minus_one_is_worked_out(shape: list[int], expected: tuple[int, ...]) -> None:
    assert view.resolve(shape, 12) == expected


def test_a_view_keeps_the_advance_of_its_region() -> None:
    moving = Access(access_of([4, 6]).tensor, (6,), (1,), 0, (6,))
    assert view.reshape(moving, (2, 3)) == Access(moving.tensor, (2, 3), (3, 1), 0, (6,))
    assert view.flip(moving, [0]).advance == (6,)
