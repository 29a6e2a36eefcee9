"""What must hold between the parts of a trace: order, names, and views inside their tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from codesign.errors import TraceError
from codesign.workload.limits import first_repeated
from codesign.workload.record import Access, Branch, Carry, Item, Op, Region, Trace

_WRITTEN_FIRST = ("activation", "output")
_MAX_STEPS = 2**63 - 1
MOST_WORK = 2**53
"""Multiply-accumulates of an operator, and elements that it reads or writes at one operand: beyond,
a double no longer counts them, and what a tile search multiplies them with leaves 64 bits."""


def check_trace(trace: Trace) -> None:
    """Checks that operators can run in the order they stand in, on data that is there.

    Weights, constants, state and inputs are there from the start; activations and outputs only
    after an operator wrote them. Of a branch, only what both sides write is there afterwards. A
    trace with unsupported operators may read what those would have written.

    What a region hands from step to step is of one size: state, update and initial value.

    Raises:
        TraceError: a repeated name, a read before its write, a view outside its tensor, operands
            that do not fit the operator, or a carry that is not as the table of tensors has it or
            changes its size; with the path in the trace.
    """
    twice = first_repeated(_names(trace.items))
    if twice:
        raise TraceError(f"items: duplicate operator name {twice!r}; rename one")
    _Order(trace).walk("items", trace.items, ())


def check_sizes(trace: Trace) -> None:
    """Checks that every operator is small enough to be mapped.

    Raises:
        TraceError: one has more than ``MOST_WORK`` multiply-accumulates or elements.
    """
    for op, _ in trace.ops():
        work = max(op.macs, *(math.prod(access.shape) for access in op.operands), 0)
        if work > MOST_WORK:
            raise TraceError(
                f"{op.name!r} must have at most 2**53 multiply-accumulates and elements of an "
                f"operand, got {work:.3g}; make the model smaller"
            )


def _names(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        yield item.name
        for _, part in _parts(item):
            yield from _names(part)


def _parts(item: Item) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    if isinstance(item, Op):
        return ()
    if isinstance(item, Region):
        return (("body", item.body),)
    return (("taken", item.taken), ("otherwise", item.otherwise))


def _writers(items: tuple[Item, ...]) -> Iterator[tuple[str, str]]:
    for item in items:
        if isinstance(item, Op):
            yield from ((access.tensor.name, item.name) for access in item.outputs)
        for _, part in _parts(item):
            yield from _writers(part)


class _Order:
    """A walk in execution order that knows which tensors hold data, scope by scope."""

    def __init__(self, trace: Trace) -> None:
        self.writer = dict(reversed(list(_writers(trace.items))))
        self.table = {tensor.name: tensor for tensor in trace.tensors}
        self.complete = not trace.coverage.unsupported
        ready = {t.name for t in trace.tensors if t.role not in _WRITTEN_FIRST}
        self.scopes: list[set[str]] = [ready]

    def walk(self, path: str, items: tuple[Item, ...], steps: tuple[int, ...]) -> None:
        for index, item in enumerate(items):
            place = f"{path}[{index}]"
            if isinstance(item, Op):
                self.op(place, item, steps)
            elif isinstance(item, Region):
                self.region(place, item, steps)
            else:
                self.branch(place, item, steps)

    def op(self, place: str, op: Op, steps: tuple[int, ...]) -> None:
        _check_operands(place, op)
        for index, access in enumerate(op.inputs):
            self.read(f"{place}.inputs[{index}]", op.name, access.tensor.name)
        for side, accesses in (("inputs", op.inputs), ("outputs", op.outputs)):
            for index, access in enumerate(accesses):
                _check_view(f"{place}.{side}[{index}]", access, steps)
        self.scopes[-1].update(access.tensor.name for access in op.outputs)

    def region(self, place: str, region: Region, steps: tuple[int, ...]) -> None:
        inner = (*steps, region.steps)
        if math.prod(inner) > _MAX_STEPS:
            raise TraceError(f"{place}: nested regions must run at most 2**63 - 1 steps, got more")
        for index, carry in enumerate(region.carries):
            self.carry(f"{place}.carries[{index}]", carry)
            if carry.initial is not None:
                self.read(f"{place}.carries[{index}].initial", region.name, carry.initial.name)
        self.scopes[-1].update(carry.state.name for carry in region.carries)
        self.walk(f"{place}.body", region.body, inner)
        for index, carry in enumerate(region.carries):
            self.read(f"{place}.carries[{index}].update", region.name, carry.update.name)

    def carry(self, place: str, carry: Carry) -> None:
        """Checks that all that a carry names is in the table, and of one size."""
        held = {"state": carry.state, "update": carry.update, "initial": carry.initial}
        for what, tensor in held.items():
            if tensor is None:
                continue
            known = self.table.get(tensor.name, tensor)
            if known.shape != tensor.shape or known.elements != carry.state.elements:
                raise TraceError(
                    f"{place}.{what}: {tensor.name!r} {list(tensor.shape)} must have the shape "
                    f"{list(known.shape)} that the table of tensors gives it and the "
                    f"{carry.state.elements} elements of the state {carry.state.name!r}; change "
                    "both with the tensor"
                )

    def branch(self, place: str, branch: Branch, steps: tuple[int, ...]) -> None:
        sides = []
        for part, items in _parts(branch):
            self.scopes.append(set())
            self.walk(f"{place}.{part}", items, steps)
            sides.append(self.scopes.pop())
        self.scopes[-1] |= sides[0] & sides[1]

    def read(self, place: str, reader: str, tensor: str) -> None:
        if any(tensor in scope for scope in reversed(self.scopes)):
            return
        writer = self.writer.get(tensor)
        if writer is not None:
            raise TraceError(
                f"{place}: cyclic graph: {reader!r} reads tensor {tensor!r} before {writer!r} "
                "writes it; reorder them, or hand it from step to step as a carry of a region"
            )
        if self.complete:
            raise TraceError(
                f"{place}: {reader!r} reads tensor {tensor!r}, which no operator writes; "
                "write it first or give it the role input, constant, weight or state"
            )


def _check_operands(place: str, op: Op) -> None:
    if op.kind == "contraction" and (len(op.inputs) < 2 or not op.outputs):
        raise TraceError(
            f"{place}: contraction {op.name!r} must read two factors and write a result"
        )
    if op.kind == "attention" and (
        len(op.inputs) < 3 or not op.outputs or any(len(a.shape) != 4 for a in op.inputs[:3])
    ):
        raise TraceError(
            f"{place}: attention {op.name!r} must read query, key and value of 4 axes each"
        )
    axes = [len(axes) for axes in op.nest.operands] if op.nest else []
    for index, (count, access) in enumerate(zip(axes, op.operands, strict=False)):
        if count != len(access.shape):
            raise TraceError(
                f"{place}: the nest of {op.name!r} gives operand {index} {count} axes, "
                f"its view has {len(access.shape)}; describe every axis"
            )


def _check_view(place: str, access: Access, steps: Sequence[int]) -> None:
    if len(access.shape) != len(access.strides):
        raise TraceError(
            f"{place}: must have a stride for each axis, got {len(access.shape)} axes and "
            f"{len(access.strides)} strides"
        )
    if len(access.advance) > len(steps):
        raise TraceError(
            f"{place}: must advance with at most its {len(steps)} enclosing regions, "
            f"got {len(access.advance)} numbers"
        )
    if not math.prod(access.shape):
        return
    jumps = [(n - 1) * s for n, s in zip(access.shape, access.strides, strict=True)]
    jumps += [(n - 1) * s for n, s in zip(steps, access.advance, strict=False)]
    first = access.offset + sum(jump for jump in jumps if jump < 0)
    last = access.offset + sum(jump for jump in jumps if jump > 0)
    if first < 0 or last >= access.tensor.elements:
        raise TraceError(
            f"{place}: must stay inside tensor {access.tensor.name!r} of "
            f"{access.tensor.elements} elements, got elements {first} to {last}"
        )
