"""Digital SRAM macros: a gate at every cell, an adder tree below every column.

Energy, delay and area are those of zigzag-dse 3.9.1 (MIT), ``imc_array.py``, where ``booth``,
``sets``, toggle and density are as published or as in the validation scripts of zigzag-imc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import gates
from .physics import Array, nonzero, require
from .sram import Sram, accumulator_delay, place_value_adders, place_value_delay


@dataclass(frozen=True, kw_only=True)
class DigitalSram(Sram):
    """A digital macro. Any field may be an array over designs.

    Attributes:
        booth: activations are recoded to radix 4, so that two of their bits make one product, one
            bit wider than the weight.
        mac_energy_j: joules of one used multiply-accumulate in one pass, where a chip is known so
            and not by its parts; 0 computes the parts. It is of ``weight_bits`` and ``vdd``.
    """

    booth: Array = False
    mac_energy_j: Array = 0.0

    def check(self) -> None:
        """Refuses fields that make no macro.

        Raises:
            HardwareError: one of them breaks a rule.
        """
        super().check()
        require(np.greater_equal(self.rows, 2), "rows of an adder tree must be >= 2", self.rows)
        require(
            ~np.asarray(self.booth, bool) | np.equal(np.mod(self.input_bits, 2), 0),
            "input_bits must be even with booth, which takes two at a time",
            self.input_bits,
        )
        self.require_least("mac_energy_j")

    @property
    def trees(self) -> Array:
        """Adder trees of a column: one for each product of an activation."""
        return np.where(self.booth, np.divide(self.input_bits, 2), self.input_bits)

    @property
    def tree_bits(self) -> Array:
        """Bits of a product."""
        return np.add(self.weight_bits, self.booth)

    @property
    def sum_bits(self) -> Array:
        """Bits of the sum of a tree."""
        return self.tree_bits + gates.log2_up(self.rows)

    @property
    def accumulator_width(self) -> Array:
        """Bits of an accumulator."""
        grown = np.add(self.activation_bits, self.weight_bits) + gates.log2_up(self.rows)
        return np.where(np.equal(self.accumulator_bits, 0), grown, self.accumulator_bits)

    @property
    def clock_s(self) -> Array:
        """Seconds of one macro cycle: product, adder tree, shifted sum and accumulator."""
        return self.cycle(sum(self.delays().values()))

    def delays(self) -> dict[str, Array]:
        """Seconds of each part of the longest path, at 0.9 V."""
        levels = gates.log2_up(self.rows)
        ripple = (self.sum_bits - 2) * gates.RIPPLE_S
        added = np.where(np.equal(self.trees, 1), self.sum_bits, self.sum_bits + self.trees)
        accumulate = accumulator_delay(self.accumulator_width, added)
        return {
            "product": gates.NAND_S,
            "adder": (levels - 1) * gates.SUM_S + gates.CARRY_S + ripple,
            "shift adder": place_value_delay(self.trees),
            "accumulator": np.where(self.has_accumulator, accumulate, 0.0),
        }

    def passes(self, activation_bits: int) -> Array:
        """Macro cycles of one matrix-vector product.

        Args:
            activation_bits: bits of an activation.

        Raises:
            HardwareError: they are more than the macro takes.
        """
        return self.slices(activation_bits)

    def counts(
        self, rows: Array, columns: Array, activation_bits: int, weight_bits: int
    ) -> dict[str, Array]:
        """Actions of one matrix-vector product; cells without a weight switch all the same.

        Args:
            rows: inputs that the weight tile uses.
            columns: outputs that it uses.
            activation_bits: bits of an activation.
            weight_bits: bits of a weight.

        Raises:
            HardwareError: an operand is wider than the macro.
        """
        passes = self.slices(activation_bits, weight_bits)
        is_whole = np.greater(self.mac_energy_j, 0)
        full, half = gates.tree_adders(rows, self.rows, self.tree_bits)
        trees, used = self.trees * passes, columns * passes
        cells = np.multiply(self.rows, self.columns) * self.weight_bits
        accumulated = self.accumulator_width * self.has_accumulator
        parts: dict[str, Array] = {
            "product": trees * cells * np.ones_like(used * np.asarray(rows)),
            "adder": trees * columns * full,
            "half adder": trees * columns * half,
            "shift adder": used * place_value_adders(self.trees, self.sum_bits),
            "accumulator": used * accumulated,
        }
        return nonzero(
            {
                "multiply-accumulate": np.where(is_whole, used * np.asarray(rows), 0.0),
                **{action: np.where(is_whole, 0.0, count) for action, count in parts.items()},
            }
        )

    def prices(self) -> dict[str, Array]:
        """Joules of one of each action."""
        switched = self.joules_per_farad * self.data_factor
        return {
            "multiply-accumulate": self.mac_energy_j,
            "product": gates.PRODUCT_F * switched,
            "adder": gates.ADDER_F * switched,
            "half adder": gates.HALF_ADDER_F * switched,
            "shift adder": gates.ADDER_F * switched,
            "accumulator": self.accumulator_price(),
            "weight set read": self.set_read_price(),
        }

    def area(self) -> dict[str, Array]:
        """Square metres of one macro by component."""
        full, _ = gates.tree_adders(self.rows, self.rows, self.tree_bits)
        gate, columns = self.area_factor, np.asarray(self.columns)
        products = self.trees * self.weight_bits * self.rows * columns
        shifts = columns * place_value_adders(self.trees, self.sum_bits)
        return {
            **self.common_area(self.accumulator_width),
            "product": products * gates.NAND_M2 * gate,
            "adder": self.trees * columns * full * gates.ADDER_M2 * gate,
            "shift adder": shifts * gates.ADDER_M2 * gate,
        }
