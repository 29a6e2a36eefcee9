"""Spatial unrolling: which loops run side by side along each axis of an array."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from codesign.mapping.hierarchy.spec import Array, Axis, Spread, steps
from codesign.workload.nest import LoopNest

_KEPT = 2
"""Spreads that the search scores in full, the fastest ones.

Of 32 operators that ZigZag maps and of those of ResNet-18 the third and fourth one is never better.
"""


def spreads(nest: LoopNest, classes: Sequence[Sequence[int]], array: Array) -> list[Spread]:
    """The spreads of a nest that take fewest cycles, the fastest first.

    Along an axis run the loops of one class that may lie there: one of them, or several packed
    together as far as they fit. Axes take loops in their order; what one has taken another may go
    on with.

    Args:
        nest: loops of a contraction.
        classes: loops of each class.
        array: the axes.
    """
    found: dict[Spread, tuple[int, int]] = {}
    for laid in _combine(array.axes, list(nest.extents), classes):
        beside = steps(laid, len(nest.dims))
        cycles = math.prod(-(-e // s) for e, s in zip(nest.extents, beside, strict=True))
        found[laid] = cycles, math.prod(beside)
    ranked = sorted(found, key=lambda laid: (*found[laid], laid))
    unlike = {_sizes(laid, nest): laid for laid in reversed(ranked)}
    return [laid for laid in ranked if unlike[_sizes(laid, nest)] == laid][:_KEPT]


def _sizes(laid: Spread, nest: LoopNest) -> tuple[tuple[tuple[int, int], ...], ...]:
    """What a spread looks like when loops of one extent are not told apart, such as two taps."""
    return tuple(tuple((nest.extents[loop], size) for loop, size in axis) for axis in laid)


def _combine(
    axes: Sequence[Axis], left: list[int], classes: Sequence[Sequence[int]]
) -> Iterator[Spread]:
    if not axes:
        yield ()
        return
    for laid in _options(axes[0], left, classes):
        rest = left.copy()
        for loop, size in laid:
            rest[loop] = -(-rest[loop] // size)
        for others in _combine(axes[1:], rest, classes):
            yield (laid, *others)


def _options(
    axis: Axis, left: Sequence[int], classes: Sequence[Sequence[int]]
) -> list[tuple[tuple[int, int], ...]]:
    """Ways to fill an axis: one loop alone, or packed with others of its class."""
    found: dict[tuple[tuple[int, int], ...], None] = {}
    for number in axis.classes:
        loops = [loop for loop in classes[number] if left[loop] > 1]
        for first in loops:
            found[_packed(axis.size, [first], left)] = None
            for order in itertools.permutations([loop for loop in loops if loop != first]):
                found[_packed(axis.size, [first, *order], left)] = None
        if loops and number == axis.classes[0]:
            break
    return list(found) or [()]


def _packed(size: int, loops: Sequence[int], left: Sequence[int]) -> tuple[tuple[int, int], ...]:
    laid = []
    for loop in loops:
        fits = min(size, left[loop])
        if fits > 1:
            laid.append((loop, fits))
            size //= fits
    return tuple(laid)
