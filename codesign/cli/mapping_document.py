"""The JSON document of ``codesign mapping show``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from codesign.cli.mapping_report import best_of
from codesign.mapping.explain import Explanation, Taken


def document(one: Explanation) -> dict[str, Any]:
    """All figures of an operator in SI units and bytes; of a fixed one those of the best too."""
    found = _figures(one)
    if one.compared is not None:
        best = best_of(one)
        found["best"] = _figures(best) if best else None
    return found


def _figures(one: Explanation) -> dict[str, Any]:
    return {
        "operator": one.op.name,
        "kind": one.op.kind,
        "engine": one.engine.name,
        "engine_kind": one.engine.kind,
        "runs": one.times,
        "objective": None if one.budget.objective is None else str(one.budget.objective),
        "tiles": one.plan.tiles,
        "time_s": one.seconds,
        "energy_j": one.energy_j,
        "loops": [asdict(loop) for loop in one.nest],
        "operands": [asdict(operand) for operand in one.operands],
        "rooms": [_room(room) for room in one.taken],
        "actions": [asdict(action) for action in one.actions],
        "clock_hz": one.plan.clock_hz,
        "cycles": one.plan.cycles,
        "cycles_by_cause": dict(one.cycles),
        "busy_s": dict(one.limits),
        "bound": one.bound,
    }


def _room(room: Taken) -> dict[str, Any]:
    (inputs, input_bytes), (results, result_bytes) = room.slots
    return {
        "memory": room.memory,
        "granted_bytes": room.granted,
        "taken_bytes": room.bytes,
        "held_bytes": room.held,
        "input_slots": inputs,
        "input_slot_bytes": input_bytes,
        "result_slots": results,
        "result_slot_bytes": result_bytes,
    }
