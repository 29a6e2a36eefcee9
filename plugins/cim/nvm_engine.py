"""What the engines of macros of non-volatile cells share: how their cells are written, and wear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .cells import Cells
from .engine import Macros
from .nvm_writing import Writing
from .quantities import PositiveJoules, PositiveSeconds, Pulses, SquareMetres, Writes
from .rounds import Round


@dataclass(frozen=True, kw_only=True)
class NvmMacros(Macros):
    """Macros of RRAM or PCM cells.

    Writing is charged: rows one after the other, each with so many pulses.

    Attributes:
        cell_area: of a cell with its transistor; areas leave out what is not given.
        row_area: of the drivers of a row and its register, without converters.
        write_time: of one pulse on a row, with the read that verifies it.
        write_pulses: until a cell holds its value, on average.
        write_energy: of one pulse on one cell.
        endurance: writes that a cell lasts.
    """

    cell_area: SquareMetres | None = None
    row_area: SquareMetres | None = None
    write_time: PositiveSeconds
    write_pulses: Pulses = 1.0
    write_energy: PositiveJoules
    endurance: Writes = 1e6

    @property
    def cells_per_weight(self) -> float:
        """Cells that hold one weight of the widest that there are."""
        raise NotImplementedError

    @property
    def writing(self) -> Writing:
        """What it takes to write the cells."""
        return Writing(
            row_s=self.write_time,
            pulses=self.write_pulses,
            cell_j=self.write_energy,
            endurance=self.endurance,
        )

    def write_s(self, weights: Round) -> float:
        """Row after row of the fullest macro, however many of its columns are used."""
        fullest = weights.rows / weights.tiles * -(-weights.tiles // self.macros)
        return float(self.writing.seconds(fullest))

    @cached_property
    def cells(self) -> Cells:
        """The cells; every macro writes one row at a time."""
        weight_bytes = self.weight_bits / 8
        return Cells(
            name=f"{self.name}.cells",
            size=self.macros * self.sets * self.tile_bytes,
            bandwidth=self.macros * self.columns * weight_bytes / float(self.writing.seconds(1)),
            write_energy=float(self.writing.joules(self.cells_per_weight)) / weight_bytes,
            writes=self.endurance,
        )
