"""Addresses of the tensors that live in a memory which tells addresses apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement

Addresses: TypeAlias = "Mapping[tuple[str, str], int]"
"""First byte of a tensor, by memory and tensor name."""

_AT_REST = ("weight", "constant")


def allocate(placement: Placement, hardware: Hardware) -> Addresses:
    """Lays out the tensors of a placement, one behind the other in order of first use.

    Each begins at a multiple of the memory's ``alignment``, plus the memory's ``base`` for its
    place: 0 for weights and constants, which are only read, 1, 2, 3, ... for all others. Bytes are
    not used again: addresses that run past the end of the memory begin anew.

    Args:
        placement: every tensor that one of its operators moves.
        hardware: only memories with an alignment above 1 get addresses.
    """
    memories = {memory.name: memory for memory in hardware.memories if memory.alignment > 1}
    found: dict[tuple[str, str], int] = {}
    free = dict.fromkeys(memories, 0)
    places = dict.fromkeys(memories, 0)
    for assignment, _ in placement.assignments() if memories else ():
        for access, home in zip(assignment.op.operands, assignment.homes, strict=True):
            tensor = access.tensor
            if home not in memories or (home, tensor.name) in found:
                continue
            memory = memories[home]
            places[home] += tensor.role not in _AT_REST
            place = 0 if tensor.role in _AT_REST else places[home]
            begin = -(-free[home] // memory.alignment) * memory.alignment + memory.base(place)
            found[home, tensor.name] = begin % memory.size
            free[home] = begin + tensor.bytes
    return found


def base_of(assignment: Assignment, operand: int, addresses: Addresses) -> int:
    """First byte of an operand where it lives; 0 where addresses mean nothing."""
    if not addresses:
        return 0
    name = assignment.op.operands[operand].tensor.name
    return addresses.get((assignment.homes[operand], name), 0)


def phases(assignment: Assignment, addresses: Addresses, hardware: Hardware) -> tuple[int, ...]:
    """What memories may tell apart about the addresses of the operands."""
    if not addresses:
        return ()
    alignments = {memory.name: memory.alignment for memory in hardware.memories}
    return tuple(
        [
            base_of(assignment, operand, addresses) % alignments[home]
            for operand, home in enumerate(assignment.homes)
        ]
    )
