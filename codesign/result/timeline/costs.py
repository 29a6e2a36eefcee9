"""What one run of an operator costs in the mean, for the counters and the slices of a timeline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.result.ledger import charged_runs
from codesign.result.timeline.runs import Part

_MOVED = ("read", "write", "move")
"""Actions of a component that count the bytes which it serves or carries."""

Counts: TypeAlias = "defaultdict[tuple[str, str], int | Fraction]"
"""How often, or how many bytes, by component and action."""


@dataclass(frozen=True)
class Cost:
    """One run of one assignment, a mean over all of its runs in a session.

    Attributes:
        energy_j: dynamic energy.
        bytes_by_component: what each memory read and wrote, and what each link carried.
        bytes_by_role: what moved between the engine's buffer and other memories.
    """

    energy_j: float
    bytes_by_component: Mapping[str, float]
    bytes_by_role: Mapping[str, int]


def run_costs(part: Part, hardware: Hardware) -> dict[int, Cost]:
    """The cost of a run of each assignment, by its identity.

    A run of an assignment with a plan is like any other; of a process engine it is the mean. All
    runs together cost what the ledger charges operators.
    """
    placement, replay = part.placement, part.replay
    runs: Counter[int] = Counter()
    for assignment, total in replay.totals:
        runs[id(assignment)] += total.runs
    found: dict[int, tuple[Assignment, Counts]] = {}
    for assignment, times, charges in charged_runs(placement, hardware, replay):
        counts = found.setdefault(id(assignment), (assignment, defaultdict(int)))[1]
        for component, action, _, count in charges:
            counts[component, action] += count * times
    sizes = _process_bytes(part)
    return {
        key: _cost(assignment, counts, runs[key], hardware, sizes.get(key))
        for key, (assignment, counts) in found.items()
        if runs[key]
    }


def _cost(
    assignment: Assignment,
    counts: Counts,
    runs: int,
    hardware: Hardware,
    moved: Counter[str] | None,
) -> Cost:
    parts = hardware.components
    energy = sum(parts[c].energy_j(action, float(n)) for (c, action), n in counts.items() if n)
    carriers = {part.name for part in (*hardware.memories, *hardware.links)}
    served: defaultdict[str, int | Fraction] = defaultdict(int)
    for (component, action), count in counts.items():
        if action in _MOVED and component in carriers:
            served[component] += count
    roles = _plan_bytes(assignment, hardware) if moved is None else moved
    return Cost(
        energy / runs,
        {name: float(Fraction(size) / runs) for name, size in served.items() if size},
        {role: size if moved is None else round(size / runs) for role, size in roles.items()},
    )


def _plan_bytes(assignment: Assignment, hardware: Hardware) -> Counter[str]:
    found: Counter[str] = Counter()
    plan, engine = assignment.plan, hardware.engine(assignment.engine)
    for moved in (plan.loaded, plan.stored) if plan else ():
        for operand, size in moved.items():
            if assignment.homes[operand] != assignment.stage(operand, engine):
                tensor = assignment.op.operands[operand].tensor
                found[tensor.role] += tensor.home_bytes(size)
    return found


def _process_bytes(part: Part) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for assignment, operand, size, _ in part.replay.moves:
        tensor = assignment.op.operands[operand].tensor
        found.setdefault(id(assignment), Counter())[tensor.role] += tensor.home_bytes(size)
    return found
