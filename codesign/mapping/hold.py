"""A hold: tensors that stay in an on-chip memory from one operator to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from codesign.mapping.cut import Grain
from codesign.workload.record import Access, Tensor


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a weight stays.

    Attributes:
        grain: where its operator can be cut.
        operand: which operand of it the weight is.
        columns: how many of its first columns stay.
    """

    grain: Grain
    operand: int
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Tensors that stay, or may stay, over a range of the operators of a timeline.

    Attributes:
        tensors: what stays.
        memory: where.
        bytes: bytes taken there.
        level: number of the level whose items it is given by.
        start: index of the item there before which it is loaded.
        stop: index of the item after which it is written back.
        first: place of the first operator during which its bytes are taken.
        last: place of the last one.
        saved: bytes to and from home that it saves in one run of the program.
        loads: what is fetched before.
        stores: what is written back after.
        is_for_ever: whether it stays from run to run, and so is loaded before the first one.
        part: how much of the tensor stays, where part of it may; None if only all of it may.
        factor: times that ``saved`` counts each byte, since some places are worth more than others.
        names: names of what stays.
    """

    tensors: tuple[Tensor, ...]
    memory: str
    bytes: int
    level: int
    start: int
    stop: int
    first: int
    last: int
    saved: int
    loads: tuple[Access, ...] = ()
    stores: tuple[Access, ...] = ()
    is_for_ever: bool = False
    part: Part | None = None
    factor: int = 1
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(tensor.name for tensor in self.tensors))

    @property
    def sizes(self) -> tuple[tuple[Tensor, int], ...]:
        """What stays, each with its bytes."""
        if self.is_whole:
            return tuple((tensor, tensor.plain_bytes) for tensor in self.tensors)
        return ((self.tensors[0], self.bytes),)

    @property
    def length(self) -> int:
        """Operators during which its bytes are taken."""
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Whether all of the tensor stays."""
        return self.part is None or self.part.columns == self.part.grain.columns

    def meets(self, other: Hold) -> bool:
        """Whether the ranges of the two overlap."""
        return self.first <= other.last and other.first <= self.last

    def clashes(self, other: Hold) -> bool:
        """Whether both speak of one tensor at one time, so that only one of them can be."""
        return self.meets(other) and not set(self.names).isdisjoint(other.names)

    def with_columns(self, columns: int) -> Hold:
        """The hold of the first columns only.

        Raises:
            ValueError: the tensor stays whole or not at all.
        """
        if self.part is None:
            raise ValueError(f"{self.names[0]} stays whole or not at all")
        part, whole = replace(self.part, columns=columns), self.part.grain.columns
        view = part.grain.slice(part.operand, 0, columns)
        return replace(
            self,
            bytes=part.grain.column_bytes(part.operand) * columns,
            saved=self.saved * columns // whole,
            loads=(view,) if self.loads else (),
            part=part,
        )


def peak(holds: Iterable[Hold], memory: str) -> int:
    """The most bytes that holds take in a memory at once."""
    change: dict[int, int] = {}
    for hold in holds:
        if hold.memory == memory:
            change[hold.first] = change.get(hold.first, 0) + hold.bytes
            change[hold.last + 1] = change.get(hold.last + 1, 0) - hold.bytes
    taken = most = 0
    for place in sorted(change):
        taken += change[place]
        most = max(most, taken)
    return most
