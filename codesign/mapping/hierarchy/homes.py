"""How long operands stay beside the array, and what that leaves to be moved to and from home."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.mapping.hierarchy.batch import Batch
from codesign.mapping.hierarchy.orders import TILE
from codesign.mapping.hierarchy.spec import RESULT, Stage
from codesign.mapping.hierarchy.states import Ints
from codesign.mapping.hierarchy.walk import Walk, pick


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


def find_homes(batch: Batch, walk: Walk, least: Ints) -> Homes:
    """Lets every operand stay as far out as its stage has room for.

    A result stays until it is complete. What comes more than once has two slots, so that the next
    one comes while this one is used. Of operands in one stage the first gets what is left first.

    Args:
        batch: the operator.
        walk: its loop orders.
        least: for each operand the innermost place above which it may come from home, of shape
            (rows, 3).
    """
    places = least.copy()
    fits = np.ones(len(least), dtype=bool)
    needs = [_needs(batch, walk, operand) for operand in range(3)]
    opens = walk.fills(RESULT)[0] > walk.fills(RESULT)[1]
    unfinished = (opens * np.arange(1, walk.places + 1)).max(axis=1)
    places[:, RESULT] = np.maximum(places[:, RESULT], unfinished)
    crossing = [_crossing(batch, walk, operand) for operand in range(3)]
    for stage in batch.array.stages:
        _stay(stage, needs, [moved for moved, _ in crossing], (places, fits))
    moved, chunks = (
        np.stack([pick(crossing[x][n], places[:, x]) for x in range(3)], axis=1) for n in (0, 1)
    )
    return Homes(places, moved, chunks, fits)


def tiles(batch: Batch, walk: Walk) -> Homes:
    """The same for orders over tiles, where places begin at a whole tile."""
    return find_homes(batch, walk, np.zeros((len(walk.rows.steps), 3), dtype=np.int64))


def innermost(inner: list[Ints]) -> Ints:
    """Places from which on operands may come from home: above their stores and above a tile."""
    return np.maximum(np.stack(inner, axis=1), TILE)


def stage_bits(batch: Batch, walk: Walk, places: Ints) -> Ints:
    """Bits that operands take of each stage at their places, of shape (rows, stages)."""
    needs = [pick(_needs(batch, walk, x), places[:, x]) for x in range(3)]
    found = [sum(needs[x] for x in stage.operands) for stage in batch.array.stages]
    return np.stack(found, axis=1).astype(np.int64)


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


def _crossing(batch: Batch, walk: Walk, operand: int) -> tuple[Ints, Ints]:
    """Bits of an operand that cross the border above each place, in all and at a time."""
    one = batch.one
    size = walk.look(operand, batch.table(operand)) * one.bits[operand]
    size = size * (operand not in one.resident)
    return size * walk.fills(operand)[0], size


def _needs(batch: Batch, walk: Walk, operand: int) -> Ints:
    """Bits that an operand takes of its stage at each place."""
    one = batch.one
    stage = batch.array.stages[batch.array.stage_of(operand)]
    width = one.width(operand) + (one.fused_bits if operand == RESULT else 0)
    size = walk.look(operand, batch.table(operand, () if stage.cells else None)) * width
    twice: Ints = size * np.where(walk.fills(operand)[0] > 1, 2, 1)
    return twice * (operand not in one.resident)
