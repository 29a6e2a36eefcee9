"""Cuts a kernel into equal tiles, so that its replay takes as long as its closed form."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from codesign import Budget, Op
from codesign.errors import MappingError
from codesign.hardware.plan import Loop, Move, Tile
from codesign.workload.record import Access

_MOST = 256
"""Tiles of a long kernel: the store of the last one is what its closed form does not have."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The loops, and what a tile takes of the buffer, as in ``TilePlan``."""

    loop: Loop
    slot_in_bytes: int
    slot_out_bytes: int


def cut(op: Op, budget: Budget, start: int, cycles: int) -> Pieces:
    """A tile that only waits for the start of the kernel, then equal shares of everything.

    The first loads arrive behind the start; the last store comes after the last cycle. There are so
    many tiles that this store takes less than 1 % of the kernel, and more where the buffer asks for
    it.

    Args:
        op: the operator.
        budget: what it may use; residents are not moved.
        start: cycles before the work.
        cycles: of the work, loads and stores included.

    Raises:
        MappingError: the buffer does not hold two of the smallest tiles.
    """
    inputs = [i for i in op.distinct_inputs if not budget.is_resident(i)]
    outputs = [o for o in range(len(op.inputs), len(op.operands)) if not budget.is_resident(o)]
    moved = {place: op.operands[place].bytes for place in (*inputs, *outputs)}
    unit = budget.burst_bytes
    count = _count(op, budget, list(moved.values()), start, cycles)
    tiles: list[Tile | Loop] = [Tile(start)] if start else []
    marks = {0, count, cycles % count}
    for size in moved.values():
        units = -(-size // unit)
        last = min(units, count) - 1
        marks |= {units % count, last, last + 1}
    for first, end in itertools.pairwise(sorted(marks)):
        loads, stores = (
            tuple(
                _move(place, op.operands[place], size)
                for place in part
                if (size := _piece(moved[place], count, first, unit))
            )
            for part in (inputs, outputs)
        )
        tile = Tile(_share(cycles, count, first), loads, stores)
        tiles.append(Loop((tile,), end - first))
    slot_in, slot_out = (
        sum(_piece(moved[place], count, 0, unit) for place in part) for part in (inputs, outputs)
    )
    return Pieces(Loop(tuple(tiles)), slot_in, slot_out)


def _count(op: Op, budget: Budget, sizes: list[int], start: int, cycles: int) -> int:
    """Tiles of a kernel: by its length beside its start, and by the buffer."""
    wanted = min(_MOST, math.ceil(_MOST * cycles / max(1, start + cycles)))
    unit, room = budget.burst_bytes, budget.buffer_bytes // 2
    most = max([1, *(-(-size // unit) for size in sizes)])
    least = sum(min(size, unit) for size in sizes)
    if least > room:
        raise MappingError(
            f"{op.name}: the smallest tile takes {least} B twice, the buffer grants "
            f"{budget.buffer_bytes} B; enlarge the buffer"
        )
    # a share of each operand is rounded up by less than a unit
    spare = room - unit * len(sizes)
    needed = math.ceil(sum(sizes) / spare) if spare > 0 else most
    return max(1, min(most, max(wanted, needed)))


def _piece(total: int, count: int, number: int, unit: int) -> int:
    """Bytes of one of ``count`` pieces in whole units; the last one has what is left."""
    units = -(-total // unit)
    rest = max(0, total - unit * (number * (units // count) + min(number, units % count)))
    return min(rest, unit * _share(units, count, number))


def _share(total: int, count: int, number: int) -> int:
    return total // count + (number < total % count)


def _move(operand: int, access: Access, size: int) -> Move:
    dtype = access.tensor.dtype
    row = max(1, dtype.storage_bytes(access.run))
    rows = -(-size // row)
    pairs = zip(access.strides, access.shape, strict=True)
    strides = [abs(stride) for stride, extent in pairs if stride and extent > 1]
    apart = min((stride for stride in strides if stride >= access.run), default=0)
    return Move(operand, size, rows, dtype.storage_bytes(apart) if rows > 1 else 0)
