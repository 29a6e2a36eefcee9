"""How much of the buffers residents get: the placement that moves least decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from codesign.errors import MappingError
from codesign.mapping.decide import Decision
from codesign.mapping.hold import Hold, peak
from codesign.mapping.notes import Kept, write_notes
from codesign.mapping.placement import Placement, Stay

_SHARES = (1, 15 / 16, 7 / 8, 3 / 4, 1 / 2, 1 / 4)
"""Shares of a buffer that a search offers to residents."""


def find_best(decision: Decision, limits: Mapping[str, int]) -> Placement:
    """The placement that moves least to and from home.

    More room for residents leaves less for tiles, which then load some operands more often: so a
    search tries several shares, unless the largest costs the tiles nothing.

    Args:
        decision: what stays, given the room.
        limits: by memory, the most bytes that residents may take.

    Raises:
        MappingError: an operator whose tiles do not fit beside the pins.
    """
    found: tuple[Placement, tuple[Hold, ...]] | None = None
    trouble: MappingError | None = None
    with_pins: int | None = None
    for holds in _offers(decision, limits):
        try:
            placement = _assembled(decision, holds)
        except MappingError as error:
            trouble = trouble or error
            continue
        if found is None or placement.home_bytes < found[0].home_bytes:
            found = placement, holds
        if holds == tuple(decision.pins):
            with_pins = placement.home_bytes
        elif with_pins is not None:
            saved = sum(hold.saved for hold in holds if hold not in decision.pins)
            if placement.home_bytes <= with_pins - saved:
                break  # less room would save no more, and the tiles have lost nothing
    if found is None:
        raise _unplaceable(decision, trouble)
    best, holds = found
    saved = 0 if with_pins is None else with_pins - best.home_bytes
    kept = Kept(decision.asked, decision.pinned, holds, decision.missed(holds), saved)
    return replace(best, notes=write_notes(best.program, decision.paths, kept))


def _offers(decision: Decision, limits: Mapping[str, int]) -> Iterator[tuple[Hold, ...]]:
    """What may stay: of a search the pins alone, then more with less and less room."""
    if not decision.is_search:
        yield decision.holds(limits)
        return
    if decision.pins_fit(limits):
        yield tuple(decision.pins)
    seen: set[object] = set()
    buffers = decision.paths.buffers
    for share in _SHARES:
        room = {m: int(most * share) if m in buffers else most for m, most in limits.items()}
        holds = decision.holds(room)
        key = frozenset((h.names, h.memory, h.first, h.last, h.bytes) for h in holds)
        if key not in seen:
            yield holds
        seen.add(key)


def _assembled(decision: Decision, holds: Sequence[Hold]) -> Placement:
    """The placement of some holds, without notes.

    Raises:
        MappingError: an operator whose tiles do not fit beside them.
    """
    placer, ops = decision.placer(holds), decision.timeline.ops
    stays = tuple(
        Stay(tensor, h.memory, size, ops[h.first].name, ops[h.last].name, h.is_for_ever)
        for h in sorted(holds, key=lambda h: (h.first, h.last, h.names))
        for tensor, size in h.sizes
    )
    program, setup = placer.program(), placer.setup()
    return Placement(decision.trace, program, decision.paths.home, setup=setup, stays=stays)


def _unplaceable(decision: Decision, trouble: MappingError | None) -> MappingError:
    """Why nothing was found, with the pins if there are some."""
    taken = {m: peak(decision.pins, m) for m in decision.paths.buffers}
    pins = ", ".join(f"{size:,} B of {memory}" for memory, size in taken.items() if size)
    return MappingError(f"{trouble}; pins take {pins}" if pins else str(trouble))
