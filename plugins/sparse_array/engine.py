"""Engines that multiply where no factor is zero: how they plan, and what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt

from codesign import Budget, Engine, Op, TilePlan
from codesign.errors import HardwareError
from codesign.mapping.emit import Emitted, emit
from codesign.mapping.tiling import Array, ArrayModel, Sizes, search
from codesign.units import Bytes, Count, Hertz, Joules, JoulesPerByte, Natural, Unit
from codesign.workload.work import format_pair

from .traffic import Traffic, one, scaled
from .work import Work

Rate = Annotated[float, Gt(0), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class Skipping(Engine):
    """Lanes that make results of their own, and multiply non-zeros only where they can.

    Attributes:
        clock: clock of the lanes.
        accumulator: bytes that hold the partial sums of a tile.
        accumulator_bits: width of a partial sum.
        macs_per_lane: multiply-accumulates per lane and cycle by operand formats
            (``int8*int8``); a missing pair is refused, never guessed.
        mac_energy: energy of one multiply-accumulate by operand formats; assumed.
        metadata_energy: energy to decode one bit of metadata: of a mask, or of a place; assumed.
        accumulator_energy: energy per byte read or written in the accumulator; assumed.
        function_energy: energy of one fused function on one element of the result; it takes no
            time; assumed.
        tile_overhead: cycles to start a tile.
    """

    takes_mappings: ClassVar[bool] = True

    clock: Hertz = 1e9
    accumulator: Bytes = 65536
    accumulator_bits: Count = 32
    macs_per_lane: Mapping[str, Rate] = field(default_factory=lambda: {"int8*int8": 1.0})
    mac_energy: Mapping[str, Joules] = field(default_factory=lambda: {"int8*int8": 0.3e-12})
    metadata_energy: Joules = 0.01e-12
    accumulator_energy: JoulesPerByte = 0.3e-12
    function_energy: Joules = 0.1e-12
    tile_overhead: Natural = 0

    @abstractmethod
    def work(self, op: Op) -> Work:
        """A contraction on this engine."""

    @abstractmethod
    def places_bits(self, work: Work, factor: int) -> float:
        """Bits per element that tell where the non-zeros of a factor are."""

    def supports(self, op: Op) -> str | None:
        """Takes contractions whose operand formats have a rate and an energy."""
        if op.kind != "contraction":
            return f"takes contractions only, not {op.kind}"
        formats = format_pair(op)
        if formats not in self.macs_per_lane or formats not in self.mac_energy:
            known = ", ".join(sorted(self.macs_per_lane))
            return f"no MAC rate or energy for {formats}; has {known}"
        return None

    def check(self) -> None:
        """Every pair of formats has a rate and an energy."""
        for table, other in (
            ("macs_per_lane", self.mac_energy),
            ("mac_energy", self.macs_per_lane),
        ):
            for formats in getattr(self, table):
                if formats not in other or formats.count("*") != 1:
                    raise HardwareError(
                        f"{self.name}.{table}[{formats!r}] must name two formats, as in "
                        "'int8*int8', that the other table of this engine has too; add or mend it"
                    )

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """The tiling that scores best, with every slot booked under its cause."""
        work = self.work(op)
        traffic = Traffic(self, op, budget, work)
        tiling = search(op, budget, self._model(traffic))
        tiles = emit(
            op, tiling, budget, lambda *sizes: int(self._cycles(traffic, one(sizes))[0]), work.lanes
        )
        return TilePlan(
            tiles.loop,
            self.clock,
            held_bytes=tiles.held_bytes,
            slot_in_bytes=tiles.slot_in_bytes,
            slot_out_bytes=tiles.slot_out_bytes,
            slots_out=tiles.slots_out,
            actions=traffic.actions(tiles),
            nest=tiles.nest,
            note=f"tiles (g, m, k, n) = {tuple(split.size for split in tiling.splits)}",
            slots=self._slots(traffic, tiles),
        )

    def energies_j(self) -> Mapping[str, float]:
        """MACs by format pair, metadata bits, accumulator bytes, fused functions."""
        table = {f"mac {formats}": energy for formats, energy in self.mac_energy.items()}
        table |= dict.fromkeys(("accumulator read", "accumulator write"), self.accumulator_energy)
        return table | {"metadata bit": self.metadata_energy, "function": self.function_energy}

    def _cycles(self, traffic: Traffic, sizes: Sizes) -> Array:
        """Cycles of tiles at the pace of the slowest: the lanes or the port of the buffer."""
        own = traffic.work.cycles(sizes) + self.tile_overhead
        paced: Array = np.maximum(own, traffic.port_cycles(sizes))
        return paced

    def _model(self, traffic: Traffic) -> ArrayModel:
        work, whole = traffic.work, traffic.op.gemm[2]

        def sums(sizes: Sizes) -> Array:
            g, m, k, n = sizes
            found: Array = np.where(k == whole, work.open_sums(sizes), g * m * n)
            return found * self.accumulator_bits

        def overflow(sizes: Sizes) -> str:
            taken = -(-int(sums(sizes)[0]) // 8)
            return (
                f"its partial sums take {taken:,} B of the {self.accumulator:,} B of accumulator "
                f"of {self.name}"
            )

        return ArrayModel(
            lambda sizes: self._cycles(traffic, sizes),
            lambda sizes: sums(sizes) <= 8 * self.accumulator,
            self.clock,
            work.grain,
            0,
            overflow,
            traffic.joules,
        )

    def _slots(self, traffic: Traffic, tiles: Emitted) -> tuple[tuple[str, int], ...]:
        work = traffic.work
        spent: defaultdict[str, float] = defaultdict(float)
        cycles = 0
        for (*extents, _), times in tiles.sizes.items():
            sizes = one(tuple(extents))
            own, paced = int(work.cycles(sizes)[0]), int(self._cycles(traffic, sizes)[0])
            late = paced - own - self.tile_overhead
            held = {"tile start": self.tile_overhead, "buffer port": late}
            for cause, count in scaled(work.spent(sizes), times).items():
                spent[cause] += count
            for cause, count in held.items():
                spent[cause] += times * count * work.slots_per_cycle
            cycles += times * paced
        return work.book(spent, cycles)
