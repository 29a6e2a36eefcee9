"""One way to run a contraction on macros: chunks of output pixels, each through all rounds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from codesign import Budget, Op
from codesign.hardware.plan import Loop, Move, Tile
from codesign.mapping.emit import make_move
from codesign.mapping.splits import Split

from .layout import Layout
from .rounds import Round

Extents: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast macros are.

    Attributes:
        passes: macro cycles of one matrix-vector product.
        macros: that work on different tiles.
        clock_hz: of macro cycles.
        sum_bytes: of a partial sum that waits in the buffer.
        input_bytes: that macros read from the buffer for the whole operator. A window is read anew
            for every output pixel: macros keep none of it.
        filling: of each round, macro cycles in which rows are written beyond the time of their
            weights at the port.
        fills_beside: whether that happens while macros compute.
    """

    passes: int
    macros: int
    clock_hz: float
    sum_bytes: int
    input_bytes: int
    filling: tuple[int, ...]
    fills_beside: bool


@dataclass(frozen=True)
class Chunks:
    """Loops over chunks of the rows M, and in each over the weight rounds.

    Inputs of a chunk stay in the buffer for all its rounds. With several rounds the weights come
    anew for every chunk, with one they stay.

    Attributes:
        op: the contraction.
        budget: of its buffer.
        layout: of its weights.
        rounds: of its weights.
        split: how the rows M are cut.
        pace: of the macros.
    """

    op: Op
    budget: Budget
    layout: Layout
    rounds: tuple[Round, ...]
    split: Split
    pace: Pace

    def loop(self) -> Loop:
        """All tiles in order."""
        parts: list[Tile | Loop] = []
        sweep = self.split.sweep()
        (extents, count), *edge = sweep
        parts += self._chunk(extents, is_first=True)
        if count > 1:
            parts.append(Loop(tuple(self._chunk(extents)), count - 1))
        for own, _ in edge:
            parts += self._chunk(own)
        if self.split.outer > 1:
            body: list[Tile | Loop] = []
            for own, times in sweep:
                body.append(Loop(tuple(self._chunk(own)), times))
            parts.append(Loop(tuple(body), self.split.outer - 1))
        return Loop(tuple(parts))

    # -- room in the buffer ------------------------------------------------------------------------

    @cached_property
    def held_bytes(self) -> int:
        """What stays: inputs of chunks for all rounds, sums between rounds, vectors of columns."""
        whole = self.split.tile
        stays = sum(self._move(n, whole).bytes for n in self._once)
        if self.split.count == 1:
            return stays + self._inputs_bytes + self._sum_bytes
        if len(self.rounds) > 1:  # those of the next chunk come while this one is used
            return stays + 2 * self._inputs_bytes + self._sum_bytes
        return stays

    @cached_property
    def slot_in_bytes(self) -> int:
        """What comes for one tile and goes with it."""
        flows = self.split.count > 1 and len(self.rounds) == 1
        extra = max(sum(m.bytes for m in self._shared(self._beside, n)) for n in self._steps)
        return extra + flows * self._inputs_bytes

    @cached_property
    def slot_out_bytes(self) -> int:
        """The largest results of one tile."""
        return max(sum(m.bytes for m in self._shared(self._outputs, n)) for n in self._steps)

    @property
    def room(self) -> int:
        """Bytes of the buffer in all."""
        return self.held_bytes + 2 * self.slot_in_bytes + self.slots_out * self.slot_out_bytes

    @property
    def slots_out(self) -> int:
        """Output slots that are worth having."""
        return min(2, self.split.count * len(self.rounds))

    @cached_property
    def reloads(self) -> int:
        """Times that all weights are loaded."""
        if self.budget.is_resident(1):
            return 0
        return self.split.count if len(self.rounds) > 1 else 1

    # -- tiles -------------------------------------------------------------------------------------

    @property
    def _steps(self) -> range:
        return range(len(self.rounds))

    @cached_property
    def _rows(self) -> tuple[int, ...]:
        return self.op.loops.classes(len(self.op.inputs))[1]

    @property
    def _inputs_bytes(self) -> int:
        if self.budget.is_resident(0):
            return 0
        return self._move(0, self.split.tile).bytes

    @property
    def _sum_bytes(self) -> int:
        """Sums that wait for the next round, of a whole chunk."""
        columns = max(one.spilled for one in self.rounds)
        return columns * self.products(self.split.tile) * self.pace.sum_bytes

    @cached_property
    def _once(self) -> list[int]:
        """Further inputs that are the same for all rows, such as a bias."""
        return [n for n in self._fixed if not self.budget.is_resident(n)]

    @cached_property
    def _beside(self) -> list[int]:
        """Further inputs that come with the results, such as a residual."""
        inputs = [n for n in self._per_result if n < len(self.op.inputs)]
        return [n for n in inputs if not self.budget.is_resident(n)]

    @cached_property
    def _outputs(self) -> list[int]:
        every = range(len(self.op.inputs), len(self.op.operands))
        return [n for n in every if not self.budget.is_resident(n)]

    def _is_along(self, operand: int) -> bool:
        return bool(self.op.loops.uses(operand) & set(self._rows))

    def products(self, extents: Extents) -> int:
        """Matrix-vector products of each tile for a chunk of these extents of the rows M."""
        every = math.prod(self.op.loops.extents[dim] for dim in self._rows)
        return -(-self.layout.pixels * math.prod(extents) // every)

    def _chunk(self, extents: Extents, *, is_first: bool = False) -> list[Tile | Loop]:
        """The rounds of one chunk, alike ones together."""
        tiles = [self._tile(extents, number, is_first) for number in self._steps]
        found: list[Tile | Loop] = []
        for tile, alike in itertools.groupby(tiles):
            count = sum(1 for _ in alike)
            found.append(tile if count == 1 else Loop((tile,), count))
        return found

    def _tile(self, extents: Extents, number: int, is_first: bool) -> Tile:
        loads: list[Move] = []
        if number == 0:
            loads += [self._move(n, extents) for n in self._once] if is_first else []
            loads += [] if self.budget.is_resident(0) else [self._move(0, extents)]
        loads += self._shared(self._beside, number, extents)
        cycles = self._cycles(extents, number, is_first=is_first)
        if not self.budget.is_resident(1) and (is_first or len(self.rounds) > 1):
            loads += list(self._weights(number))
            filling = self.pace.filling[number]
            cycles = max(cycles, filling) if self.pace.fills_beside else cycles + filling
        stores = self._shared(self._outputs, number, extents)
        return Tile(cycles, tuple(loads), tuple(stores))

    def _weights(self, number: int) -> Iterator[Move]:
        """The weights of a round, which a compiler has laid one behind the other."""
        size = self.rounds[number].weight_bytes
        if size:
            yield Move(1, size)

    def _cycles(self, extents: Extents, number: int, *, is_first: bool) -> int:
        """Those of the products, or of what passes the port of the buffer if that takes longer."""
        steps = -(-self.rounds[number].tiles // self.pace.macros)
        work = self.products(extents) * steps * self.pace.passes
        size = self._touched(extents, number)
        if is_first and number == 0:
            size += sum(self._move(n, extents).bytes for n in self._fixed)
        return max(work, self.budget.port_cycles(size, self.pace.clock_hz))

    def _touched(self, extents: Extents, number: int) -> int:
        """Bytes that a round of a chunk reads and writes at the buffer, wherever they go on to."""
        products, one = self.products(extents), self.rounds[number]
        part, whole = products * one.tiles, self.layout.pixels * self.layout.count
        spilled = one.spilled + (self.rounds[number - 1].spilled if number else 0)
        given = self._shared(self._per_result, number, extents)
        read = -(-self.pace.input_bytes * part // whole)
        sums = spilled * products * self.pace.sum_bytes
        return read + sums + sum(move.bytes for move in given)

    @cached_property
    def _per_result(self) -> list[int]:
        """Operands with a part for every result: further inputs along the rows, and outputs."""
        every = range(len(self.op.inputs), len(self.op.operands))
        return [n for n in (*self.op.distinct_inputs, *every) if n > 1 and n not in self._fixed]

    @cached_property
    def _fixed(self) -> list[int]:
        """Further inputs that are the same for all rows, wherever they live."""
        return [n for n in self.op.distinct_inputs if n > 1 and not self._is_along(n)]

    def _shared(
        self, operands: list[int], number: int, extents: Extents | None = None
    ) -> list[Move]:
        """What belongs to the columns that a round finishes, of operands like the results."""
        every = self._finished[-1]
        before, after = self._finished[number], self._finished[number + 1]
        found = []
        for operand in operands:
            whole = self._move(operand, extents or self.split.tile)
            size = whole.bytes * after // every - whole.bytes * before // every
            if size:
                rows = min(size, whole.rows)
                found.append(Move(operand, size, rows, whole.pitch if rows > 1 else 0))
        return found

    @cached_property
    def _finished(self) -> tuple[int, ...]:
        """Columns that are complete before each round, and after the last."""
        return (0, *itertools.accumulate(one.finished for one in self.rounds))

    @cached_property
    def _moves(self) -> dict[tuple[int, Extents], Move]:
        """Those that somebody has asked for: every round asks for the same few."""
        return {}

    def _move(self, operand: int, extents: Extents) -> Move:
        """Operand of a chunk, with all groups, the whole reduction and all columns."""
        if (operand, extents) not in self._moves:
            self._moves[operand, extents] = self._new_move(operand, extents)
        return self._moves[operand, extents]

    def _new_move(self, operand: int, extents: Extents) -> Move:
        tile = list(self.op.loops.extents)
        for dim, extent in zip(self._rows, extents, strict=True):
            tile[dim] = extent
        access, axes = self.op.operands[operand], self.op.loops.operands[operand]
        touched = [a.touched(tile, size) for a, size in zip(axes, access.shape, strict=True)]
        return make_move(operand, access, touched)
