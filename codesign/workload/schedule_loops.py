"""Cutting an operator with a loop nest: one of its loops runs over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op
from codesign.workload.schedule_piece import Piece, WholeError, find_piece, with_views


def cut_loop(op: Op, count: int, spans: Mapping[str, int]) -> Op:
    """One of ``count`` pieces of an operator with a loop nest; see ``schedule_cut.cut``.

    Raises:
        WholeError: no loop runs over time, or its windows overlap.
    """
    nest = op.loops
    dim, piece = _loop(op, count, spans)
    cut = _Cut(nest, dim, piece)
    found = [
        cut.operand(access, axes) for access, axes in zip(op.operands, nest.operands, strict=True)
    ]
    dims, extents = [*nest.dims], [*nest.extents]
    extents[dim] = piece.steps
    if cut.more:
        extents.insert(dim, piece.rows)
        dims.insert(dim, "b" if "b" not in dims else f"b{len(dims)}")
    changed = LoopNest(tuple(dims), tuple(extents), tuple(axes for _, axes in found))
    return replace(with_views(op, [access for access, _ in found]), nest=changed)


def _loop(op: Op, count: int, spans: Mapping[str, int]) -> tuple[int, Piece]:
    """The loop that steps through time, found by how it steps through a sequence."""
    nest = op.loops
    for access, axes in zip(op.operands, nest.operands, strict=True):
        for axis, stride in zip(axes, access.strides, strict=True):
            for dim, coefficient in axis.terms:
                span = spans.get(access.tensor.name)
                piece = find_piece(nest.extents[dim], coefficient * stride, count, span)
                if piece:
                    return dim, piece
    raise WholeError("none of its loops runs over time in equal pieces")


class _Cut:
    """A loop that becomes one piece of it, and one loop more over the rows if there are several."""

    def __init__(self, nest: LoopNest, dim: int, piece: Piece) -> None:
        self.nest, self.dim, self.piece = nest, dim, piece
        self.more = piece.rows > 1

    def operand(self, access: Access, axes: Sequence[Axis]) -> tuple[Access, tuple[Axis, ...]]:
        """One piece of an operand, with its axes."""
        found = [self._shifted(axis) for axis in axes]
        held = [n for n, axis in enumerate(axes) if self.dim in dict(axis.terms)]
        if not held:
            return access, tuple(found)
        if len(held) > 1:
            raise WholeError("two axes of one operand run over time")
        (place,) = held
        window = self._window(access.shape[place], axes[place])
        piece, moved = self.piece.cut(access, place, window)
        if self.more:
            found.insert(place, Axis(((self.dim, 1),)))
        return replace(piece, advance=(moved,) if moved else ()), tuple(found)

    def _shifted(self, axis: Axis) -> Axis:
        """An axis behind a new loop, which stands before the one that is cut."""
        terms = tuple((n + 1 if self.more and n >= self.dim else n, c) for n, c in axis.terms)
        return Axis(terms, axis.offset)

    def _window(self, extent: int, axis: Axis) -> int:
        """Elements of an axis for each trip of its loop over time; no two trips share any."""
        window = dict(axis.terms)[self.dim]
        others = sum(c * (self.nest.extents[n] - 1) for n, c in axis.terms if n != self.dim)
        fits = extent == window * self.nest.extents[self.dim] and others < window
        if axis.offset or not fits or (self.more and len(axis.terms) > 1):
            raise WholeError("its windows reach into the next piece")
        return window
