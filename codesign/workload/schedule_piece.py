"""How an axis of a view runs over time, and what one piece of the view is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codesign.workload.record import Access, Op


class WholeError(Exception):
    """The operator needs the whole sequence at once; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """How an axis runs over time: ``rows`` times one after the other, e.g. for a whole batch.

    Attributes:
        rows: sequences that the axis runs through.
        steps: trips of the axis in one piece of one of them.
        count: pieces of each.
    """

    rows: int
    steps: int
    count: int

    def cut(self, access: Access, axis: int, window: int = 1) -> tuple[Access, int]:
        """One piece of a view, and the elements from it to the next.

        Args:
            access: the whole view.
            axis: the axis that runs over time; for several rows it becomes two axes.
            window: elements of the axis for each of its trips.
        """
        extent, stride = self.steps * window, access.strides[axis]
        axes = [(self.rows, stride * extent * self.count)] * (self.rows > 1) + [(extent, stride)]
        return with_axes(access, axis, axes), stride * extent


def find_piece(extent: int, step: int, count: int, span: int | None) -> Piece | None:
    """The cut of an axis that runs over time; None for one that does not.

    Args:
        extent: trips of the axis.
        step: elements from one trip to the next.
        count: pieces wanted.
        span: elements over which all of time extends in the tensor, if it is a sequence.
    """
    unit, odd = divmod(span or 0, count)
    if not unit or odd or step <= 0 or unit % step:
        return None
    rows, rest = divmod(extent, count * (unit // step))
    return None if rest or not rows else Piece(rows, unit // step, count)


def with_axes(access: Access, axis: int, axes: Sequence[tuple[int, int]]) -> Access:
    """The view with pairs of (extent, stride) in the place of one of its axes."""
    shape, strides = zip(*axes, strict=True)
    return replace(
        access,
        shape=(*access.shape[:axis], *shape, *access.shape[axis + 1 :]),
        strides=(*access.strides[:axis], *strides, *access.strides[axis + 1 :]),
    )


def with_views(op: Op, views: Sequence[Access]) -> Op:
    """The operator with other views of its operands, inputs first."""
    inputs = len(op.inputs)
    return replace(op, inputs=tuple(views[:inputs]), outputs=tuple(views[inputs:]))
