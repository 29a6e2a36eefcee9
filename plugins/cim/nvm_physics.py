"""Arrays of non-volatile cells, RRAM or PCM, that multiply by Ohm's law and share converters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from codesign.errors import HardwareError, did_you_mean

from .nvm_buffers import Buffers
from .nvm_check import check_array
from .nvm_timing import Step, row_groups, slices
from .nvm_writing import Writing
from .physics import Array, nonzero, require

Pair: TypeAlias = Literal["none", "analog", "digital"]
"""How a signed weight lies: in single cells; in pairs of cells the currents of which are subtracted
before the conversion; in pairs both of which are converted."""
PAIRS: tuple[Pair, ...] = get_args(Pair)
GUARD_BITS = 2
"""Bits that the sum over input slices takes beside those of a conversion, as MNSIM 2.0 has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Energies:
    """Joules of one of each action of a product.

    Attributes:
        dac_j: a row is driven with one input slice.
        cell_j: a cell is read, on the average of its states and of the inputs.
        adc_j: a conversion.
        register_j: an input slice is taken from its register.
        shift_j: a conversion is shifted and added to those of the input slices before.
        join_j: bit columns of one weight are added, two at a time.
    """

    dac_j: Array = 0.0
    cell_j: Array
    adc_j: Array
    register_j: Array = 0.0
    shift_j: Array = 0.0
    join_j: Array = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """Square metres of one of each component.

    Attributes:
        cell_m2: a cell with its transistor.
        row_m2: driver and register of a row, without the converter.
        dac_m2: a converter of a row.
        adc_m2: a converter of columns.
        digital_m2: all else of the macro: shifters, adders, multiplexers, buffers.
    """

    cell_m2: Array = 0.0
    row_m2: Array = 0.0
    dac_m2: Array = 0.0
    adc_m2: Array = 0.0
    digital_m2: Array = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmArray:
    """A macro of cells that hold ``columns`` weights along each of ``rows`` rows.

    Attributes:
        rows: inputs of a product.
        columns: weights along a row, that is outputs.
        weight_bits: widest weight that it holds.
        activation_bits: width of the activations that the clock is stated for.
        bits_per_cell: of a weight; levels of a cell are two to this power.
        pair: whether a weight lies in pairs of cells, and where these are subtracted.
        dac_bits: input bits that a row is driven with at once.
        adc_bits: of a conversion.
        is_clipped: whether sums beyond the converter's range are declared to be clipped.
        columns_per_adc: bit columns (pairs, if subtracted before) that take turns at a converter.
        rows_read: rows that are read together.
        arrays: cell arrays that share the bit columns; each drives its rows itself.
        step: seconds of one step of a product.
        product_s: seconds of a product beside its steps, such as buffers and the last additions.
        energies: joules of the actions.
        areas: of the components.
        writing: what it costs to write the cells.
        buffers: of the macro; none where memories of their own are modelled.
    """

    rows: Array
    columns: Array
    weight_bits: Array = 8
    activation_bits: Array = 8
    bits_per_cell: Array = 1
    pair: Pair = "analog"
    dac_bits: Array = 1
    adc_bits: Array = 8
    is_clipped: bool = False
    columns_per_adc: Array = 8
    rows_read: Array
    arrays: Array = 1
    step: Step
    product_s: Array = 0.0
    energies: Energies
    areas: Areas = Areas()
    writing: Writing
    buffers: Buffers | None = None

    def __post_init__(self) -> None:
        if self.pair not in PAIRS:
            raise HardwareError(f"unknown pair {self.pair!r}{did_you_mean(self.pair, PAIRS)}")
        check_array(self)

    @property
    def converters(self) -> Array:
        """Analog-to-digital converters of the macro."""
        return self.converted(self.columns, self.weight_bits) / self.columns_per_adc

    @property
    def clock_s(self) -> Array:
        """Seconds of a step, with its share of what a product takes beside its steps.

        The share is that at ``activation_bits``: ``passes`` times this is then the time of a
        product of a full macro, and with fewer bits a little less than that.
        """
        beside = self.product_s + self._buffer_s()
        return self.step.seconds + beside / self.passes(self.activation_bits)

    def passes(self, activation_bits: Array) -> Array:
        """Steps of a product: input slices x row groups x columns that share a converter.

        Raises:
            HardwareError: wider activations than the macro takes.
        """
        planes = self._planes(activation_bits)
        return planes * row_groups(self.rows, self.rows_read) * self.columns_per_adc

    def cells(self, rows: Array, columns: Array, weight_bits: Array) -> Array:
        """Cells that hold so many rows and columns of weights."""
        halves = 1 if self.pair == "none" else 2
        return rows * columns * slices(weight_bits, self.bits_per_cell) * halves

    def converted(self, columns: Array, weight_bits: Array) -> Array:
        """Bit columns of so many columns of weights that are converted each for itself."""
        halves = 2 if self.pair == "digital" else 1
        return columns * slices(weight_bits, self.bits_per_cell) * halves

    def counts(
        self, rows: Array, columns: Array, activation_bits: int, weight_bits: int
    ) -> dict[str, Array]:
        """How often each action happens in one product; groups without a used row are left out.

        Args:
            rows: inputs that the weight tile uses.
            columns: outputs that it uses.
            activation_bits: bits of an activation.
            weight_bits: bits of a weight.

        Raises:
            HardwareError: wider operands than the macro takes.
        """
        planes = self._planes(activation_bits)
        require(
            np.less_equal(weight_bits, self.weight_bits),
            f"weight_bits of an operand must be <= those of the macro, {self.weight_bits}; widen "
            "the macro or quantise the operator",
            weight_bits,
        )
        bit_columns = self.converted(columns, weight_bits)
        conversions = bit_columns * planes * row_groups(rows, self.rows_read)
        drives = rows * planes * self.columns_per_adc * self.arrays
        counts = {
            "dac": drives,
            "register": drives,
            "cell read": self.cells(rows, columns, weight_bits) * planes,
            "adc": conversions,
            "shift adder": conversions,
            "slice adder": bit_columns - columns,
        }
        if self.buffers is not None:
            sums = bit_columns * (self.adc_bits + GUARD_BITS)
            counts |= self.buffers.counts(np.multiply(rows, activation_bits), sums)
        return nonzero(counts)

    def prices(self) -> dict[str, Array]:
        """Joules of one of each action."""
        prices = {
            "dac": self.energies.dac_j,
            "register": self.energies.register_j,
            "cell read": self.energies.cell_j,
            "adc": self.energies.adc_j,
            "shift adder": self.energies.shift_j,
            "slice adder": self.energies.join_j,
        }
        if self.buffers is not None:
            prices |= {"buffer read": self.buffers.read_j, "buffer write": self.buffers.write_j}
        return prices

    def area(self) -> dict[str, Array]:
        """Square metres of the macro by component."""
        return {
            "cells": self.cells(self.rows, self.columns, self.weight_bits) * self.areas.cell_m2,
            "row drivers": np.multiply(self.rows, self.areas.row_m2) * self.arrays,
            "dac": np.multiply(self.rows_read, self.areas.dac_m2) * self.arrays,
            "adc": self.converters * self.areas.adc_m2,
            "digital": self.areas.digital_m2,
        }

    def _planes(self, activation_bits: Array) -> Array:
        """Input slices of an activation."""
        require(
            np.less_equal(activation_bits, self.activation_bits),
            f"activation_bits of an operand must be <= those of the macro, {self.activation_bits}; "
            "widen the macro or quantise the operator",
            activation_bits,
        )
        return slices(activation_bits, self.dac_bits)

    def _buffer_s(self) -> Array:
        """Seconds that the buffers add to a product of the full macro."""
        if self.buffers is None:
            return 0.0
        inputs = np.multiply(self.rows, self.activation_bits)
        bit_columns = self.converted(self.columns, self.weight_bits)
        return self.buffers.seconds(inputs, bit_columns * (self.adc_bits + GUARD_BITS))
