"""Cutting an operator without a loop nest: an axis of its result runs over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from codesign.workload.record import Access, Op
from codesign.workload.schedule_piece import Piece, WholeError, find_piece, with_axes, with_views


def cut_axis(op: Op, count: int, spans: Mapping[str, int]) -> Op:
    """One of ``count`` pieces of an operator without a loop nest; see ``schedule_cut.cut``.

    Raises:
        WholeError: no axis of the result runs over time, or an operand does not follow it.
    """
    axes = [_matching(op, number) for number in range(len(op.operands))]
    axis, piece = _axis(op, axes, count, spans)
    extent = op.outputs[0].shape[axis]
    views = [
        _operand(access, own.get(axis), extent, piece)
        for access, own in zip(op.operands, axes, strict=True)
    ]
    return with_views(op, views) if op.kind != "gather" else _lookup(op, views, count)


def _axis(
    op: Op, axes: Sequence[Mapping[int, int]], count: int, spans: Mapping[str, int]
) -> tuple[int, Piece]:
    """The axis of the result that runs over time, found in any operand that is a sequence."""
    for access, own in zip(op.operands, axes, strict=True):
        for axis, place in own.items():
            span = spans.get(access.tensor.name)
            piece = find_piece(access.shape[place], access.strides[place], count, span)
            if piece:
                return axis, piece
    raise WholeError("none of its axes runs over time in equal pieces")


def _matching(op: Op, number: int) -> dict[int, int]:
    """Axes of the result that may be cut, each with the same axis of an operand."""
    if not op.outputs:
        return {}
    access, shape = op.operands[number], op.outputs[0].shape
    if op.kind == "reduce":
        # what it keeps comes first in what it reads; axes of extent 1 may be dropped
        kept, own = ([n for n, extent in enumerate(s) if extent > 1] for s in (shape, access.shape))
        return dict(zip(kept, own, strict=False))
    if op.kind == "gather":
        # indices lead; the last axis of the result is a row of the table
        rank = min(len(shape) - 1, len(access.shape)) if number else 0
        return {axis: axis for axis in range(rank)}
    missing = len(shape) - len(access.shape)
    if op.kind == "move" and missing:
        raise WholeError("it moves data between views of different rank")
    first, last = max(0, missing), len(shape) - _row_axes(op, shape)
    return {axis: axis - missing for axis in range(first, last)}


def _row_axes(op: Op, shape: Sequence[int]) -> int:
    """Trailing axes that are worked on as one row."""
    if op.kind != "normalize" or not shape:
        return int(op.kind in ("softmax", "sort"))
    width = op.attribute("width", shape[-1])
    tails = [math.prod(shape[len(shape) - n :]) for n in range(len(shape) + 1)]
    fitting = (n for n, tail in enumerate(tails) if isinstance(width, int) and tail >= width)
    return next(fitting, len(shape))


def _operand(access: Access, axis: int | None, extent: int, piece: Piece) -> Access:
    if axis is None:
        return access
    if access.shape[axis] == 1 and extent > 1:
        return with_axes(access, axis, [(1, 1)] * (1 + (piece.rows > 1)))
    if access.shape[axis] != extent:
        raise WholeError(f"it uses another part of {access.tensor.name!r} over time")
    found, moved = piece.cut(access, axis)
    return replace(found, advance=(moved,) if moved else ())


def _lookup(op: Op, views: Sequence[Access], count: int) -> Op:
    """A gather: each piece looks up its share of the rows."""
    rows, width = op.attribute("rows", 0), op.outputs[0].shape[-1]
    if not isinstance(rows, int) or rows * width != op.outputs[0].elements:
        raise WholeError("its rows are not those of the sequence")
    share = rows // count
    table = replace(views[0], shape=(min(share, views[0].shape[0]), *views[0].shape[1:]))
    attributes = tuple((k, share if k == "rows" else value) for k, value in op.attributes)
    return with_views(replace(op, attributes=attributes), [table, *views[1:]])
