"""Analog SRAM macros: products summed on bit lines, which converters read.

Energy, delay and area are those of zigzag-dse 3.9.1 (MIT), ``imc_array.py``; sharing of
converters, weight bits summed before conversion and replacing figures are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import gates
from .physics import Array, nonzero, require
from .sram import Sram, accumulator_delay, place_value_adders, place_value_delay


def lossless_adc_bits(rows: Array, input_bits: Array, cell_bits: Array = 1) -> Array:
    """Bits that tell apart all sums of a bit line.

    Args:
        rows: inputs that are summed.
        input_bits: bits of an input that enter together.
        cell_bits: bits of a weight that are summed before conversion.
    """
    levels = np.multiply(
        rows, (2.0 ** np.asarray(input_bits) - 1) * (2.0 ** np.asarray(cell_bits) - 1)
    )
    return gates.log2_up(levels + 1)


@dataclass(frozen=True, kw_only=True)
class AnalogSram(Sram):
    """An analog macro. Any field may be an array over designs.

    Attributes:
        adc_bits: bits of a conversion to digital.
        dac_bits: bits of a conversion to analog; 0 for ``input_bits``. One bit needs no converter.
        columns_per_adc: bit columns that one converter reads in turn, each in a macro cycle. The
            bit lines hold their sums, so inputs are driven once for all of them.
        bits_per_conversion: bits of a weight that are summed, by place value, before conversion.
        data_value: energy of inputs, products and bit lines with the data at hand, over that with
            all values largest, as histograms give it; -1 for toggle and density. Toggle and
            density do not act on the converters of inputs.
        control_lines: lines of the load of a bit line that each weight has beside its bit lines.
        adc_energy_j: of a conversion; 0 computes it.
        adc_delay_s: of a conversion; 0 computes it.
        adc_area_m2: of a converter; 0 computes it.
        column_energy_j: of the products and the sum of one bit column, all rows, where a chip is
            known so; 0 computes them.
        output_energy_j: of what follows one conversion, where a chip is known so; 0 computes the
            shift adders and accumulators.
    """

    adc_bits: Array = 8
    dac_bits: Array = 0
    columns_per_adc: Array = 1
    bits_per_conversion: Array = 1
    data_value: Array = -1.0
    control_lines: Array = 0
    adc_energy_j: Array = 0.0
    adc_delay_s: Array = 0.0
    adc_area_m2: Array = 0.0
    column_energy_j: Array = 0.0
    output_energy_j: Array = 0.0

    def check(self) -> None:
        """Refuses fields that make no macro.

        Raises:
            HardwareError: one of them breaks a rule.
        """
        super().check()
        self.require_whole("adc_bits", "columns_per_adc", "bits_per_conversion")
        self.require_share("data_value", unset=-1.0)
        self.require_least("dac_bits", "control_lines", "adc_energy_j", "adc_delay_s")
        self.require_least("adc_area_m2", "column_energy_j", "output_energy_j")
        require(
            np.equal(np.mod(self.weight_bits, self.bits_per_conversion), 0),
            "bits_per_conversion must divide weight_bits",
            f"{self.bits_per_conversion} and {self.weight_bits}",
        )
        require(
            np.less_equal(self.columns_per_adc, self.bit_columns),
            "columns_per_adc must be <= the columns that are converted",
            f"{self.columns_per_adc} of {self.bit_columns}",
        )

    @property
    def conversions(self) -> Array:
        """Conversions of a weight column."""
        return np.divide(self.weight_bits, self.bits_per_conversion)

    @property
    def bit_columns(self) -> Array:
        """Columns that are converted."""
        return np.multiply(self.columns, self.conversions)

    @property
    def accumulator_width(self) -> Array:
        """Bits of an accumulator."""
        grown = np.add(self.activation_bits, self.weight_bits) + self.adc_bits
        return np.where(np.equal(self.accumulator_bits, 0), grown, self.accumulator_bits)

    @property
    def clock_s(self) -> Array:
        """Seconds of one macro cycle: product, conversion, shifted sum and accumulator."""
        return self.cycle(sum(self.delays().values()))

    def delays(self) -> dict[str, Array]:
        """Seconds of each part of the longest path, at 0.9 V."""
        bits = np.asarray(self.adc_bits)
        row_s = gates.ADC_ROW_S * np.asarray(self.rows) + gates.ADC_BIT_S
        added = np.where(np.equal(self.conversions, 1), bits, bits + self.conversions)
        accumulate = accumulator_delay(self.accumulator_width, added)
        return {
            "adc": np.where(np.equal(self.adc_delay_s, 0), bits * row_s, self.adc_delay_s),
            "product": gates.NAND_S,
            "shift adder": place_value_delay(self.conversions),
            "accumulator": np.where(self.has_accumulator, accumulate, 0.0),
        }

    def passes(self, activation_bits: int) -> Array:
        """Macro cycles of one matrix-vector product.

        Args:
            activation_bits: bits of an activation.

        Raises:
            HardwareError: they are more than the macro takes.
        """
        return self.slices(activation_bits) * self.columns_per_adc

    def counts(
        self, rows: Array, columns: Array, activation_bits: int, weight_bits: int
    ) -> dict[str, Array]:
        """Actions of one matrix-vector product; unused columns are not converted.

        Args:
            rows: inputs that the weight tile uses.
            columns: outputs that it uses.
            activation_bits: bits of an activation.
            weight_bits: bits of a weight.

        Raises:
            HardwareError: an operand is wider than the macro.
        """
        slices = self.slices(activation_bits, weight_bits)
        used, driven = columns * slices, rows * slices
        both = np.ones_like(np.multiply(used, driven))
        converted = used * self.conversions
        is_column, is_output = (
            np.greater(self.column_energy_j, 0),
            np.greater(self.output_energy_j, 0),
        )
        lines = np.add(self.weight_bits, self.control_lines)
        shifts = place_value_adders(self.conversions, self.adc_bits)
        accumulated = self.accumulator_width * self.has_accumulator
        found: dict[str, Array] = {
            "dac": driven * both,
            "adc": converted * both,
            "product": np.where(is_column, 0.0, driven * self.weight_bits * self.columns * both),
            "bit line": np.where(is_column, 0.0, used * lines * self.rows * both),
            "column": np.where(is_column, used * np.multiply(self.weight_bits, both), 0.0),
            "shift adder": np.where(is_output, 0.0, used * shifts * both),
            "accumulator": np.where(is_output, 0.0, used * accumulated * both),
            "output": np.where(is_output, converted * both, 0.0),
        }
        if not np.any(self.dac_price()):
            found.pop("dac")
        return nonzero(found)

    def dac_price(self) -> Array:
        """Joules of one conversion to analog."""
        bits = np.where(np.equal(self.dac_bits, 0), self.input_bits, self.dac_bits)
        given = np.where(np.less(self.data_value, 0), 1.0, self.data_value)
        return np.where(np.equal(bits, 1), 0.0, gates.DAC_F * bits * np.square(self.vdd) * given)

    def adc_price(self) -> Array:
        """Joules of one conversion to digital."""
        bits = np.asarray(self.adc_bits)
        farads = gates.ADC_LINEAR_F * bits + gates.ADC_EXPONENTIAL_F * 4.0**bits
        return np.where(
            np.equal(self.adc_energy_j, 0), farads * np.square(self.vdd), self.adc_energy_j
        )

    def prices(self) -> dict[str, Array]:
        """Joules of one of each action."""
        drawn = np.where(np.less(self.data_value, 0), self.data_factor, self.data_value)
        return {
            "dac": self.dac_price(),
            "adc": self.adc_price(),
            "product": gates.PRODUCT_F * self.joules_per_farad * drawn,
            "bit line": gates.BIT_LINE_F * self.joules_per_farad * drawn,
            "column": self.column_energy_j,
            "shift adder": gates.ADDER_F * self.joules_per_farad * self.data_factor,
            "accumulator": self.accumulator_price(),
            "output": self.output_energy_j,
            "weight set read": self.set_read_price(),
        }

    def area(self) -> dict[str, Array]:
        """Square metres of one macro by component."""
        bits, gate = np.asarray(self.adc_bits), self.area_factor
        # a converter of one bit is a comparator, which the peer counts as none
        fitted = np.where(
            np.greater(bits, 1), 10 ** (1.206 - 0.0369 * bits) * 2.0**bits * 1e-12, 0.0
        )
        adc = np.where(np.equal(self.adc_area_m2, 0), fitted * gate, self.adc_area_m2)
        products = np.multiply(self.rows, self.columns) * self.weight_bits
        shifts = self.columns * place_value_adders(self.conversions, bits)
        return {
            **self.common_area(self.accumulator_width),
            "adc": adc * np.ceil(self.bit_columns / self.columns_per_adc),
            "product": products * gates.NAND_M2 * gate,
            "shift adder": shifts * gates.ADDER_M2 * gate,
        }
