"""One operator under several spreads at once: the same tables, with a block for each spread.

The arrays of one spread are short, and what a search costs is the number of steps over them. States
and cuts of the spreads follow one another: those of the second begin where the first one's end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from codesign.mapping.hierarchy.problem import Problem
from codesign.mapping.hierarchy.spec import RESULT, USES, Array
from codesign.mapping.hierarchy.states import Ints
from codesign.workload.record import Op


@dataclass(frozen=True)
class Batch:
    """Problems that differ in their spread only.

    Attributes:
        problems: at least one.
    """

    problems: tuple[Problem, ...]
    _tables: dict[tuple[int, tuple[int, ...] | None], Ints] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def one(self) -> Problem:
        """Any of them, for what they have in common."""
        return self.problems[0]

    @property
    def op(self) -> Op:
        """The operator."""
        return self.one.states.op

    @property
    def array(self) -> Array:
        """The array."""
        return self.one.array

    @cached_property
    def cuts(self) -> Ints:
        """Every combination of cuts of the four classes, of shape (combinations, 4)."""
        found = []
        for number, problem in enumerate(self.problems):
            sizes = [len(tiles) for tiles in problem.states.tiles]
            found.append(np.indices(sizes).reshape(4, -1).T + self._first[number])
        return np.concatenate(found)

    @cached_property
    def inside(self) -> list[Ints]:
        """For each class, steps in a tile one after the other, by cut."""
        return self._by_cut([problem.states.inside for problem in self.problems])

    @cached_property
    def outside(self) -> list[Ints]:
        """For each class, number of tiles, by cut."""
        return self._by_cut([problem.states.outside for problem in self.problems])

    @cached_property
    def start(self) -> list[Ints]:
        """For each class, the state of what runs side by side, by cut."""
        return [self._first[:, number][spread] for number, spread in enumerate(self._spreads)]

    @cached_property
    def whole(self) -> list[Ints]:
        """For each class, the state of everything, by cut."""
        last = self._first + self._counts - 1
        return [last[:, number][spread] for number, spread in enumerate(self._spreads)]

    def spread(self, cut: Ints) -> Ints:
        """Number of the problem of each of some combinations of cuts."""
        found: Ints = self._spreads[0][cut[:, 0]]
        return found

    def own(self, cut: Ints, spread: int) -> Ints:
        """Combinations of cuts of one problem, as it numbers them itself."""
        found: Ints = cut - self._first[spread]
        return found

    def table(self, operand: int, axes: tuple[int, ...] | None = None) -> Ints:
        """Elements of an operand by the states of its three classes, in the order of ``USES``.

        Args:
            operand: factor or result.
            axes: those along which one instance of a memory sees what runs side by side; all by
                default.
        """
        if (operand, axes) not in self._tables:
            self._tables[operand, axes] = self._table(operand, axes)
        return self._tables[operand, axes]

    def _table(self, operand: int, axes: tuple[int, ...] | None) -> Ints:
        tables = [p.states.table(operand, tuple(p.beside(axes))) for p in self.problems]
        if len(tables) == 1:
            return tables[0]
        found = np.zeros(self._counts.sum(axis=0)[list(USES[operand])], dtype=np.int64)
        for first, table in zip(self._first, tables, strict=True):
            at = [first[number] for number in USES[operand]]
            block = tuple(slice(a, a + n) for a, n in zip(at, table.shape, strict=True))
            found[block] = table
        return found

    def instances(self, shared: tuple[int, ...]) -> Ints:
        """Instances of a store in use that cells along some axes share, by problem."""
        return np.array(
            [math.prod(p.beside()) // math.prod(p.beside(shared)) for p in self.problems]
        )

    def copies(self, operand: int) -> Ints:
        """Cells that hold the same element of an operand, by problem."""
        uses = self.op.loops.uses(operand if operand < RESULT else len(self.op.inputs))
        return np.array(
            [
                math.prod(size for loop, size in enumerate(p.beside()) if loop not in uses)
                for p in self.problems
            ]
        )

    @cached_property
    def _counts(self) -> Ints:
        """Number of states of each class, by problem."""
        sizes = [[len(tiles) + 2 for tiles in p.states.tiles] for p in self.problems]
        return np.array(sizes, dtype=np.int64)

    @cached_property
    def _first(self) -> Ints:
        """First state of each class, by problem."""
        found: Ints = np.cumsum(self._counts, axis=0) - self._counts
        return found

    @cached_property
    def _spreads(self) -> list[Ints]:
        """For each class, number of the problem by cut."""
        numbers = np.arange(len(self.problems))
        return [np.repeat(numbers, self._counts[:, number]) for number in range(4)]

    def _by_cut(self, counts: list[tuple[Ints, ...]]) -> list[Ints]:
        """Counts of all problems one after the other; between them are two states without a cut."""
        gap = np.ones(2, dtype=np.int64)
        return [
            np.concatenate([part for own in counts for part in (own[number], gap)])
            for number in range(4)
        ]
