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
from codesign.workload.rewrite import drop_unused

MIN_STEPS = 3
"""Fewest bodies worth a region (assumed)."""
MAX_ATTEMPTS = 24
"""Alignments tried per run, and runs tried per sequence."""


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
        signatures = [signature(op) for op in ops]
        for run in islice(runs(signatures, minimum), MAX_ATTEMPTS):
            for first, steps in _alignments(run, minimum):
                rows = _rows(ops[first:], run.period, steps)
                folded = fold(rows, around, f"{ops[first].name}.loop")
                if folded is not None:
                    span = (start + first, start + first + steps * run.period)
                    changed = _splice(trace, span, folded)
                    if changed is not None and _same_work(trace, changed):
                        return changed
        tried.add(names)
    return None


def signature(op: Op) -> tuple[object, ...]:
    """What must be equal in two steps for one body to stand for both.

    Offsets and the names of intermediates differ from step to step; weights must be the same.
    """
    operands = tuple(
        (a.shape, a.tensor.dtype, a.tensor.name if a.tensor.role == "weight" else None)
        for a in op.operands
    )
    return op.kind, op.functions, op.attributes, op.nest, len(op.inputs), operands


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


def _alignments(run: Run, minimum: int) -> Iterator[tuple[int, int]]:
    """Where a step may begin within a run, most steps first; the ends of a loop may differ."""
    options = (
        (run.start + shift, steps)
        for steps in (run.steps, run.steps - 1, run.steps - 2)
        if steps >= minimum
        for shift in range(min(run.length - steps * run.period, run.period) + 1)
    )
    return islice(options, MAX_ATTEMPTS)


def _rows(ops: Sequence[Op], period: int, steps: int) -> list[list[Op]]:
    return [list(ops[t * period : (t + 1) * period]) for t in range(steps)]


def _splice(trace: Trace, span: tuple[int, int], folded: Folded) -> Trace | None:
    """Puts the region in the place of its steps; None if a gathering move stands elsewhere."""
    start, end = span
    rest = tuple(item for item in trace.items[end:] if item.name not in folded.gathered)
    if len(trace.items) - end - len(rest) != len(folded.gathered):
        return None
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
