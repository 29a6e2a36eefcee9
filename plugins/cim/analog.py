"""The kind ``cim_analog_sram``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from codesign.errors import HardwareError
from codesign.units import Count, Natural

from .quantities import PositiveJoules, PositiveSeconds, Share, SquareMetres
from .sram_analog import AnalogSram, lossless_adc_bits
from .sram_engine import SramMacros


@dataclass(frozen=True, kw_only=True)
class CimAnalogSram(SramMacros):
    """Analog macros: products are summed on bit lines, which converters read.

    Energy, delay and area follow from capacitances and converters (Houshmand et al., JSSC 2023;
    zigzag-dse 3.9.1), each of which a chip's own figure may replace.

    Attributes:
        adc_bits: bits of a conversion.
        dac_bits: bits of a conversion of inputs; ``input_bits`` if not given.
        columns_per_adc: bit columns that take turns at one converter.
        bits_per_conversion: bits of a weight that are summed by place value before conversion.
        clipping: whether converters with fewer bits than all sums need are meant: sums beyond
            their range are clipped, which costs accuracy that nobody simulates here.
        data_value: energy of inputs, products and bit lines with the data at hand, over that with
            all values largest; toggle and density if not given.
        control_lines: lines of the load of a bit line that each weight has beside its bit lines.
        adc_energy: of a conversion; by formula if not given.
        adc_delay: of a conversion; by formula if not given.
        adc_area: of a converter; by formula if not given.
        column_energy: of the products and the sum of one bit column; by parts if not given.
        output_energy: of what follows one conversion; by parts if not given.
    """

    kind: ClassVar[str] = "cim_analog_sram"

    adc_bits: Count = 8
    dac_bits: Natural | None = None
    columns_per_adc: Count = 1
    bits_per_conversion: Count = 1
    clipping: bool = False
    data_value: Share | None = None
    control_lines: Natural = 0
    adc_energy: PositiveJoules | None = None
    adc_delay: PositiveSeconds | None = None
    adc_area: SquareMetres | None = None
    column_energy: PositiveJoules | None = None
    output_energy: PositiveJoules | None = None

    @cached_property
    def physics(self) -> AnalogSram:
        """One macro."""
        return AnalogSram(
            **self.shared(),
            adc_bits=self.adc_bits,
            dac_bits=self.dac_bits or 0,
            columns_per_adc=self.columns_per_adc,
            bits_per_conversion=self.bits_per_conversion,
            data_value=-1.0 if self.data_value is None else self.data_value,
            control_lines=self.control_lines,
            adc_energy_j=self.adc_energy or 0.0,
            adc_delay_s=self.adc_delay or 0.0,
            adc_area_m2=self.adc_area or 0.0,
            column_energy_j=self.column_energy or 0.0,
            output_energy_j=self.output_energy or 0.0,
        )

    @property
    def lossless_bits(self) -> int:
        """Bits that tell all sums apart."""
        return int(lossless_adc_bits(self.rows, self.input_bits, self.bits_per_conversion))

    def check(self) -> None:
        """Converters tell all sums apart, unless clipping is declared.

        Raises:
            HardwareError: they do not, or a field contradicts another.
        """
        super().check()
        needed = self.lossless_bits
        if self.adc_bits < needed and not self.clipping:
            raise HardwareError(
                f"{self.name}.adc_bits must be >= {needed} to tell the sums of {self.rows} rows of "
                f"{self.input_bits} x {self.bits_per_conversion} bit apart, got {self.adc_bits}; "
                "raise it, use fewer rows, or declare 'clipping: true'"
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """That sums are clipped, if they are."""
        clipped = (
            f"{self.name} clips: {self.adc_bits}-bit converters do not tell all sums of "
            f"{self.rows} rows apart, and what that does to accuracy is not simulated"
        )
        return super().notes + (clipped,) * (self.adc_bits < self.lossless_bits)
