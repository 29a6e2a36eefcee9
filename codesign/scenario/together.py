"""Streams on the same memories: each is placed in what the others leave it.

A region that keeps tensors on chip has the buffers to itself while it lasts. Whatever else a stream
keeps, from run to run or from one operator to another, is set aside for it, since runs of other
streams may come in between. So the bytes of a memory are never given twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from codesign.errors import ScenarioError
from codesign.hardware.component import Memory
from codesign.hardware.machine import Hardware
from codesign.mapping.capacity import check_capacity
from codesign.mapping.placement import Block, Placement, Step
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op

Place = Callable[[str, Hardware], Placement]
"""Places the stream of a name on a machine."""


def place_together(names: Iterable[str], machine: Hardware, place: Place) -> dict[str, Placement]:
    """Places streams so that what each sets aside is left free by all others.

    Args:
        names: the streams.
        machine: the hardware.
        place: places one of them.

    Raises:
        ScenarioError: streams that leave no room for each other.
        CodesignError: a stream that cannot be placed in its room.
    """
    alone = {name: place(name, machine) for name in names}
    _check_home(alone, machine)
    aside = {name: set_aside(placement, machine) for name, placement in alone.items()}
    total: Counter[str] = sum(aside.values(), Counter())
    if not total or len(alone) == 1:
        return alone
    found: dict[str, Placement] = {}
    for name, own in aside.items():
        found[name] = place(name, _less(machine, total - own, name))
        for memory, size in (set_aside(found[name], machine) - own).items():
            raise ScenarioError(
                f"{name} keeps {size:,} B more of {memory} beside other streams than alone; "
                "give its residency limits"
            )
    return found


def set_aside(placement: Placement, machine: Hardware) -> Counter[str]:
    """Bytes of on-chip memories, by name, that a stream may hold while others run."""
    found: Counter[str] = Counter()
    buffers = {engine.buffer for engine in machine.engines}
    for memory in machine.memories:
        if memory.name == placement.home:
            continue
        if memory.name in buffers:
            found[memory.name] = _peak(placement, memory.name)
        else:
            found[memory.name] = _taken(placement, memory)
    return +found


def _check_home(placements: Mapping[str, Placement], machine: Hardware) -> None:
    """Streams of one model share its tensors at home, all others need room for theirs."""
    taken: Counter[str] = Counter()
    sizes = {memory.name: memory for memory in machine.memories}
    for placement in {id(one): one for one in placements.values()}.values():
        taken[placement.home] += _taken(placement, sizes[placement.home])
    for home, size in taken.items():
        if size > sizes[home].size:
            raise ScenarioError(
                f"the models take {size:,} B and {home} has {sizes[home].size:,} B; "
                f"enlarge {home}.size or drop a stream"
            )


def _less(machine: Hardware, others: Mapping[str, int], name: str) -> Hardware:
    sizes = {memory.name: memory.size for memory in machine.memories}
    for memory, size in others.items():
        if size >= sizes[memory]:
            raise ScenarioError(
                f"other streams keep {size:,} B of {memory}, which has {sizes[memory]:,} B, so "
                f"nothing is left to {name}; give their residency limits"
            )
        machine = machine.with_(f"{memory}.size", sizes[memory] - size)
    return machine


def _taken(placement: Placement, memory: Memory) -> int:
    """The most bytes of a memory that a stream's tensors take in it at once."""
    lives = frozenset(
        access.tensor.name
        for assignment, _ in placement.assignments()
        for access, home in zip(assignment.op.operands, assignment.homes, strict=True)
        if home == memory.name
    )
    return check_capacity(placement.trace, memory, _parts, lives.__contains__)


def _peak(placement: Placement, buffer: str) -> int:
    """The most bytes of a buffer that are kept at once outside regions that have it alone."""
    order: dict[str, int] = {}
    for op, _ in placement.trace.ops():
        for one in (op, *_parts(op)):
            order.setdefault(one.name, len(order))
    fenced = set(_fenced(placement.program))
    changes: list[tuple[int, int]] = []
    for stay in placement.stays:
        if stay.memory != buffer or (stay.tensor.name, buffer) in fenced:
            continue
        first, last = order[stay.first], order[stay.last]
        if stay.is_for_ever:
            first, last = 0, len(order)
        changes += [(first, stay.bytes), (last + 1, -stay.bytes)]
    return max(accumulate((change for _, change in sorted(changes)), initial=0))


def _fenced(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """(tensor, memory) of what stays in regions that have the buffers to themselves."""
    for step in steps:
        if isinstance(step, Block):
            yield from ((r.tensor.name, r.memory) for r in step.residences)
            yield from _fenced(step.body)


def _parts(op: Op) -> tuple[Op, ...]:
    return attention_parts(op) if op.kind == "attention" else (op,)
