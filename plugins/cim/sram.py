"""What digital and analog SRAM macros have in common: supply, node, accumulators, pipeline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import gates
from .physics import Array, require


@dataclass(frozen=True, kw_only=True)
class Sram:
    """A macro of SRAM cells with logic beside them. Any field may be an array over designs.

    Attributes:
        rows: inputs of a matrix-vector product.
        columns: its outputs, each of ``weight_bits`` bit columns.
        weight_bits: bits of a weight.
        activation_bits: widest activation that the accumulators take.
        input_bits: bits of each activation that enter in one macro cycle.
        sets: weights that share the logic of one weight; one set computes at a time.
        toggle: share of activation bits that differ from those before.
        weight_bit_density: share of weight bits that are one.
        vdd: supply, volts. Energy grows as its square.
        delay_exponent: delay grows as (0.9 V / vdd) to this power; 2.66 fits one chip and is not
            universal, 0 takes the delays of 0.9 V at every supply.
        node_nm: energy of gates and wires, and every area, are taken to grow in proportion to it,
            as the validation scripts of the peer do between 28 and 22 nm; delays do not.
        overhead_s: of a cycle beside the longest path, such as registers, at 0.9 V.
        pipeline_stages: the longest path is cut into so many equal parts, which is assumed.
        accumulator_bits: of an accumulator; 0 for activation and weight bits and growth of a sum.
        accumulator_toggle: how often an accumulator switches; -1 for ``toggle``.
        cell_area_m2: of one bit cell with its share of drivers.
        cycle_s: seconds of a macro cycle where they are known; 0 computes them.
    """

    rows: Array = 128
    columns: Array = 128
    weight_bits: Array = 8
    activation_bits: Array = 8
    input_bits: Array = 1
    sets: Array = 1
    toggle: Array = 1.0
    weight_bit_density: Array = 1.0
    vdd: Array = gates.VDD
    delay_exponent: Array = gates.DELAY_EXPONENT
    node_nm: Array = gates.NODE_NM
    overhead_s: Array = 0.0
    pipeline_stages: Array = 1
    accumulator_bits: Array = 0
    accumulator_toggle: Array = -1.0
    cell_area_m2: Array = 0.0
    cycle_s: Array = 0.0

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Refuses fields that make no macro.

        Raises:
            HardwareError: one of them breaks a rule.
        """
        self.require_whole("rows", "columns", "weight_bits", "activation_bits", "input_bits")
        self.require_whole("sets", "pipeline_stages")
        self.require_share("toggle", "weight_bit_density")
        self.require_share("accumulator_toggle", unset=-1.0)
        self.require_above("vdd", "node_nm")
        self.require_least("delay_exponent", "overhead_s", "accumulator_bits", "cell_area_m2")
        self.require_least("cycle_s")
        require(
            np.equal(np.mod(self.activation_bits, self.input_bits), 0),
            "input_bits must divide activation_bits",
            f"{self.input_bits} and {self.activation_bits}",
        )
        require(
            np.less_equal(self.sets, self.rows),
            "sets must be <= rows: a bit line does not carry more; take more macros",
            f"{self.sets} sets of {self.rows} rows",
        )

    def require_whole(self, *fields: str) -> None:
        """Refuses fields that count no thing."""
        for field in fields:
            value = getattr(self, field)
            whole = np.isfinite(value) & (np.floor(value) == value)
            require(np.greater_equal(value, 1) & whole, f"{field} must be whole and >= 1", value)

    def require_share(self, *fields: str, unset: float = 0.0) -> None:
        """Refuses fields that are no share, nor the value that stands for none."""
        for field in fields:
            value = getattr(self, field)
            within = np.greater_equal(value, 0) & np.less_equal(value, 1) | np.equal(value, unset)
            require(within, f"{field} must be a share from 0 to 1", value)

    def require_above(self, *fields: str) -> None:
        """Refuses fields that are not above 0, or not finite."""
        for field in fields:
            value = getattr(self, field)
            require(
                np.greater(value, 0) & np.isfinite(value), f"{field} must be finite and > 0", value
            )

    def require_least(self, *fields: str) -> None:
        """Refuses fields that are below 0, or not finite."""
        for field in fields:
            value = getattr(self, field)
            require(
                np.greater_equal(value, 0) & np.isfinite(value),
                f"{field} must be finite and >= 0",
                value,
            )

    def slices(self, activation_bits: int, weight_bits: int | None = None) -> Array:
        """Groups of ``input_bits`` in which an activation enters.

        Args:
            activation_bits: bits of an activation.
            weight_bits: bits of a weight; None leaves them unchecked.

        Raises:
            HardwareError: the operands are wider than the macro.
        """
        for field, bits in (("activation_bits", activation_bits), ("weight_bits", weight_bits)):
            widest = getattr(self, field)
            require(
                bits is None or np.less_equal(bits, widest),
                f"{field} of an operand must be <= those of the macro, {widest}; widen the macro "
                "or quantise the operator",
                bits,
            )
        return np.ceil(np.divide(activation_bits, self.input_bits))

    @property
    def has_accumulator(self) -> Array:
        """Whether an activation enters in more than one cycle."""
        return np.not_equal(self.input_bits, self.activation_bits)

    @property
    def joules_per_farad(self) -> Array:
        """What gates and wires take: C V^2, scaled to the node."""
        return np.square(self.vdd) * self.node_nm / gates.NODE_NM

    @property
    def area_factor(self) -> Array:
        """Area beside that of 28 nm."""
        return np.divide(self.node_nm, gates.NODE_NM)

    @property
    def data_factor(self) -> Array:
        """Share of the products that switch."""
        return np.multiply(self.toggle, self.weight_bit_density)

    def cycle(self, path_s: Array) -> Array:
        """Seconds of a macro cycle.

        Args:
            path_s: the longest path at 0.9 V.
        """
        slower = np.divide(gates.VDD, self.vdd) ** self.delay_exponent
        stage_s = np.divide(path_s, self.pipeline_stages) + self.overhead_s
        return np.where(np.equal(self.cycle_s, 0), stage_s * slower, self.cycle_s)

    def accumulator_price(self) -> Array:
        """Joules of one bit of an accumulator: a full adder and a flip-flop."""
        toggle = np.where(np.less(self.accumulator_toggle, 0), self.toggle, self.accumulator_toggle)
        return (gates.ADDER_F + gates.FLIP_FLOP_F) * self.joules_per_farad * toggle

    def set_read_price(self) -> Array:
        """Joules of one weight when a macro turns to another of its sets: word and bit lines."""
        lines = gates.WORD_LINE_F + gates.BIT_LINE_F * np.asarray(self.sets)
        return (
            np.where(np.greater(self.sets, 1), lines, 0.0)
            * self.weight_bits
            * self.joules_per_farad
        )

    def set_reads(self, rows: Array, columns: Array) -> dict[str, Array]:
        """Counts of turning to another weight set: once for each stay of a tile, not each product.

        Args:
            rows: that the tile uses.
            columns: that the tile uses.
        """
        return {"weight set read": np.multiply(rows, columns) * np.greater(self.sets, 1)}

    def common_area(self, accumulator_bits: Array) -> dict[str, Array]:
        """Square metres of the cells and the accumulators.

        Args:
            accumulator_bits: of one accumulator.
        """
        cells = np.multiply(self.rows, self.columns) * self.weight_bits * self.sets
        bit = gates.ADDER_M2 + gates.FLIP_FLOP_M2
        accumulators = np.multiply(self.columns, accumulator_bits) * self.has_accumulator
        return {
            "cell": cells * self.cell_area_m2,
            "accumulator": accumulators * bit * self.area_factor,
        }


def place_value_adders(numbers: Array, bits: Array) -> Array:
    """One-bit adders that add numbers each of which weighs twice the one before; none for one.

    Args:
        numbers: how many.
        bits: of each.
    """
    tree = np.multiply(bits, np.subtract(numbers, 1))
    tree = tree + numbers * (gates.log2_up(numbers) - 0.5)
    return np.where(np.equal(numbers, 1), 0.0, tree)


def place_value_delay(numbers: Array) -> Array:
    """Seconds through these adders at 0.9 V."""
    levels = np.maximum(gates.log2_up(numbers), 1) - 1
    delay = levels * gates.SUM_S + gates.CARRY_S + np.subtract(numbers, 1) * gates.RIPPLE_S
    return np.where(np.equal(numbers, 1), 0.0, delay)


def accumulator_delay(bits: Array, added: Array) -> Array:
    """Seconds through an accumulator at 0.9 V.

    Args:
        bits: of the accumulator.
        added: bits of the number that is added.
    """
    rippled: Array = np.maximum(np.subtract(bits, added) - 1, 0)
    return gates.CARRY_S + rippled * gates.RIPPLE_S
