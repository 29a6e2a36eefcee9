"""From a placement to a short program: operators to issue, loops over steps, changes of hands.

Time is not unrolled: a region stays a loop, and a run of the program is a place in it and one
counter for each loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from codesign.mapping.allocate import allocate
from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.replay.template import Template
from codesign.replay.transfers import Templates
from codesign.workload.record import Carry, all_carries


@dataclass(frozen=True, slots=True)
class Issue:
    """An operator to hand to its engine.

    Attributes:
        op: its index in the program.
        assignment: what it runs.
        template: its tiles and transfers.
        reads: tensors that others write, too, and that it reads.
        writes: tensors that it writes.
        touches: tensors whose writers must end first: those, and what lay where it will write.
        changes: tensors whose readers must end first: all of those that it does not only read.
    """

    op: int
    assignment: Assignment
    template: Template
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    touches: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """Tensors that change names.

    Attributes:
        pairs: from here on, the second tensor of each pair is what the first one was.
        freed: the first tensor of each pair will be written where the second one lay.
    """

    pairs: tuple[tuple[str, str], ...]
    freed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fence:
    """The next operator of every engine waits for all before: the buffer changes hands.

    Attributes:
        holds: +1 where residents move in, -1 where they move out, 0 where they stay for ever.
    """

    holds: Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class Back:
    """The end of a loop.

    Attributes:
        target: index of its first item.
        loop: its number, for the counters.
    """

    target: int
    loop: int


Item: TypeAlias = "Issue | Rename | Fence | Back"


class Program:
    """A placement as a list of items.

    Attributes:
        code: the items.
        first: index of the first item of a run; the setup before it runs once.
        repeats: trip count of each loop.
        issues: every ``Issue`` in order, by the index of its operator.
        written: names of the tensors that some operator writes.
    """

    def __init__(self, placement: Placement, templates: Templates) -> None:
        placed = [one for one, _ in placement.assignments()]
        every = [one.op for one in placed]
        self.written = frozenset(a.tensor.name for op in every for a in op.outputs)
        filled = (a.tensor.name for op in every if not op.outputs for a in op.inputs)
        carried = {
            tensor.name
            for carry in all_carries(placement.trace.items)
            for tensor in (carry.state, carry.update, carry.initial)
            if tensor is not None
        }
        reused = (name for one in placed for name in one.reuses)
        self._tracked = self.written.union(filled, carried, reused)
        self._pieces = _find_pieces(placed, carried)
        self.code: list[Item] = []
        self.repeats: list[int] = []
        self.issues: list[Issue] = []
        self._templates = templates
        self._addresses = allocate(placement, templates.transfers.hardware)
        for assignment in placement.setup:
            self._issue(assignment)
        if placement.setup:
            self.code.append(Fence(0))
        self.first = len(self.code)
        self._steps(placement.program)

    def _steps(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, Assignment):
                self._issue(step)
            else:
                self._block(step)

    def _block(self, block: Block) -> None:
        carries, fenced = block.region.carries, bool(block.residences)
        self._rename([(c.initial.name, c.state.name) for c in carries if c.initial])
        if fenced:
            self.code.append(Fence(1))
        if block.preload:
            self._issue(block.preload)
        start = len(self.code)
        self._steps(block.body)
        self._rename(_updates(carries))
        if block.region.steps > 1 and any(isinstance(item, Issue) for item in self.code[start:]):
            self.code.append(Back(start, len(self.repeats)))
            self.repeats.append(block.region.steps)
        if block.writeback:
            self._issue(block.writeback)
        if fenced:
            self.code.append(Fence(-1))

    def _rename(self, pairs: list[tuple[str, str]]) -> None:
        changed = tuple((source, target) for source, target in pairs if source != target)
        if changed:
            self.code.append(Rename(changed, _freed(changed)))

    def _issue(self, assignment: Assignment) -> None:
        """Appends an operator; one without outputs fills a buffer with what it reads."""
        op, number = assignment.op, assignment.piece[0]
        reads = dict.fromkeys(access.tensor.name for access in op.inputs)
        tracked = self._all_pieces(name for name in reads if name in self._tracked)
        writes = self._all_pieces(access.tensor.name for access in op.outputs or op.inputs)
        if assignment.piece[1] > 1:
            names = dict.fromkeys(access.tensor.name for access in op.outputs)
            writes = [self._pieces[n][number] if n in self._pieces else n for n in names]
        changes = tuple(dict.fromkeys((*writes, *self._all_pieces(assignment.reuses))))
        issue = Issue(
            len(self.issues),
            assignment,
            self._templates.template(assignment, self.written, self._addresses),
            tuple(tracked),
            tuple(writes),
            tuple(dict.fromkeys((*tracked, *changes))),
            changes,
        )
        self.issues.append(issue)
        self.code.append(issue)

    def _all_pieces(self, names: Iterable[str]) -> list[str]:
        """Names as the replay tracks them: of what several engines write, one for each piece."""
        found = (piece for name in names for piece in self._pieces.get(name, (name,)))
        return list(dict.fromkeys(found))


def _find_pieces(
    placed: Sequence[Assignment], carried: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """By tensor that several engines write side by side, a name for what each of them writes.

    What changes hands from step to step keeps one name: its pieces are written in turn.
    """
    counts: dict[str, int] = {}
    for one in placed:
        for access in one.op.outputs if one.piece[1] > 1 else ():
            name = access.tensor.name
            counts[name] = max(one.piece[1], counts.get(name, 0))
    return {
        name: tuple(f"{name}#{number}" for number in range(count))
        for name, count in counts.items()
        if name not in carried
    }


def _updates(carries: tuple[Carry, ...]) -> list[tuple[str, str]]:
    return [(carry.update.name, carry.state.name) for carry in carries]


def _freed(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Where each tensor that hands its value on is written next: at the end of its chain.

    Of two states with one update, both old places are free, and one of them is taken.
    """
    after = dict(pairs)
    targets = {target for _, target in pairs}
    freed = []
    for source in after:
        end = source
        while source not in targets and end in after:
            end = after[end]
        if end != source:
            freed.append((source, end))
    return tuple(freed)
