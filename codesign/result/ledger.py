"""The ledger: every byte and every joule with its operator, component, action and role.

Columns only; half a million rows take 30 MB and sum in milliseconds.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from codesign.errors import HardwareError
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.allocate import Addresses, allocate, base_of, phases
from codesign.mapping.charges import owner
from codesign.mapping.kept import KeptOf, Mark
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.recall import Recall
from codesign.mapping.watched import Watcher
from codesign.replay.known import content, is_small
from codesign.replay.run import Replay
from codesign.result.static import Row, static_name, static_rows
from codesign.result.ways import Charge, Ways

_ROWS = 1 << 17
"""Rows of all ledgers that are kept without their energy (assumed)."""
_MEASURED = 4096
"""Parts of replays that are told apart (assumed)."""

_MOST = 2**63 - 1

_known = Recall["_Charged"](_ROWS)
_measured = KeptOf[object, Mark](_MEASURED, lambda _: Mark(None))
_watcher = Watcher()


@dataclass(frozen=True)
class Ledger:
    """One row per (operator, component, action, role).

    Attributes:
        ops: operator names, in order of first run.
        op: index into ``ops``; -1 for static energy.
        component: name of the part that is charged.
        action: what it did; ``read``, ``write`` and ``move`` count bytes, power states ticks.
        role: role of the tensor moved, "" for what moves none.
        count: how often, or how many bytes; rounded where it is a mean, its energy is not.
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
        """Joules by ``component``, ``role``, ``action`` or ``op``, in order of first use.

        What flows whatever runs is ``static`` among operators, and ``static (no operator)`` where
        an operator has that name.
        """
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
            static = static_name(self.ops)
            return [self.ops[index] if index >= 0 else static for index in self.op.tolist()]
        keys: list[str] = getattr(self, column).tolist()
        return keys


def _grouped(keys: list[str], values: list[float]) -> dict[str, float]:
    parts: dict[str, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        parts.setdefault(key, []).append(value)
    return {key: math.fsum(found) for key, found in parts.items()}


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
        HardwareError: a component has no energy for an action that was charged to it, or does it
            more often than 64 bits count.
    """
    found = _find_charged(placement, hardware, replay)
    parts = hardware.components
    energy = [parts[name].energy_j(action, count) for name, action, count in found.spent]
    rows = static_rows(hardware, replay, replay.makespan) if static else []
    return _joined(replace(found.ledger, energy=np.array(energy, dtype=np.float64)), rows)


@dataclass(frozen=True)
class _Charged:
    """What a replay is charged, before anybody has said what it costs.

    Attributes:
        ledger: all rows, without their energy.
        spent: component, action and exact count of each row.
    """

    ledger: Ledger
    spent: tuple[tuple[str, str, float], ...]


def _find_charged(placement: Placement, hardware: Hardware, replay: Replay) -> _Charged:
    """What a replay is charged, the same again for machines that differ in prices alone."""
    if not is_small(placement):
        return _charged(placement, hardware, replay)
    machine = _watcher.watched(hardware)
    measured = replay.log, replay.uses, replay.actions, replay.moves
    own = tuple([_measured.of(one) for one in measured]), len(replay.invocations)
    question = content(placement), own, machine.kinds
    found = _known.find(question, machine.inputs)
    if found is None:
        found = _charged(placement, machine.twin, replay)
        _known.keep(question, machine.inputs, found, len(found.spent))
    return found


def _charged(placement: Placement, hardware: Hardware, replay: Replay) -> _Charged:
    names: dict[str, int] = {}
    total: defaultdict[tuple[int, str, str, str], int | Fraction] = defaultdict(int)
    for assignment, times, charges in charged_runs(placement, hardware, replay):
        index = names.setdefault(assignment.op.name, len(names))
        for component, action, role, count in charges:
            total[(index, component, action, role)] += count * times
    spent = [(key, count) for key, count in total.items() if count]
    ledger = _from_rows(tuple(names), [((*key, round(count)), 0.0) for key, count in spent])
    return _Charged(ledger, tuple([(key[1], key[2], float(count)) for key, count in spent]))


def static_ledger(hardware: Hardware, replay: Replay, span: int) -> Ledger:
    """What flows whatever moves, in a ledger of its own, see ``static_rows``."""
    return _from_rows((), static_rows(hardware, replay, span))


def _from_rows(names: tuple[str, ...], charged: Sequence[tuple[Row, float]]) -> Ledger:
    rows = [row for row, _ in charged]
    for op, component, action, _, count in rows:
        if count > _MOST:
            place = names[op] if op >= 0 else "always"
            raise HardwareError(
                f"{place}: {component} is charged {float(count):.3g} x {action!r}, and a result "
                "counts to 2**63 - 1; run fewer steps"
            )
    op_index, components, actions, roles, counts = (
        zip(*rows, strict=True) if rows else ((), (), (), (), ())
    )
    return Ledger(
        names,
        np.array(op_index, dtype=np.int64),
        np.array(components, dtype=np.str_),
        np.array(actions, dtype=np.str_),
        np.array(roles, dtype=np.str_),
        np.array(counts, dtype=np.int64),
        np.array([joules for _, joules in charged], dtype=np.float64),
    )


def _joined(ledger: Ledger, charged: Sequence[tuple[Row, float]]) -> Ledger:
    """A ledger with further rows, in columns of its own."""
    more = _from_rows((), charged)
    columns = ("op", "component", "action", "role", "count", "energy")
    return Ledger(
        ledger.ops, *(np.concatenate([getattr(ledger, c), getattr(more, c)]) for c in columns)
    )


def runs_of(placement: Placement, replay: Replay) -> list[tuple[Assignment, int]]:
    """Every assignment with the number of times it ran in a replay."""
    runs = len(replay.invocations)
    return placement.assignments(runs) if runs else []


def charged_runs(
    placement: Placement, hardware: Hardware, replay: Replay
) -> Iterator[tuple[Assignment, int, tuple[Charge, ...]]]:
    """Everything that a replay charges: an assignment, how often, and what for each time.

    Every assignment comes with its number of runs and what one of them is charged; then those of
    process engines again, once, with what all of their runs did.
    """
    known: dict[tuple[object, ...], tuple[Charge, ...]] = {}
    ways = Ways(hardware, replay.uses)
    addresses = allocate(placement, hardware)
    for assignment, times in runs_of(placement, replay):
        roles = tuple(access.tensor.role for access in assignment.op.operands)
        where = assignment.homes, phases(assignment, addresses, hardware)
        key = id(assignment.plan), assignment.engine, *where, roles
        if key not in known:
            known[key] = tuple(_charges(assignment, addresses, ways))
        yield assignment, times, known[key]
    for assignment, charge in _process_charges(replay, ways):
        yield assignment, 1, (charge,)


def _charges(assignment: Assignment, addresses: Addresses, ways: Ways) -> Iterator[Charge]:
    """What one run of one assignment is charged."""
    if assignment.plan is None:
        return
    for load in (True, False):
        moves: Counter[Move] = Counter()
        for tile, times in assignment.plan.counts:
            for move in tile.loads if load else tile.stores:
                moves[move] += times
        for move, times in moves.items():
            base = base_of(assignment, move.operand, addresses)
            for component, action, role, size in ways.charges(assignment, move, load, base):
                yield component, action, role, size * times
    engine = ways.hardware.engine(assignment.engine)
    for component, action, count in assignment.plan.actions:
        yield owner(component, engine), action, "", count


def moved_bytes(placement: Placement, hardware: Hardware, replay: Replay) -> Counter[str]:
    """Bytes that each operator moved between its engine's buffer and other memories."""
    total: Counter[str] = Counter()
    for assignment, times in runs_of(placement, replay):
        engine, op = hardware.engine(assignment.engine), assignment.op
        for moved in (assignment.plan.loaded, assignment.plan.stored) if assignment.plan else ():
            for operand, size in moved.items():
                away = assignment.homes[operand] != assignment.stage(operand, engine)
                total[op.name] += op.operands[operand].tensor.home_bytes(size) * times * away
    for assignment, operand, size, _ in replay.moves:
        tensor = assignment.op.operands[operand].tensor
        total[assignment.op.name] += tensor.home_bytes(size)
    return total


def _process_charges(replay: Replay, ways: Ways) -> Iterator[tuple[Assignment, Charge]]:
    for assignment, operand, size, load in replay.moves:
        for charge in ways.charges(assignment, Move(operand, size), load):
            yield assignment, charge
    for assignment, component, action, count in replay.actions:
        charged = owner(component, ways.hardware.engine(assignment.engine))
        yield assignment, (charged, action, "", count)
