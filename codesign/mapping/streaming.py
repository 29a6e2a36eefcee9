"""Plans for operators without reuse: data flows through the buffer in equal pieces.

Elementwise work, reductions, normalisations, gathers and moves touch each element once or a few
times. Large operands are cut into as many pieces as there are tiles; small ones that every tile
needs (a bias, a scale, a table) are loaded once and held.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codesign.errors import MappingError
from codesign.hardware.plan import Budget, Loop, Move, Tile
from codesign.mapping.fixed_pieces import fixed_pieces
from codesign.workload.record import Access, Op

_MIN_PIECE = 4096  # bytes; below this the fixed cost of a transfer outweighs the overlap gained


@dataclass(frozen=True, slots=True)
class Stream:
    """How an operator flows.

    Attributes:
        units: what the operator counts its work in (elements, rows); pieces are whole units.
        work: compute cycles of a piece of that many units.
        sweeps: times that the inputs are read, for statistics that need a first pass.
    """

    units: int
    work: Callable[[int], int]
    sweeps: int = 1


@dataclass(frozen=True, slots=True)
class Streamed:
    """The resulting loops and the buffer they take, as in ``TilePlan``."""

    loop: Loop
    held_bytes: int
    slot_in_bytes: int
    slot_out_bytes: int


def stream(op: Op, budget: Budget, flow: Stream) -> Streamed:
    """Cuts an operator into pieces that fit twice, so that loads, work and stores overlap.

    Raises:
        MappingError: one unit does not fit the buffer, or pieces of a fixed size do not.
    """
    inputs = [i for i in op.distinct_inputs if not budget.is_resident(i)]
    outputs = [o for o in range(len(op.inputs), len(op.operands)) if not budget.is_resident(o)]
    held = _held(op, inputs, budget)
    flowing = [i for i in inputs if i not in held]
    held_bytes = sum(op.operands[i].bytes for i in held)
    moved = [op.operands[i].bytes for i in flowing + outputs]
    pieces = fixed_pieces(op, budget, flow.units, (held_bytes, *moved))
    pieces = pieces or _pieces(moved, flow.units, (budget.buffer_bytes - held_bytes) // 2, op)
    slot_in = sum(_share(op.operands[i].bytes, pieces) for i in flowing)
    slot_out = sum(_share(op.operands[o].bytes, pieces) for o in outputs)
    sweep = _Sweep(op, flow, pieces, flowing, outputs)
    parts = sweep.tiles(first=held, store=flow.sweeps == 1)
    for number in range(1, flow.sweeps):
        parts += sweep.tiles(first=[], store=number == flow.sweeps - 1)
    return Streamed(Loop(tuple(parts)), held_bytes, slot_in, slot_out)


def _held(op: Op, inputs: Sequence[int], budget: Budget) -> list[int]:
    """Inputs to hold whole: each far smaller than the largest operand and than the buffer.

    Together they take at most a quarter of the buffer: what joins many tensors must still flow.
    """
    largest = max((access.bytes for access in op.operands), default=1)
    room = budget.buffer_bytes // 4
    held = []
    for operand in inputs:
        size = op.operands[operand].bytes
        if size * 4 <= largest and size * 8 <= budget.buffer_bytes and size <= room:
            held.append(operand)
            room -= size
    return held


def _pieces(moved: Sequence[int], units: int, room: int, op: Op) -> int:
    """Fewest pieces of at most ``room``, and at least four where they stay large enough."""

    def slot(pieces: int) -> int:
        return sum(_share(total, pieces) for total in moved)

    room = max(room, 0)
    if slot(units) > room:
        raise MappingError(
            f"{op.name}: one piece takes {slot(units)} B twice, "
            f"the buffer grants {2 * room} B; enlarge the buffer"
        )
    needed = 1 + bisect.bisect_left(range(1, units + 1), True, key=lambda n: slot(n) <= room)
    return min(units, max(needed, min(4, sum(moved) // _MIN_PIECE)))


def _share(total: int, pieces: int) -> int:
    return -(-total // pieces)


class _Sweep:
    """One pass over the data as run-length tiles."""

    def __init__(
        self, op: Op, flow: Stream, pieces: int, flowing: Sequence[int], outputs: Sequence[int]
    ) -> None:
        self.op, self.flow, self.pieces = op, flow, pieces
        self.flowing, self.outputs = flowing, outputs

    def tiles(self, first: Sequence[int], store: bool) -> list[Tile | Loop]:
        """Tiles of the pass; the first also loads ``first``, and outputs leave if ``store``."""
        parts: list[Tile | Loop] = []
        for start, stop in self._spans(bool(first)):
            loads = self._moves(self.flowing, start)
            if start == 0 and first:
                loads = self._moves(first, 0, pieces=1) + loads
            stores = self._moves(self.outputs, start) if store else ()
            tile = Tile(self.flow.work(self._units(start)), loads, stores)
            parts.append(tile if stop - start == 1 else Loop((tile,), stop - start))
        return parts

    def _spans(self, split_first: bool) -> list[tuple[int, int]]:
        """Ranges of pieces that are alike."""
        marks = {0, self.pieces} | ({1} if split_first else set())
        for operand in (*self.flowing, *self.outputs):
            total = self.op.operands[operand].bytes
            full, rest = divmod(total, _share(total, self.pieces))
            marks |= {full, full + bool(rest)}
        share = _share(self.flow.units, self.pieces)
        full, rest = divmod(self.flow.units, share)
        marks |= {full, full + bool(rest)}
        ordered = sorted(mark for mark in marks if mark <= self.pieces)
        return [(a, b) for a, b in itertools.pairwise(ordered) if b > a]

    def _units(self, piece: int) -> int:
        share = _share(self.flow.units, self.pieces)
        return max(0, min(share, self.flow.units - piece * share))

    def _moves(
        self, operands: Sequence[int], piece: int, pieces: int | None = None
    ) -> tuple[Move, ...]:
        found = []
        for operand in operands:
            access = self.op.operands[operand]
            share = _share(access.bytes, pieces or self.pieces)
            size = max(0, min(share, access.bytes - piece * share))
            if size:
                found.append(_move(operand, access, size))
        return tuple(found)


def _move(operand: int, access: Access, size: int) -> Move:
    row = max(1, access.tensor.dtype.storage_bytes(access.run))
    rows = -(-size // row)
    strides = [abs(s) for s, n in zip(access.strides, access.shape, strict=True) if s and n > 1]
    apart = min((s for s in strides if s >= access.run), default=0)
    return Move(operand, size, rows, access.tensor.dtype.storage_bytes(apart) if rows > 1 else 0)
