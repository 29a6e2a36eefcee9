"""The engine: what a systolic array is made of, and how it runs a contraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt

from codesign import Budget, Engine, Least, Op, TilePlan, fields_only
from codesign.errors import HardwareError
from codesign.mapping.emit import emit, with_fill
from codesign.mapping.tiling import Sizes, Tiling, search
from codesign.units import (
    Bytes,
    BytesPerCycle,
    Count,
    Hertz,
    Joules,
    JoulesPerByte,
    Natural,
    Unit,
)
from codesign.workload.compulsory import compulsory_bytes
from codesign.workload.work import format_pair

from .folds import Folds
from .layout import Layout, one
from .model import find_model
from .ports import Ports
from .slots import book

Rate = Annotated[float, Gt(0), Unit("1")]


@fields_only
@dataclass(frozen=True, kw_only=True)
class Systolic(Engine):
    """One or several R x C arrays of multiply-accumulate cells.

    A fold is one block of r x c cells, r <= R and c <= C, through which operands stream:

    | dataflow | cells hold | r along | c along | streams |
    |---|---|---|---|---|
    | ``ws`` weight-stationary | weights | K | N | M |
    | ``is`` input-stationary | inputs | K | M | N |
    | ``os`` output-stationary | partial sums | M | N | K |

    By itself a fold of stream S takes ``r + S + r + c - 2`` cycles (``ws``, ``is``) or
    ``K + r + c - 2`` (``os``), and r more where its sums are shifted out. Folds that overlap take
    ``max(S, r)``; see ``pace.py``. The convention of SCALE-Sim (Samajdar et al., ISPASS 2020) is
    ``weight_preload: serial, output_drain: hidden, edge_tiles: full, fold_overlap: false``;
    ``row_merge: false`` is that of ONNXim (Ham et al., IEEE CAL 2024). Several arrays take blocks
    in turn, or, but for ``os``, share what streams, whichever is faster for a tile.

    Attributes:
        dataflow: what stays in the cells.
        rows: cells along the reduction, of ``os`` along the rows M.
        cols: cells along the output columns, of ``is`` along the rows M.
        arrays: equal arrays.
        clock: clock of the arrays.
        weight_preload: ``shadow``: a second register in each cell takes the next stationary
            operand while this one is used; ``skewed``: as ``shadow``, and operands get there
            through the staggered registers of the inputs, one column a cycle later than the one
            before, which the first load of an operator waits for; ``serial``: no second register,
            so that no fold overlaps the next. Of ``ws`` and ``is``.
        output_drain: ``shift``: the sums of a fold leave through the cells before the next fold;
            ``hidden``: a second register lets them leave behind it. Of ``os``.
        fold_overlap: a fold follows the one before without waiting until the array is empty.
        edge_tiles: ``exact``: a fold at an edge uses and loads as many cells as it has operands
            for; ``full``: its operands cross the whole array.
        row_merge: the taps of a convolution share the rows of the array (K is packed whole);
            without, every tap has folds of its own, of input channels only. Of ``ws`` and ``is``.
        pack_groups: lays small groups of a grouped convolution block-diagonally in one fold.
        accumulator: bytes that hold the partial sums of a tile. Those of ``os`` stay in the cells.
        accumulator_bits: width of a partial sum.
        input_width: bytes of the first operand that all arrays together read in a cycle.
        weight_width: the same of the second operand.
        accumulator_width: bytes of partial sums that they read and write in a cycle. A width that
            is left out never stalls.
        macs_per_cell: multiply-accumulates per cell and cycle by operand formats
            (``int8*int8``); a missing pair is refused, never guessed.
        mac_energy: energy of one multiply-accumulate by operand formats; assumed.
        accumulator_energy: energy per byte read or written in the accumulator; assumed.
        function_energy: energy of one fused function on one output element. Functions are stages
            of a pipeline behind each column that takes a result a cycle: they add no time; assumed.
        tile_overhead: cycles to start a tile (descriptors, address generation).
    """

    kind: ClassVar[str] = "systolic"
    takes_mappings: ClassVar[bool] = True
    expected_error: ClassVar[str] = "functions fused behind an array cost energy but no time"

    dataflow: Literal["ws", "os", "is"] = "ws"
    rows: Count = 64
    cols: Count = 64
    arrays: Count = 1
    clock: Hertz = 1e9
    weight_preload: Literal["shadow", "skewed", "serial"] = "shadow"
    output_drain: Literal["shift", "hidden"] = "shift"
    fold_overlap: bool = True
    edge_tiles: Literal["exact", "full"] = "exact"
    row_merge: bool = True
    pack_groups: bool = True
    accumulator: Bytes = 65536
    accumulator_bits: Count = 32
    input_width: BytesPerCycle | None = None
    weight_width: BytesPerCycle | None = None
    accumulator_width: BytesPerCycle | None = None
    macs_per_cell: Mapping[str, Rate] = field(default_factory=lambda: {"int8*int8": 1.0})
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {"int8*int8": 0.3e-12})
    accumulator_energy: JoulesPerByte = 0.3e-12
    function_energy: Joules = 0.1e-12
    tile_overhead: Natural = 0

    def supports(self, op: Op) -> str | None:
        """Takes contractions whose operand formats have a rate and an energy."""
        if op.kind != "contraction":
            return f"takes contractions only, not {op.kind}"
        formats = format_pair(op)
        if formats not in self.macs_per_cell or formats not in self.mac_energy:
            known = ", ".join(sorted(self.macs_per_cell))
            return f"no MAC rate or energy for {formats}; has {known}"
        return None

    def check(self) -> None:
        """Every pair of formats has a rate and an energy, and no rate packs part of a cell."""
        for table in ("macs_per_cell", "mac_energy"):
            other = {"macs_per_cell": self.mac_energy, "mac_energy": self.macs_per_cell}[table]
            for formats in getattr(self, table):
                if formats not in other or formats.count("*") != 1:
                    raise HardwareError(
                        f"{self.name}.{table}[{formats!r}] must name two formats, as in "
                        "'int8*int8', that the other table of this engine has too; add or mend it"
                    )
        for formats, rate in self.macs_per_cell.items():
            if rate > 1 and rate != int(rate):
                raise HardwareError(
                    f"{self.name}.macs_per_cell[{formats!r}] must be whole where it is above 1, "
                    f"got {rate}; round it down"
                )

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The tiling that scores best, and what it does to the array."""
        layout = Layout.of(self, op)
        folds, ports = Folds.of(layout), Ports(self, op, budget, layout)
        model = find_model(folds, ports)
        tiling = search(op, budget, model)
        paced = model.cycles
        tiles = emit(op, tiling, budget, lambda *sizes: int(paced(one(sizes))[0]), layout.lanes)
        ends = folds.ends(_first_tile(tiling), _last_tile(tiling))
        plan = TilePlan(
            with_fill(tiles.loop, ends.fill, ends.drain),
            self.clock,
            held_bytes=tiles.held_bytes,
            slot_in_bytes=tiles.slot_in_bytes,
            slot_out_bytes=tiles.slot_out_bytes,
            slots_out=tiles.slots_out,
            actions=ports.actions(tiles),
            nest=tiles.nest,
            note=f"tiles (g, m, k, n) = {tuple(split.size for split in tiling.splits)}",
        )
        return replace(plan, slots=book(folds, ports, tiles, ends, plan.cycles))

    def least(self, op: Op) -> Least:
        """All cells busy, or what they hold shifted in row by row; every operand and sum once."""
        formats = format_pair(op)
        rate = self.macs_per_cell[formats]
        cycles = op.macs / (self.rows * rate)
        if self.dataflow != "os":  # a fold takes at least a cycle for each of its rows
            streamed = op.gemm[1] if self.dataflow == "ws" else op.gemm[3]
            cycles = max(cycles, op.macs / streamed / max(1, rate))
        results = sum(access.elements for access in op.outputs)
        actions = (
            ("", f"mac {formats}", op.macs),
            ("", "function", results * len(op.functions)),
            ("", "accumulator write", results * self.accumulator_bits / 8),
            ("buffer", "read", sum(compulsory_bytes(op, number) for number in (0, 1))),
            ("buffer", "write", sum(access.bytes for access in op.outputs)),
        )
        return Least(cycles / (self.cols * self.arrays) / self.clock, actions)

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, accumulator bytes, fused functions."""
        table = {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        table |= dict.fromkeys(("accumulator read", "accumulator write"), self.accumulator_energy)
        return table | {"function": self.function_energy}


def _first_tile(tiling: Tiling) -> Sizes:
    return one(tuple(split.size for split in tiling.splits))


def _last_tile(tiling: Tiling) -> Sizes:
    return one(tuple(split.edge_size or split.size for split in tiling.splits))
