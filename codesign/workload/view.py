"""View arithmetic: every torch view is an affine access, so it costs nothing.

Pure functions from an access to the access of a view of it, with the semantics of the torch
functions of the same names. None of them checks bounds: the captured shapes are right.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from codesign.workload.record import Access

END = 2**63 - 1
"""What torch passes as the end of a slice that runs to the end of the axis."""


def _with(access: Access, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> Access:
    return dataclasses.replace(
        access, shape=tuple(shape), strides=tuple(strides), offset=access.offset + offset
    )


def permute(access: Access, order: Sequence[int]) -> Access:
    """Reorders the axes."""
    return _with(access, [access.shape[i] for i in order], [access.strides[i] for i in order])


def transpose(access: Access, first: int, second: int) -> Access:
    """Swaps two axes."""
    order = list(range(len(access.shape)))
    if order:
        order[first], order[second] = order[second], order[first]
    return permute(access, order)


def unsqueeze(access: Access, axis: int) -> Access:
    """Inserts an axis of extent 1 before ``axis``, which may be negative."""
    at = axis % (len(access.shape) + 1)
    shape, strides = list(access.shape), list(access.strides)
    shape.insert(at, 1)
    strides.insert(at, 1)
    return _with(access, shape, strides)


def squeeze(access: Access, axes: Sequence[int] | None = None) -> Access:
    """Drops the axes of extent 1 among ``axes``, all of them by default."""
    rank = len(access.shape)
    chosen = range(rank) if axes is None else [axis % rank for axis in axes if rank]
    keep = [i for i in range(rank) if i not in chosen or access.shape[i] != 1]
    return _with(access, [access.shape[i] for i in keep], [access.strides[i] for i in keep])


def slice_axis(access: Access, axis: int, start: int | None, end: int | None, step: int) -> Access:
    """Keeps elements ``start`` to ``end`` of an axis, every ``step``-th, with torch's clamping."""
    at = axis % len(access.shape)
    extent = access.shape[at]
    first, last, _ = slice(start, end, step).indices(extent)
    shape, strides = list(access.shape), list(access.strides)
    shape[at] = max(0, -(-(last - first) // step))
    strides[at] *= step
    return _with(access, shape, strides, first * access.strides[at])


def select(access: Access, axis: int, index: int) -> Access:
    """Takes one element of an axis and drops the axis."""
    at = axis % len(access.shape)
    offset = (index % access.shape[at]) * access.strides[at]
    shape, strides = list(access.shape), list(access.strides)
    del shape[at], strides[at]
    return _with(access, shape, strides, offset)


def expand(access: Access, shape: Sequence[int]) -> Access:
    """Broadcasts axes of extent 1 and new leading axes: stride 0. An extent of -1 is kept."""
    lead = len(shape) - len(access.shape)
    extents = list(shape[:lead])
    strides = [0] * lead
    for wanted, extent, stride in zip(shape[lead:], access.shape, access.strides, strict=True):
        extents.append(extent if wanted in (-1, extent) else wanted)
        strides.append(stride if wanted in (-1, extent) else 0)
    return _with(access, extents, strides)


def flip(access: Access, axes: Sequence[int]) -> Access:
    """Reverses axes: the stride turns negative and the offset moves to the last element."""
    strides, offset = list(access.strides), 0
    for axis in axes:
        offset += (access.shape[axis] - 1) * strides[axis]
        strides[axis] = -strides[axis]
    return _with(access, access.shape, strides, offset)


def unfold(access: Access, axis: int, size: int, step: int) -> Access:
    """Sliding windows of ``size`` along an axis; the windows become a new last axis."""
    at = axis % len(access.shape)
    shape, strides = list(access.shape), list(access.strides)
    shape[at] = (shape[at] - size) // step + 1
    strides[at] *= step
    return _with(access, [*shape, size], [*strides, access.strides[at]])


def diagonal(access: Access, offset: int, first: int, second: int) -> Access:
    """The diagonal of two axes, as a new last axis."""
    rank = len(access.shape)
    one, two = first % rank, second % rank
    start = offset * access.strides[two] if offset >= 0 else -offset * access.strides[one]
    rows = access.shape[one] - max(0, -offset)
    columns = access.shape[two] - max(0, offset)
    keep = [i for i in range(rank) if i not in (one, two)]
    shape = [access.shape[i] for i in keep] + [max(0, min(rows, columns))]
    strides = [access.strides[i] for i in keep] + [access.strides[one] + access.strides[two]]
    return _with(access, shape, strides, start)


def split_axis(access: Access, axis: int, count: int) -> Access:
    """Splits an axis into ``count`` equal parts: a new axis in front of what remains of it."""
    at = axis % len(access.shape)
    inner, stride = access.shape[at] // count, access.strides[at]
    shape = [*access.shape[:at], count, inner, *access.shape[at + 1 :]]
    strides = [*access.strides[:at], stride * inner, stride, *access.strides[at + 1 :]]
    return _with(access, shape, strides)


def reshape(access: Access, shape: Sequence[int]) -> Access | None:
    """The access in another shape, or None where its strides need a copy for that.

    The rule is torch's: a run of axes can be regrouped where each stride equals the next stride
    times the next extent.
    """
    target = resolve(shape, math.prod(access.shape))
    if math.prod(access.shape) == 0:
        return _with(access, target, [1] * len(target))
    strides = [1] * len(target)
    position = len(target)
    for extent, stride in reversed(chunks(access)):
        covered = 1
        while position and covered < extent:
            position -= 1
            strides[position] = stride * covered
            covered *= target[position]
        if covered != extent:
            return None
    # what is left has extent 1, for which any stride will do
    return _with(access, target, strides) if math.prod(target[:position]) == 1 else None


def chunks(access: Access) -> list[tuple[int, int]]:
    """Runs of axes that are one evenly spaced axis, as (extent, stride)."""
    chunks: list[tuple[int, int]] = []
    for extent, stride in zip(access.shape, access.strides, strict=True):
        if extent == 1:
            continue
        if chunks and chunks[-1][1] == stride * extent:
            chunks[-1] = (chunks[-1][0] * extent, stride)
        else:
            chunks.append((extent, stride))
    return chunks


def resolve(shape: Sequence[int], elements: int) -> tuple[int, ...]:
    """Replaces an extent of -1 by what makes the product ``elements``."""
    known = math.prod(n for n in shape if n != -1)
    return tuple(elements // max(1, known) if n == -1 else n for n in shape)
