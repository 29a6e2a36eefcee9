"""Weight-stationary systolic arrays: fill, drain, weight preload and edge tiles, to the cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from codesign import (
    Budget,
    Component,
    Engine,
    Op,
    TilePlan,
    hookimpl,
)
from codesign.errors import HardwareError
from codesign.mapping.emit import Emitted, emit, with_fill
from codesign.mapping.tiling import INNER, ROW, Array, ArrayModel, Sizes, Tiling, search
from codesign.units import Bytes, Count, Hertz, Joules, JoulesPerByte, Natural, Unit

Rate = Annotated[float, Gt(0), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class Systolic(Engine):
    """One or several R x C arrays of multiply-accumulate cells with stationary weights.

    A fold is one block of the weight matrix, r <= R by c <= C, through which M rows of the other
    factor stream. With shadow weights the next block shifts in meanwhile: an operator takes
    ``r_1 + sum(max(M, r_next)) + M + r + c - 2`` cycles, the sum over all folds but the last. With
    serial weights each fold takes ``2 r + M + c - 2`` (the convention of SCALE-Sim, Samajdar et
    al., ISPASS 2020, with edge blocks counted at their true size). Several arrays take column
    blocks in turn, or share the rows M, whichever is faster for a tile.

    Attributes:
        rows: cells along the reduction.
        cols: cells along the output columns.
        arrays: equal arrays.
        clock: clock of the arrays.
        weight_preload: ``shadow``: a second weight register hides the preload; ``serial``: none.
        pack_groups: lays small groups of a grouped convolution block-diagonally in one fold.
        accumulator: bytes that hold the partial sums of a tile.
        accumulator_bits: width of a partial sum.
        macs_per_cell: multiply-accumulates per cell and cycle by operand formats
            (``int8*int8``); a missing pair is refused, never guessed.
        mac_energy: energy of one multiply-accumulate by operand formats.
        accumulator_energy: energy per byte read or written in the accumulator.
        function_energy: energy of one fused function on one output element. Functions are stages
            of a pipeline behind each column that takes a result a cycle: they add no time.
        tile_overhead: cycles to start a tile (descriptors, address generation).
    """

    kind: ClassVar[str] = "systolic"
    expected_error: ClassVar[str] = "functions fused behind an array cost energy but no time"

    rows: Count = 64
    cols: Count = 64
    arrays: Count = 1
    clock: Hertz = 1e9
    weight_preload: Literal["shadow", "serial"] = "shadow"
    pack_groups: bool = True
    accumulator: Bytes = 65536
    accumulator_bits: Count = 32
    macs_per_cell: Mapping[str, Rate] = field(default_factory=lambda: {"int8*int8": 1.0})
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {"int8*int8": 0.3e-12})
    accumulator_energy: JoulesPerByte = 0.3e-12
    function_energy: Joules = 0.1e-12
    tile_overhead: Natural = 0

    def supports(self, op: Op) -> str | None:
        """Takes contractions whose operand formats have a rate and an energy."""
        if op.kind != "contraction":
            return f"takes contractions only, not {op.kind}"
        pair = _pair(op)
        if pair not in self.macs_per_cell or pair not in self.mac_energy:
            return f"no MAC rate or energy for {pair}; has {', '.join(sorted(self.macs_per_cell))}"
        return None

    def check(self) -> None:
        """Every pair of formats has a rate and an energy, and no rate packs part of a cell."""
        for table in ("macs_per_cell", "mac_energy"):
            other = {"macs_per_cell": self.mac_energy, "mac_energy": self.macs_per_cell}[table]
            for pair in getattr(self, table):
                if pair not in other or pair.count("*") != 1:
                    raise HardwareError(
                        f"{self.name}.{table}[{pair!r}] must name two formats, as in 'int8*int8', "
                        "that the other table of this engine has too; add or mend it"
                    )
        for pair, rate in self.macs_per_cell.items():
            if rate > 1 and rate != int(rate):
                raise HardwareError(
                    f"{self.name}.macs_per_cell[{pair!r}] must be whole where it is above 1, "
                    f"got {rate}; round it down"
                )

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The tiling with the least makespan, and what it does to the array."""
        rate = self.macs_per_cell[_pair(op)]
        whole = _one(op.gemm)
        model = ArrayModel(
            cycles=lambda sizes: self._paced(op, budget, sizes, rate),
            fits=lambda sizes: self._fits(sizes, op.gemm[INNER], rate),
            clock_hz=self.clock,
            grain=(1, 1, self._depth(rate), self.cols),
            fill_cycles=sum(self._ends(whole, whole, rate)),
        )
        tiling = search(op, budget, model)
        fill, drain = self._ends(_first_tile(tiling), _last_tile(tiling), rate)
        tiles = emit(
            op, tiling, budget, lambda *sizes: int(self._paced(op, budget, _one(sizes), rate)[0])
        )
        plan = TilePlan(
            with_fill(tiles.loop, fill, drain),
            self.clock,
            held_bytes=tiles.held_bytes,
            slot_in_bytes=tiles.slot_in_bytes,
            slot_out_bytes=tiles.slot_out_bytes,
            slots_out=tiles.slots_out,
            actions=self._actions(op, tiles, rate),
            note=f"tiles (g, m, k, n) = {tuple(split.size for split in tiling.splits)}",
        )
        waits = sum(
            int(
                self._paced(op, budget, _one(key[:4]), rate)[0]
                - self._cycles(_one(key[:4]), rate)[0]
            )
            * times
            for key, times in tiles.sizes.items()
        )
        return replace(plan, slots=self._slots(op, tiles, plan.cycles, (fill + drain, waits), rate))

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, accumulator bytes, fused functions."""
        table = {f"mac {pair}": energy for pair, energy in self.mac_energy.items()}
        table |= dict.fromkeys(("accumulator read", "accumulator write"), self.accumulator_energy)
        return table | {"function": self.function_energy}

    def _depth(self, rate: float) -> int:
        """Reduction steps of one fold: a format at twice the rate packs two into a cell."""
        return self.rows * max(1, int(rate))

    def _fits(self, sizes: Sizes, reduction: int, rate: float) -> NDArray[np.bool_]:
        """Whether the accumulator holds the partial sums of a tile.

        Groups follow one another, so only those of one fold have sums at a time, unless each
        waits for further tiles of the reduction.
        """
        g, m, k, n = sizes
        open_groups = np.where(k == reduction, self._packed(sizes, rate), g)
        fits: NDArray[np.bool_] = (
            open_groups * m * n * self.accumulator_bits <= 8 * self.accumulator
        )
        return fits

    def _packed(self, sizes: Sizes, rate: float) -> Array:
        """Groups that share a fold, laid block-diagonally."""
        g, _, k, n = sizes
        if not self.pack_groups:
            return np.ones_like(g)
        packed: Array = np.clip(np.minimum(self._depth(rate) // k, self.cols // n), 1, g)
        return packed

    def _blocks(self, sizes: Sizes, rate: float) -> list[tuple[Array, Array, Array]]:
        """Column blocks of a tile as (how many, depth, width), the widest first.

        They are blocks of full width, those at the edge of the columns, and the last groups.
        """
        g, _, k, n = sizes
        packed = self._packed(sizes, rate)
        folds, rest = g // packed, g % packed
        depth, width = k * packed, n * packed
        full = np.full_like(n, self.cols)
        return [
            (folds * (width // self.cols), depth, full),
            (folds * (width % self.cols > 0), depth, width % self.cols),
            ((rest > 0).astype(np.int64), k * rest, n * rest),
        ]

    def _cycles(self, sizes: Sizes, rate: float) -> Array:
        """Steady cycles of a tile: its folds back to back, without fill and drain."""
        cycles: Array = np.minimum(*self._divisions(sizes, rate)) + self.tile_overhead
        return cycles

    def _paced(self, op: Op, budget: Budget, sizes: Sizes, rate: float) -> Array:
        """Cycles of a tile at the pace of the slower: the array or the port of its buffer.

        Results leave while the reduction proceeds: a tile with a share of the reduction is charged
        that share of them.
        """
        reads, results = self._traffic(op, sizes, rate)
        touched = reads + results * (sizes[INNER] / op.gemm[INNER])
        port = np.ceil(touched * (self.clock / budget.port_bytes_per_s) - 1e-6).astype(np.int64)
        paced: Array = np.maximum(self._cycles(sizes, rate), port)
        return paced

    def _traffic(self, op: Op, sizes: Sizes, rate: float) -> tuple[Array, Array]:
        """Bytes at the buffer port: factors read by a tile; fused operands and results at its end.

        Each column block reads the rows anew; packed groups share one block.
        """
        g, m, k, n = sizes
        columns = -(-n // self.cols)
        reads = op.inputs[0].tensor.dtype.storage_bytes(g * m * k) * columns + op.inputs[
            1
        ].tensor.dtype.storage_bytes(g * k * n)
        results = op.outputs[0].tensor.dtype.storage_bytes(g * m * n)
        groups, rows, _, across = op.loops.classes(len(op.inputs))
        for number, access in enumerate(op.inputs[2:], start=2):
            used = op.loops.uses(number)
            elements = np.ones_like(g)
            for dims, size in ((groups, g), (rows, m), (across, n)):
                elements = elements * (size if used & set(dims) else 1)
            results = results + access.tensor.dtype.storage_bytes(elements)
        return reads, results

    def _divisions(self, sizes: Sizes, rate: float) -> tuple[Array, Array]:
        """Steady cycles where arrays take column blocks in turn, and where they share the rows."""
        blocks = self._blocks(sizes, rate)
        rows = sizes[1]
        dealt = self._dealt(blocks, _stream(rows, rate), self.arrays, rate)
        if self.arrays == 1:
            return dealt, dealt
        shared = self._dealt(blocks, _stream(-(-rows // self.arrays), rate), 1, rate)
        return dealt, shared

    def _dealt(
        self, blocks: list[tuple[Array, Array, Array]], stream: Array, arrays: int, rate: float
    ) -> Array:
        """Cycles of the first array, which gets the most and widest blocks of those dealt."""
        total, before = np.zeros_like(stream), np.zeros_like(stream)
        seen = np.zeros_like(stream)
        for count, depth, width in blocks:
            seen = seen + count
            share = -(-seen // arrays)
            total = total + (share - before) * self._along(stream, depth, width, rate)
            before = share
        return total

    def _along(self, stream: Array, depth: Array, width: Array, rate: float) -> Array:
        """Cycles of all folds of one column block."""
        whole, rest = depth // self._depth(rate), _cells(depth % self._depth(rate), rate)
        once = stream + width - 2
        cycles: Array = whole * (once + 2 * self.rows) + (rest > 0) * (once + 2 * rest)
        if self.weight_preload == "shadow":
            cycles = whole * np.maximum(stream, self.rows) + (rest > 0) * np.maximum(stream, rest)
        return cycles

    def _ends(self, first: Sizes, last: Sizes, rate: float) -> tuple[int, int]:
        """Cycles before the first fold and after the last, of an operator's first and last tile.

        Each fold is charged the longer of its stream and its own weight load. Where streams are
        the longer, the first load is left over; where loads are, the last stream is.
        """
        if self.weight_preload == "serial":
            return 0, 0
        used = next(depth for count, depth, _ in self._blocks(first, rate) if count)
        load = min(int(_cells(used, rate)[0]), self.rows)
        dealt, shared = self._divisions(last, rate)
        arrays = self.arrays if dealt <= shared else 1
        stream = int(_stream(-(-last[ROW] // (self.arrays // arrays)), rate)[0])
        depth, width = self._last_block(last, arrays, rate)
        skew = int(_cells((depth - 1) % self._depth(rate) + 1, rate)[0] + width[0]) - 2
        return (load, skew) if stream >= load else (0, stream + skew)

    def _last_block(self, sizes: Sizes, arrays: int, rate: float) -> tuple[Array, Array]:
        """Depth and width of the last column block that the first array works on."""
        blocks = [block for block in self._blocks(sizes, rate) if block[0]]
        place = (sum(int(count[0]) for count, _, _ in blocks) - 1) // arrays * arrays
        for count, depth, width in blocks[:-1]:
            if place < count[0]:
                return depth, width
            place -= int(count[0])
        return blocks[-1][1:]

    def _actions(self, op: Op, tiles: Emitted, rate: float) -> tuple[tuple[str, str, int], ...]:
        """MACs, bytes at the buffer port and in the accumulator (``npu`` traffic equations)."""
        reads = writes = sums = results = 0
        for (g, m, k, n, final), times in tiles.sizes.items():
            factors, ends = self._traffic(op, _one((g, m, k, n)), rate)
            written = op.outputs[0].tensor.dtype.storage_bytes(g * m * n) * final
            reads += times * (int(factors[0]) + int(ends[0]) * final - written)
            writes += times * written
            sums += times * g * m * n * -(-k // self._depth(rate))
            results += times * g * m * n * final
        width = self.accumulator_bits
        found = [
            ("", f"mac {_pair(op)}", op.macs),
            ("buffer", "read", reads),
            ("buffer", "write", writes),
            ("", "accumulator write", sums * width // 8),
            ("", "accumulator read", (sums - results) * width // 8),
            ("", "function", results * len(op.functions)),
        ]
        return tuple(action for action in found if action[2])

    def _slots(
        self, op: Op, tiles: Emitted, cycles: int, idle: tuple[int, int], rate: float
    ) -> tuple[tuple[str, int], ...]:
        """MAC slots of the array by cause; the sum is what was issued."""
        per_cycle = self.rows * self.cols * self.arrays * rate
        starts = self.tile_overhead * sum(tiles.sizes.values())
        causes = {
            "fill and drain": int(idle[0] * per_cycle),
            "buffer port": int(idle[1] * per_cycle),
            "tile start": int(starts * per_cycle),
        }
        rest = int(cycles * per_cycle) - op.macs - sum(causes.values())
        every = {"effective": op.macs} | causes | {"edge and weight load": rest}
        return tuple((cause, count) for cause, count in every.items() if count)


def _pair(op: Op) -> str:
    return f"{op.inputs[0].tensor.dtype}*{op.inputs[1].tensor.dtype}"


def _one(sizes: tuple[int, ...]) -> Sizes:
    g, m, k, n = (np.array([size], dtype=np.int64) for size in sizes)
    return g, m, k, n


def _cells(depth: Array, rate: float) -> Array:
    """Rows of cells that so many reduction steps take."""
    return -(-depth // max(1, int(rate)))


def _stream(rows: Array, rate: float) -> Array:
    """Cycles to stream so many rows through a fold."""
    return np.ceil(rows / min(1.0, rate)).astype(np.int64)


def _first_tile(tiling: Tiling) -> Sizes:
    return _one(tuple(split.size for split in tiling.splits))


def _last_tile(tiling: Tiling) -> Sizes:
    return _one(tuple(split.edge_size or split.size for split in tiling.splits))


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``systolic``."""
    return [Systolic]
