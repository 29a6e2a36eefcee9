"""Streams on the same memories: each is placed in what the others leave it.

A region that keeps tensors on chip has the buffers to itself while it lasts. Whatever else a stream
keeps, from run to run or from one operator to another, is set aside for it, since runs of other
streams may come in between. So the bytes of a memory are never given twice.

Streams that run the same trace under the same residency have one placement. What they keep for ever
is the same weights, held once; what they keep from one operator to another is each stream's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from codesign.errors import ScenarioError
from codesign.hardware.component import Memory
from codesign.hardware.machine import Hardware
from codesign.mapping.capacity import check_capacity
from codesign.mapping.placement import Block, Placement, Step
from codesign.mapping.residency import Residency, as_residency
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op

_AT_REST = ("weight", "constant")
"""Roles of what no run changes."""

Place = Callable[[str, Hardware], Placement]
"""Places the stream of a name on a machine."""


@dataclass(frozen=True, slots=True)
class Group:
    """Streams that run the same trace under the same residency.

    Attributes:
        names: the streams.
        may_keep: whether they may keep anything on chip while others run.
    """

    names: tuple[str, ...]
    may_keep: bool


def may_keep(asked: Residency | str) -> bool:
    """Whether a residency may keep anything on chip outside regions that have it alone."""
    asked = as_residency(asked)
    return asked.policy not in ("none", "region") or bool(asked.pins)


def place_together(
    groups: Sequence[Group], machine: Hardware, place: Place
) -> dict[str, Placement]:
    """Places streams so that what each sets aside is left free by all others.

    Each group is placed once; one that keeps something beside others that do is placed twice, since
    what all of them keep must be known before any gets its room.

    Args:
        groups: the streams.
        machine: the hardware.
        place: places one of them.

    Raises:
        ScenarioError: streams that leave no room for each other.
        CodesignError: a stream that cannot be placed in its room.
    """
    alone = {group: place(group.names[0], machine) for group in groups if group.may_keep}
    empty: Counter[str] = Counter()
    aside = {group: set_aside(one, machine, len(group.names)) for group, one in alone.items()}
    total = sum(aside.values(), empty)
    found: dict[str, Placement] = {}
    for group in groups:
        own = set_aside(alone[group], machine) if group in alone else empty
        others = total - own
        room = _less(machine, others, group.names[0]) if others else machine
        placed = alone[group] if group in alone and not others else place(group.names[0], room)
        for memory, size in (set_aside(placed, machine) - own).items():
            raise ScenarioError(
                f"{group.names[0]} keeps {size:,} B more of {memory} beside other streams than "
                "alone; give its residency limits"
            )
        found |= dict.fromkeys(group.names, placed)
    _check_home(found, machine)
    return found


def set_aside(placement: Placement, machine: Hardware, streams: int = 1) -> Counter[str]:
    """Bytes of on-chip memories, by name, that streams may hold while others run.

    Args:
        placement: what each of them runs.
        machine: the hardware.
        streams: how many; what is kept for ever is held once for all.
    """
    found: Counter[str] = Counter()
    buffers = {engine.buffer for engine in machine.engines}
    once = _held_once(placement, machine)
    for memory in machine.memories:
        if memory.name != placement.home:
            is_buffer = memory.name in buffers
            most = _peak(placement, memory.name) if is_buffer else _taken(placement, memory)
            shared = once[memory.name]
            found[memory.name] = shared + (most - shared) * streams
    return +found


def describe_shares(placements: Mapping[str, Placement], machine: Hardware) -> Iterator[str]:
    """What is set aside for each stream, or for streams of one placement, in words."""
    sharing: dict[int, list[str]] = {}
    for name, placement in placements.items():
        sharing.setdefault(id(placement), []).append(name)
    for names in sharing.values():
        placement, who = placements[names[0]], " and ".join(names)
        for memory, size in set_aside(placement, machine, len(names)).items():
            yield f"{size:,} B of {memory} are set aside for {who} whenever others run"
        if len(names) > 1 and +_held_once(placement, machine):
            yield (
                f"{who} run one model and hold the weights that stay on chip once; each of these "
                "streams loads them itself"
            )


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
    order = _order(placement)
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


def _held_once(placement: Placement, machine: Hardware) -> Counter[str]:
    """Bytes of on-chip memories that hold the same in every run of a placement: weights.

    In a buffer, those that stay for ever or from the first operator to the last: nothing else
    takes their place meanwhile. In a memory beside the buffers, those that live there.
    """
    found: Counter[str] = Counter()
    order, fenced = _order(placement), set(_fenced(placement.program))
    for stay in placement.stays:
        whole = order[stay.first] == 0 and order[stay.last] == len(order) - 1
        if stay.tensor.role in _AT_REST and (stay.is_for_ever or whole):
            found[stay.memory] += stay.bytes * ((stay.tensor.name, stay.memory) not in fenced)
    skipped = {placement.home, *(engine.buffer for engine in machine.engines)}
    lives = {
        (home, access.tensor.name): access.tensor.bytes
        for assignment, _ in placement.assignments()
        for access, home in zip(assignment.op.operands, assignment.homes, strict=True)
        if home not in skipped and access.tensor.role in _AT_REST
    }
    for (home, _), size in lives.items():
        found[home] += size
    return found


def _order(placement: Placement) -> dict[str, int]:
    """Places of the operators in the trace, by name, and of the parts of attentions."""
    order: dict[str, int] = {}
    for op, _ in placement.trace.ops():
        for one in (op, *_parts(op)):
            order.setdefault(one.name, len(order))
    return order


def _fenced(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """(tensor, memory) of what stays in regions that have the buffers to themselves."""
    for step in steps:
        if isinstance(step, Block):
            yield from ((r.tensor.name, r.memory) for r in step.residences)
            yield from _fenced(step.body)


def _parts(op: Op) -> tuple[Op, ...]:
    return attention_parts(op) if op.kind == "attention" else (op,)
