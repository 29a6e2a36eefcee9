"""What pattern the zeros of an array follow: groups of m along an axis, blocks, whole slices."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import TraceError
from codesign.workload.density import Shape, Tile, as_matrix

Array = NDArray[Any]
Units: TypeAlias = tuple[NDArray[np.bool_], NDArray[np.int64]]

GROUPS = (4, 8)
"""Group lengths that are looked for: those of the sparse tensor cores and arrays we know."""
BLOCKS: tuple[Tile, ...] = (
    *((64, 64), (32, 32), (16, 16), (8, 8), (4, 4)),
    *((16, 1), (1, 16), (8, 1), (1, 8), (4, 1), (1, 4)),
)
"""Rows and columns of the blocks that are looked for, largest first."""
LEAST_FILL = 0.9
"""Blocks or channels are a pattern if so much of what they keep is not zero (assumed): pruned
weights that are quantised later lose some of what was kept."""
CLOSE_FILL = 0.99
"""How near the best fill a larger block must come to be taken for the pattern (assumed)."""


def real_axis(axis: int, shape: Shape, place: str) -> int:
    """The axis counted from the front.

    Raises:
        TraceError: the shape has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        known = f"take {-len(shape)} to {len(shape) - 1}" if shape else "a scalar has none"
        raise TraceError(f"{place} names axis {axis} of a tensor of shape {list(shape)}; {known}")
    return axis % len(shape)


def compliance(array: Array, n: int, m: int, axis: int = -1) -> float:
    """Share of the groups of m neighbours that hold at most n non-zeros.

    Of random data that are not zero with probability d it is P(Binomial(m, d) <= n).

    Args:
        array: values, or True where they are not zero.
        n: most non-zeros of a group, at least 1.
        m: elements of a group; the last along the axis may be cut short.
        axis: along which the groups lie.

    Returns:
        0 to 1; 1 if the array follows n:m.

    Raises:
        TraceError: no such axis.
    """
    return float((_in_groups(array, m, axis, f"{n}:{m}") <= n).mean())


def require_nm(array: Array, n: int, m: int, axis: int, name: str) -> None:
    """Refuses an array that does not follow n:m, see ``compliance``.

    Raises:
        TraceError: it does not, or it has no such axis.
    """
    counts = _in_groups(array, m, axis, f"tensor {name!r}: {n}:{m}")
    over = int((counts > n).sum())
    if over:
        axis, share = axis % np.ndim(array), counts.sum() / np.size(array)
        raise TraceError(
            f"tensor {name!r} must follow {n}:{m}, but only {1 - over / counts.size:.1%} of the "
            f"groups of {m} along axis {axis} hold at most {n} non-zeros ({over:,} of "
            f"{counts.size:,} hold more); prune it to {n}:{m}, or declare its density, {share:.3g}"
        )


def _in_groups(array: Array, m: int, axis: int, place: str) -> NDArray[np.int64]:
    """Non-zeros of every group of m neighbours along an axis."""
    along = np.moveaxis(np.asarray(array) != 0, real_axis(axis, np.shape(array), place), -1)
    starts = np.arange(0, along.shape[-1], m)
    return np.asarray(np.add.reduceat(along, starts, axis=-1, dtype=np.int64))


def find_groups(kept: NDArray[np.bool_]) -> tuple[int, int, int] | None:
    """The tightest n:m of at most half that an array follows along an axis that m divides.

    Args:
        kept: True where the tensor is not zero.

    Returns:
        ``(n, m, axis)``, the last axis and the smaller m first among equals; or None.
    """
    found = [
        (int(_in_groups(kept, m, axis, "").max()), m, axis)
        for axis in reversed(range(kept.ndim))
        for m in GROUPS
        if kept.shape[axis] % m == 0
    ]
    holds = [(max(n, 1), m, axis) for n, m, axis in found if 2 * n <= m]
    return min(holds, key=lambda item: item[0] / item[1], default=None)


def find_blocks(kept: NDArray[np.bool_]) -> Tile | None:
    """The largest of ``BLOCKS`` that fits, some of which are empty and the rest full.

    Args:
        kept: True where the tensor is not zero.
    """
    rows, columns = as_matrix(kept.shape)
    matrix, fills = kept.reshape(rows, columns), {}
    for down, across in BLOCKS:
        if rows % down == 0 and columns % across == 0:
            cut = matrix.reshape(rows // down, down, columns // across, across)
            fills[down, across] = _fill(kept, np.asarray(cut.any(axis=(1, 3))))
    best = max(fills.values(), default=0.0)
    close = (block for block, fill in fills.items() if fill >= CLOSE_FILL * best)
    return next(close, None) if best >= LEAST_FILL else None


def find_channels(kept: NDArray[np.bool_]) -> int | None:
    """The axis across which some slices are empty and the rest full; or None.

    Args:
        kept: True where the tensor is not zero.
    """
    fills = {
        axis: _fill(kept, np.asarray(kept.any(axis=tuple(set(range(kept.ndim)) - {axis}))))
        for axis, extent in enumerate(kept.shape)
        if extent < kept.size
    }
    axis = max(fills, key=lambda axis: fills[axis], default=None)
    return axis if axis is not None and fills[axis] >= LEAST_FILL else None


def units_of_blocks(kept: NDArray[np.bool_], block: Tile) -> Units:
    """Which blocks of the matrix hold a non-zero; those at the far edges may hang over.

    Args:
        kept: True where the tensor is not zero.
        block: rows and columns.

    Returns:
        For each block whether it holds one, and how many elements of the tensor lie in it.
    """
    rows, columns = as_matrix(kept.shape)
    starts = np.arange(0, rows, block[0]), np.arange(0, columns, block[1])
    sums = np.add.reduceat(kept.reshape(rows, columns), starts[0], axis=0, dtype=np.int64)
    held = np.add.reduceat(sums, starts[1], axis=1) > 0
    tall, wide = np.diff(starts[0], append=rows), np.diff(starts[1], append=columns)
    return held, np.outer(tall, wide)


def units_of_channels(kept: NDArray[np.bool_], axis: int) -> Units:
    """Which slices across an axis hold a non-zero; see ``units_of_blocks``."""
    held = np.asarray(kept.any(axis=tuple(set(range(kept.ndim)) - {axis})))
    return held, np.full(held.shape, kept.size // max(1, kept.shape[axis]))


def require_units(kept: NDArray[np.bool_], units: Units, name: str, pattern: str) -> None:
    """Refuses an array whose blocks or channels that hold a non-zero are not full.

    Raises:
        TraceError: fewer than ``LEAST_FILL`` of their elements are not zero.
    """
    held, sizes = units
    inside = int(sizes[held].sum())
    if inside and kept.sum() < LEAST_FILL * inside:
        raise TraceError(
            f"tensor {name!r} must follow its {pattern}, but of the elements that it keeps only "
            f"{kept.sum() / inside:.1%} are not zero; leave its granularity out"
        )


def _fill(kept: NDArray[np.bool_], units: NDArray[np.bool_]) -> float:
    """Non-zeros per element of the units that are kept; 0 if all are or none is."""
    held = int(units.sum())
    return 0.0 if held in (0, units.size) else kept.sum() / (held * kept.size / units.size)
