"""What led to what in a replay: the linked record on which the critical path is walked back.

An activity begins at the tick at which the last of its conditions came true, and that is the end
of another activity. So each record names the one before it, and a walk from the last end back to
tick 0 leaves no gap. Records are kept in frames: a frame lasts from one look at the machine to the
next, names operators by their place among those under way, and is shared by all moments at which
the same happened again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Mode: TypeAlias = "tuple[int, ...] | str"
"""How time passed: the classes that shared, sorted; or ``run``, ``wait`` or ``stand``."""
RUN, WAIT, STAND = "run", "wait", "stand"
COMPUTE, STORE, PROCESS = "compute", "store", "process"
LOADS = ("whole", "early", "late", "alone")


class Activity(NamedTuple):
    """What an operator does for a while.

    Attributes:
        step: number of the tile among the distinct ones of its plan; -1 of a process.
        phase: ``compute``, ``store``, ``process`` or which part of a tile's loads.
        number: class of the transfer; -1 of what is none.
        forced: whether a dependency put a transfer into the open: a load that began because its
            operator opened, or the last store of an operator that others wait for.
        wake: ticks that it waits for memories to wake up, part of its wait.
    """

    step: int
    phase: str
    number: int = -1
    forced: bool = False
    wake: int = 0


Doing: TypeAlias = "Activity | int"
"""An activity, or the number of the one that went on when the frame began."""


class Ref(NamedTuple):
    """Where the chain of a frame reaches the moment at which the frame began.

    Attributes:
        kind: ``slot`` for an activity that was under way, ``open`` for a job that could begin,
            ``cause`` for whatever happened last.
        place: number of the slot, or place of the job.
    """

    kind: str
    place: int = 0


CAUSE = Ref("cause")


class Link:
    """An activity, or the part of it since a cut.

    Attributes:
        before: what ended when it began.
        place: of its job among those under way when the frame began.
        doing: what it is.
        pieces: ticks by mode.
    """

    __slots__ = ("before", "doing", "pieces", "place")

    def __init__(
        self, before: Before, place: int, doing: Doing | Held, pieces: dict[Mode, int]
    ) -> None:
        self.before, self.place, self.doing, self.pieces = before, place, doing, pieces


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A moment within a frame at which everything under way got a new record.

    Attributes:
        records: what was noted of each activity up to then.
        doing: what they are.
    """

    records: tuple[Before, ...]
    doing: tuple[Doing | Held, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The activity that went on at a cut: in a period that happens again, another one each time."""

    cut: Cut
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class Jump:
    """Periods of tiles that were skipped, seen from an activity under way at their end.

    Attributes:
        start: the start of the period that was seen.
        end: its end.
        times: how often it happened again.
        slot: the activity.
    """

    start: Cut
    end: Cut
    times: int
    slot: int


class Stretch(NamedTuple):
    """A part of the path.

    Attributes:
        ticks: by key, in order of time as far as it is known.
        folded: how many records it stands for.
    """

    ticks: dict[Key, int]
    folded: int = 1


Key: TypeAlias = "tuple[int, Doing, Mode]"
"""Place of the job within its frame, or number of the operator; what it did; how time passed."""


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """A chain that has been added up, so that its records can be forgotten."""

    before: Before
    stretches: list[Stretch]


Before: TypeAlias = "Link | Jump | Sum | Ref"


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """How a frame ended.

    Attributes:
        slots: record of each activity under way.
        doing: what each of them is.
        cause: record of what happened last.
        openers: by place of a job that could begin then, the record of what it had waited for.
    """

    slots: tuple[Before, ...] = ()
    doing: tuple[Doing, ...] = ()
    cause: Before = CAUSE
    openers: dict[int, Before] = field(default_factory=dict)

    def at(self, ref: Ref) -> Before:
        """The record that a later frame refers to."""
        if ref.kind == "slot":
            return self.slots[ref.place]
        return self.openers.get(ref.place, self.cause) if ref.kind == "open" else self.cause


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame that happened.

    Attributes:
        ends: how it ended.
        ops: numbers of the operators under way when it began, by place.
        before: what happened before.
    """

    ends: Ends
    ops: tuple[int, ...]
    before: Table


@dataclass(frozen=True, slots=True, eq=False)
class Skip:
    """Periods of whole frames that were skipped.

    Attributes:
        start: the frame before the period that was seen.
        end: its last frame.
        times: how often it happened again.
    """

    start: Table
    end: Table
    times: int


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """All frames so far, added up: the way to each of the things that may be asked for.

    Attributes:
        ways: by reference, from its end to tick 0.
        doing: what is under way.
    """

    ways: dict[Ref, list[Stretch]] = field(default_factory=dict)
    doing: tuple[Activity, ...] = ()


Table: TypeAlias = "Frame | Skip | Past"
