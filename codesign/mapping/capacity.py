"""Whether the tensors of a trace fit the memory they live in, before anything is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from codesign.errors import MappingError
from codesign.hardware.component import Memory
from codesign.mapping.timeline import Parts
from codesign.workload.record import Branch, Carry, Item, Op, Region, Tensor, Trace, all_carries
from codesign.workload.rewrite import every_op


@dataclass(frozen=True, slots=True)
class Need:
    """Room that tensors take in a memory.

    Attributes:
        largest: the largest of them; None if there is none.
        stored: bytes of those that take room all the time.
        peak: most bytes of activations that are alive at once.
        where: name of the operator or region where that is; "" if there are none.
    """

    largest: Tensor | None
    stored: int
    peak: int
    where: str

    def check(self, memory: Memory, most: int | None = None) -> int:
        """Checks that all of it fits a memory, see ``check_capacity``."""
        there = memory.size if most is None else min(most, memory.size)
        has, way = f"{memory.name} has", f"enlarge {memory.name}.size"
        if there < memory.size:
            has, way = f"the limit of {memory.name} is", "raise it"
        if self.largest is not None and self.largest.bytes > there:
            its = f"its memory, {memory.name}, has" if there == memory.size else has
            raise MappingError(
                f"tensor {self.largest.name!r} takes {self.largest.bytes:,} B and {its} "
                f"{there:,} B; {way}"
            )
        total = self.stored + self.peak
        if total > there:
            alive = f" and activations alive at {self.where!r} ({self.peak:,} B)"
            raise MappingError(
                f"weights, state, inputs and outputs ({self.stored:,} B){alive * bool(self.peak)} "
                f"take {total:,} B and {has} {there:,} B; {way} or lower the precision with --dtype"
            )
        return total


def check_capacity(
    trace: Trace,
    memory: Memory,
    parts: Parts = lambda op: (op,),
    lives: Callable[[str], bool] | None = None,
    most: int | None = None,
) -> int:
    """Checks that every tensor fits its memory, and that all those alive at once fit together.

    Args:
        trace: the trace.
        memory: where its tensors live.
        parts: as for ``find_need``, like the next.
        lives: whether the tensor of a name lives in that memory; by default all do.
        most: bytes that they may take, where that is less than the memory has.

    Returns:
        The most bytes that are taken at once.

    Raises:
        MappingError: a tensor, or the most that is alive at once, takes more than there is.
    """
    return find_need(trace, parts, lives).check(memory, most)


def find_need(
    trace: Trace,
    parts: Parts = lambda op: (op,),
    lives: Callable[[str], bool] | None = None,
) -> Need:
    """The room that the tensors of a trace take in a memory.

    Stored tensors that some operator uses take room all the time, those of both sides of a branch
    too. An activation takes room from its first to its last use by what is replayed; within a
    region it keeps it for all steps. Tensors that nothing uses take none.

    Args:
        trace: the trace.
        parts: what runs in place of an operator, so that its intermediates count; by default the
            operator itself.
        lives: whether the tensor of a name lives in that memory; by default all do.
    """
    is_there = lives or (lambda _: True)
    used = {name: tensor for name, tensor in _used(trace, parts).items() if is_there(name)}
    largest = max(used.values(), key=lambda tensor: tensor.bytes, default=None)
    stored = sum(tensor.bytes for tensor in used.values() if tensor.role != "activation")
    return Need(largest, stored, *_peak(trace.items, parts, is_there))


def _used(trace: Trace, parts: Parts) -> dict[str, Tensor]:
    """Tensors that an operator reads or writes or a region carries, by name, in order of use."""
    found: dict[str, Tensor] = {}
    for op in every_op(trace.items):
        found |= _operands(parts(op))
    return found | _carried(all_carries(trace.items))


def _operands(ops: Sequence[Op]) -> dict[str, Tensor]:
    return {access.tensor.name: access.tensor for op in ops for access in op.operands}


def _peak(
    items: tuple[Item, ...], parts: Parts, is_there: Callable[[str], bool]
) -> tuple[int, str]:
    """The most bytes of activations alive at once, and the operator or region where they are."""
    places: list[str] = []
    sizes: dict[str, int] = {}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for place, tensors in _uses(items, parts):
        for name, tensor in tensors.items():
            if tensor.role == "activation" and is_there(name):
                sizes[name] = tensor.bytes
                first.setdefault(name, len(places))
                last[name] = len(places)
        places.append(place)
    change = [0] * (len(places) + 1)
    for name, size in sizes.items():
        change[first[name]] += size
        change[last[name] + 1] -= size
    alive, peak, where = 0, 0, ""
    for place, difference in zip(places, change, strict=False):
        alive += difference
        if alive > peak:
            peak, where = alive, place
    return peak, where


def _uses(items: tuple[Item, ...], parts: Parts) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """What each operator uses, in order of execution; an outermost region counts as one."""
    for item in items:
        if isinstance(item, Op):
            yield from ((op.name, _operands([op])) for op in parts(item))
        elif isinstance(item, Branch):
            yield from _uses(item.likelier, parts)
        else:
            yield item.name, _region(item, parts)


def _region(region: Region, parts: Parts) -> dict[str, Tensor]:
    """What the steps of a region use, and what it and the regions inside it carry."""
    found: dict[str, Tensor] = {}
    for _, tensors in _uses(region.body, parts):
        found |= tensors
    return found | _carried(region.carries)


def _carried(carries: Iterable[Carry]) -> dict[str, Tensor]:
    tensors = (t for carry in carries for t in (carry.state, carry.update, carry.initial))
    return {tensor.name: tensor for tensor in tensors if tensor is not None}
