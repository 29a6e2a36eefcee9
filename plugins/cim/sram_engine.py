"""What the engines of digital and of analog SRAM macros share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from codesign.energy import Nanometres, Volts
from codesign.units import Count, JoulesPerByte, Seconds

from .cells import Cells
from .engine import Macros
from .physics import Array
from .quantities import Exponent, Share, SquareMetres
from .rounds import Round
from .sram import Sram


@dataclass(frozen=True, kw_only=True)
class SramMacros(Macros):
    """Macros of SRAM cells.

    Attributes:
        input_bits: bits of each activation that enter in one cycle; an activation of a bits takes
            a / ``input_bits`` passes.
        toggle: share of activation bits that differ from those before.
        weight_bit_density: share of weight bits that are one.
        voltage: supply; energy grows as its square.
        delay_exponent: delay grows as (0.9 V / voltage) to this power; it fits one chip.
        node: energy and area are taken to grow in proportion to it; delays are not.
        pipeline_stages: equal parts that the longest path is cut into.
        overhead: of a cycle beside the longest path, such as registers, at 0.9 V.
        accumulator_bits: of an accumulator; activation and weight bits and the growth of a sum if
            not given.
        accumulator_toggle: how often an accumulator switches; ``toggle`` if not given.
        cell_area: of a bit cell with its share of drivers; without it, areas leave out the cells.
        write_width: bits that the write port of each macro takes in a cycle.
        write_energy: energy per byte written into the cells; assumed.
    """

    input_bits: Count = 1
    toggle: Share = 0.5
    weight_bit_density: Share = 0.5
    voltage: Volts = 0.9
    delay_exponent: Exponent = 2.66
    node: Nanometres = 28.0
    pipeline_stages: Count = 1
    overhead: Seconds = 0.0
    accumulator_bits: Count | None = None
    accumulator_toggle: Share | None = None
    cell_area: SquareMetres | None = None
    write_width: Count = 64
    write_energy: JoulesPerByte = 0.095e-12

    def shared(self) -> dict[str, Any]:
        """Fields of the physics that digital and analog macros have in common."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "weight_bits": self.weight_bits,
            "activation_bits": self.activation_bits,
            "input_bits": self.input_bits,
            "sets": self.sets,
            "toggle": self.toggle,
            "weight_bit_density": self.weight_bit_density,
            "vdd": self.voltage,
            "delay_exponent": self.delay_exponent,
            "node_nm": self.node,
            "pipeline_stages": self.pipeline_stages,
            "overhead_s": self.overhead,
            "accumulator_bits": self.accumulator_bits or 0,
            "accumulator_toggle": (
                -1.0 if self.accumulator_toggle is None else self.accumulator_toggle
            ),
            "cell_area_m2": self.cell_area or 0.0,
            "cycle_s": 1 / self.clock if self.clock else 0.0,
        }

    @property
    def sram(self) -> Sram:
        """The physics as those of SRAM."""
        physics: Any = self.physics
        found: Sram = physics
        return found

    def turning(self, rows: int, columns: int) -> Mapping[str, Array]:
        """Word and bit lines are driven anew for the weights of another set."""
        return self.sram.set_reads(rows, columns)

    def write_s(self, weights: Round) -> float:
        """Weights go through the port of their macro; zeros between packed blocks stay."""
        fullest = weights.weight_bytes / weights.tiles * -(-weights.tiles // self.macros)
        return fullest * self.macros / self.cells.bandwidth

    @cached_property
    def cells(self) -> Cells:
        """The cells, with a write port for each macro."""
        return Cells(
            name=f"{self.name}.cells",
            size=self.macros * self.sets * self.tile_bytes,
            bandwidth=self.macros * self.write_width / 8 * self.clock_hz,
            write_energy=self.write_energy,
        )
