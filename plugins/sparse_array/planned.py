"""Operators with zeros, planned alone by an engine: what validations compare."""

from __future__ import annotations

from dataclasses import replace

from codesign import Budget, Op, TilePlan
from codesign.workload.sparsity import Sparsity

from .engine import Skipping

_ROOM, _RATE = 1 << 50, 1e18


def with_zeros(op: Op, activation: Sparsity | None, weight: Sparsity | None) -> Op:
    """A contraction whose factors have these zeros; None leaves one dense."""
    inputs = list(op.inputs)
    for factor, sparsity in enumerate((activation, weight)):
        if sparsity is not None:
            tensor = inputs[factor].tensor
            there = sparsity.on(tensor.shape, tensor.name)
            inputs[factor] = replace(inputs[factor], tensor=replace(tensor, sparsity=there))
    return replace(op, inputs=tuple(inputs))


def alone(engine: Skipping, op: Op) -> TilePlan:
    """The plan of an operator where no memory and no accumulator is too small or too slow."""
    roomy = replace(engine, accumulator=_ROOM)
    return roomy.plan(op, Budget(_ROOM, _RATE, _RATE))
