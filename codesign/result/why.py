"""Why a run took as long as it did: every tick of its critical path, by cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from codesign.errors import CodesignError
from codesign.hardware.machine import Hardware
from codesign.mapping.placement import Placement
from codesign.replay.budget import MOST_EVENTS
from codesign.replay.run import Recording, Watcher, record
from codesign.replay.shares import TIED
from codesign.replay.trail import Activity, Mode, Stretch
from codesign.result.causes import CAUSES, Causes, Label, share_out

Column = Literal["cause", "component", "op", "role"]
COLUMNS: tuple[Column, ...] = get_args(Column)


@dataclass(frozen=True, slots=True)
class Part:
    """Time on the critical path, in ticks of a picosecond.

    Attributes:
        cause: one of ``codesign.result.causes.CAUSES``.
        component: the engine, link or memory that it was spent on; ``bus, dram`` where both bound
            a transfer equally.
        op: name of the operator.
        role: of the operand that moved; empty for what moves nothing.
        ticks: how long.
    """

    cause: str
    component: str
    op: str
    role: str
    ticks: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the critical path in order of time, for drawing.

    Attributes:
        start: first tick.
        end: last tick; the next segment begins there.
        cause: as of ``Part``, like the following.
        component: see there.
        op: see there.
        role: see there.
        times: how many stretches of the path it stands for.
        stretch: number of the folded stretch that it is a part of: segments of one stretch stand
            one behind the other, but took turns in truth. None where the order is that of time.
    """

    start: int
    end: int
    cause: str
    component: str
    op: str
    role: str
    times: int = 1
    stretch: int | None = None


@dataclass(frozen=True)
class Why:
    """The critical path of a run.

    Attributes:
        makespan: ticks of the whole run; the sum of the parts, to the tick.
        parts: time by cause, component, operator and role, the longest first.
        segments: the path in order of time, folded; they follow each other without a gap from 0 to
            the makespan.
        events: events handled to find it.
    """

    makespan: int
    parts: tuple[Part, ...]
    segments: tuple[Segment, ...]
    events: int = 0

    def by(self, column: Column) -> dict[str, int]:
        """Ticks grouped by ``cause``, ``component``, ``op`` or ``role``, the longest first.

        Raises:
            KeyError: another column.
        """
        if column not in COLUMNS:
            raise KeyError(f"group by {', '.join(COLUMNS)}, got {column!r}")
        found: dict[str, int] = {}
        for part in self.parts:
            name = getattr(part, column)
            found[name] = found.get(name, 0) + part.ticks
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def as_json(self) -> dict[str, Any]:
        """What ``why.json`` holds: ``makespan_ps``, ``parts`` and ``segments``."""
        parts = []
        for part in self.parts:
            row = asdict(part)
            row["ps"] = row.pop("ticks")
            parts.append(row)
        segments = []
        for one in self.segments:
            named = {"cause": one.cause, "component": one.component, "op": one.op, "role": one.role}
            row = {"start_ps": one.start, "end_ps": one.end, **named}
            row |= {"times": one.times} if one.times > 1 else {}
            segments.append(row | ({} if one.stretch is None else {"stretch": one.stretch}))
        return {"makespan_ps": self.makespan, "parts": parts, "segments": segments}


def find_why(
    placement: Placement,
    machine: Hardware,
    watch: Watcher | None = None,
    *,
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
    expected: int | None = None,
) -> Why:
    """Replays a placement with a recorder and takes its critical path apart.

    Args:
        placement: what runs where.
        machine: the hardware that it was placed on.
        watch: told about progress.
        exact_events: handle every event; the parts are the same.
        most_events: how many it may handle.
        expected: ticks that the run took, where it has been replayed before.

    Raises:
        CodesignError: the path does not explain that run to the tick, or its replay has more
            events than it may.
    """
    recording = record(
        placement, machine, watch, exact_events=exact_events, most_events=most_events
    )
    causes = Causes(recording, placement, machine)
    makespan = recording.replay.makespan
    if expected is not None and makespan != expected:
        raise CodesignError(
            f"the recorded run took {makespan} ticks and the result has {expected}: a plugin "
            "answers differently when asked again, or this is a defect; report it"
        )
    parts = _parts(recording.stretches, causes)
    found = sum(part.ticks for part in parts)
    if found != makespan:
        raise CodesignError(
            f"the critical path is {found} ticks long and the run {makespan}; report it"
        )
    segments = tuple(_segments(recording, causes))
    return Why(makespan, parts, segments, recording.replay.events)


def tied(component: str) -> tuple[str, ...]:
    """Names of the links and memories that a part of the path was spent on, one or several.

    Args:
        component: of a ``Part``: ``bus, dram`` where both bound a transfer equally.
    """
    return tuple(component.split(TIED))


def _parts(stretches: Sequence[Stretch], causes: Causes) -> tuple[Part, ...]:
    """The whole path at once, so that how it is folded changes no part."""
    total: dict[tuple[int, Activity, Mode], int] = {}
    for stretch in stretches:
        for key, ticks in _keys(stretch):
            total[key] = total.get(key, 0) + ticks
    spent: dict[Label, int] = {}
    for key, ticks in sorted(total.items(), key=lambda item: repr(item[0])):
        for label, part in share_out(ticks, causes.weights(*key)):
            spent[label] = spent.get(label, 0) + part
    rows = [Part(*label, ticks) for label, ticks in spent.items()]
    order = {cause: place for place, cause in enumerate(CAUSES)}
    return tuple(sorted(rows, key=lambda p: (-p.ticks, order[p.cause], p.component, p.op, p.role)))


def _segments(recording: Recording, causes: Causes) -> Iterator[Segment]:
    """Stretches one after the other; within one, each label once, in order of appearance."""
    now, last = 0, None
    for number, stretch in enumerate(recording.stretches):
        spent: dict[Label, int] = {}
        for key, ticks in _keys(stretch):
            for label, part in share_out(ticks, causes.weights(*key)):
                spent[label] = spent.get(label, 0) + part
        shared = number if stretch.folded > 1 and len(spent) > 1 else None
        for label, ticks in spent.items():
            here = Segment(now, now + ticks, *label, stretch.folded, shared)
            now += ticks
            if last is not None and _is_alike(last, here):
                names = (last.cause, last.component, last.op, last.role)
                last = Segment(last.start, here.end, *names, last.times + here.times)
                continue
            if last is not None:
                yield last
            last = here
    if last is not None:
        yield last


def _is_alike(one: Segment, other: Segment) -> bool:
    if one.stretch is not None or other.stretch is not None:
        return False
    return (one.cause, one.component, one.op, one.role) == (
        other.cause,
        other.component,
        other.op,
        other.role,
    )


def _keys(stretch: Stretch) -> Iterable[tuple[tuple[int, Activity, Mode], int]]:
    for (op, doing, mode), ticks in stretch.ticks.items():
        if isinstance(doing, Activity):
            yield (op, doing, mode), ticks


__all__ = ["COLUMNS", "Column", "Part", "Segment", "Why", "find_why", "tied"]
