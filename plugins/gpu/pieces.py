"""Cuts a kernel into equal tiles, so that its replay takes as long as its closed form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
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
    it. A tile takes whole cycles: some take one more than others, and move as much more.

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
    runs = _runs(moved, count, cycles, unit)
    if max(run.largest(moved, unit) for run in runs) > budget.buffer_bytes // 2:
        runs = [_Run(count, cycles, moved)]
    tiles: list[Tile | Loop] = [Tile(start)] if start else []
    for run in runs:
        tiles += run.loops(op, inputs, outputs, unit)
    slot_in, slot_out = (max(run.largest(part, unit) for run in runs) for part in (inputs, outputs))
    return Pieces(Loop(tuple(tiles)), slot_in, slot_out)


@dataclass(frozen=True, slots=True)
class _Run:
    """Tiles in a row that are as equal as whole cycles and whole bursts allow.

    Attributes:
        count: of them, at least 1.
        cycles: of all of them.
        moved: bytes of all of them by operand.
    """

    count: int
    cycles: int
    moved: Mapping[int, int]

    def largest(self, places: Iterable[int], unit: int) -> int:
        """Bytes of some operands in the largest tile, which is the first."""
        return sum(_piece(self.moved[place], self.count, 0, unit) for place in places)

    def loops(self, op: Op, inputs: Sequence[int], outputs: Sequence[int], unit: int) -> list[Loop]:
        """The tiles, equal ones as one loop."""
        marks = {0, self.count, self.cycles % self.count}
        for size in self.moved.values():
            units = -(-size // unit)
            last = max(0, min(units, self.count) - 1)
            marks |= {units % self.count, last, last + 1}
        found = []
        for first, end in itertools.pairwise(sorted(marks)):
            loads, stores = (
                tuple(
                    _move(place, op.operands[place], size)
                    for place in part
                    if (size := _piece(self.moved[place], self.count, first, unit))
                )
                for part in (inputs, outputs)
            )
            tile = Tile(_share(self.cycles, self.count, first), loads, stores)
            found.append(Loop((tile,), end - first))
        return found


def _runs(moved: Mapping[int, int], count: int, cycles: int, unit: int) -> list[_Run]:
    """The tiles with a cycle more than the others, then the others, each with its share."""
    each, more = divmod(cycles, count)
    if not each or not more:
        return [_Run(count, cycles, moved)]
    longer = more * (each + 1)
    first = {
        place: min(size, round(-(-size // unit) * longer / cycles) * unit)
        for place, size in moved.items()
    }
    rest = {place: size - first[place] for place, size in moved.items()}
    return [_Run(more, longer, first), _Run(count - more, cycles - longer, rest)]


def _count(op: Op, budget: Budget, sizes: list[int], start: int, cycles: int) -> int:
    """Tiles of a kernel: by its length beside its start, and by the buffer."""
    wanted = min(_MOST, cycles, math.ceil(_MOST * cycles / max(1, start + cycles)))
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
