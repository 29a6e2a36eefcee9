"""Re-rolling: turns the unrolled steps of a recurrent cell back into one region.

The steps of a time loop written in Python come out of capture one after the other. They read the
same weights, step through the same sequence and hand a few values to the next step. Where that
holds exactly, N bodies become one body with N steps; where it does not, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from codesign.workload.record import Item, Op, Trace
from codesign.workload.repetition import Run, runs
from codesign.workload.reroll_fold import Folded, Surroundings, fold
from codesign.workload.reroll_step import resemblance
from codesign.workload.rewrite import drop_unused

MIN_STEPS = 3
"""Fewest bodies worth a region (assumed)."""
MAX_ATTEMPTS = 24
"""Runs tried per sequence, and cuts between steps tried per run."""
SLACK = 2
"""Steps at the ends of a loop that may stay outside because they differ."""


def reroll(trace: Trace, minimum: int = MIN_STEPS) -> Trace:
    """Replaces unrolled repetitions at the top level by regions.

    Args:
        trace: a trace whose operators stand in execution order.
        minimum: fewest repetitions that become a region, at least 2.

    Returns:
        A trace with the same MACs and weight reads, or ``trace`` itself where nothing repeats.
    """
    tried: set[tuple[str, ...]] = set()
    result = trace
    while (folded := _first(result, minimum, tried)) is not None:
        result = folded
    return result


def _first(trace: Trace, minimum: int, tried: set[tuple[str, ...]]) -> Trace | None:
    """The trace with its most telling repetition folded, or None if there is none left."""
    around = Surroundings(trace)
    for start, ops in _stretches(trace.items):
        names = tuple(op.name for op in ops)
        if names in tried:
            continue
        for run in islice(runs([resemblance(op) for op in ops], minimum), MAX_ATTEMPTS):
            for steps in range(run.steps, max(minimum, run.steps - SLACK) - 1, -1):
                changed = _folded(trace, start, ops, run, steps, around)
                if changed is not None:
                    return changed
        tried.add(names)
    return None


def _folded(
    trace: Trace, start: int, ops: Sequence[Op], run: Run, steps: int, around: Surroundings
) -> Trace | None:
    """The trace with ``steps`` repetitions folded, cut where the least is handed on."""
    found: list[tuple[int, int, Folded]] = []
    shifts = min(run.length - steps * run.period, run.period, MAX_ATTEMPTS)
    for first in range(run.start, run.start + shifts + 1):
        rows = [ops[first + t * run.period :][: run.period] for t in range(steps)]
        folded = fold(rows, around, f"{ops[first].name}.loop")
        if folded is not None:
            found.append((folded.carried_bytes, first, folded))
    for _, first, folded in sorted(found, key=lambda entry: entry[:2]):
        span = (start + first, start + first + steps * run.period)
        changed = _splice(trace, span, folded)
        if changed is not None and _same_work(trace, changed):
            return changed
    return None


def _stretches(items: tuple[Item, ...]) -> Iterator[tuple[int, list[Op]]]:
    """Maximal sequences of plain operators, with the index of their first."""
    ops: list[Op] = []
    for index, item in enumerate(items):
        if isinstance(item, Op):
            ops.append(item)
        elif ops:
            yield index - len(ops), ops
            ops = []
    if ops:
        yield len(items) - len(ops), ops


def _splice(trace: Trace, span: tuple[int, int], folded: Folded) -> Trace | None:
    """Puts the region in the place of its steps; None if a gathering move stands elsewhere."""
    start, end = span
    after = {item.name for item in trace.items[end:]}
    if not folded.gathered.keys() <= after:
        return None
    rest = tuple(
        part for item in trace.items[end:] for part in folded.gathered.get(item.name, (item,))
    )
    middle = (*folded.before, folded.region, *folded.after)
    tensors = (*trace.tensors, *folded.tensors)
    return drop_unused(trace.replace(items=trace.items[:start] + middle + rest, tensors=tensors))


def _same_work(before: Trace, after: Trace) -> bool:
    """Whether MACs, stored weights and the set of weights read are unchanged."""
    return (
        before.macs == after.macs
        and before.parameter_bytes == after.parameter_bytes
        and _weights_read(before) == _weights_read(after)
    )


def _weights_read(trace: Trace) -> set[str]:
    return {
        access.tensor.name
        for op, _ in trace.ops()
        for access in op.inputs
        if access.tensor.role == "weight"
    }
