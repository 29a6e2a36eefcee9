"""Known zeros of a factor, step by step of the loops that it shares with the other factor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from codesign import Access, Axis, Op
from codesign.workload.density_places import Actual

Floats: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, slots=True)
class Laid:
    """A factor as its loops run through it.

    Attributes:
        access: of the factor.
        loops: for each axis the loop that alone runs along it; None where there is none.
        steps: loops whose steps bring other products to the same or another group of results, of
            the reduction and of groups.
        shared: those of them that the other factor has an axis for, too.
    """

    access: Access
    loops: tuple[int | None, ...]
    steps: tuple[int, ...]
    shared: tuple[int, ...]


def per_step(op: Op, factor: int, block: int = 1, lanes: int = 1) -> Floats | None:
    """What a factor with a mask needs at each step of the loops that both factors have axes for.

    Args:
        op: a contraction.
        factor: 0 or 1.
        block: elements across the results that are taken together.
        lanes: non-zeros of a block that are taken in one cycle.

    Returns:
        Cycles for a block, or with blocks of 1 the share of non-zeros, in the mean at each step;
        None where nobody knows which elements are zero.
    """
    groups, _, inner, _ = op.loops.classes(len(op.inputs))
    loops = [_alone(op, number) for number in (0, 1)]
    steps = (*groups, *inner)
    shared = tuple(loop for loop in steps if all(loop in own for own in loops))
    return _per_step(Laid(op.operands[factor], loops[factor], steps, shared), block, lanes)


def _alone(op: Op, factor: int) -> tuple[int | None, ...]:
    """For each axis of a factor the loop that alone runs along it, from end to end."""
    shape = op.operands[factor].shape
    return tuple(
        axis.terms[0][0]
        if len(axis.terms) == 1
        and axis == Axis(((axis.terms[0][0], 1),))
        and op.loops.extents[axis.terms[0][0]] == size
        else None
        for axis, size in zip(op.loops.operands[factor], shape, strict=True)
    )


@lru_cache(maxsize=256)
def _per_step(laid: Laid, block: int, lanes: int) -> Floats | None:
    known = _known(laid.access)
    if known is None:
        return None
    kept = [axis for axis, loop in enumerate(laid.loops) if loop in laid.steps]
    across = [axis for axis in range(known.ndim) if axis not in kept]
    flat = known.transpose(*kept, *across).reshape(*(known.shape[axis] for axis in kept), -1)
    found = _filled(flat, block, lanes).mean(axis=-1)
    order = [laid.loops[axis] for axis in kept]
    alone = tuple(place for place, loop in enumerate(order) if loop not in laid.shared)
    found = found.mean(axis=alone)
    left = [loop for loop in order if loop in laid.shared]
    turned: Floats = found.transpose([left.index(loop) for loop in laid.shared])
    return turned


def _filled(flat: NDArray[np.bool_], block: int, lanes: int) -> NDArray[Any]:
    """Groups of lanes that the non-zeros of each block along the last axis fill."""
    if block == 1:
        return flat
    starts = np.arange(0, flat.shape[-1], block)
    return -(-np.add.reduceat(flat, starts, axis=-1, dtype=np.int32) // lanes)


def _known(access: Access) -> NDArray[np.bool_] | None:
    """The mask as the access sees it; None without one, or where the access moves over time."""
    sparsity = access.tensor.sparsity
    if sparsity is None or not isinstance(sparsity.density, Actual) or any(access.advance):
        return None
    flat = sparsity.density.mask.array().reshape(-1)[access.offset :]
    if min(access.strides, default=0) < 0:
        return None
    return as_strided(flat, access.shape, access.strides, writeable=False)
