"""How much of the buffers residents get: the placement that moves least decides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from codesign.errors import MappingError
from codesign.mapping.decide import Decision
from codesign.mapping.estimate import estimated_s, fetching_s, least_s
from codesign.mapping.hold import Hold, peak
from codesign.mapping.notes import Kept, set_up_notes, write_notes
from codesign.mapping.placement import Placement, Stay

_SHARES = (1, 15 / 16, 7 / 8, 3 / 4, 1 / 2, 1 / 4)
"""Shares of a buffer that a search offers to residents (assumed)."""

_FINE = (1, 63 / 64, 31 / 32, *_SHARES[1:])
"""Shares for policies that choose what saves most, and so fill a share to the last byte (assumed).

Close to the whole buffer a hundredth more or less decides whether tiles are large or take a few
bytes each.
"""

_NEAR = 1.02
"""Bytes to and from home, times the least, that may be given up for time (assumed)."""

_FASTER = 0.95
"""Share of the time that is worth giving them up for, since estimates are rough (assumed)."""

_LOSS = 1.01
"""Time of the tiles, times the least, that still counts as having lost nothing (assumed)."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A placement with what it costs.

    Attributes:
        placement: the placement.
        holds: what stays.
        home_bytes: bytes to and from home.
        seconds: time of a run by the plans' own estimates.
    """

    placement: Placement
    holds: tuple[Hold, ...]
    home_bytes: int
    seconds: float


def find_best(decision: Decision, limits: Mapping[str, int]) -> Placement:
    """The placement that moves least to and from home.

    More room for residents leaves less for tiles, which then load some operands more often or
    shrink until their set-ups take longer than their bytes: so a search tries several shares,
    unless the largest costs the tiles nothing. Of placements that move nearly the same, one that
    is clearly faster by the plans' own estimates is taken.

    Args:
        decision: what stays, given the room.
        limits: by memory, the most bytes that residents may take.

    Raises:
        MappingError: an operator whose tiles do not fit beside the pins.
    """
    found: list[_Offer] = []
    trouble: MappingError | None = None
    with_pins: _Offer | None = None
    for holds in _offers(decision, limits):
        try:
            placement = _assembled(decision, holds)
        except MappingError as error:
            trouble = trouble or error
            continue
        seconds = estimated_s(placement, decision.paths)
        found.append(_Offer(placement, holds, placement.home_bytes, seconds))
        if holds == tuple(decision.pins):
            with_pins = found[-1]
        elif with_pins is not None and _costs_nothing(found[-1], with_pins, decision):
            break  # less room would save no more
    if not found:
        raise _unplaceable(decision, trouble)
    return _noted(_best(found), with_pins, decision, limits)


def _noted(
    best: _Offer, with_pins: _Offer | None, decision: Decision, limits: Mapping[str, int]
) -> Placement:
    """The placement with what there is to say about it."""
    kept = Kept(
        decision.asked,
        decision.pinned,
        best.holds,
        decision.missed(best.holds),
        0 if with_pins is None else with_pins.home_bytes - best.home_bytes,
        best.seconds,
        _without_holds_s(decision) if best.holds else best.seconds,
        decision.without_turns(limits),
    )
    notes = write_notes(best.placement.program, decision.paths, kept)
    notes += set_up_notes(best.placement)
    return replace(best.placement, notes=notes)


def _best(found: Sequence[_Offer]) -> _Offer:
    """What moves least, or what moves hardly more and is clearly faster."""
    least = min(found, key=lambda offer: offer.home_bytes)
    near = [offer for offer in found if offer.home_bytes <= _NEAR * least.home_bytes]
    fastest = min(near, key=lambda offer: offer.seconds)
    return fastest if fastest.seconds < _FASTER * least.seconds else least


def _costs_nothing(offer: _Offer, with_pins: _Offer, decision: Decision) -> bool:
    """Whether the tiles have lost neither bytes nor time to what stays beside the pins."""
    chosen = [hold for hold in offer.holds if hold not in decision.pins]
    saved = sum(hold.saved // hold.factor for hold in chosen)
    if offer.home_bytes > with_pins.home_bytes - saved:
        return False
    return offer.seconds <= _LOSS * least_s(offer.placement, decision.plans)


def _without_holds_s(decision: Decision) -> float:
    """Seconds of a run in which nothing stays; endless where operators then do not fit."""
    try:
        return fetching_s(decision.timeline, decision.plans)
    except MappingError:
        return math.inf


def _offers(decision: Decision, limits: Mapping[str, int]) -> Iterator[tuple[Hold, ...]]:
    """What may stay: of a search the pins alone, then more with less and less room."""
    if not decision.is_search:
        yield decision.holds(limits)
        return
    if decision.pins_fit(limits):
        yield tuple(decision.pins)
    seen: set[object] = set()
    buffers = (*decision.paths.buffers, *decision.paths.stages)
    for share in _FINE if decision.chooses else _SHARES:
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
