"""Which elements an item touches at which step: what rearranging work over time depends on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from codesign.workload.record import Access, Branch, Item, Op, Region, Tensor, Trace


@dataclass(frozen=True, slots=True)
class Touch:
    """One tensor read or written inside regions.

    Attributes:
        access: the view; the whole tensor where a region hands it from step to step.
        steps: trip counts of the regions around it, outermost first.
        writes: whether it is written.
    """

    access: Access
    steps: tuple[int, ...]
    writes: bool

    @property
    def name(self) -> str:
        """Name of the tensor."""
        return self.access.tensor.name

    def moves(self, level: int) -> int:
        """Elements by which it advances per step of the region at a depth, 0 the outermost."""
        return self.access.advance[level] if level < len(self.access.advance) else 0


def touches(items: Iterable[Item], steps: tuple[int, ...] = ()) -> Iterator[Touch]:
    """Everything that items read and write, both sides of a branch and all carries included.

    Args:
        items: what to look through.
        steps: trip counts of the regions around them.
    """
    for item in items:
        if isinstance(item, Op):
            yield from (Touch(access, steps, False) for access in item.inputs)
            yield from (Touch(access, steps, True) for access in item.outputs)
        elif isinstance(item, Branch):
            yield from touches(item.taken + item.otherwise, steps)
        else:
            for carry in item.carries:
                if carry.initial:
                    yield Touch(carry.initial.access(), steps, False)
                yield Touch(carry.state.access(), steps, True)
                yield Touch(carry.update.access(), steps, True)
            yield from touches(item.body, (*steps, item.steps))


def shared(trace: Trace) -> Callable[[Region], frozenset[str]]:
    """Tells for a region of a trace the tensors of it that something outside touches as well."""
    everywhere = Counter(touch.name for touch in touches(trace.items))

    def names(region: Region) -> frozenset[str]:
        own = Counter(touch.name for touch in touches((region,)))
        return frozenset(name for name, uses in own.items() if uses < everywhere[name])

    return names


def row_of(touched: Iterable[Touch], span: int) -> int:
    """Elements of a row of a tensor: what each of several sequences in it, as of a batch, takes.

    Args:
        touched: how the tensor is used.
        span: elements over which all of time extends in each sequence.

    Returns:
        The distance from one sequence to the next; all elements where there is one sequence.
    """
    found = list(touched)
    wide = [
        abs(stride)
        for touch in found
        for stride, extent in zip(touch.access.strides, touch.access.shape, strict=True)
        if extent > 1 and abs(stride) >= span
    ]
    row = math.gcd(*wide)
    return row if row >= span else max(touch.access.tensor.elements for touch in found)


def reach(access: Access, loops: Iterable[tuple[int, int]], row: int) -> tuple[int, int]:
    """The lowest and the highest element that a view touches in each row of its tensor.

    Args:
        access: the view; axes that stride over whole rows stay at their place in each of them.
        loops: pairs of (elements, trips) by which it moves as well.
        row: elements of a row.

    Returns:
        Places in the row, 0 to ``row - 1``; others for what runs over the edge of a row.
    """
    low = high = access.offset % row
    axes = zip(access.shape, access.strides, strict=True)
    for extent, stride in (*axes, *((trips, elements) for elements, trips in loops)):
        if stride % row:
            jump = (extent - 1) * stride
            low, high = low + min(0, jump), high + max(0, jump)
    return low, high


def advanced(access: Access, advance: Iterable[int]) -> Access:
    """The view with another advance; one that is zero for every region is empty."""
    moves = tuple(advance)
    return replace(access, advance=moves if any(moves) else ())


def rewritten(items: Iterable[Item], change: Callable[[Access], Access]) -> tuple[Item, ...]:
    """The items with every access changed; what regions carry stays."""
    return tuple(_rewritten(item, change) for item in items)


def _rewritten(item: Item, change: Callable[[Access], Access]) -> Item:
    if isinstance(item, Region):
        return replace(item, body=rewritten(item.body, change))
    if isinstance(item, Branch):
        taken = rewritten(item.taken, change)
        return replace(item, taken=taken, otherwise=rewritten(item.otherwise, change))
    inputs, outputs = tuple(map(change, item.inputs)), tuple(map(change, item.outputs))
    return replace(item, inputs=inputs, outputs=outputs)


class Names:
    """Names that no item and no tensor of a trace has yet.

    Attributes:
        tensors: the new tensors so far.
    """

    def __init__(self, trace: Trace) -> None:
        self._items = set(_item_names(trace.items))
        self._tensors = {tensor.name for tensor in trace.tensors}
        self.tensors: list[Tensor] = []

    def item(self, name: str) -> str:
        """A free name for an operator or region, ``name`` itself if possible."""
        return _free(name, self._items)

    def tensor(self, like: Tensor, name: str, **changes: object) -> Tensor:
        """A new tensor like another one, with a free name."""
        found = replace(like, name=_free(name, self._tensors), **changes)  # type: ignore[arg-type]
        self.tensors.append(found)
        return found


def _item_names(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        yield item.name
        if isinstance(item, Region):
            yield from _item_names(item.body)
        elif isinstance(item, Branch):
            yield from _item_names(item.taken + item.otherwise)


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
