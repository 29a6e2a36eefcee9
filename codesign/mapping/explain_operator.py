"""From the name of an operator to the plans that run it."""

from __future__ import annotations

from collections.abc import Collection

from codesign.errors import MappingError
from codesign.hardware.objective import Objective
from codesign.hardware.spec import Hardware
from codesign.mapping.answers import refusals
from codesign.mapping.assign.ask import Engines
from codesign.mapping.explain import Explanation, explain
from codesign.mapping.fixed import near
from codesign.mapping.fixed_file import Entry
from codesign.mapping.fixed_notes import compare
from codesign.mapping.place import place_planned
from codesign.mapping.residency import Residency
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace


def explain_operator(
    trace: Trace,
    hardware: Hardware,
    name: str,
    residency: Residency | str = "region",
    engines: Engines | str = "earliest",
    mappings: tuple[Entry, ...] = (),
    objective: Objective | str | None = None,
) -> tuple[Explanation, ...]:
    """Explains an operator as it runs with all others of a trace.

    Args:
        trace: the model.
        hardware: engines, memories and links.
        name: of an operator, or of a part of an attention (``attention.qk``).
        residency: as for ``place``.
        engines: as for ``place``.
        mappings: as for ``place``.
        objective: as for ``place``.

    Returns:
        One explanation; several of an attention in parts, or of an operator that is cut because
        part of a weight stays on chip or several engines share it.

    Raises:
        MappingError: no such operator, no engine takes it (each one's reason is given), its engine
            is a process without a plan, or whatever ``place`` raises.
    """
    names = _parts(trace, hardware, name)
    placement, plans = place_planned(trace, hardware, residency, engines, mappings, objective)
    ones = [(one, times) for one, times in placement.assignments() if _whole(one.op.name, names)]
    found = [explain(one, times, plans.paths, compare(one, plans)) for one, times in ones]
    kept = tuple(one for one in found if one is not None)
    if not kept:
        raise MappingError(
            f"{name} runs on {ones[0][0].engine}, which is a process and has no plan to explain; "
            "its times are in the result of a simulation"
        )
    return kept


def _parts(trace: Trace, hardware: Hardware, name: str) -> set[str]:
    """Names under which an operator runs, all of which some engine takes."""
    ops: dict[str, tuple[Op, ...]] = {}
    for op, _ in trace.ops():
        ops[op.name] = (op,)
        if op.kind == "attention" and len(refusals(op, hardware.engines)) == len(hardware.engines):
            ops[op.name] = attention_parts(op)
            ops |= {part.name: (part,) for part in ops[op.name]}
    if name not in ops:
        raise MappingError(f"{trace.name} has no operator {name!r}{near(name, list(ops))}")
    for op in ops[name]:
        reasons = refusals(op, hardware.engines)
        if len(reasons) == len(hardware.engines):
            why = "; ".join(f"{engine}: {reason}" for engine, reason in reasons.items())
            raise MappingError(
                f"no engine of {hardware.name} takes {op.name!r}: {why}; add an engine that does, "
                "or change the precision with --dtype"
            )
    return {op.name for op in ops[name]}


def _whole(operator: str, names: Collection[str]) -> bool:
    """Whether an operator of the program has one of these names, or is some columns of it."""
    return operator in names or (operator.endswith("]") and operator.rpartition("[")[0] in names)
