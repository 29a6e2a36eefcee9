"""The ledger: every byte and every joule with its operator, component, action and role.

Columns only; half a million rows take 30 MB and sum in milliseconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.hardware.component import Component, Descriptor, Direction, Memory
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.charges import owner, way
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.run import Replay
from codesign.units import PS_PER_S

STATIC = "leakage"
"""Action of the energy that flows whether or not anything happens; its operator is -1."""


@dataclass(frozen=True)
class Ledger:
    """One row per (operator, component, action, role).

    Attributes:
        ops: operator names, in order of first run.
        op: index into ``ops``; -1 for static energy.
        component: name of the part that is charged.
        action: what it did; ``read``, ``write`` and ``move`` count bytes.
        role: role of the tensor moved, "" for what moves none.
        count: how often, or how many bytes.
        energy: joules.
    """

    ops: tuple[str, ...]
    op: NDArray[np.int64]
    component: NDArray[np.str_]
    action: NDArray[np.str_]
    role: NDArray[np.str_]
    count: NDArray[np.int64]
    energy: NDArray[np.float64]

    def energy_by(self, column: str) -> dict[str, float]:
        """Joules by ``component``, ``role``, ``action`` or ``op``, in order of first use."""
        return _grouped(self._keys(column), self.energy.tolist())

    def bytes_of(self, components: frozenset[str]) -> dict[str, int]:
        """Bytes read from and written to some memories, by role."""
        total: Counter[str] = Counter()
        rows = zip(
            self.component.tolist(),
            self.action.tolist(),
            self.role.tolist(),
            self.count.tolist(),
            strict=True,
        )
        for component, action, role, count in rows:
            if component in components and action in ("read", "write") and role:
                total[role] += count
        return dict(total)

    def _keys(self, column: str) -> list[str]:
        if column == "op":
            return [self.ops[index] if index >= 0 else STATIC for index in self.op.tolist()]
        keys: list[str] = getattr(self, column).tolist()
        return keys


def _grouped(keys: list[str], values: list[float]) -> dict[str, float]:
    parts: dict[str, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        parts.setdefault(key, []).append(value)
    return {key: math.fsum(found) for key, found in parts.items()}


Row = tuple[int, str, str, str, int]


def build_ledger(
    placement: Placement, hardware: Hardware, replay: Replay, *, static: bool = True
) -> Ledger:
    """Charges every move and action of all runs in a replay, and of the setup once.

    Args:
        placement: what was replayed.
        hardware: prices.
        replay: how often, how long, and what process engines did.
        static: whether the energy that flows all the time is charged here.

    Raises:
        HardwareError: a component has no energy for an action that was charged to it.
    """
    names: dict[str, int] = {}
    total: Counter[tuple[int, str, str, str]] = Counter()
    known: dict[tuple[object, ...], tuple[Charge, ...]] = {}
    for assignment, times in runs_of(placement, replay):
        index = names.setdefault(assignment.op.name, len(names))
        roles = tuple(access.tensor.role for access in assignment.op.operands)
        key = id(assignment.plan), assignment.engine, assignment.homes, roles
        if key not in known:
            known[key] = tuple(_charges(assignment, hardware))
        for component, action, role, count in known[key]:
            total[(index, component, action, role)] += count * times
    for op, component, action, role, count in _process_charges(replay, hardware):
        total[(names[op], component, action, role)] += count
    rows = [(*key, count) for key, count in total.items() if count]
    energy = [hardware.components[row[1]].energy_j(row[2], row[4]) for row in rows]
    always = _static(hardware, replay) if static else []
    rows += [row for row, _ in always]
    energy += [joules for _, joules in always]
    op_index, components, actions, roles, counts = (
        zip(*rows, strict=True) if rows else ((), (), (), (), ())
    )
    return Ledger(
        tuple(names),
        np.array(op_index, dtype=np.int64),
        np.array(components, dtype=np.str_),
        np.array(actions, dtype=np.str_),
        np.array(roles, dtype=np.str_),
        np.array(counts, dtype=np.int64),
        np.array(energy, dtype=np.float64),
    )


def runs_of(placement: Placement, replay: Replay) -> list[tuple[Assignment, int]]:
    """Every assignment with the number of times it ran in a replay."""
    runs = len(replay.invocations)
    return placement.assignments(runs) if runs else []


Charge = tuple[str, str, str, int]
"""Component, action, role and count of one thing that is charged."""


def _charges(assignment: Assignment, hardware: Hardware) -> Iterator[Charge]:
    """What one run of one assignment is charged."""
    if assignment.plan is None:
        return
    for load in (True, False):
        moves: Counter[Move] = Counter()
        for tile, times in assignment.plan.counts:
            for move in tile.loads if load else tile.stores:
                moves[move] += times
        for move, times in moves.items():
            for component, action, role, size in _way(assignment, move, load, hardware):
                yield component, action, role, size * times
    engine = hardware.engine(assignment.engine)
    for component, action, count in assignment.plan.actions:
        yield owner(component, engine), action, "", count


def _way(assignment: Assignment, move: Move, load: bool, hardware: Hardware) -> Iterator[Charge]:
    """What one move is charged: a memory counts what it serves, a link what it carries."""
    buffer, home = hardware.engine(assignment.engine).buffer, assignment.homes[move.operand]
    role = assignment.op.operands[move.operand].tensor.role
    source, target = (home, buffer) if load else (buffer, home)
    for name, action in way(source, target, hardware):
        part = hardware.components[name]
        size = _served(part, move, action) if isinstance(part, Memory) else move.bytes
        yield name, action, role, size


def _served(memory: Memory, move: Move, action: str) -> int:
    """Bytes that a memory moves for a move, whose rows are as equal as whole bytes allow."""
    length, longer = divmod(move.bytes, move.rows)
    direction: Direction = "read" if action == "read" else "write"
    rows = (length + 1, longer), (length, move.rows - longer)
    return sum(
        memory.served_bytes(Descriptor(size, count, move.pitch, direction))
        for size, count in rows
        if size and count
    )


def moved_bytes(placement: Placement, hardware: Hardware, replay: Replay) -> Counter[str]:
    """Bytes that each operator moved between its engine's buffer and other memories."""
    total: Counter[str] = Counter()
    for assignment, times in runs_of(placement, replay):
        buffer = hardware.engine(assignment.engine).buffer
        for moved in (assignment.plan.loaded, assignment.plan.stored) if assignment.plan else ():
            for operand, size in moved.items():
                total[assignment.op.name] += size * times * (assignment.homes[operand] != buffer)
    for assignment, _, size, _ in replay.moves:
        total[assignment.op.name] += size
    return total


def _process_charges(
    replay: Replay, hardware: Hardware
) -> Iterator[tuple[str, str, str, str, int]]:
    for assignment, operand, size, load in replay.moves:
        for charge in _way(assignment, Move(operand, size), load, hardware):
            yield (assignment.op.name, *charge)
    for assignment, component, action, count in replay.actions:
        charged = owner(component, hardware.engine(assignment.engine))
        yield assignment.op.name, charged, action, "", count


def _static(hardware: Hardware, replay: Replay) -> list[tuple[Row, float]]:
    def joules(part: Component) -> float:
        return part.leakage * replay.makespan / PS_PER_S

    parts = [part for part in hardware.components.values() if part.leakage]
    return [((-1, part.name, STATIC, "", 1), joules(part)) for part in parts]
