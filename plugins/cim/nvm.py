"""The kind ``cim_nvm``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from codesign.units import Count, Joules, Seconds

from .nvm_buffers import Buffers
from .nvm_engine import NvmMacros
from .nvm_physics import Areas, Energies, NvmArray, Pair
from .nvm_timing import Step
from .quantities import PositiveSeconds, SquareMetres


@dataclass(frozen=True, kw_only=True)
class CimNvm(NvmMacros):
    """Macros of RRAM or PCM cells, the currents of which are summed and converted in turn.

    A product takes input slices x row groups x columns per converter steps of
    ``read_pulse + dac_time + adc_time + digital_time`` (Shafiee et al., ISAAC, ISCA 2016; Zhu et
    al., MNSIM 2.0).

    Attributes:
        bits_per_cell: of a weight.
        pair: ``analog`` and ``digital``: a signed weight lies in pairs of cells that are subtracted
            before or after conversion; ``none``: in single cells.
        dac_bits: input bits that a row is driven with at once.
        adc_bits: of a conversion.
        clipping: whether converters with fewer bits than all sums need are meant.
        columns_per_adc: bit columns that take turns at a converter.
        rows_read: rows that are read together; all if not given.
        arrays: cell arrays that share the bit columns; each drives its rows itself.
        read_pulse: until the bit lines have settled.
        dac_time: to drive the rows.
        adc_time: of a conversion.
        digital_time: of register, shifter and multiplexers in a step.
        product_time: of a product beside its steps.
        dac_energy: of driving a row with one slice.
        cell_energy: of reading a cell, on the average of states and inputs.
        adc_energy: of a conversion.
        register_energy: of an input slice from its register.
        shift_energy: of shifting and adding a conversion.
        join_energy: of adding the bit columns of a weight, two at a time.
        dac_area: of a converter of rows.
        adc_area: of a converter of columns.
    """

    kind: ClassVar[str] = "cim_nvm"

    bits_per_cell: Count = 1
    pair: Pair = "analog"
    dac_bits: Count = 1
    adc_bits: Count = 8
    clipping: bool = False
    columns_per_adc: Count = 8
    rows_read: Count | None = None
    arrays: Count = 1
    read_pulse: Seconds = 10e-9
    dac_time: Seconds = 0.0
    adc_time: Seconds
    digital_time: Seconds = 0.0
    product_time: Seconds = 0.0
    dac_energy: Joules
    cell_energy: Joules
    adc_energy: Joules
    register_energy: Joules = 0.0
    shift_energy: Joules
    join_energy: Joules = 0.0
    dac_area: SquareMetres | None = None
    adc_area: SquareMetres | None = None
    write_time: PositiveSeconds = 10e-9

    @property
    def buffers(self) -> Buffers | None:
        """Buffers of a macro; none in this kind."""
        return None

    @cached_property
    def physics(self) -> NvmArray:
        """One macro."""
        return NvmArray(
            rows=self.rows,
            columns=self.columns,
            weight_bits=self.weight_bits,
            activation_bits=self.activation_bits,
            bits_per_cell=self.bits_per_cell,
            pair=self.pair,
            dac_bits=self.dac_bits,
            adc_bits=self.adc_bits,
            is_clipped=self.clipping,
            columns_per_adc=self.columns_per_adc,
            rows_read=self.rows_read or self.rows,
            arrays=self.arrays,
            step=Step(
                dac_s=self.dac_time,
                read_s=self.read_pulse,
                adc_s=self.adc_time,
                digital_s=self.digital_time,
            ),
            product_s=self.product_time,
            energies=Energies(
                dac_j=self.dac_energy,
                cell_j=self.cell_energy,
                adc_j=self.adc_energy,
                register_j=self.register_energy,
                shift_j=self.shift_energy,
                join_j=self.join_energy,
            ),
            areas=Areas(
                cell_m2=self.cell_area or 0.0,
                row_m2=self.row_area or 0.0,
                dac_m2=self.dac_area or 0.0,
                adc_m2=self.adc_area or 0.0,
            ),
            writing=self.writing,
            buffers=self.buffers,
        )

    @property
    def cells_per_weight(self) -> float:
        """One for each part of a weight, or a pair."""
        return float(self.physics.cells(1, 1, self.weight_bits))

    @property
    def notes(self) -> tuple[str, ...]:
        """That sums are clipped, if they are."""
        clipped = (
            f"{self.name} clips: {self.adc_bits}-bit converters need not tell all sums apart, and "
            "what that does to accuracy is not simulated"
        )
        return super().notes + (clipped,) * self.clipping
