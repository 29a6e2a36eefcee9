"""Loop orders as tables: how often what lies below each place comes, and how large it is."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from codesign.mapping.hierarchy.orders import Orders
from codesign.mapping.hierarchy.spec import USES
from codesign.mapping.hierarchy.states import Ints


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
            changes = np.isin(np.arange(4), USES[operand])[self.rows.loops] & (steps > 1)
            fills, unlike = np.ones_like(self.left), np.ones_like(self.left)
            own = np.where(changes, steps, 1)
            unlike[:, :-1] = np.cumprod(own[:, ::-1], axis=1)[:, ::-1]
            for loop in reversed(range(steps.shape[1])):
                fills[:, loop] = np.where(changes[:, loop], self.left[:, loop], fills[:, loop + 1])
            self._fills[operand] = fills, unlike
        return self._fills[operand]

    def look(self, operand: int, table: Ints) -> Ints:
        """Entries of a table of ``States`` at each place, of shape (rows, places)."""
        first, second, third = (self.rows.states[:, number] for number in USES[operand])
        found: Ints = table[first, second, third]
        return found


def pick(table: Ints, place: Ints) -> Ints:
    """The entry of each row at its place."""
    found: Ints = table[np.arange(len(table)), place]
    return found


def whole(bits: Ints, access: int) -> Ints:
    """Bits in whole accesses."""
    return -(-bits // access) * access
