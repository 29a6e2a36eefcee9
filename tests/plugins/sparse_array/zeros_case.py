"""Operators with zeros, and engines with nothing in their way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from codesign_plugins.sparse_array import DualSideSparse, SparseArray
from numpy.typing import NDArray

from codesign.hardware.plan import Budget, TilePlan
from codesign.workload.density_places import Actual
from codesign.workload.mask import Mask
from codesign.workload.record import Op
from codesign.workload.sparsity import Sparsity

ROOM = Budget(1 << 40, 1e18, 1e18)
"""A buffer and links that are never in the way."""

Zeros = str | float | Sparsity | None


def zeros(op: Op, activation: Zeros = None, weight: Zeros = None) -> Op:
    """A contraction with such factors, each a declaration, a pattern or dense."""
    inputs = list(op.inputs)
    for factor, said in enumerate((activation, weight)):
        if said is None:
            continue
        tensor = inputs[factor].tensor
        pattern = said if isinstance(said, Sparsity) else Sparsity.parse(said)
        there = pattern.on(tensor.shape, tensor.name)
        inputs[factor] = replace(inputs[factor], tensor=replace(tensor, sparsity=there))
    return replace(op, inputs=tuple(inputs))


def known(mask: NDArray[Any], granularity: Any = "element") -> Sparsity:
    """The zeros that an array has."""
    return Sparsity(granularity, Actual(Mask.of(mask)))


def lanes(**fields: Any) -> SparseArray:
    """An array that finds its products at once and holds any number of sums."""
    plain: dict[str, Any] = {
        "decode_rate": 10**6,
        "intersection_rate": 10**6,
        "accumulator": 1 << 40,
    }
    engine = SparseArray(name="lanes", buffer="buffer", **plain | fields)
    engine.check()
    return engine


def core(**fields: Any) -> DualSideSparse:
    """A core that holds any number of sums."""
    engine = DualSideSparse(name="core", buffer="buffer", **{"accumulator": 1 << 40} | fields)
    engine.check()
    return engine


def slots(plan: TilePlan) -> dict[str, int]:
    """Slots of a plan by cause."""
    return dict(plan.slots)


def actions(plan: TilePlan) -> dict[str, int]:
    """Actions of the engine itself."""
    return {action: count for part, action, count in plan.actions if not part}


def random_mask(shape: tuple[int, ...], share: float, seed: int = 1) -> NDArray[np.bool_]:
    """Zeros by chance."""
    return np.asarray(np.random.default_rng(seed).random(shape) < share)
