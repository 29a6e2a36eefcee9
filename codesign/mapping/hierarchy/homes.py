"""How long operands stay beside the array, and what that leaves to be moved to and from home."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.hierarchy.orders import TILE
from codesign.mapping.hierarchy.spec import RESULT, Array, Spread, Stage, steps
from codesign.mapping.hierarchy.states import Ints, States
from codesign.mapping.hierarchy.walk import Walk, pick

Bits = tuple[int, int, int]
"""Bits of an element of each operand; of the result where it is complete."""


@dataclass(frozen=True)
class Problem:
    """One operator under one spread.

    Attributes:
        states: of its classes.
        array: that runs it.
        spread: what runs side by side.
        bits: of its operands.
        resident: operands that lie in their stages already.
    """

    states: States
    array: Array
    spread: Spread
    bits: Bits
    resident: frozenset[int] = frozenset()

    def width(self, operand: int) -> int:
        """Bits of an element in the array: of the result a partial sum."""
        return self.array.sum_bits if operand == RESULT else self.bits[operand]

    @property
    def fused_bits(self) -> int:
        """Most bits that fused inputs take for each element of the result."""
        return sum(access.tensor.dtype.bits for access in self.states.op.inputs[RESULT:])

    def beside(self, axes: tuple[int, ...] | None = None) -> list[int]:
        """Steps of each loop side by side along some axes."""
        return steps(self.spread, len(self.states.op.loops.dims), axes)


@dataclass(frozen=True, slots=True)
class Homes:
    """Where operands come from home.

    Attributes:
        places: of each operand, above which it comes from home, of shape (rows, 3).
        moved: bits of each operand to or from home, of shape (rows, 3).
        chunks: bits of each operand that come or go at a time, of shape (rows, 3).
        fits: whether the stages have room.
    """

    places: Ints
    moved: Ints
    chunks: Ints
    fits: NDArray[np.bool_]


def find_homes(problem: Problem, walk: Walk, least: Ints) -> Homes:
    """Lets every operand stay as far out as its stage has room for.

    A result stays until it is complete. What comes more than once has two slots, so that the next
    one comes while this one is used. Of operands in one stage the first gets what is left first.

    Args:
        problem: the operator.
        walk: its loop orders.
        least: for each operand the innermost place above which it may come from home, of shape
            (rows, 3).
    """
    places = least.copy()
    fits = np.ones(len(least), dtype=bool)
    needs = [_needs(problem, walk, operand) for operand in range(3)]
    opens = walk.fills(RESULT)[0] > walk.fills(RESULT)[1]
    unfinished = (opens * np.arange(1, walk.places + 1)).max(axis=1)
    places[:, RESULT] = np.maximum(places[:, RESULT], unfinished)
    crossing = [_crossing(problem, walk, operand) for operand in range(3)]
    for stage in problem.array.stages:
        _stay(stage, needs, [moved for moved, _ in crossing], (places, fits))
    moved, chunks = (
        np.stack([pick(crossing[x][n], places[:, x]) for x in range(3)], axis=1) for n in (0, 1)
    )
    return Homes(places, moved, chunks, fits)


def tiles(problem: Problem, walk: Walk) -> Homes:
    """The same for orders over tiles, where places begin at a whole tile."""
    return find_homes(problem, walk, np.zeros((len(walk.rows.steps), 3), dtype=np.int64))


def innermost(inner: list[Ints]) -> Ints:
    """Places from which on operands may come from home: above their stores and above a tile."""
    return np.maximum(np.stack(inner, axis=1), TILE)


def _stay(
    stage: Stage, needs: list[Ints], crossing: list[Ints], found: tuple[Ints, NDArray[np.bool_]]
) -> None:
    """Moves the places of the operands of a stage outwards, and notes what does not fit."""
    places, fits = found
    taken = sum(
        (pick(needs[o], places[:, o]) for o in stage.operands), np.zeros(len(fits), dtype=np.int64)
    )
    fits &= taken <= stage.bits
    place = np.arange(needs[0].shape[1])
    for operand in stage.operands:
        here = pick(needs[operand], places[:, operand])
        room = needs[operand] <= (stage.bits - taken + here)[:, None]
        room &= place >= places[:, operand][:, None]
        moved = np.where(room, crossing[operand], np.iinfo(np.int64).max)
        best = np.where(room.any(axis=1), moved.argmin(axis=1), places[:, operand])
        taken = taken - here + pick(needs[operand], best)
        places[:, operand] = best


def _crossing(problem: Problem, walk: Walk, operand: int) -> tuple[Ints, Ints]:
    """Bits of an operand that cross the border above each place, in all and at a time."""
    size = walk.look(operand, problem.states.table(operand)) * problem.bits[operand]
    size = size * (operand not in problem.resident)
    return size * walk.fills(operand)[0], size


def _needs(problem: Problem, walk: Walk, operand: int) -> Ints:
    """Bits that an operand takes of its stage at each place."""
    stage = problem.array.stages[problem.array.stage_of(operand)]
    sees = tuple(problem.beside(())) if stage.cells else None
    width = problem.width(operand) + (problem.fused_bits if operand == RESULT else 0)
    size = walk.look(operand, problem.states.table(operand, sees)) * width
    twice: Ints = size * np.where(walk.fills(operand)[0] > 1, 2, 1)
    return twice * (operand not in problem.resident)
