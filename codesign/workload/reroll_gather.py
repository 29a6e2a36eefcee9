"""Where the results of a loop's steps are gathered: the slices that its body can write itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from codesign.workload import view
from codesign.workload.affine import covers
from codesign.workload.record import Access, Op


class RefusalError(Exception):
    """The steps differ in more than time."""


def slope(accesses: Sequence[Access]) -> int:
    """Elements by which equally shaped views move from step to step.

    Raises:
        RefusalError: they have other strides, or move unevenly.
    """
    first = accesses[0]
    slopes = {after.offset - before.offset for before, after in pairwise(accesses)}
    if len(slopes) > 1 or any(a.strides != first.strides or a.advance for a in accesses):
        raise RefusalError
    return slopes.pop() if slopes else 0


def lands_beside(op: Op, moves: dict[str, Op]) -> bool:
    """Whether a move writes the tensor that the other moves write."""
    targets = {access.tensor.name for move in moves.values() for access in move.outputs}
    return op.kind == "move" and all(a.tensor.name in targets for a in op.outputs)


def landing(moves: Sequence[Op], accesses: list[Access], names: list[str]) -> Access:
    """The advancing slice into which gathering moves put the result of each step.

    Args:
        moves: the moves, in order.
        accesses: how each step writes its result.
        names: tensors of these results.

    Raises:
        RefusalError: the results are not gathered in order, once, evenly, into one tensor.
    """
    chosen = set(names)
    pairs = [pair for move in moves for pair in _pairs(move) if pair[0].tensor.name in chosen]
    if [source.tensor.name for source, _ in pairs] != names:
        raise RefusalError
    slices = []
    for (source, target), access in zip(pairs, accesses, strict=True):
        placed = view.reshape(target, access.shape)
        if not covers(source) or placed is None or target.tensor.dtype != access.tensor.dtype:
            raise RefusalError
        slices.append(placed)
    if any(placed.tensor.name != slices[0].tensor.name for placed in slices):
        raise RefusalError
    return replace(slices[0], advance=(slope(slices),))


def left_over(move: Op, names: list[str]) -> tuple[Op, ...]:
    """What a move still copies when the loop writes its own results: those of other steps."""
    chosen = set(names)
    rest = [pair for pair in _pairs(move) if pair[0].tensor.name not in chosen]
    return tuple(
        replace(move, name=f"{move.name}.{index}", inputs=(source,), outputs=(target,))
        for index, (source, target) in enumerate(rest)
    )


def _pairs(move: Op) -> list[tuple[Access, Access]]:
    """What a move copies where: slice by slice, or a concatenation into one output."""
    if move.kind != "move":
        raise RefusalError
    if len(move.inputs) == len(move.outputs):
        return list(zip(move.inputs, move.outputs, strict=True))
    if len(move.outputs) != 1:
        raise RefusalError
    return list(zip(move.inputs, _parts(move.inputs, move.outputs[0]), strict=True))


def _parts(inputs: Sequence[Access], whole: Access) -> list[Access]:
    """The slices of a concatenation, along the axis in which the extents add up, or of a stack."""
    shapes = [access.shape for access in inputs]
    for axis, total in enumerate(whole.shape):
        rest = (*whole.shape[:axis], *whole.shape[axis + 1 :])
        # where several axes of a stack would do, the first is taken: the bytes are the same
        if total == len(shapes) and all(shape == rest for shape in shapes):
            return [view.select(whole, axis, index) for index in range(total)]
        extents = [shape[axis] for shape in shapes if len(shape) == len(whole.shape)]
        others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(extents) == len(shapes) and others == {rest} and sum(extents) == total:
            ends = list(accumulate(extents))
            starts = [0, *ends[:-1]]
            pairs = zip(starts, ends, strict=True)
            return [view.slice_axis(whole, axis, start, end, 1) for start, end in pairs]
    raise RefusalError
