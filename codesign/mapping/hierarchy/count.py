"""What loop orders cost inside the array: bits and joules of every store and stage."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.homes import Homes, find_homes, innermost
from codesign.mapping.hierarchy.spec import RESULT, Store
from codesign.mapping.hierarchy.states import Ints
from codesign.mapping.hierarchy.walk import Walk, pick, whole

Floats = NDArray[np.float64]
Actions = dict[tuple[str, str], Ints]
"""Bits by (memory, action): stores by name, stages by their number as text."""


@dataclass
class Counted:
    """What loop orders do.

    Attributes:
        homes: what comes from home.
        energy_j: joules of stores, stages and home, not of the cells themselves.
        actions: bits read and written, loads from home apart.
        fits: whether everything has room.
    """

    homes: Homes
    energy_j: Floats
    actions: Actions
    fits: NDArray[np.bool_]

    def port_bits(self, memory: str) -> Ints:
        """Bits that the array reads and writes in a memory."""
        found = [self.actions[memory, a] for a in ("read", "write") if (memory, a) in self.actions]
        return sum(found, np.zeros(len(self.fits), dtype=np.int64))


@dataclass
class Counter:
    """Charges the memories of one operator.

    Attributes:
        batch: the operator.
        walk: its loop orders.
    """

    batch: Batch
    walk: Walk
    actions: Actions = field(default_factory=dict)

    def run(self) -> Counted:
        """Counts everything."""
        rows = len(self.walk.rows.steps)
        self.spread = self.batch.spread(self.walk.rows.cut)
        self.energy = np.zeros(rows)
        self.fits = np.ones(rows, dtype=bool)
        tops = [self._stores(operand) for operand in range(3)]
        homes = find_homes(self.batch, self.walk, innermost(tops))
        for operand in range(3):
            self._stage(operand, tops[operand], homes)
        return Counted(homes, self.energy, self.actions, self.fits & homes.fits)

    def _stores(self, operand: int) -> Ints:
        """Charges the stores of an operand; the place above the last one."""
        place = np.zeros(len(self.fits), dtype=np.int64)
        for depth, store in enumerate(self.batch.array.stores_of(operand)):
            mine = self._sizes(operand, store.shared)
            copies = self._instances(store.shared)
            if depth == 0:
                self._feed(operand, store, copies * whole(mine[:, 0], store.access_bits))
            else:
                self._exchange(operand, store, self._distinct(operand, place), place, below=True)
            room = mine <= store.bits
            self.fits &= room[:, 0]
            place = np.maximum(place, room.sum(axis=1) - 1)
            size = copies * whole(pick(mine, place), store.access_bits)
            self._exchange(operand, store, size, place, below=False)
        return place

    def _feed(self, operand: int, store: Store, size: Ints) -> None:
        """What the cells read in every cycle, and of sums write too."""
        every = self.walk.left[:, 0] * size
        self._charge(store.name, "read", every, store.read_j)
        if operand == RESULT:
            self._charge(store.name, "write", every, store.write_j)

    def _exchange(
        self, operand: int, store: Store, size: Ints, place: Ints, *, below: bool
    ) -> None:
        """What a store exchanges with the one below or above it; sums come back until complete."""
        times, first = (pick(table, place) for table in self.walk.fills(operand))
        if below:
            size = whole(size * self.batch.one.width(operand), store.access_bits)
        goes, comes = ("write", "read") if below else ("read", "write")
        prices = {"read": store.read_j, "write": store.write_j}
        if operand == RESULT:
            self._charge(store.name, goes, size * times, prices[goes])
            self._charge(store.name, comes, size * (times - first), prices[comes])
        else:
            self._charge(store.name, comes, size * times, prices[comes])

    def _stage(self, operand: int, place: Ints, homes: Homes) -> None:
        """Charges the stage of an operand and its home."""
        array = self.batch.array
        number = array.stage_of(operand)
        stage, name = array.stages[number], str(number)
        moved = homes.moved[:, operand]
        if stage.cells:
            every = self.walk.left[:, 0] * self._instances(()) * self.batch.one.width(operand)
            self._charge(name, "read", every, stage.read_j)
            again = moved * (self._copies(operand) - 1)
            self._charge(name, "write", again, stage.write_j)
        elif not array.stores_of(operand):
            size = whole(
                self._distinct(operand, place * 0) * self.batch.one.bits[operand], stage.access_bits
            )
            self._charge(name, "read", self.walk.left[:, 0] * size, stage.read_j)
        else:
            self._from_stage(operand, place)
        if operand == RESULT:
            self._charge(name, "store", moved, stage.read_j + array.home_write_j)
        else:
            self._charge(name, "load", moved, stage.write_j + array.home_read_j)

    def _from_stage(self, operand: int, place: Ints) -> None:
        array, bits = self.batch.array, self.batch.one.bits[operand]
        number = array.stage_of(operand)
        stage, name = array.stages[number], str(number)
        times, first = (pick(table, place) for table in self.walk.fills(operand))
        elements = self._distinct(operand, place)
        size = whole(elements * bits, stage.access_bits)
        if operand != RESULT:
            self._charge(name, "read", size * times, stage.read_j)
            return
        partial = whole(elements * array.sum_bits, stage.access_bits) * (times - first)
        self._charge(name, "write", size * first + partial, stage.write_j)
        self._charge(name, "read", partial, stage.read_j)

    # -- sizes -----------------------------------------------------------------------------------

    def _sizes(self, operand: int, shared: tuple[int, ...]) -> Ints:
        """Bits of an operand below each place that one instance sees."""
        found = self.walk.look(operand, self.batch.table(operand, shared))
        return found * self.batch.one.width(operand)

    def _distinct(self, operand: int, place: Ints) -> Ints:
        """Elements of an operand below a place, all over the array."""
        return pick(self.walk.look(operand, self.batch.table(operand)), place)

    def _instances(self, shared: tuple[int, ...]) -> Ints:
        """Instances of a store in use, by row."""
        return self.batch.instances(shared)[self.spread]

    def _copies(self, operand: int) -> Ints:
        """Cells that hold the same element of an operand, by row."""
        return self.batch.copies(operand)[self.spread]

    def _charge(self, memory: str, action: str, bits: Ints, price: float) -> None:
        self.energy += bits * price
        known = self.actions.get((memory, action))
        self.actions[memory, action] = bits if known is None else known + bits
