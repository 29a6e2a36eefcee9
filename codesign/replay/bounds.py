"""Limits that the replay must respect.

Lower bound: the largest of each engine's compute, each link's and memory's bytes at its full rate,
and the longest chain of dependent operators. Upper bound: everything one after the other.
"""

from __future__ import annotations

from collections import Counter

from codesign.replay.lane import Job, Parts, Template
from codesign.replay.program import Program
from codesign.replay.shares import WORK_PER_BYTE, Shares


def lower_bound(program: Program, shares: Shares) -> int:
    """Ticks that no schedule of the same tiles can beat."""
    busy: Counter[str] = Counter()
    served: Counter[tuple[str, int]] = Counter()
    fastest: dict[tuple[str, int], int] = {}
    for run in program.runs:
        if run.job.template is None:
            continue
        totals = _totals(run.job.template)
        busy[run.assignment.engine] += totals[0]
        for number, size in totals[1].items():
            for resource, rate in shares.resources(number).items():
                served[resource] += size
                fastest[resource] = max(fastest.get(resource, 0), rate)
    links = [size * WORK_PER_BYTE // fastest[name] for name, size in served.items()]
    return max([0, *busy.values(), *links, _longest_chain(program, shares)])


def serial_bound(program: Program, shares: Shares) -> int:
    """Ticks if every transfer and every compute ran alone, one after the other.

    A process cannot be taken apart: it counts with the time it took, so the replay comes first.
    """
    total = 0
    known: dict[int, int] = {}
    for run in program.runs:
        template = run.job.template
        if template is None:
            total += run.job.end - run.job.start
            continue
        if id(template) not in known:
            known[id(template)] = _alone(template, shares)
        total += known[id(template)]
    return total


def _totals(template: Template) -> tuple[int, Counter[int]]:
    """Compute ticks, and bytes by transfer class, of one run."""
    if template.totals is None:
        ticks = 0
        moved: Counter[int] = Counter()
        for tile, times in template.plan.counts:
            step = template.step(tile)
            ticks += step.ticks * times
            for number, size in step.load.whole + step.stores:
                moved[number] += size * times
        template.totals = ticks, moved
    return template.totals


def _alone(template: Template, shares: Shares) -> int:
    total = 0
    for tile, times in template.plan.counts:
        step = template.step(tile)
        parts = step.load.whole + step.stores
        # each transfer ends on a whole tick: while it shares, up to a tick of its share is lost
        total += times * (step.ticks + _parts(parts, shares) + len(parts))
    return total + template.plan.slots_in * _split_setups(template, shares)


def _split_setups(template: Template, shares: Shares) -> int:
    """Set-ups paid twice: the tiles loaded before an operator opens go in two parts."""
    return max(
        sum(shares.setups[number] + 2 for number, _ in template.step(tile).load.late)
        for tile, _ in template.plan.counts
    )


def _longest_chain(program: Program, shares: Shares) -> int:
    """Longest sum of least times along dependencies."""
    begin: dict[int, int] = {}
    longest = 0
    for run in program.runs:
        job = run.job
        end = begin.get(job.number, 0) + _least(job, shares)
        longest = max(longest, end)
        for follower in job.followers:
            begin[follower.number] = max(begin.get(follower.number, 0), end)
    return longest


def _least(job: Job, shares: Shares) -> int:
    """Once its inputs are there: the first late load, all computes, the last store."""
    if job.template is None:
        return 0
    if job.template.least is None:
        plan = job.template.plan
        first, last = job.template.step(plan.first), job.template.step(plan.last)
        job.template.least = (
            _parts(first.load.late, shares) + _totals(job.template)[0] + _parts(last.stores, shares)
        )
    return job.template.least


def _parts(parts: Parts, shares: Shares) -> int:
    return sum(shares.alone(number, size) for number, size in parts)
