"""An array of cells with memories inside: what the mapper needs to know of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ACTIVATION, WEIGHT, RESULT = 0, 1, 2
"""Operands of a contraction: the first and the second factor, and what they add up to."""
ROWS, INNER, COLUMNS, GROUPS = range(4)
"""Classes of loops: of the first factor and the result, of both factors, of the second factor and
the result, and of all three."""
USES = ((ROWS, INNER, GROUPS), (INNER, COLUMNS, GROUPS), (ROWS, COLUMNS, GROUPS))
"""Classes that each operand depends on."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of the array.

    Attributes:
        name: for people.
        size: cells along it.
        classes: classes of loops that may be laid along it, the preferred one first.
    """

    name: str
    size: int
    classes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """A memory inside the array: equal instances that hold one operand.

    Attributes:
        name: for people; its actions are ``<name> read`` and ``<name> write``.
        operand: what it holds.
        bits: capacity of an instance.
        read_j: joules per bit read.
        write_j: joules per bit written.
        access_bits: every access moves whole multiples of it.
        shared: numbers of the axes along which cells share an instance.
    """

    name: str
    operand: int
    bits: int
    read_j: float
    write_j: float
    access_bits: int
    shared: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A memory beside the array into which tiles are loaded.

    Attributes:
        operands: that are staged in it.
        bits: that tiles may take; of an instance if it has several.
        read_j: joules per bit read.
        write_j: joules per bit written.
        access_bits: every access moves whole multiples of it.
        cells: whether each cell has an instance of its own, and not all of them one together.
    """

    operands: tuple[int, ...]
    bits: int
    read_j: float
    write_j: float
    access_bits: int
    cells: bool = False


@dataclass(frozen=True, slots=True)
class Array:
    """Cells that multiply and accumulate once a cycle, and the memories that feed them.

    Attributes:
        axes: directions of the array.
        stores: from the cells outwards.
        stages: that tiles are loaded into; every operand has one.
        sum_bits: width of a partial sum.
        mac_j: joules of one multiply-accumulate.
        home_read_j: joules per bit loaded from home, links included.
        home_write_j: joules per bit stored there.
    """

    axes: tuple[Axis, ...]
    stores: tuple[Store, ...]
    stages: tuple[Stage, ...]
    sum_bits: int
    mac_j: float
    home_read_j: float
    home_write_j: float

    def stores_of(self, operand: int) -> list[Store]:
        """Stores of an operand, from the cells outwards."""
        return [store for store in self.stores if store.operand == operand]

    def stage_of(self, operand: int) -> int:
        """Number of the stage of an operand."""
        return next(n for n, stage in enumerate(self.stages) if operand in stage.operands)


Spread = tuple[tuple[tuple[int, int], ...], ...]
"""For each axis of the array, the loops laid along it with how many of their steps."""


def steps(spread: Spread, loops: int, axes: Sequence[int] | None = None) -> list[int]:
    """Steps of each loop that run side by side, along all axes or some."""
    found = [1] * loops
    for number, laid in enumerate(spread):
        if axes is None or number in axes:
            for loop, size in laid:
                found[loop] *= size
    return found
