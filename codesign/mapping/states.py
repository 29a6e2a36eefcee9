"""What a region carries from step to step: the state and its update stay together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codesign.mapping.hold import Hold
from codesign.mapping.timeline import Level
from codesign.mapping.uses import Use, Uses
from codesign.workload.record import Carry, Tensor


def find_states(uses: Uses, level: Level) -> Iterator[Hold]:
    """What the regions of a level carry, from the first step to the last one or to a later use.

    The initial value is fetched before the first step; a state itself begins anew with its region,
    so that nobody keeps it for another run, whatever its role. What is used before its region stays
    nowhere.
    """
    found = uses.at(level)
    for place in range(len(level.spans)):
        body = uses.timeline.bodies.get((level.number, place))
        for carries in group_carries(body.regions[-1].carries if body else ()):
            tensors = {t.name: t for carry in carries for t in (carry.state, carry.update)}
            by_name = {name: found[name] for name in tensors if name in found}
            if all(mine[0].place == place for mine in by_name.values()):
                yield from _holds(uses, level, place, carries, by_name)


def _holds(
    uses: Uses,
    level: Level,
    place: int,
    carries: Sequence[Carry],
    by_name: Mapping[str, Sequence[Use]],
) -> Iterator[Hold]:
    tensors = {t.name: t for carry in carries for t in (carry.state, carry.update)}
    initial = {c.initial.name: c.initial for c in carries if c.initial is not None}
    every = sorted((u for mine in by_name.values() for u in mine), key=lambda use: use.place)
    for stop in dict.fromkeys(use.place for use in every):
        if any(use.starts for use in every if use.place <= stop):
            return  # another region begins with it, and finds it at home
        stores = [
            carry.update
            for carry in carries
            if _is_needed(uses, level, carry.update, stop, by_name)
        ] + [
            carry.state
            for carry in carries
            if carry.state.name in initial or _is_used_after(carry.state, stop, by_name)
        ]
        kept = {tensor.name: tensor for tensor in stores}
        moved = sum(use.moved for use in every if use.place <= stop)
        fetched = sum(tensor.bytes for tensor in [*initial.values(), *kept.values()])
        yield Hold(
            tensors=tuple(tensors.values()),
            memory="",
            bytes=sum(tensor.plain_bytes for tensor in tensors.values()),
            level=level.number,
            start=place,
            stop=stop,
            first=level.spans[place].first,
            last=level.spans[stop].last,
            saved=moved - level.runs * fetched,
            loads=tuple(tensor.access() for tensor in initial.values()),
            stores=tuple(tensor.access() for tensor in kept.values()),
        )


def _is_needed(
    uses: Uses, level: Level, update: Tensor, stop: int, by_name: Mapping[str, Sequence[Use]]
) -> bool:
    """Whether somebody uses an update after the item ``stop``, or after the level."""
    mine = by_name.get(update.name, ())
    after = bool(mine) and uses.is_needed_after(level, update, mine)
    return after or _is_used_after(update, stop, by_name)


def _is_used_after(tensor: Tensor, stop: int, by_name: Mapping[str, Sequence[Use]]) -> bool:
    return any(use.place > stop for use in by_name.get(tensor.name, ()))


def group_carries(carries: Sequence[Carry]) -> list[list[Carry]]:
    """Carries that share tensors, such as the stages of a delay line, together."""
    groups: list[tuple[set[str], list[Carry]]] = []
    for carry in carries:
        names, members = {carry.state.name, carry.update.name}, [carry]
        apart = []
        for others, group in groups:
            if names.isdisjoint(others):
                apart.append((others, group))
            else:
                names, members = names | others, group + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]
