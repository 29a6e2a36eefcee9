"""One operator in the place of its n runs in a region: the steps become an axis."""

from __future__ import annotations

from dataclasses import replace

from codesign.workload.contraction import labelled_nest
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access, Op
from codesign.workload.schedule_access import advanced

_SEPARATE = frozenset({"contraction", "elementwise", "move", "normalize", "softmax", "reduce"})
"""Kinds whose runs at different steps may be one run over one more leading axis."""


def can_widen(op: Op) -> bool:
    """Whether the runs of an operator at all steps may be one operator."""
    return op.kind in _SEPARATE and bool(op.outputs)


def widened(op: Op, steps: int, level: int) -> Op:
    """The runs of an operator at all steps as one operator, outside the region.

    What moves with the region gets the steps as its first axis; what stands still is read once. A
    contraction gets one more loop, which joins its row loop wherever the strides allow it.

    Args:
        op: an operator in the body of the region.
        steps: trip count of the region.
        level: depth of the region, 0 the outermost.
    """
    number = len(op.inputs)
    if op.nest is None:
        found = [_with_steps(access, steps, level) for access in op.operands]
        return replace(op, inputs=tuple(found[:number]), outputs=tuple(found[number:]))
    accesses, nest = _wide_nest(op, op.nest, steps, level)
    return replace(op, inputs=accesses[:number], outputs=accesses[number:], nest=nest)


def _moves(access: Access, level: int) -> int:
    return access.advance[level] if len(access.advance) > level else 0


def _with_steps(access: Access, steps: int, level: int) -> Access:
    moved, outside = _moves(access, level), advanced(access, access.advance[:level])
    if not moved:
        return outside
    return replace(outside, shape=(steps, *access.shape), strides=(moved, *access.strides))


def _wide_nest(
    op: Op, nest: LoopNest, steps: int, level: int
) -> tuple[tuple[Access, ...], LoopNest]:
    accesses = tuple(_with_steps(access, steps, level) for access in op.operands)
    new = [len(a.shape) - len(axes) for a, axes in zip(accesses, nest.operands, strict=True)]
    if all(_is_plain(axis) for axes in nest.operands for axis in axes):
        # labels of one letter lose their digits where the loops join
        names = [f"m{n + 1}" if name[0] == "m" else name for n, name in enumerate(nest.dims)]
        operands = [
            (access, ["m0"] * more + [names[axis.terms[0][0]] for axis in axes])
            for access, more, axes in zip(accesses, new, nest.operands, strict=True)
        ]
        return labelled_nest(operands, {"m0": steps} | dict(zip(names, nest.extents, strict=True)))
    shifted = tuple(
        (Axis(((0, 1),)),) * more
        + tuple(Axis(tuple((dim + 1, c) for dim, c in axis.terms), axis.offset) for axis in axes)
        for more, axes in zip(new, nest.operands, strict=True)
    )
    return accesses, LoopNest((f"m{len(nest.dims)}", *nest.dims), (steps, *nest.extents), shifted)


def _is_plain(axis: Axis) -> bool:
    """Whether an axis is one loop, element by element."""
    return not axis.offset and len(axis.terms) == 1 and axis.terms[0][1] == 1
