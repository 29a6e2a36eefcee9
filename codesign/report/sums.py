"""Energy and bytes of a saved result, grouped for figures and tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from codesign.report.saved import Saved
from codesign.result.static import COMPUTING, STATIC, static_name

_MOVES = ("read", "write", "move")


@dataclass(frozen=True)
class Stack:
    """Amounts by row and by part of each row.

    Attributes:
        rows: names of rows, as they are drawn from the top.
        parts: names of parts, as they are stacked from the left.
        values: by (row, part); what is not there is nothing.
        folded: rows that were left out.
        others: their sum.
    """

    rows: tuple[str, ...]
    parts: tuple[str, ...]
    values: dict[tuple[str, str], float]
    folded: int = 0
    others: float = 0.0

    def row(self, name: str) -> float:
        """Sum of a row."""
        return math.fsum(self.values.get((name, part), 0.0) for part in self.parts)

    @property
    def total(self) -> float:
        """Sum of all rows that are there."""
        return math.fsum(self.values.values())

    def largest(self, most: int) -> Stack:
        """The largest rows in falling order; all others are only told of."""
        order = sorted(self.rows, key=lambda name: (-self.row(name), _natural(name)))
        kept, rest = order[:most], order[most:]
        values = {key: value for key, value in self.values.items() if key[0] in set(kept)}
        others = math.fsum(map(self.row, rest))
        return Stack(tuple(kept), self.parts, values, len(rest), others)


def _natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorts block 2 before block 10."""
    found = re.findall(r"(\d{1,18})|(\D+|\d)", name)
    return tuple((not digits, int(digits or 0), text) for digits, text in found)


def _stack(amounts: Iterable[tuple[str, str, float]]) -> Stack:
    parts: dict[tuple[str, str], list[float]] = {}
    for row, part, amount in amounts:
        if amount:
            parts.setdefault((row, part), []).append(amount)
    values = {key: math.fsum(found) for key, found in parts.items()}
    rows, names = ({key[place]: None for key in values} for place in (0, 1))
    return Stack(tuple(rows), tuple(names), values)


def energy_by_component(saved: Saved) -> Stack:
    """Joules by component, and by cause: dynamic, leakage, background."""
    return _stack(
        (component, _cause(op, action), joules)
        for op, component, action, _, _, joules in _rows(saved)
    )


def energy_by_role(saved: Saved) -> Stack:
    """Joules by role of the tensor that moves, and by component."""
    return _stack(
        (STATIC if op is None else role or COMPUTING, component, joules)
        for op, component, _, role, _, joules in _rows(saved)
    )


def energy_by_operator(saved: Saved) -> Stack:
    """Joules by operator, and by component."""
    static = static_name({op for op in saved.ledger["op"] if op is not None})
    return _stack(
        (static if op is None else op, component, joules)
        for op, component, _, _, _, joules in _rows(saved)
    )


def bytes_by_component(saved: Saved) -> Stack:
    """Bytes of tensors that each memory and link reads, writes or carries, by role."""
    return _stack(
        (component, role, count)
        for _, component, action, role, count, _ in _rows(saved)
        if role and action in _MOVES
    )


def bytes_by_operator(saved: Saved, components: frozenset[str]) -> Stack:
    """Bytes that some components read, write or carry for each operator, by role."""
    return _stack(
        (op, role, count)
        for op, component, action, role, count, _ in _rows(saved)
        if op is not None and role and action in _MOVES and component in components
    )


def counts_by_role(saved: Saved, component: str, actions: Iterable[str]) -> dict[str, int]:
    """How often a component did some actions, by role of the tensor."""
    wanted, found = frozenset(actions), dict[str, int]()
    for _, name, action, role, count, _ in _rows(saved):
        if name == component and action in wanted and role:
            found[role] = found.get(role, 0) + count
    return found


def _cause(op: str | None, action: str) -> str:
    if op is not None:
        return "dynamic"
    return "leakage" if action == "leakage" else "background"


def _rows(saved: Saved) -> Iterable[tuple[str | None, str, str, str, int, float]]:
    names = ("op", "component", "action", "role", "count", "energy_j")
    return zip(*(saved.ledger[name] for name in names), strict=True)
