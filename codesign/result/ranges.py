"""How much of a run rests on engines that are asked outside of what they were fitted on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from codesign.hardware.machine import Hardware
from codesign.mapping.placement import Assignment, Placement
from codesign.workload.record import Op

_REASONS = 2
"""Most reasons that a note names."""


@runtime_checkable
class Ranged(Protocol):
    """An engine that knows what its constants were fitted on."""

    name: str

    def beyond(self, op: Op) -> str:
        """In what an operator lies outside of that, for people; "" if it lies inside.

        Args:
            op: an operator that the engine takes.
        """


def range_notes(placement: Placement, hardware: Hardware) -> tuple[str, ...]:
    """One line for each engine that ran operators outside of what its constants were fitted on.

    It says which share of the time that the engine computed, and why of the longest ones.

    Args:
        placement: what ran where.
        hardware: the engines.
    """
    return tuple(
        note
        for engine in hardware.engines
        if isinstance(engine, Ranged) and (note := _note(engine, placement))
    )


def _note(engine: Ranged, placement: Placement) -> str:
    total, reasons = 0.0, dict[str, float]()
    for assignment, seconds in _times(engine.name, placement):
        total += seconds
        reason = engine.beyond(assignment.op)
        if reason:
            reasons[reason] = reasons.get(reason, 0.0) + seconds
    if not reasons:
        return ""
    longest = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
    more = len(longest) - _REASONS
    rest = f" and {more} more" if more > 0 else ""
    share = math.fsum(reasons.values()) / total if total else 0.0
    return (
        f"{engine.name}: {share:.1%} of its time is of operators outside of what it was fitted on: "
        f"{'; '.join(longest[:_REASONS])}{rest}"
    )


def _times(engine: str, placement: Placement) -> Iterator[tuple[Assignment, float]]:
    """What an engine runs, with the seconds that it computes for it in all."""
    for assignment, times in placement.assignments():
        plan = assignment.plan
        if assignment.engine == engine and plan is not None:
            yield assignment, plan.cycles / plan.clock_hz * times
