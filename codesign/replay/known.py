"""Replays that have been played before, for the points of a sweep that only differ elsewhere.

A replay follows from a placement and from what it asks of the components: rates, set-ups, classes
of transfers. Points that differ in what it does not read, such as an energy, share it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TypeAlias

from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.kept import KeptOf, Mark, Marks
from codesign.mapping.placement import Assignment, Placement, Step
from codesign.mapping.recall import Recall
from codesign.mapping.watched import Watcher
from codesign.replay.budget import MOST_EVENTS
from codesign.replay.result import Replay
from codesign.replay.run import replay
from codesign.workload.record import Op, Trace

_OPS = 1 << 15
"""Operators of all replays that are kept (assumed); a placement of more is played every time."""
_TRACES = 64
"""Traces that are told apart (assumed)."""

Content: TypeAlias = "tuple[Hashable, ...]"

_known = Recall[Replay](_OPS)
_watcher = Watcher()
_ops = Marks[Op](_OPS, lambda op: op)
_plans = Marks[TilePlan](_OPS, lambda plan: plan)
_traces = KeptOf[Trace, Mark](_TRACES, lambda _: Mark(None))


def replay_once(placement: Placement, hardware: Hardware, most_events: int = MOST_EVENTS) -> Replay:
    """As ``replay``, but what it would measure once more is not played through again.

    Args:
        placement: what runs where.
        hardware: the same hardware that it was placed on.
        most_events: how many events it may handle, where it is played.
    """
    if not is_small(placement):
        return replay(placement, hardware, most_events=most_events)
    machine = _watcher.watched(hardware)
    question = content(placement), machine.kinds
    found = _known.find(question, machine.inputs)
    if found is None:
        found = replay(placement, machine.twin, most_events=most_events)
        _known.keep(question, machine.inputs, found, len(found.program))
    own = _own(found, placement)
    # nobody who changes what is his changes that of others
    return replace(own, busy=dict(found.busy), moved=dict(found.moved))


def _own(found: Replay, placement: Placement) -> Replay:
    """A replay of an equal placement, told in the assignments of this one."""
    own = tuple([one for one, _ in placement.assignments()])
    if all(one is mine for one, mine in zip(found.program, own, strict=True)):
        return found
    ours = {id(one): mine for one, mine in zip(found.program, own, strict=True)}
    return replace(
        found,
        program=own,
        actions=tuple([(ours[id(action[0])], *action[1:]) for action in found.actions]),
        moves=tuple([(ours[id(move[0])], *move[1:]) for move in found.moves]),
    )


def is_small(placement: Placement) -> bool:
    """Whether there is room for a placement among what is kept."""
    return len(placement.assignments()) <= _OPS


def content(placement: Placement) -> Content:
    """All of a placement that a replay depends on, quick to compare."""
    steps = (*placement.setup, None, *placement.program)
    return _traces.of(placement.trace), placement.home, _steps(steps)


def _steps(steps: tuple[Step | None, ...]) -> Content:
    return tuple([_step(step) for step in steps])


def _step(step: Step | None) -> Content:
    if step is None:
        return ()
    if isinstance(step, Assignment):
        return _assignment(step)
    around = _step(step.preload), _step(step.writeback), bool(step.residences)
    return step.region.name, step.region.steps, around, _steps(step.body)


def _assignment(one: Assignment) -> Content:
    plan = None if one.plan is None else _plans.of(one.plan)
    where = one.engine, one.homes, one.stages, one.budget_bytes
    return _ops.of(one.op), plan, where, one.reuses, one.piece
