"""Pins: what the user wants to stay, as memories by tensor, checked before anything is planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from codesign.errors import MappingError, did_you_mean, nearest
from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.mapping.paths import Paths
from codesign.mapping.residency import Residency
from codesign.mapping.states import group_carries
from codesign.mapping.timeline import Timeline
from codesign.workload.record import ROLES

_ROLE = "role:"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What pins mean for one trace on one piece of hardware.

    Attributes:
        homes: by tensor name, the on-chip memory beside the buffers that it lives in.
        buffers: by tensor name, the buffer that it stays in.
        pins: by tensor name, the pin that names it.
    """

    homes: Mapping[str, str]
    buffers: Mapping[str, str]
    pins: Mapping[str, str]


def find_pinned(residency: Residency, timeline: Timeline, paths: Paths) -> Pinned:
    """The memory of everything that a pin names; what is carried together is pinned together.

    Raises:
        MappingError: a pin that names no tensor or no on-chip memory, or a limit of no memory.
    """
    _check_limits(residency, paths)
    memories: dict[str, str] = {}
    pins: dict[str, str] = {}
    for pin in residency.pins:
        pattern, _, memory = pin.partition("@")
        target = _memory(pin, memory, paths)
        for name in _matching(pin, pattern, timeline):
            if name not in memories:
                memories[name], pins[name] = target, pin
    _pin_carried(memories, pins, timeline)
    buffers = {name: memory for name, memory in memories.items() if memory in paths.buffers}
    homes = {name: memory for name, memory in memories.items() if memory not in paths.buffers}
    return Pinned(homes, buffers, pins)


def _check_limits(residency: Residency, paths: Paths) -> None:
    known = [memory.name for memory in paths.hardware.memories]
    for name in residency.limits:
        if name not in known:
            raise MappingError(
                f"limits name the unknown memory {name!r}{did_you_mean(name, known)}"
            )
        if paths.memory(name).off_chip or name == paths.home:
            raise MappingError(
                f"limits name {name}, where tensors live anyway; limit one of "
                f"{', '.join(_on_chip(paths)) or 'no memory: there is none on chip'}"
            )


def check_limits(residency: Residency, hardware: Hardware) -> None:
    """Checks that no limit is larger than its memory.

    That is asked of the hardware as the user gives it: beside others, a stream may be placed in
    what they leave of a memory, which its limit need not know.

    Raises:
        MappingError: a limit above the size of its memory.
    """
    for memory in hardware.memories:
        most = residency.limits.get(memory.name, 0)
        if most > memory.size:
            raise MappingError(
                f"limits[{memory.name!r}] must be at most the {memory.size:,} B of {memory.name}, "
                f"got {most:,} B; lower it, or enlarge {memory.name}.size"
            )


def _on_chip(paths: Paths) -> tuple[str, ...]:
    return tuple(b for b in (*paths.buffers, *paths.beside) if b != paths.home)


def _memory(pin: str, name: str, paths: Paths) -> str:
    known = _on_chip(paths)
    if not known:
        raise MappingError(f"pin {pin!r} needs an on-chip memory beside {paths.home}; add one")
    if not name and len(paths.buffers) == 1 and paths.home not in paths.buffers:
        return paths.buffers[0]
    if not name:
        raise MappingError(
            f"pin {pin!r} must name a memory, since not all engines share a buffer: write "
            f"'{pin}@{known[0]}'"
        )
    if not isinstance(paths.hardware.components.get(name), Memory):
        hint = did_you_mean(name, known)
        raise MappingError(f"pin {pin!r} names the unknown memory {name!r}{hint}")
    if name in paths.stages:
        raise MappingError(
            f"pin {pin!r} names {name}, which belongs to engines that stage operands there; pins "
            "choose no engine: let weights stay with policy 'greedy' and across_runs instead"
        )
    if name not in known:
        raise MappingError(
            f"pin {pin!r} names {name}, which is not on chip or not in reach of all engines; "
            f"name one of {', '.join(known)}"
        )
    return name


def _matching(pin: str, pattern: str, timeline: Timeline) -> list[str]:
    tensors = timeline.tensors
    if pattern.startswith(_ROLE):
        word = pattern.removeprefix(_ROLE)
        roles = [role for role in ROLES if fnmatchcase(role, word)]
        if not roles:
            raise MappingError(
                f"pin {pin!r} names the unknown role {word!r}{did_you_mean(word[:60], ROLES)}"
            )
        found = [name for name, tensor in tensors.items() if tensor.role in roles]
    else:
        found = [name for name in tensors if fnmatchcase(name, pattern)]
    if not found:
        raise MappingError(
            f"pin {pin!r} matches no tensor that an operator uses{_hint(pattern, timeline)} "
            "(listed by 'codesign trace MODEL --tensors')"
        )
    return found


def _hint(pattern: str, timeline: Timeline) -> str:
    """The tensors of an operator whose name was given in the place of theirs, or a near name."""
    op = next((op for op in timeline.ops if fnmatchcase(op.name, pattern)), None)
    if op is None:
        return nearest(pattern.replace("*", ""), timeline.tensors)
    names = dict.fromkeys(access.tensor.name for access in op.operands)
    return f"; {op.name!r} is an operator, pin one of {', '.join(names)}"


def _pin_carried(memories: dict[str, str], pins: dict[str, str], timeline: Timeline) -> None:
    """A state and its update are one place handed from step to step: they are pinned together."""
    for carries in group_carries(list(timeline.carries)):
        names = [t.name for carry in carries for t in (carry.state, carry.update)]
        first = next((name for name in names if name in memories), None)
        for name in names if first else ():
            memories[name], pins[name] = memories[first or name], pins[first or name]
