"""When two operators are the same step at different times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codesign.workload import view
from codesign.workload.record import Access, Op


def signature(op: Op) -> tuple[object, ...]:
    """What must be equal in two steps for one body to stand for both.

    Offsets and the names of intermediates differ from step to step; weights must be the same.
    """
    operands = tuple(map(_operand, op.operands))
    return op.kind, op.functions, op.attributes, op.nest, len(op.inputs), operands


def resemblance(op: Op) -> tuple[object, ...]:
    """The signature less what an initial state of zeros changes, to find where loops may be.

    A product with a constant of one element has no axes for it in its nest.
    """
    kind, functions, attributes, _, count, operands = signature(op)
    if kind != "contraction":
        return kind, functions, attributes, count, operands
    return kind, functions, attributes, count, tuple(map(_operand, op.operands[1:]))


def aligned(rows: Sequence[Sequence[Op]]) -> list[list[Op]] | None:
    """The steps with a first one that reads a broadcast constant like a stored state.

    Args:
        rows: operators of each step, with pairwise equal ``resemblance``.

    Returns:
        Steps with pairwise equal ``signature``, or None if they differ in more than that.
    """
    model = [signature(op) for op in rows[1]]
    first = [_as(op, then) for op, then in zip(rows[0], rows[1], strict=True)]
    steps = [first, *(list(row) for row in rows[1:])]
    if any([signature(op) for op in row] != model for row in steps):
        return None
    return steps


def _as(op: Op, then: Op) -> Op:
    """The operator with the nest of its successor, if it reads a constant where that has data."""
    wide = then.inputs[0] if then.inputs else None
    if op.nest == then.nest or not op.inputs or wide is None:
        return op
    constant = op.inputs[0].tensor
    if constant.role != "constant" or constant.elements != 1 or len(op.inputs) != len(then.inputs):
        return op
    spread = view.expand(replace(constant.access(), shape=(), strides=()), wide.shape)
    return replace(op, inputs=(spread, *op.inputs[1:]), nest=then.nest)


def _operand(access: Access) -> tuple[object, ...]:
    name = access.tensor.name if access.tensor.role == "weight" else None
    return access.shape, access.tensor.dtype, name
