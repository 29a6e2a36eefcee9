"""Weight-stationary systolic arrays: fill, drain, weight preload and edge tiles, to the cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Gt

from codesign import Budget, Component, Engine, Op, TilePlan, hookimpl
from codesign.mapping.emit import Emitted, emit, with_fill
from codesign.mapping.tiling import ROW, Array, ArrayModel, Sizes, Tiling, search
from codesign.units import Bytes, Count, Hertz, Joules, JoulesPerByte, Natural, Unit

Rate = Annotated[float, Gt(0), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class Systolic(Engine):
    """One or several R x C arrays of multiply-accumulate cells with stationary weights.

    A fold is one block of the weight matrix, r <= R by c <= C, through which M rows of the other
    factor stream. With shadow weights the next block shifts in meanwhile: an operator takes
    ``r_1 + sum(max(M, r_next)) + M + r + c - 2`` cycles. With serial weights each fold takes
    ``2 r + M + c - 2`` (the convention of SCALE-Sim, Samajdar et al., ISPASS 2020, with edge
    blocks counted at their true size). Several arrays take column blocks in turn, or share the
    rows M, whichever is faster.

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
        function_energy: energy of one fused function on one output element.
        tile_overhead: cycles to start a tile (descriptors, address generation).
    """

    kind: ClassVar[str] = "systolic"

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

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The tiling with the least makespan, and what it does to the array."""
        rate = self.macs_per_cell[_pair(op)]
        model = ArrayModel(
            cycles=lambda sizes: self._cycles(sizes, rate),
            fits=lambda sizes: sizes[1] * sizes[3] * self.accumulator_bits // 8 <= self.accumulator,
            clock_hz=self.clock,
            grain=(1, 1, self._depth(rate), self.cols),
            fill_cycles=sum(self._ends(op, self.rows, rate)),
        )
        tiling = search(op, budget, model)
        fill, drain = self._ends(op, _last_rows(tiling), rate)
        tiles = emit(op, tiling, budget, lambda *sizes: int(self._cycles(_one(sizes), rate)[0]))
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
        return replace(plan, slots=self._slots(op, tiles, plan.cycles, fill + drain, rate))

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, accumulator bytes, fused functions."""
        table = {f"mac {pair}": energy for pair, energy in self.mac_energy.items()}
        table |= dict.fromkeys(("accumulator read", "accumulator write"), self.accumulator_energy)
        return table | {"function": self.function_energy}

    def _depth(self, rate: float) -> int:
        """Reduction steps of one fold: a format at twice the rate packs two into a cell."""
        return self.rows * max(1, int(rate))

    def _folded(self, sizes: Sizes, rate: float) -> Sizes:
        """Sizes (groups, m, k, n) after packing small groups block-diagonally."""
        g, m, k, n = sizes
        if not self.pack_groups:
            return sizes
        room = np.minimum(self._depth(rate) // k, self.cols // n)
        packed = np.clip(room, 1, g)
        return -(-g // packed), m, k * packed, n * packed

    def _cycles(self, sizes: Sizes, rate: float) -> Array:
        """Steady cycles of a tile: its folds back to back, without fill and drain."""
        groups, m, k, n = self._folded(sizes, rate)
        blocks = groups * -(-n // self.cols)
        by_columns = -(-blocks // self.arrays) * self._along(m, k, n, rate)
        by_rows = blocks * self._along(-(-m // self.arrays), k, n, rate)
        cycles: Array = np.minimum(by_columns, by_rows) + self.tile_overhead
        return cycles

    def _along(self, m: Array, k: Array, n: Array, rate: float) -> Array:
        """Cycles of all folds of one column block, of the mean width where serial."""
        depth = self._depth(rate)
        stream = np.ceil(m / min(1.0, rate)).astype(np.int64)
        whole, rest = k // depth, _cells(k % depth, rate)
        once = stream - 2 + -(-n // -(-n // self.cols))
        cycles: Array = whole * (once + 2 * self.rows) + (rest > 0) * (once + 2 * rest)
        if self.weight_preload == "shadow":
            cycles = whole * np.maximum(stream, self.rows) + (rest > 0) * np.maximum(stream, rest)
        return cycles

    def _ends(self, op: Op, last_rows: int, rate: float) -> tuple[int, int]:
        """Fill before the first fold and drain after the last, given its rows M."""
        if self.weight_preload == "serial":
            return 0, 0
        _, _, k, n = self._folded(_one(op.gemm), rate)
        depth = self._depth(rate)
        first = min(int(_cells(k, rate)[0]), self.rows)
        last = int(_cells((k - 1) % depth + 1, rate)[0])
        edge = int((n[0] - 1) % self.cols + 1)
        stream = -int(-last_rows // min(1.0, rate))
        return first, min(stream, first) - first + last + edge - 2

    def _actions(self, op: Op, tiles: Emitted, rate: float) -> tuple[tuple[str, str, int], ...]:
        """MACs, bytes at the buffer port and in the accumulator (``npu`` traffic equations)."""
        first, second, out = op.inputs[0], op.inputs[1], op.outputs[0]
        reads = writes = sums = results = 0
        for (g, m, k, n, final), times in tiles.sizes.items():
            columns, depths = -(-n // self.cols), -(-k // self._depth(rate))
            reads += times * first.tensor.dtype.storage_bytes(g * m * k) * columns
            reads += times * second.tensor.dtype.storage_bytes(g * k * n)
            sums += times * g * m * n * depths
            results += times * g * m * n * final
            writes += times * out.tensor.dtype.storage_bytes(g * m * n) * final
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
        self, op: Op, tiles: Emitted, cycles: int, ends: int, rate: float
    ) -> tuple[tuple[str, int], ...]:
        """MAC slots of the array by cause; the sum is what was issued."""
        per_cycle = self.rows * self.cols * self.arrays * rate
        count = sum(tiles.sizes.values())
        issued = int(cycles * per_cycle)
        overhead = int(self.tile_overhead * count * per_cycle)
        ramp = int(ends * per_cycle)
        idle = issued - op.macs - overhead - ramp
        causes = [("effective", op.macs), ("fill and drain", ramp), ("tile start", overhead)]
        return tuple((c, n) for c, n in [*causes, ("edge and weight load", idle)] if n)


def _pair(op: Op) -> str:
    return f"{op.inputs[0].tensor.dtype}*{op.inputs[1].tensor.dtype}"


def _one(sizes: tuple[int, ...]) -> Sizes:
    g, m, k, n = (np.array([size], dtype=np.int64) for size in sizes)
    return g, m, k, n


def _cells(depth: Array, rate: float) -> Array:
    """Rows of cells that so many reduction steps take."""
    return -(-depth // max(1, int(rate)))


def _last_rows(tiling: Tiling) -> int:
    rows = tiling.splits[ROW]
    return rows.edge_size or rows.size


@hookimpl
def codesign_components() -> list[type[Component]]:
    """The kind ``systolic``."""
    return [Systolic]
