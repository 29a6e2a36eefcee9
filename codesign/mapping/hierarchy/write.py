"""From a chosen mapping to the loops of tiles, with what each of them moves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from codesign.hardware.plan import Loop, Move, Tile
from codesign.mapping.emit import make_move
from codesign.mapping.hierarchy.choose import Mapping
from codesign.mapping.hierarchy.orders import TILE
from codesign.mapping.hierarchy.spec import RESULT, USES
from codesign.workload.record import Op

Extents = tuple[int, ...]
Cycles = Callable[[Extents], int]
"""Cycles of a tile from the extents of all loops in it."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One iteration of a loop over tiles.

    Attributes:
        extents: of the loops of its class.
        fresh: operands that come from home at its first tile.
        final: whether results are complete at its last tile.
    """

    extents: Extents
    fresh: frozenset[int]
    final: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes of a memory that tiles take, as the fields of a plan say it.

    Attributes:
        held: from the first load to the last compute.
        slot_in: by the inputs of one tile.
        slot_out: by its results.
    """

    held: int
    slot_in: int
    slot_out: int


class Writer:
    """Writes one mapping; ``loop`` gives the tiles in order."""

    def __init__(
        self, mapping: Mapping, cycles: Cycles, resident: Collection[int] = frozenset()
    ) -> None:
        """Looks the mapping up.

        Args:
            mapping: what was chosen.
            cycles: of a tile.
            resident: numbers of the operands, fused ones among them, that need no transfer.
        """
        self.mapping = mapping
        self.op: Op = mapping.problem.states.op
        self.states, self.cycles = mapping.problem.states, cycles
        orders, row = mapping.orders, mapping.row
        self.cut = [int(number) for number in orders.cut[row]]
        self.classes = [int(number) for number in orders.loops[row, TILE:]]
        self.steps = [int(count) for count in orders.steps[row, TILE:]]
        self.places = [int(place) - TILE for place in mapping.counted.homes.places[row]]
        self.here = frozenset(resident)
        self.distinct = frozenset(self.op.distinct_inputs)

    def loop(self) -> Loop:
        """All tiles in order."""
        extents = tuple(1 for _ in self.op.loops.dims)
        return Loop(tuple(self._level(len(self.classes), extents, frozenset(range(3)), True)))

    def _level(
        self, above: int, extents: Extents, fresh: frozenset[int], final: bool
    ) -> list[Tile | Loop]:
        """Parts of the loops below place ``above``."""
        if above == 0:
            return [self._tile(extents, fresh, final)]
        loop = above - 1
        number = self.classes[loop]
        parts: list[Tile | Loop] = []
        for turn, count in _grouped(self._turns(loop, number, fresh, final)):
            inner = self._with(extents, number, turn.extents)
            body = self._level(loop, inner, turn.fresh, turn.final)
            parts += body if count == 1 else [Loop(tuple(body), count)]
        return parts

    def _turns(
        self, loop: int, number: int, fresh: frozenset[int], final: bool
    ) -> Iterator[tuple[_Turn, int]]:
        """Iterations of a loop, alike ones that follow each other together."""
        again = frozenset(x for x in range(3) if self.comes_again(x, loop))
        pieces = self._pieces(number)
        total = sum(count for _, count in pieces)
        done = 0
        for extents, count in pieces:
            if done == 0:
                yield _Turn(extents, fresh, RESULT in again or (total == 1 and final)), 1
            last = done + count == total and final and RESULT not in again
            middle = count - (done == 0) - (last and total > 1)
            if middle > 0:
                yield _Turn(extents, again, RESULT in again), middle
            if last and total > 1:
                yield _Turn(extents, again, True), 1
            done += count

    def comes_again(self, operand: int, loop: int) -> bool:
        """Whether an operand changes when a loop advances: some loop from its home on does."""
        inner = range(self.places[operand], loop + 1)
        return any(self.steps[i] > 1 and self.classes[i] in USES[operand] for i in inner)

    def _pieces(self, number: int) -> list[tuple[Extents, int]]:
        """Tiles of a class in order, alike ones that follow each other together."""
        own = self.states.tiles[number][self.cut[number]]
        dims = self.states.classes[number]
        cuts = []
        for dim, turns in zip(dims, own, strict=True):
            size = turns * self.states.beside[dim]
            full, rest = divmod(self.op.loops.extents[dim], size)
            cuts.append([size] * full + [rest] * (rest > 0))
        runs = itertools.groupby(itertools.product(*cuts))
        return [(extents, sum(1 for _ in alike)) for extents, alike in runs]

    def _with(self, extents: Extents, number: int, own: Extents) -> Extents:
        found = list(extents)
        for dim, extent in zip(self.states.classes[number], own, strict=True):
            found[dim] = extent
        return tuple(found)

    def _tile(self, extents: Extents, fresh: Collection[int], final: bool) -> Tile:
        factors = [x for x in (0, 1) if x in fresh and x not in self.here]
        loads = [self.move(x, self.chunk(x, extents)) for x in self._unlike(factors)]
        stores = []
        if final:
            chunk = self.chunk(RESULT, extents)
            inputs = len(self.op.inputs)
            beside = [x for x in self._unlike(range(2, inputs)) if x not in self.here]
            loads += [self.move(x, chunk) for x in beside]
            outputs = range(inputs, len(self.op.operands))
            stores = [self.move(x, chunk) for x in outputs if x not in self.here]
        return Tile(self.cycles(extents), tuple(loads), tuple(stores))

    def _unlike(self, operands: Collection[int]) -> list[int]:
        """Without an input that is another one over again."""
        return [x for x in operands if x in self.distinct]

    def chunk(self, operand: int, extents: Extents) -> Extents:
        """Extents of what comes from home at once: of loops inside its home all steps."""
        found = list(extents)
        for place, number in enumerate(self.classes):
            if place < self.places[operand]:
                for dim in self.states.classes[number]:
                    found[dim] = self.op.loops.extents[dim]
        return tuple(found)

    def move(self, number: int, extents: Extents) -> Move:
        """Operand ``number`` of a block of these extents."""
        access, axes = self.op.operands[number], self.op.loops.operands[number]
        touched = [a.touched(extents, size) for a, size in zip(axes, access.shape, strict=True)]
        return make_move(number, access, touched)

    # -- room --------------------------------------------------------------------------------------

    def rooms(self) -> list[Taken]:
        """Bytes that tiles take of each stage, in the order of the stages of the array."""
        array = self.mapping.problem.array
        return [self._taken(stage.operands) for stage in array.stages]

    def _taken(self, operands: Collection[int]) -> Taken:
        held = slot_in = slot_out = 0
        for operand in operands:
            inputs, outputs = self._sizes(operand)
            fills = self._fills(operand)
            if fills == 1 or self.places[operand] > 0:
                # what comes again while its tiles still run lies beside what it follows
                held += (inputs + outputs) * (1 if fills == 1 else 2)
            else:
                slot_in, slot_out = slot_in + inputs, slot_out + outputs
        return Taken(held, slot_in, slot_out)

    def _sizes(self, operand: int) -> tuple[int, int]:
        """Bytes of the largest chunk of an operand: as inputs, and as results with their sums."""
        whole = self.chunk(operand, self.largest)
        count = len(self.op.inputs)
        if operand != RESULT:
            return (0 if operand in self.here else self.move(operand, whole).bytes), 0
        beside = [x for x in self._unlike(range(2, count)) if x not in self.here]
        outputs = [x for x in range(count, len(self.op.operands)) if x not in self.here]
        sums = self.mapping.problem.array.sum_bits * self._elements(whole)
        return (
            sum(self.move(x, whole).bytes for x in beside),
            max([-(-sums // 8), *(self.move(x, whole).bytes for x in outputs)]) if outputs else 0,
        )

    def _elements(self, extents: Extents) -> int:
        access = self.op.outputs[0]
        return self.op.loops.footprint(len(self.op.inputs), extents, access.shape)

    def _fills(self, operand: int) -> int:
        loops = range(self.places[operand], len(self.steps))
        changes = [i for i in loops if self.steps[i] > 1 and self.classes[i] in USES[operand]]
        return math.prod(self.steps[changes[0] :]) if changes else 1

    @property
    def largest(self) -> Extents:
        """Extents of a full tile."""
        found = tuple(1 for _ in self.op.loops.dims)
        for number in range(len(self.classes)):
            found = self._with(found, number, self._pieces(number)[0][0])
        return found

    @property
    def note(self) -> str:
        """The spread and the loops over tiles, in a sentence."""
        dims, axes = self.op.loops.dims, self.mapping.problem.array.axes
        laid = ", ".join(
            f"{axis.name}: " + (" ".join(f"{dims[loop]} {size}" for loop, size in loops) or "-")
            for axis, loops in zip(axes, self.mapping.problem.spread, strict=True)
        )
        words = ("rows", "reduction", "columns", "groups")
        outer = zip(reversed(self.steps), reversed(self.classes), strict=True)
        tiles = ", ".join(f"{count} {words[number]}" for count, number in outer if count > 1)
        return f"unrolled {laid}; tiles {tiles or 'one'}"


def _grouped(turns: Iterator[tuple[_Turn, int]]) -> Iterator[tuple[_Turn, int]]:
    for turn, alike in itertools.groupby(turns, key=lambda pair: pair[0]):
        yield turn, sum(count for _, count in alike)


def cells_cycles(mapping: Mapping, extents: Extents) -> int:
    """Cycles of the cells for a tile of these extents."""
    beside = mapping.problem.states.beside
    return math.prod(-(-extent // side) for extent, side in zip(extents, beside, strict=True))
