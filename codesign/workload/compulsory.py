"""Compulsory traffic: the bytes that an operator must fetch or write, however it is run."""

from __future__ import annotations

import math

from codesign.workload.record import Access, Op


def alike(op: Op) -> tuple[int, ...]:
    """For each operand, the first one that reads exactly the same; itself where none does before.

    In ``x * x`` both inputs are one access, and one fetch can serve both, even where their axes
    are different loops (``Op.distinct_inputs`` tells those apart). Outputs are never alike.
    """
    first: dict[Access, int] = {}
    inputs = [first.setdefault(access, place) for place, access in enumerate(op.inputs)]
    return (*inputs, *range(len(op.inputs), len(op.operands)))


def compulsory_bytes(op: Op, operand: int) -> int:
    """Bytes of an operand that must cross once: of the elements that the operator touches.

    A loop nest says which those are; without one it is the whole access. Of inputs that are
    ``alike``, the first one counts and the others are 0 B.

    Args:
        op: the operator.
        operand: index among its inputs, then outputs.
    """
    same = [place for place, first in enumerate(alike(op)) if first == operand]
    return max((_touched_bytes(op, place) for place in same), default=0)


def _touched_bytes(op: Op, operand: int) -> int:
    access = op.operands[operand]
    if op.nest is None or not op.nest.operands[operand]:
        return access.bytes
    touched = (
        axis.touched(op.nest.extents, extent) if stride else 1
        for axis, extent, stride in zip(
            op.nest.operands[operand], access.shape, access.strides, strict=True
        )
    )
    return access.tensor.dtype.storage_bytes(math.prod(touched))
