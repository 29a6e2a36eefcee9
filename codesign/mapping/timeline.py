"""The operators of a trace on a line, and the levels of regions that they stand in.

Time is not unrolled: a body stands on the line once. What stays on chip does so over a range of the
line, from the first to the last operator of a run of items of one level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from codesign.workload.record import Branch, Carry, Item, Op, Region, Tensor

Parts = Callable[[Op], Sequence[Op]]
"""The operators that run in place of one."""


@dataclass(frozen=True, slots=True)
class Span:
    """An item of a level with the part of the line that it covers.

    Attributes:
        item: an operator or a region.
        first: place of its first operator.
        last: place of its last one; ``first - 1`` for a region with an empty body.
    """

    item: Op | Region
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Level:
    """The program, or one step of a region.

    Attributes:
        number: its place among the levels of a timeline; 0 is the program.
        regions: the regions around it, the outermost first; empty for the program.
        parent: number of the level that its region stands in; -1 for the program.
        place: index of its region among the spans of the parent.
        runs: how often one run of the program goes through it.
        spans: its items in order, branches replaced by their likelier side.
    """

    number: int
    regions: tuple[Region, ...]
    parent: int
    place: int
    runs: int
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Timeline:
    """What a program does, in order.

    Attributes:
        ops: every operator as it is placed.
        times: how often each of them runs in one run of the program.
        levels: the program, then the bodies of its regions at any depth.
    """

    ops: tuple[Op, ...]
    times: tuple[int, ...]
    levels: tuple[Level, ...]

    @cached_property
    def bodies(self) -> dict[tuple[int, int], Level]:
        """The level inside a region, by number of the level around it and place there."""
        return {(level.parent, level.place): level for level in self.levels[1:]}

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that an operator uses or a region carries, by name, in order of use."""
        used = {a.tensor.name: a.tensor for op in self.ops for a in op.operands}
        for carry in self.carries:
            for tensor in (carry.initial, carry.state, carry.update):
                if tensor is not None:
                    used.setdefault(tensor.name, tensor)
        return used

    @property
    def carries(self) -> Iterator[Carry]:
        """The carries of all regions."""
        return (carry for level in self.levels[1:] for carry in level.regions[-1].carries)


def make_timeline(items: Sequence[Item], parts: Parts = lambda op: (op,)) -> Timeline:
    """The timeline of a program.

    Args:
        items: operators, regions and branches in order.
        parts: what runs in place of an operator; by default the operator itself.
    """
    line = _Line(parts)
    line.add(items, (), -1, 0, 1)
    return Timeline(tuple(line.ops), tuple(line.times), tuple(line.levels))


class _Line:
    """A timeline under construction."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.ops: list[Op] = []
        self.times: list[int] = []
        self.levels: list[Level] = []

    def add(
        self,
        items: Sequence[Item],
        regions: tuple[Region, ...],
        parent: int,
        place: int,
        runs: int,
    ) -> None:
        number = len(self.levels)
        self.levels.append(Level(number, regions, parent, place, runs, ()))
        spans: list[Span] = []
        for item in _flat(items):
            first = len(self.ops)
            if isinstance(item, Region):
                inner = (*regions, item)
                self.add(item.body, inner, number, len(spans), runs * item.steps)
                spans.append(Span(item, first, len(self.ops) - 1))
                continue
            for op in self.parts(item):
                spans.append(Span(op, len(self.ops), len(self.ops)))
                self.ops.append(op)
                self.times.append(runs)
        self.levels[number] = Level(number, regions, parent, place, runs, tuple(spans))


def _flat(items: Sequence[Item]) -> Iterator[Op | Region]:
    for item in items:
        if isinstance(item, Branch):
            yield from _flat(item.likelier)
        else:
            yield item
