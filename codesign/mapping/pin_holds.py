"""Holds of what is pinned in a buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from codesign.errors import MappingError
from codesign.mapping.candidates import find_part
from codesign.mapping.hold import Hold, peak
from codesign.mapping.pins import Pinned
from codesign.mapping.states import group_carries
from codesign.mapping.timeline import Level, Timeline
from codesign.mapping.uses import Use, Uses
from codesign.workload.record import Region, Tensor


def hold_pinned(pinned: Pinned, timeline: Timeline, *, across_runs: bool) -> list[Hold]:
    """A hold for everything that is pinned in a buffer.

    An activation or output stays from its first use to its last one; everything else, and what a
    region carries, for the whole run. A state and its update are one hold: they stay together or
    not at all. The saving counts every use as one transfer.

    Args:
        pinned: what is pinned where.
        timeline: the operators and levels.
        across_runs: whether weights, constants and state stay from run to run.
    """
    moved = [[access.home_bytes for access in op.operands] for op in timeline.ops]
    uses = Uses(timeline, moved)
    carried = _carried(timeline)
    found: dict[tuple[str, ...], Hold | None] = {}
    for name, memory in pinned.buffers.items():
        tensor = timeline.tensors[name]
        together = tuple(carried.get(name, {name: tensor}).values())
        key = tuple(one.name for one in together)
        if key in found:
            continue
        if tensor.role in ("activation", "output") and name not in carried:
            found[key] = _while_used(uses, tensor, memory)
        else:
            found[key] = _always(uses, together, memory, name in carried, across_runs)
    holds = [hold for hold in found.values() if hold is not None]
    return [replace(hold, part=find_part(timeline, hold)) for hold in holds]


def _carried(timeline: Timeline) -> dict[str, dict[str, Tensor]]:
    """By name of what a region carries, all that must be in one place with it, by name."""
    found: dict[str, dict[str, Tensor]] = {}
    for carries in group_carries(list(timeline.carries)):
        together = {t.name: t for carry in carries for t in (carry.state, carry.update)}
        found |= dict.fromkeys(together, together)
    return found


def check_pinned(
    holds: Sequence[Hold], pinned: Pinned, limits: Mapping[str, int], sizes: Mapping[str, int]
) -> None:
    """Checks that everything pinned in a buffer fits there together.

    Args:
        holds: the holds of what is pinned.
        pinned: which pin named what.
        limits: by buffer, the bytes that residents may take.
        sizes: by buffer, the bytes that it has.

    Raises:
        MappingError: the first pin that does not fit beside those before it, with all the bytes.
    """
    before: dict[str, list[Hold]] = {memory: [] for memory in limits}
    names: dict[str, list[str]] = {memory: [] for memory in limits}
    for pin in dict.fromkeys(pinned.pins.values()):
        for memory, most in limits.items():
            mine = [h for h in holds if h.memory == memory and pinned.pins[h.names[0]] == pin]
            if not mine:
                continue
            taken, wanted = peak(before[memory], memory), peak(mine, memory)
            if peak([*before[memory], *mine], memory) > most:
                beside = f" beside {', '.join(names[memory])} ({taken:,} B)" if taken else ""
                tiles = " (1 B is left to tiles)" if most == sizes[memory] - 1 else ""
                raise MappingError(
                    f"pin {pin!r} takes {wanted:,} B in {memory}, where residents may take "
                    f"{most:,} B{tiles}{beside}; pin less, enlarge {memory} or its limit, or let "
                    "part stay with partial"
                )
            before[memory] += mine
            names[memory].append(f"pin {pin!r}")


def _always(
    uses: Uses, tensors: Sequence[Tensor], memory: str, is_carried: bool, across_runs: bool
) -> Hold | None:
    level, role = uses.timeline.levels[0], tensors[0].role
    every = (use for tensor in tensors for use in uses.at(level).get(tensor.name, ()))
    mine = sorted(every, key=lambda use: use.place)
    if not mine:
        return None
    stays = across_runs and role in ("weight", "constant", "state") and not is_carried
    is_written = any(use.writes for use in mine)
    is_kept = is_written and role in ("state", "output") and not (stays or is_carried)
    hold = _hold(level, tensors, memory, mine, loads=not is_carried, stores=is_kept)
    last = len(uses.timeline.ops) - 1
    return replace(hold, first=0, last=last, is_for_ever=stays)


def _while_used(uses: Uses, tensor: Tensor, memory: str) -> Hold | None:
    level = uses.timeline.levels[0]
    mine = uses.at(level).get(tensor.name, [])
    while len(mine) == 1 and isinstance(level.spans[mine[0].place].item, Region):
        body = uses.timeline.bodies[level.number, mine[0].place]
        inside = uses.at(body)[tensor.name]
        if uses.flow(body, tensor, inside).enters:
            break
        level, mine = body, inside
    if not mine:
        return None
    flow = uses.flow(level, tensor, mine)
    stores = flow.leaves and any(use.writes for use in mine)
    return _hold(level, (tensor,), memory, mine, loads=flow.enters, stores=stores)


def _hold(
    level: Level,
    tensors: Sequence[Tensor],
    memory: str,
    uses: Sequence[Use],
    *,
    loads: bool,
    stores: bool,
) -> Hold:
    first, last = level.spans[uses[0].place], level.spans[uses[-1].place]
    views = tuple(tensor.access() for tensor in tensors)
    return Hold(
        tensors=tuple(tensors),
        memory=memory,
        bytes=sum(tensor.plain_bytes for tensor in tensors),
        level=level.number,
        start=uses[0].place,
        stop=uses[-1].place,
        first=first.first,
        last=last.last,
        saved=max(1, sum(use.moved for use in uses)),
        loads=views * loads,
        stores=views * stores,
    )
