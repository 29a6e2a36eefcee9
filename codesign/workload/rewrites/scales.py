"""Formats whose elements share scales, on a tensor of another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.dtype import DType

_MOST = 99_999
"""Elements of the longest block that the name of a format can tell."""


def rescaled(dtype: DType, old: Sequence[int], new: Sequence[int], name: str, does: str) -> DType:
    """The format that the tensor has in its new shape, as if it had been quantised in it.

    A block that was the whole tensor, or what lies across one of its axes (one scale for each
    output channel), is as long as that is now. Any other block keeps its length, if it still
    divides what it lies in: the last axis, or several of the last together.

    Args:
        dtype: of the tensor in its old shape.
        old: that shape.
        new: the new one, of as many axes.
        name: of the tensor, for the error.
        does: the rewrite, for the error.

    Raises:
        TraceError: blocks that the new shape would cut apart.
    """
    block = dtype.block
    if not block or tuple(old) == tuple(new):
        return dtype
    found = _whole_or_across(block, old, new) or _inside(block, old, new)
    if not 0 < found <= _MOST:
        raise TraceError(
            f"{does}: {name!r} is {dtype}, and blocks of {block} elements do not fit its new shape "
            f"{list(new)}; take sizes that {block} divides, or rewrite first and quantise then"
        )
    return replace(dtype, block=found)


def _whole_or_across(block: int, old: Sequence[int], new: Sequence[int]) -> int:
    """New length of a block that was all of the tensor, or a slice across an axis; else 0."""
    before, after = math.prod(old), math.prod(new)
    if block == before:
        return after
    pairs = zip(old, new, strict=True)
    return next((after // now for was, now in pairs if block * was == before), 0)


def _inside(block: int, old: Sequence[int], new: Sequence[int]) -> int:
    """The length of a block that lies in the last axes and still does; else 0."""
    for axis in reversed(range(len(old))):
        if math.prod(old[axis:]) % block == 0:
            return 0 if math.prod(new[axis:]) % block else block
    return 0
