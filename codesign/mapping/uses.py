"""Which item of a level uses which tensor, and what it moves for that between home and engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codesign.mapping.timeline import Level, Timeline
from codesign.workload.record import Carry, Tensor

Traffic = Sequence[Sequence[int]]
"""For each operator of a timeline, the bytes that one run moves of each operand to or from home."""


@dataclass(slots=True)
class Use:
    """What an item of a level does with a tensor.

    Attributes:
        place: index of the item.
        moved: bytes to and from home in one run of the program.
        reads_first: whether it reads the tensor before it writes it.
        writes: whether it writes the tensor.
        starts: whether a region begins with the content that the tensor has at home.
    """

    place: int
    moved: int
    reads_first: bool
    writes: bool
    starts: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """How the content of a tensor enters and leaves one run of a level.

    Attributes:
        enters: whether the first use needs what was there before.
        leaves: whether somebody needs what is there after the last use.
    """

    enters: bool
    leaves: bool


class Uses:
    """Uses of every tensor at every level of a timeline.

    Attributes:
        timeline: the operators and levels.
        traffic: what they move.
    """

    def __init__(self, timeline: Timeline, traffic: Traffic) -> None:
        self.timeline, self.traffic = timeline, traffic
        self._operands = Counter(a.tensor.name for op in timeline.ops for a in op.operands)
        self._known: dict[int, dict[str, list[Use]]] = {}

    def at(self, level: Level) -> dict[str, list[Use]]:
        """The uses of every tensor by the items of a level, in order."""
        if level.number not in self._known:
            self._known[level.number] = self._at(level)
        return self._known[level.number]

    def carries(self, level: Level, place: int) -> Iterator[Carry]:
        """The carries of the region at a place of a level, and of all regions inside it."""
        body = self.timeline.bodies.get((level.number, place))
        if body is not None:
            yield from body.regions[-1].carries
            for inner in range(len(body.spans)):
                yield from self.carries(body, inner)

    def flow(self, level: Level, tensor: Tensor, uses: Sequence[Use]) -> Flow:
        """How the content of a tensor with these uses enters and leaves a level."""
        carries = [carry for region in level.regions for carry in region.carries]
        is_state = any(carry.state.name == tensor.name for carry in carries)
        stored = tensor.role not in ("activation", "output")
        enters = stored or is_state or uses[0].reads_first or self._reaches_out(level, tensor, uses)
        again = bool(level.regions) and (is_state or uses[0].reads_first)
        return Flow(enters, again or self.is_needed_after(level, tensor, uses))

    def is_needed_after(self, level: Level, tensor: Tensor, uses: Sequence[Use]) -> bool:
        """Whether something after a run of a level needs what these uses wrote."""
        carries = (carry for region in level.regions for carry in region.carries)
        handed_on = any(carry.update.name == tensor.name for carry in carries)
        kept = tensor.role in ("output", "state")
        return kept or handed_on or self._reaches_out(level, tensor, uses)

    def _reaches_out(self, level: Level, tensor: Tensor, uses: Sequence[Use]) -> bool:
        """Whether others use the tensor too, or each step of a region uses another part of it."""
        depth = len(level.regions)
        first, last = level.spans[uses[0].place].first, level.spans[uses[-1].place].last
        every = (a for op in self.timeline.ops[first : last + 1] for a in op.operands)
        mine = [access for access in every if access.tensor.name == tensor.name]
        moves = any(any(access.advance[:depth]) for access in mine)
        return bool(depth) and (moves or len(mine) < self._operands[tensor.name])

    def _at(self, level: Level) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {}
        for place, span in enumerate(level.spans):
            for leaf in range(span.first, span.last + 1):
                self._add(found, place, leaf)
            for carry in self.carries(level, place):
                if carry.initial is not None:
                    _use(found, carry.initial.name, place, reads=True).starts = True
        return found

    def _add(self, found: dict[str, list[Use]], place: int, leaf: int) -> None:
        op, moved, times = self.timeline.ops[leaf], self.traffic[leaf], self.timeline.times[leaf]
        for operand, access in enumerate(op.operands):
            writes = operand >= len(op.inputs)
            use = _use(found, access.tensor.name, place, reads=not writes)
            use.moved += moved[operand] * times
            use.writes |= writes


def _use(found: dict[str, list[Use]], name: str, place: int, *, reads: bool) -> Use:
    uses = found.setdefault(name, [])
    if not uses or uses[-1].place != place:
        uses.append(Use(place, 0, reads, False))
    return uses[-1]
