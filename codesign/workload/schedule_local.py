"""Sequences that nobody needs for longer than one iteration take the room of one iteration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codesign.workload.record import Access, Item, Region, Tensor, Trace
from codesign.workload.rewrite import carried
from codesign.workload.schedule_access import Touch, advanced, reach, rewritten, touches


def localised(trace: Trace) -> Trace:
    """The trace with activations shrunk that each iteration of a region writes and reads anew.

    Such a sequence keeps its name, and loses the part of its axis over time that lies outside the
    iteration. Regions inside others shrink further what lives only there.
    """
    shrunk: dict[str, Tensor] = {}
    everywhere = _by_tensor(touches(trace.items))
    items = _block(trace.items, (), everywhere, shrunk)
    return trace.replace(items=items, tensors=tuple(shrunk.get(t.name, t) for t in trace.tensors))


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a sequence lives in one iteration: ``unit`` elements of each ``row``."""

    row: int
    unit: int

    def shrink(self, tensor: Tensor) -> Tensor:
        """The tensor with the room of one iteration."""
        count, shape = self.row // self.unit, list(tensor.shape)
        behind = tensor.elements
        for axis, extent in enumerate(shape):
            behind //= extent
            # the axis that steps through rows of this many elements
            if behind < self.row <= behind * extent and extent % count == 0:
                shape[axis] = extent // count
                return replace(tensor, shape=tuple(shape))
        return replace(tensor, shape=(tensor.elements // self.row, self.unit))

    def place(self, access: Access, level: int, tensor: Tensor) -> Access:
        """The same elements of an iteration in the tensor that has room for one."""
        offset = access.offset // self.row * self.unit + access.offset % self.row
        moves = [self._stride(elements) for elements in access.advance]
        moves[level : level + 1] = [0]
        strides = tuple(self._stride(stride) for stride in access.strides)
        moved = replace(access, tensor=tensor, strides=strides, offset=offset)
        return advanced(moved, moves)

    def _stride(self, elements: int) -> int:
        return elements // self.row * self.unit if elements % self.row == 0 else elements


def _block(
    items: Iterable[Item],
    steps: tuple[int, ...],
    everywhere: dict[str, list[Touch]],
    shrunk: dict[str, Tensor],
) -> tuple[Item, ...]:
    return tuple(
        _region(item, steps, everywhere, shrunk) if isinstance(item, Region) else item
        for item in items
    )


def _region(
    region: Region,
    steps: tuple[int, ...],
    everywhere: dict[str, list[Touch]],
    shrunk: dict[str, Tensor],
) -> Region:
    level, inside = len(steps), (*steps, region.steps)
    handed = carried((region,))
    windows: dict[str, _Window] = {}
    for name, found in _by_tensor(touches(region.body, inside)).items():
        private = name not in handed and len(found) == len(everywhere[name])
        window = _window(found, level) if private else None
        if window:
            windows[name] = window
            shrunk[name] = window.shrink(found[0].access.tensor)

    def change(access: Access) -> Access:
        name = access.tensor.name
        return windows[name].place(access, level, shrunk[name]) if name in windows else access

    body = rewritten(region.body, change)
    return replace(region, body=_block(body, inside, everywhere, shrunk))


def _window(found: Sequence[Touch], level: int) -> _Window | None:
    """How an activation is used in each iteration; None if an iteration reaches into another."""
    tensor, moves = found[0].access.tensor, {touch.moves(level) for touch in found}
    unit = moves.pop()
    # what nobody reads is a result of the whole trace
    if tensor.role != "activation" or moves or unit <= 0 or all(t.writes for t in found):
        return None
    steps = found[0].steps[level]
    row = unit * steps
    moves_outside = any(any(touch.access.advance[:level]) for touch in found)
    if steps == 1 or tensor.elements % row or moves_outside:
        return None
    for touch in found:
        inner = [(touch.moves(n), touch.steps[n]) for n in range(level + 1, len(touch.steps))]
        low, high = reach(touch.access, inner, row)
        if low < 0 or high >= unit:
            return None
    return _Window(row, unit)


def _by_tensor(found: Iterable[Touch]) -> dict[str, list[Touch]]:
    tensors: dict[str, list[Touch]] = {}
    for touch in found:
        tensors.setdefault(touch.name, []).append(touch)
    return tensors
