"""The critical path of a recorded replay, walked back from its end.

What was skipped is not unrolled: from an activity under way at the end of a period the walk comes
to one under way at its start, which is a function on the few activities of one moment. Iterated
it runs into a cycle, and the time of the cycle is multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from codesign.replay.trail import (
    CAUSE,
    Activity,
    Before,
    Cut,
    Doing,
    Ends,
    Frame,
    Held,
    Jump,
    Key,
    Past,
    Ref,
    Skip,
    Stretch,
    Sum,
    Table,
)

MOST_STRETCHES = 64
"""Stretches kept of a chain, of a period or of what has been added up (assumed)."""
_Place = TypeVar("_Place")


def way(table: Table, ref: Ref, most: int = MOST_STRETCHES) -> list[Stretch]:
    """The path from something that ended or is under way back to tick 0.

    Args:
        table: all that happened.
        ref: what to begin with, at the end of it.
        most: stretches to fold the path into.

    Returns:
        The latest stretch first; keys name operators by their numbers in the program.
    """
    return _Walk(most).way(table, ref)


def refs(table: Table) -> list[Ref]:
    """All that a later frame may refer to."""
    last = _last(table)
    if isinstance(last, Past):
        return list(last.ways)
    opened = [Ref("open", place) for place in last.ends.openers]
    return [CAUSE, *opened, *(Ref("slot", slot) for slot in range(len(last.ends.slots)))]


def under_way(table: Table) -> tuple[Activity, ...]:
    """What went on at the end of all that happened."""
    last = _last(table)
    if isinstance(last, Past):
        return last.doing
    return tuple([_doing(last, slot, {}) for slot in range(len(last.ends.slots))])


def resolved(doing: Doing | Held, again: Mapping[Cut, Cut] | None = None) -> Doing:
    """What an activity is.

    Args:
        doing: an activity, or one that went on at a cut.
        again: cuts at which something else of the same kind went on: where to look instead.
    """
    left = dict(again or {})
    while isinstance(doing, Held):
        # once: what goes on for a whole period is the same in all of them
        doing = left.pop(doing.cut, doing.cut).doing[doing.slot]
    return doing


def _last(table: Table) -> Frame | Past:
    while isinstance(table, Skip):
        table = table.end
    return table


def _doing(table: Table, slot: int, again: Mapping[Table, Table]) -> Activity:
    """What went on at the end of a table; ``again`` as in ``resolved``."""
    left = dict(again)
    while True:
        last = _last(left.pop(table, table))
        found = last.doing[slot] if isinstance(last, Past) else last.ends.doing[slot]
        if not isinstance(found, int):
            return found
        if isinstance(last, Past):
            raise AssertionError("nothing goes on before tick 0; report it")
        table, slot = last.before, found


def chain(record: Before, most: int = MOST_STRETCHES) -> tuple[Ref, list[Stretch]]:
    """The path from a record back to the start of its frame, the latest stretch first."""
    found, ref = _chain(record, {}, most, {})
    if not isinstance(ref, Ref):
        raise AssertionError("a chain ended within its frame; report it")
    return ref, found


def fold(stretches: list[Stretch], most: int) -> list[Stretch]:
    """Stretches, the latest first, of which neighbours are added up until they are few."""
    while len(stretches) > most:
        pairs = [stretches[place : place + 2] for place in range(0, len(stretches), 2)]
        stretches = [_added(reversed(pair)) for pair in pairs]
    return stretches


class _Folding:
    """Collects stretches, the latest first, and keeps few; each is added up a few times only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._grain = 1
        self._done: list[Stretch] = []
        self._open: list[Stretch] = []

    def add(self, stretches: Iterable[Stretch]) -> None:
        """Appends earlier stretches."""
        for one in stretches:
            self._open.append(one)
            if len(self._open) >= self._grain:
                self._close()

    def result(self) -> list[Stretch]:
        """All of them, folded."""
        if self._open:
            self._close()
        return fold(self._done, self._most)

    def _close(self) -> None:
        self._done.append(_added(reversed(self._open)))
        self._open = []
        if len(self._done) > 2 * self._most:
            self._done = fold(self._done, self._most + 1)
            self._grain *= 2


def _added(stretches: Iterable[Stretch], times: int = 1) -> Stretch:
    ticks: dict[Key, int] = {}
    folded = 0
    for stretch in stretches:
        folded += stretch.folded
        for key, value in stretch.ticks.items():
            ticks[key] = ticks.get(key, 0) + value * times
    return Stretch(ticks, folded * times)


def repeated(
    back: Callable[[_Place], tuple[list[Stretch], _Place]], place: _Place, times: int
) -> tuple[list[Stretch], _Place]:
    """The path through equal periods, from the end of the last to the start of the first.

    Args:
        back: from something under way at the end of a period, the way through the period, the
            latest stretch first, and what was under way at its start.
        place: what is under way at the end of the last period.
        times: how many periods, at least 1 for a path of any length.

    Returns:
        The way, the latest stretch first, and what was under way at the start of the first period.
    """
    order: list[_Place] = []
    found: list[list[Stretch]] = []
    while len(order) < times and place not in order:
        order.append(place)
        stretches, place = back(place)
        found.append(stretches)
    left = times - len(order)
    if left:
        first = order.index(place)
        rounds, more = divmod(left, len(order) - first)
        cycle = found[first:]
        if rounds:
            every = [one for period in reversed(cycle) for one in reversed(period)]
            found.append([_added(every, rounds)])
        found += cycle[:more]
        place = order[first + more]
    return [one for period in found for one in period], place


def _chain(
    record: Before, stops: Mapping[int, int], most: int, again: Mapping[Cut, Cut]
) -> tuple[list[Stretch], Ref | int]:
    """Walks until a record in ``stops`` (by identity, gives its slot) or the start of the frame."""
    found = _Folding(most)
    while not isinstance(record, Ref):
        if id(record) in stops:
            return found.result(), stops[id(record)]
        if isinstance(record, Jump):
            stretches, record = _through(record, most, again)
            found.add(stretches)
            continue
        if isinstance(record, Sum):
            found.add(record.stretches)
        elif record.pieces:
            pieces, doing = record.pieces.items(), resolved(record.doing, again)
            ticks = {(record.place, doing, mode): spent for mode, spent in pieces}
            found.add((Stretch(ticks),))
        record = record.before
    return found.result(), record


def _through(jump: Jump, most: int, again: Mapping[Cut, Cut]) -> tuple[list[Stretch], Before]:
    """Through the periods that were skipped, to the end of the one that was seen."""
    stops = {id(record): slot for slot, record in enumerate(jump.start.records)}
    other = {**again, jump.start: jump.end}

    def back(slot: int) -> tuple[list[Stretch], int]:
        stretches, at = _chain(jump.end.records[slot], stops, most, other)
        if isinstance(at, Ref):
            raise AssertionError("a period began outside of its frame; report it")
        return stretches, at

    stretches, slot = repeated(back, jump.slot, jump.times)
    return stretches, jump.end.records[slot]


@dataclass
class _Walk:
    """A walk over frames; the chains of frames that happened again are walked once."""

    most: int

    def __post_init__(self) -> None:
        self._known: dict[tuple[Ends, Ref], tuple[Ref, list[Stretch]]] = {}
        self._again: dict[Table, Table] = {}

    def way(self, table: Table, ref: Ref) -> list[Stretch]:
        """The path to tick 0."""
        found, last, ref = self._until(table, ref, None)
        if isinstance(last, Past):
            found += last.ways.get(ref, last.ways[CAUSE])
        return fold(found, self.most)

    def _until(
        self, table: Table, ref: Ref, stop: Table | None
    ) -> tuple[list[Stretch], Table, Ref]:
        found = _Folding(self.most)
        while table is not stop and not isinstance(table, Past):
            if isinstance(table, Skip):
                stretches, ref = self._through(table, ref)
                table = table.end
            else:
                stretches, ref = self._frame(table, ref)
                table = table.before
            found.add(stretches)
        return found.result(), table, ref

    def _frame(self, frame: Frame, ref: Ref) -> tuple[list[Stretch], Ref]:
        key = (frame.ends, ref)
        if key not in self._known:
            self._known[key] = chain(frame.ends.at(ref))
        ref, stretches = self._known[key]
        bound = []
        for stretch in stretches:
            ticks: dict[Key, int] = {}
            for (place, doing, mode), value in stretch.ticks.items():
                if isinstance(doing, int):
                    doing = _doing(frame.before, doing, self._again)
                own = (frame.ops[place], doing, mode)
                ticks[own] = ticks.get(own, 0) + value
            bound.append(Stretch(ticks, stretch.folded))
        return bound, ref

    def _through(self, skip: Skip, ref: Ref) -> tuple[list[Stretch], Ref]:
        def back(ref: Ref) -> tuple[list[Stretch], Ref]:
            stretches, _, start = self._until(skip.end, ref, skip.start)
            return fold(stretches, self.most), start

        # a loop in a loop may begin at the same moment as the one around it
        around = dict(self._again)
        self._again[skip.start] = skip.end
        found = repeated(back, ref, skip.times)
        self._again = around
        return found
