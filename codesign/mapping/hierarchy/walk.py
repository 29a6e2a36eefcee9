"""Loop orders as tables: how often what lies below each place comes, and how large it is."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from codesign.mapping.hierarchy.orders import Orders
from codesign.mapping.hierarchy.spec import USES
from codesign.mapping.hierarchy.states import Ints

_USED = np.array([[number in used for number in range(4)] for used in USES])
"""Whether each operand depends on each class."""


class Walk:
    """What loop orders do to operands.

    Attributes:
        rows: the orders.
        left: steps of all loops above each place, of shape (rows, places).
    """

    def __init__(self, rows: Orders) -> None:
        self.rows = rows
        self.places = rows.steps.shape[1] + 1
        self._fills: dict[int, tuple[Ints, Ints]] = {}
        self._entries: dict[int, Ints] = {}

    @cached_property
    def left(self) -> Ints:
        """Steps of all loops above each place."""
        steps = self.rows.steps
        found = np.ones((len(steps), self.places), dtype=np.int64)
        found[:, :-1] = np.cumprod(steps[:, ::-1], axis=1)[:, ::-1]
        return found

    def fills(self, operand: int) -> tuple[Ints, Ints]:
        """How often what lies below each place comes, and how many different ones there are.

        It stays while only loops advance that do not change it, up to the first one that does.
        """
        if operand not in self._fills:
            steps = self.rows.steps
            changes = _USED[operand][self.rows.loops] & (steps > 1)
            fills, unlike = np.ones_like(self.left), np.ones_like(self.left)
            own = np.where(changes, steps, 1)
            unlike[:, :-1] = np.cumprod(own[:, ::-1], axis=1)[:, ::-1]
            # of the loops from a place on, the first that changes it has most steps above it
            above = np.where(changes, self.left[:, :-1], 1)
            fills[:, :-1] = np.maximum.accumulate(above[:, ::-1], axis=1)[:, ::-1]
            self._fills[operand] = fills, unlike
        return self._fills[operand]

    def look(self, operand: int, table: Ints) -> Ints:
        """Entries of a table of ``States`` at each place, of shape (rows, places)."""
        if operand not in self._entries:
            first, second, third = (self.rows.states[:, number] for number in USES[operand])
            _, across, deep = table.shape  # all tables of an operand have one shape
            self._entries[operand] = (first * across + second) * deep + third
        return table.ravel().take(self._entries[operand])


def pick(table: Ints, place: Ints) -> Ints:
    """The entry of each row at its place."""
    found: Ints = table[np.arange(len(table)), place]
    return found


def whole(bits: Ints, access: int) -> Ints:
    """Bits in whole accesses."""
    return -(-bits // access) * access
