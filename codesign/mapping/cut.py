"""Cutting an operator along its output columns, so that part of its weights can stay on chip."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from codesign.workload import view
from codesign.workload.record import Access, Op


@dataclass(frozen=True, slots=True)
class Grain:
    """Where an operator can be cut.

    Attributes:
        op: the operator; an elementwise one as a row of elements where its views allow that.
        axes: for each operand, the axis that is cut; None where each part needs the whole operand.
        columns: extent of those axes.
        dim: the loop of the nest that is cut; -1 without a nest.
    """

    op: Op
    axes: tuple[int | None, ...]
    columns: int
    dim: int = -1

    def column_bytes(self, operand: int) -> int:
        """Bytes of one column of an operand; 0 where columns are not bytes of their own."""
        axis, access = self.axes[operand], self.op.operands[operand]
        if axis is None or not access.strides[axis]:
            return 0
        whole, rest = divmod(access.bytes, self.columns)
        return whole if not rest and access.bytes == access.tensor.plain_bytes else 0

    def slice(self, operand: int, first: int, end: int) -> Access:
        """The columns ``first`` to ``end`` of an operand; all of one that is not cut."""
        axis, access = self.axes[operand], self.op.operands[operand]
        return access if axis is None else view.slice_axis(access, axis, first, end, 1)


def find_grain(op: Op) -> Grain | None:
    """The finest way to cut an operator, or None.

    A contraction is cut in the longest loop of its output that its second factor runs over, if all
    operands step with that loop one by one. An elementwise operator on views of one shape is cut
    anywhere if all of them are rows of elements, else in its longest axis.
    """
    if op.kind == "contraction":
        return _contraction(op)
    if op.kind == "elementwise" and op.nest is None:
        return _elementwise(op)
    return None


def cut(grain: Grain, kept: Mapping[int, int]) -> list[tuple[Op, frozenset[int]]]:
    """The parts of an operator, each with the operands that it finds on chip.

    Args:
        grain: where it can be cut.
        kept: how many of the first columns of each of these operands stay on chip.
    """
    marks = sorted({0, grain.columns, *kept.values()})
    parts = []
    for first, end in itertools.pairwise(marks):
        here = frozenset(operand for operand, columns in kept.items() if end <= columns)
        parts.append((piece(grain, first, end), here))
    return parts


def piece(grain: Grain, first: int, end: int) -> Op:
    """The operator that computes the columns ``first`` to ``end`` and no others."""
    op = grain.op
    nest = op.nest
    if nest is not None:
        extents = list(nest.extents)
        extents[grain.dim] = end - first
        nest = replace(nest, extents=tuple(extents))
    split = len(op.inputs)
    views = _slices(grain, range(len(op.operands)), first, end)
    return replace(
        op,
        name=f"{op.name}[{first}:{end}]",
        inputs=views[:split],
        outputs=views[split:],
        nest=nest,
    )


def _contraction(op: Op) -> Grain | None:
    nest = op.loops
    outputs = range(len(op.inputs), len(op.operands))
    dims = nest.uses(1).intersection(*(nest.uses(output) for output in outputs))
    found = None
    for dim in sorted(dims, key=lambda dim: nest.extents[dim]):
        axes = [_axis(op, operand, dim) for operand in range(len(op.operands))]
        if _UNEVEN not in axes:
            columns = nest.extents[dim]
            found = Grain(op, tuple(a if a >= 0 else None for a in axes), columns, dim)
    return found


_ABSENT, _UNEVEN = -1, -2


def _axis(op: Op, operand: int, dim: int) -> int:
    """The axis that steps with a loop; ``_UNEVEN`` where it also steps with others, or in jumps."""
    for number, axis in enumerate(op.loops.operands[operand]):
        if dim in (term[0] for term in axis.terms):
            alone = axis.terms == ((dim, 1),) and axis.offset == 0
            extent = op.operands[operand].shape[number]
            return number if alone and extent == op.loops.extents[dim] else _UNEVEN
    return _ABSENT


def _elementwise(op: Op) -> Grain | None:
    shapes = {access.shape for access in op.operands}
    if len(shapes) != 1 or not op.outputs:
        return None
    rows = [view.reshape(access, (-1,)) for access in op.operands]
    flat = [row for row in rows if row is not None]
    if len(flat) == len(rows):
        split = len(op.inputs)
        op = replace(op, inputs=tuple(flat[:split]), outputs=tuple(flat[split:]))
    shape = op.outputs[0].shape
    axis = max(range(len(shape)), key=lambda number: shape[number])
    return Grain(op, (axis,) * len(op.operands), shape[axis])


def _slices(grain: Grain, operands: Iterable[int], first: int, end: int) -> tuple[Access, ...]:
    return tuple(grain.slice(operand, first, end) for operand in operands)
