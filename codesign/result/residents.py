"""Which tensor lies in which memory from when to when, as columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.replay.run import Replay
from codesign.workload.record import Tensor

COLUMNS = ("tensor", "role", "memory", "bytes", "why", "start_ps", "end_ps")

_Row = tuple[str, str, str, int, str, int, int]
_Window = tuple[int, int]

_CUT = re.compile(r"(\[\d+:\d+\])+$")
_THERE_BEFORE = ("weight", "constant", "state", "input")
"""Roles of tensors that lie in their home before the run begins."""
_THERE_AFTER = ("weight", "constant", "state", "output")
"""Roles of those that still lie there when it has ended."""


def residency_table(placement: Placement, replay: Replay) -> dict[str, list[str | int]]:
    """Columns tensor, role, memory, bytes, why, start_ps, end_ps.

    ``why`` is ``kept`` for what stays in a memory between the operators that use it, and ``home``
    for what lives there: weights, states, inputs and outputs at the ends of the run too, all else
    from the start of the first operator that moves it to the end of the last one. Tiles that pass
    through a buffer are not in the table.

    Args:
        placement: what stays where.
        replay: when its operators ran.
    """
    rows = list(_stays(placement, replay))
    there = {(tensor, memory) for tensor, _, memory, *_ in rows}
    rows += [row for row in _homes(replay) if (row[0], row[2]) not in there]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}


def _windows(replay: Replay) -> dict[str, _Window]:
    """First and last tick of all runs of an operator, by its name, cut or whole."""
    found: dict[str, _Window] = {}
    for assignment, total in replay.totals:
        for name in _names(assignment):
            start, end = found.get(name, (total.first, total.last))
            found[name] = min(start, total.first), max(end, total.last)
    return found


def _names(assignment: Assignment) -> set[str]:
    """Name of an operator, and of the whole that it is cut from: ``head[0:64]`` is of ``head``."""
    name = assignment.op.name
    return {name, _CUT.sub("", name)}


def _stays(placement: Placement, replay: Replay) -> Iterator[_Row]:
    """What stays, from the load before its first operator to the store after its last one."""
    windows, around = _windows(replay), dict(_around(placement.program))
    for stay in placement.stays:
        start, end = windows[stay.first][0], windows[stay.last][1]
        before, _ = around.get(stay.first, (None, None))
        _, after = around.get(stay.last, (None, None))
        if before is not None and _moves(before, stay.tensor):
            start = min(start, windows[before.op.name][0])
        if after is not None and _moves(after, stay.tensor):
            end = max(end, windows[after.op.name][1])
        if stay.is_for_ever:
            start, end = 0, replay.makespan
        yield _row(stay.tensor, stay.memory, stay.bytes, "kept", start, end)


def _around(
    steps: tuple[Step, ...],
) -> Iterator[tuple[str, tuple[Assignment | None, Assignment | None]]]:
    """The load before and the store after the block that an operator is in, by its name."""
    for block in _blocks(steps):
        if block.preload or block.writeback:
            for step in block.body:
                if isinstance(step, Assignment):
                    for name in _names(step):
                        yield name, (block.preload, block.writeback)


def _moves(assignment: Assignment, tensor: Tensor) -> bool:
    return any(access.tensor.name == tensor.name for access in assignment.op.operands)


def _blocks(steps: tuple[Step, ...]) -> Iterator[Block]:
    for step in steps:
        if isinstance(step, Block):
            yield step
            yield from _blocks(step.body)


def _homes(replay: Replay) -> Iterator[_Row]:
    found: dict[tuple[str, str], tuple[Tensor, int, int]] = {}
    for assignment, total in replay.totals:
        for access, home in zip(assignment.op.operands, assignment.homes, strict=True):
            key = access.tensor.name, home
            _, start, end = found.get(key, (access.tensor, total.first, total.last))
            found[key] = access.tensor, min(start, total.first), max(end, total.last)
    for (_, home), (tensor, start, end) in found.items():
        first = 0 if tensor.role in _THERE_BEFORE else start
        last = replay.makespan if tensor.role in _THERE_AFTER else end
        yield _row(tensor, home, tensor.bytes, "home", first, last)


def _row(tensor: Tensor, memory: str, size: int, why: str, start: int, end: int) -> _Row:
    return tensor.name, tensor.role, memory, size, why, start, end
