"""Limits that the replay must respect.

Lower bound: the largest of each engine's compute, each link's and memory's bytes at its full rate,
and the longest chain of dependent operators. Upper bound: everything one after the other. Both are
counted on the program as it stands, without unrolling its regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.replay.shares import WORK_PER_BYTE, Shares
from codesign.replay.template import Parts, Template
from codesign.workload.record import Carry

Templates = Mapping[int, Template]
"""Template of each assignment, by identity."""


def lower_bound(placement: Placement, templates: Templates, shares: Shares) -> int:
    """Ticks that no schedule of the same tiles can beat in one run with its setup."""
    busy: Counter[str] = Counter()
    served: Counter[tuple[str, int]] = Counter()
    fastest: dict[tuple[str, int], int] = {}
    for assignment, times in placement.assignments():
        ticks, moved = templates[id(assignment)].totals
        busy[assignment.engine] += ticks * times
        for number, size in moved.items():
            for resource, rate in shares.ceilings(number).items():
                served[resource] += size * times
                fastest[resource] = max(fastest.get(resource, 0), rate)
    links = [size * WORK_PER_BYTE // fastest[name] for name, size in served.items()]
    return max([0, *busy.values(), *links, _Chain(templates, shares).longest(placement)])


def serial_bound(
    placement: Placement, templates: Templates, shares: Shares, processes: int = 0
) -> int:
    """Ticks of one run if every transfer and every compute ran alone, one after the other.

    Args:
        placement: the program.
        templates: of each assignment.
        shares: rates.
        processes: ticks that process engines took; they cannot be taken apart.
    """
    alone: dict[int, int] = {}
    total = processes
    for assignment, times in placement.assignments():
        template = templates[id(assignment)]
        if template.plan is not None:
            if template.number not in alone:
                alone[template.number] = _alone(template, shares)
            total += alone[template.number] * times
    return total


def _alone(template: Template, shares: Shares) -> int:
    total = 0
    for step, times in template.counts:
        parts = step.load.every + step.stores
        # each transfer ends on a whole tick: while it shares, up to a tick of its share is lost
        waits = sum(shares.wait(number) for number, _ in parts)
        waits += template.wake + len(parts)
        total += times * (step.ticks + _parts(parts, shares) + waits)
    return total + (template.plan.slots_in if template.plan else 0) * _split(template, shares)


def _split(template: Template, shares: Shares) -> int:
    """Set-ups paid twice: the tiles loaded before an operator opens go in two parts."""
    return max(
        sum(shares.setups[number] + shares.wait(number) + 2 for number, _ in step.load.late)
        for step, _ in template.counts
    )


class _Chain:
    """Least time at which each tensor can be there, along dependencies alone."""

    def __init__(self, templates: Templates, shares: Shares) -> None:
        self.templates, self.shares = templates, shares
        self._least: dict[int, int] = {}

    def longest(self, placement: Placement) -> int:
        """Least time of one run with its setup."""
        there = self._run(placement.program, self._run(placement.setup, {}))
        return max(there.values(), default=0)

    def _run(self, steps: tuple[Step, ...], there: dict[str, int]) -> dict[str, int]:
        for step in steps:
            if isinstance(step, Assignment):
                self._op(step, there)
            else:
                self._block(step, there)
        return there

    def _op(self, step: Assignment, there: dict[str, int]) -> None:
        """Nothing is there that does not follow from what is: unknown inputs do not count."""
        before = [there[a.tensor.name] for a in step.op.inputs if a.tensor.name in there]
        if before or there.get(_EVERYTHING) is None:
            end = max(before, default=0) + self._time(step)
            for access in step.op.outputs or step.op.inputs:
                name = access.tensor.name
                there[name] = max(there.get(name, 0), end)

    def _block(self, block: Block, there: dict[str, int]) -> None:
        """The first and the last step, and between them the longest way of each state to itself."""
        carries = block.region.carries
        for carry in carries:
            if carry.initial is not None and carry.initial.name in there:
                there[carry.state.name] = there[carry.initial.name]
        if block.preload:
            self._op(block.preload, there)
        self._step(block, there)
        if block.region.steps > 1:
            between = block.region.steps - 2
            for carry in carries:
                if carry.state.name in there and between:
                    there[carry.state.name] += between * self._own_way(block, carry)
            self._step(block, there)
        if block.writeback:
            self._op(block.writeback, there)

    def _step(self, block: Block, there: dict[str, int]) -> None:
        self._run(block.body, there)
        _hand_on(block.region.carries, there)

    def _own_way(self, block: Block, carry: Carry) -> int:
        """Least time from a state to the same state one step later."""
        there = {carry.state.name: 0, _EVERYTHING: 0}
        self._run(block.body, there)
        return there.get(carry.update.name, 0)

    def _time(self, step: Assignment) -> int:
        """Once its inputs are there: the first late load, all computes, the last store."""
        template = self.templates[id(step)]
        if template.plan is None:
            return 0
        if template.number not in self._least:
            first, last = template.step(template.plan.first), template.step(template.plan.last)
            self._least[template.number] = (
                _parts(first.load.late, self.shares)
                + template.totals[0]
                + _parts(last.stores, self.shares)
            )
        return self._least[template.number]


_EVERYTHING = ""
"""Marks a count from one state only, in which operators that do not depend on it take no part."""


def _hand_on(carries: tuple[Carry, ...], there: dict[str, int]) -> None:
    handed = {c.state.name: there[c.update.name] for c in carries if c.update.name in there}
    there |= handed


def _parts(parts: Parts, shares: Shares) -> int:
    return sum(shares.alone(number, size) for number, size in parts)
