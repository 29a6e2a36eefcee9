"""Comparing and fitting views: what passes ask about the accesses of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from codesign.workload import view
from codesign.workload.nest import Axis
from codesign.workload.record import Access


def traversal(access: Access) -> tuple[object, ...]:
    """What a view touches and in which order, whatever its shape: equal for reshaped views."""
    return access.tensor.name, tuple(view.chunks(access)), access.offset, access.advance


def covers(access: Access) -> bool:
    """Whether a view is its whole tensor in storage order, whatever its shape."""
    return traversal(access) == traversal(access.tensor.access())


def is_row_major(access: Access) -> bool:
    """Whether the elements of a view are adjacent and in order, wherever it begins."""
    runs = [run for run in view.chunks(access) if run[0] > 1]
    return not runs or (len(runs) == 1 and runs[0][1] == 1)


def advancing(access: Access, step: int, depth: int) -> Access:
    """A view that moves by ``step`` elements per step of a region inside ``depth`` others."""
    outer = access.advance + (0,) * (depth - len(access.advance))
    return replace(access, advance=(*outer, step))


def broadcast(access: Access, shape: tuple[int, ...]) -> Access | None:
    """The view repeated to ``shape`` by stride 0, axes aligned at the right; None if it cannot."""
    missing = len(shape) - len(access.shape)
    if missing < 0:
        return None
    strides = [0] * missing
    for have, want, stride in zip(access.shape, shape[missing:], access.strides, strict=True):
        if have not in (1, want):
            return None
        strides.append(stride if have == want else 0)
    return replace(access, shape=shape, strides=tuple(strides))


def without_broadcast(access: Access) -> Access:
    """The view without the axes along which it repeats or has extent 1."""
    kept = _varying(access)
    shape, strides = access.shape, access.strides
    return replace(
        access, shape=tuple(shape[i] for i in kept), strides=tuple(strides[i] for i in kept)
    )


def project(access: Access, axes: Sequence[Axis]) -> tuple[Access, tuple[Axis, ...]]:
    """Aligns a view with the output axes of a nest, for an operand that a fusion adds.

    Args:
        access: view of the shape of the output; broadcast axes have stride 0.
        axes: the axes by which the nest writes that output.

    Returns:
        The view without its broadcast axes, and the affine axes of what is left.
    """
    return without_broadcast(access), tuple(axes[i] for i in _varying(access))


def _varying(access: Access) -> list[int]:
    pairs = zip(access.shape, access.strides, strict=True)
    return [axis for axis, (extent, stride) in enumerate(pairs) if stride != 0 and extent > 1]
