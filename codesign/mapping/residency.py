"""Residency: which tensors a region may keep on chip, and what that costs before and after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from codesign.workload.record import Region, Tensor, Trace, all_carries, iterate

Residency = Literal["region", "none"]
"""``region``: what a region reads or carries at every step stays on chip for its length, if all of
it fits beside the tiles; ``none``: every operator fetches its operands and stores its results."""


def fetched(region: Region, tensors: Iterable[Tensor]) -> list[Tensor]:
    """What is at home before the first step: invariants, standing state, initial values."""
    carried = {carry.state.name for carry in all_carries((region,))}
    invariant = {tensor.name for tensor in region.invariants}
    standing = [
        t for t in tensors if t.name not in carried and (t.name in invariant or t.role == "state")
    ]
    return standing + [carry.initial for carry in region.carries if carry.initial]


def kept(trace: Trace, region: Region, tensors: Iterable[Tensor]) -> list[Tensor]:
    """What must be at home after the last step: outputs, standing state, what others read."""
    inside = {op.name for op, _ in iterate(region.body)}
    read = {a.tensor.name for op, _ in trace.ops() if op.name not in inside for a in op.inputs}
    for carry in all_carries(trace.items, but=region):
        read |= {carry.update.name} | ({carry.initial.name} if carry.initial else set())
    carried = {carry.state.name for carry in all_carries((region,))}
    written = {a.tensor.name for op, _ in iterate(region.body) for a in op.outputs} | carried
    return [
        t
        for t in tensors
        if t.name in written
        and (t.name in read or t.role == "output" or (t.role == "state" and t.name not in carried))
    ]


def stationary(region: Region) -> list[Tensor]:
    """Tensors that a region touches at every step in the same place."""
    found: dict[str, Tensor] = {}
    for op, _ in iterate(region.body):
        for access in op.operands:
            if not access.advance:
                found.setdefault(access.tensor.name, access.tensor)
    moving = {a.tensor.name for op, _ in iterate(region.body) for a in op.operands if a.advance}
    return [tensor for name, tensor in found.items() if name not in moving]
