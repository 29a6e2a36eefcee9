"""What may stay on chip, from when to when, and how many bytes to and from home that saves.

At each level (the program, one step of a region) a tensor may stay from one of its uses to a later
one: a weight between two uses, an activation from its producer to a consumer, what a region reads
at every step for the length of the region. Bytes are counted exactly: what the items in between
would have moved, less what is fetched before and written back after.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from codesign.mapping.cut import find_grain
from codesign.mapping.hold import Hold, Part
from codesign.mapping.states import find_states
from codesign.mapping.timeline import Level, Timeline
from codesign.mapping.uses import Use, Uses
from codesign.workload.record import Tensor

_ALL = 16
"""Uses of a tensor up to which every run of them is a candidate; of more, runs that double."""


_STAGED = 2
"""What a byte is worth that stays where it is staged, beside one elsewhere on chip (assumed)."""


class Spot(NamedTuple):
    """Where an operand may stay.

    Attributes:
        memory: its name.
        bytes: that all of the operand takes there.
    """

    memory: str
    bytes: int


class Candidates:
    """Everything that may stay on one piece of hardware.

    Attributes:
        uses: what each item of the program uses.
        spots: for each operator and operand, where it may stay for its engine, the best first.
        beside: on-chip memories that are no buffer, the preferred ones first.
        settled: names of the tensors whose place is decided already.
        split: operators that several engines share; what they read stays whole or not at all.
    """

    def __init__(
        self,
        uses: Uses,
        spots: Sequence[Sequence[tuple[Spot, ...]]],
        beside: Sequence[str] = (),
        settled: Collection[str] = (),
        split: Collection[int] = (),
    ) -> None:
        self.uses, self.timeline = uses, uses.timeline
        self.split = split
        self.spots, self.beside, self.settled = spots, beside, settled

    def within_a_run(self) -> Iterator[Hold]:
        """What may stay for a part of a run."""
        for level in self.timeline.levels:
            carried = self._carried(level)
            for name, uses in self.uses.at(level).items():
                if name not in self.settled:
                    later = [use for use in uses if use.place > carried.get(name, -1)]
                    tensor = self.timeline.tensors[name]
                    yield from self._of_tensor(level, tensor, later, len(uses) - len(later))
            for hold in find_states(self.uses, level):
                if not set(self.settled).intersection(hold.names):
                    yield from self._placed(hold)

    def across_runs(self) -> Iterator[Hold]:
        """Weights and constants that may stay for ever."""
        program = self.timeline.levels[0]
        last = len(program.spans) - 1
        for name, uses in self.uses.at(program).items():
            tensor = self.timeline.tensors[name]
            at_rest = tensor.role in ("weight", "constant") and not any(u.writes for u in uses)
            if at_rest and name not in self.settled:
                saved = sum(use.moved for use in uses)
                hold = _hold(tensor, program, 0, last, saved, loads=True)
                yield from self._placed(replace(hold, is_for_ever=True, saved=saved))

    def _carried(self, level: Level) -> dict[str, int]:
        """The place up to which the tensors that regions of a level carry may not stay."""
        found: dict[str, int] = {}
        for place in range(len(level.spans)):
            body = self.timeline.bodies.get((level.number, place))
            own = body.regions[-1].carries if body else ()
            for carry in self.uses.carries(level, place):
                end = place if carry in own else len(level.spans)
                for tensor in (carry.state, carry.update):
                    found[tensor.name] = max(end, found.get(tensor.name, -1))
        return found

    def _of_tensor(
        self, level: Level, tensor: Tensor, uses: Sequence[Use], before: int
    ) -> Iterator[Hold]:
        """Holds of a tensor over its uses, which ``before`` others precede."""
        if not uses:
            return
        flow = self.uses.flow(level, tensor, uses)
        for a, b in _runs(uses):
            inside = uses[a : b + 1]
            start, stop = inside[0].place, inside[-1].place
            if start == stop and not self._may_stay_in(level, start, tensor):
                continue
            moved = sum(use.moved for use in inside)
            loads = flow.enters or a + before > 0
            is_needed = flow.leaves or b + 1 < len(uses)
            stores = is_needed and any(use.writes for use in inside)
            hold = _hold(tensor, level, start, stop, moved, loads=loads, stores=stores)
            yield from self._placed(hold)

    def _may_stay_in(self, level: Level, place: int, tensor: Tensor) -> bool:
        """Whether a region would keep more than each of its steps can keep by itself."""
        body = self.timeline.bodies.get((level.number, place))
        if body is None:
            return False
        flow = self.uses.flow(body, tensor, self.uses.at(body)[tensor.name])
        return flow.enters or flow.leaves

    def _placed(self, hold: Hold) -> Iterator[Hold]:
        """A hold in each memory that it can be in."""
        if hold.saved <= 0:
            return
        users = list(_users(self.timeline, hold))
        every = [self.spots[leaf][operand] for leaf, operand in users]
        for place, (memory, _) in enumerate(every[0]):
            sizes = [spot.bytes for spots in every for spot in spots if spot.memory == memory]
            if len(sizes) < len(every):
                continue
            size = max(hold.bytes, *sizes)
            is_cut = any(leaf in self.split for leaf, _ in users) or size > hold.bytes
            part = None if is_cut else find_part(self.timeline, hold)
            # where it is staged it saves the way from another place on chip, too
            factor = _STAGED if place == 0 and len(every[0]) > 1 else 1
            saved = hold.saved * factor
            yield replace(hold, memory=memory, bytes=size, part=part, saved=saved, factor=factor)
        is_plain = not any(tensor.stored for tensor in hold.tensors)  # nothing encodes there
        if is_plain and not hold.loads and not hold.stores:
            yield from (replace(hold, memory=memory) for memory in self.beside)


def find_part(timeline: Timeline, hold: Hold) -> Part | None:
    """How a weight that one operator reads once can stay in part; None for anything else."""
    users = list(_users(timeline, hold))
    if len(users) != 1 or hold.tensors[0].role != "weight":
        return None
    ((leaf, operand),) = users
    grain = find_grain(timeline.ops[leaf])
    if grain is None or not grain.column_bytes(operand):
        return None
    return Part(grain, operand, grain.columns)


def _users(timeline: Timeline, hold: Hold) -> Iterator[tuple[int, int]]:
    """(operator, operand) of every use of what a hold keeps."""
    for leaf in range(hold.first, hold.last + 1):
        for operand, access in enumerate(timeline.ops[leaf].operands):
            if access.tensor.name in hold.names:
                yield leaf, operand


def _hold(
    tensor: Tensor,
    level: Level,
    start: int,
    stop: int,
    moved: int,
    *,
    loads: bool = False,
    stores: bool = False,
) -> Hold:
    view = tensor.access()
    return Hold(
        tensors=(tensor,),
        memory="",
        bytes=tensor.plain_bytes,
        level=level.number,
        start=start,
        stop=stop,
        first=level.spans[start].first,
        last=level.spans[stop].last,
        saved=moved - level.runs * tensor.bytes * (loads + stores),
        loads=(view,) * loads,
        stores=(view,) * stores,
    )


def _runs(uses: Sequence[Use]) -> Iterator[tuple[int, int]]:
    """First and last index of runs of uses that no region breaks by beginning from home."""
    marks = [-1, *(n for n, use in enumerate(uses) if use.starts), len(uses)]
    for before, after in itertools.pairwise(marks):
        count = after - before - 1
        for length in range(1, count + 1):
            if count <= _ALL or length == count or length.bit_count() == 1:
                for a in range(before + 1, after - length + 1):
                    yield a, a + length - 1
