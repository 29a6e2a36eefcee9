"""Operators without an element to compute, which no engine has a plan for.

A copy of nothing, such as the scatter of an empty update, is left out: it does nothing. What would
compute on nothing is refused early, since an example without elements is a mistake.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from codesign.errors import CaptureError
from codesign.workload.graph import GraphInput
from codesign.workload.record import Branch, Item, Op, Region, Trace

_PRODUCTS = ("contraction", "attention")
_SHOWN = 3


def without_idle(items: Sequence[Item]) -> Iterator[Item]:
    """The items, also those in regions and branches, but for moves that write no element."""
    for item in items:
        if isinstance(item, Region):
            yield dataclasses.replace(item, body=tuple(without_idle(item.body)))
        elif isinstance(item, Branch):
            sides = tuple(without_idle(item.taken)), tuple(without_idle(item.otherwise))
            yield dataclasses.replace(item, taken=sides[0], otherwise=sides[1])
        elif item.kind != "move" or any(0 not in access.shape for access in item.outputs):
            yield item


def refuse_empty(trace: Trace, inputs: Sequence[GraphInput]) -> None:
    """Checks that every operator has something to make and every product something to multiply.

    What an operator reads may be empty otherwise: a cache that is empty yet is joined to what
    comes, at no cost.

    Args:
        trace: as lowered.
        inputs: of the graph; those without an element that the operator reads are named, and if
            it reads none, all of them.

    Raises:
        CaptureError: an operator that has not.
    """
    for op, _ in trace.ops():
        shape = _empty(op)
        if shape is not None:
            cause, way = _cause(op, [i for i in inputs if 0 in i.value.shape])
            raise CaptureError(
                f"{op.name}: a tensor of {op.kind} must have at least one element, got the shape "
                f"{list(shape)}{cause}; {way}"
            )


def _cause(op: Op, empty: Sequence[GraphInput]) -> tuple[str, str]:
    """Which inputs of the graph leave an operator nothing to do, and the way out."""
    read = {access.tensor.name for access in op.operands}
    named = [i for i in empty if i.path in read] or list(empty)
    if not named:
        return "", "the model itself makes it: keep at least one element of what it cuts"
    given = ", ".join(f"{i.path} is {list(i.value.shape)}" for i in named[:_SHOWN])
    stored = next((i for i in named if i.role in ("weight", "constant")), None)
    if stored is None:
        return f" ({given})", "give example inputs whose every dimension is at least 1"
    return (
        f" ({given})",
        f"{stored.path} is a {stored.role} of the model: build its layer with sizes of at least 1",
    )


def _empty(op: Op) -> tuple[int, ...] | None:
    """The shape without elements that leaves an operator nothing to do; None if it has work."""
    asked = op.operands if op.kind in _PRODUCTS else op.outputs
    empty = [access.shape for access in asked if 0 in access.shape]
    is_idle = empty and (op.kind in _PRODUCTS or len(empty) == len(asked))
    return empty[0] if is_idle else None
