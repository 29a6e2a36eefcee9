"""Non-volatile cells with an analog neuron for each column: inputs as pulses, phase-wise readout.

After NeuRRAM (Wan et al., Nature 608, 2022): all rows and columns of a core work at once; the bit
planes of an input are pulses that a neuron integrates, and it then digitises the charge step by
step. With two phases the planes are split between two integrations, which takes fewer pulses and
twice the steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .nvm_writing import Writing
from .physics import Array, nonzero, require


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """Clocks of the parts of a product.

    Attributes:
        pulse: one input pulse.
        step: one step of a conversion, each gives an output bit.
        phase: what a phase takes beside its pulses and steps.
    """

    pulse: Array
    step: Array
    phase: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnergies:
    """Joules of one of each action of a product.

    Attributes:
        word_line_j: a row's word lines switch for one bit plane.
        set_up_j: a row's word lines are set up for a phase.
        pulse_j: a row is driven with one bit plane, all its pulses.
        integration_j: a neuron integrates one bit plane.
        step_j: a neuron makes one step of a conversion.
    """

    word_line_j: Array
    set_up_j: Array = 0.0
    pulse_j: Array
    integration_j: Array
    step_j: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseArray:
    """A core of pairs of cells, each pair an analog weight, with a neuron for each column.

    Attributes:
        rows: inputs of a product; each drives the two rows of its pairs.
        columns: outputs.
        weight_bits: widest weight that a pair holds.
        activation_bits: widest input, with its sign.
        output_bits_beside: bits of an output beside those of the input.
        phases: in which the bit planes of an input are integrated, 1 or 2.
        clock_s: seconds of a clock.
        times: clocks of the parts of a product.
        energies: joules of the actions.
        cell_m2: square metres of a cell.
        row_m2: of the drivers of a row.
        neuron_m2: of a neuron.
        writing: what it costs to write the cells.
    """

    rows: Array
    columns: Array
    weight_bits: Array = 4
    activation_bits: Array = 8
    output_bits_beside: Array = 2
    phases: Array = 1
    clock_s: Array
    times: PhaseTimes
    energies: PhaseEnergies
    cell_m2: Array = 0.0
    row_m2: Array = 0.0
    neuron_m2: Array = 0.0
    writing: Writing

    def __post_init__(self) -> None:
        _check(self)

    def planes(self, activation_bits: Array) -> Array:
        """Bit planes of an input, of which the sign is none.

        Raises:
            HardwareError: wider activations than the core takes.
        """
        self._within("activation_bits", activation_bits)
        return np.maximum(1, np.subtract(activation_bits, 1))

    def pulses(self, activation_bits: Array) -> Array:
        """Input pulses of all phases: n planes of a phase are a count up to 2^n - 1."""
        short, longer = np.divmod(self.planes(activation_bits), self.phases)
        pulses: Array = longer * (2.0 ** (short + 1) - 1) + (self.phases - longer) * (
            2.0**short - 1
        )
        return pulses

    def steps(self, activation_bits: Array) -> Array:
        """Conversion steps of a neuron, all phases."""
        return self.phases * (activation_bits + self.output_bits_beside)

    def passes(self, activation_bits: Array) -> Array:
        """Clocks of a product.

        Raises:
            HardwareError: wider activations than the core takes.
        """
        pulses, steps = self.pulses(activation_bits), self.steps(activation_bits)
        times = self.times
        return times.pulse * pulses + times.step * steps + times.phase * self.phases

    def counts(
        self, rows: Array, columns: Array, activation_bits: int, weight_bits: int
    ) -> dict[str, Array]:
        """How often each action happens in one product.

        Args:
            rows: inputs that the weight tile uses.
            columns: outputs that it uses.
            activation_bits: bits of an activation.
            weight_bits: bits of a weight.

        Raises:
            HardwareError: wider operands than the core takes.
        """
        self._within("weight_bits", weight_bits)
        planes = self.planes(activation_bits)
        return nonzero(
            {
                "word line": rows * planes,
                "word line set-up": rows * np.asarray(self.phases),
                "input pulse": rows * planes,
                "neuron integration": columns * planes,
                "conversion step": columns * self.steps(activation_bits),
            }
        )

    def prices(self) -> dict[str, Array]:
        """Joules of one of each action."""
        energies = self.energies
        return {
            "word line": energies.word_line_j,
            "word line set-up": energies.set_up_j,
            "input pulse": energies.pulse_j,
            "neuron integration": energies.integration_j,
            "conversion step": energies.step_j,
        }

    def area(self) -> dict[str, Array]:
        """Square metres of the core by component."""
        return {
            "cells": 2 * np.multiply(self.rows, self.columns) * self.cell_m2,
            "row drivers": np.multiply(self.rows, self.row_m2),
            "neurons": np.multiply(self.columns, self.neuron_m2),
        }

    def cells(self, rows: Array, columns: Array, weight_bits: Array) -> Array:
        """Cells that hold so many rows and columns of weights.

        Raises:
            HardwareError: wider weights than a pair holds.
        """
        self._within("weight_bits", weight_bits)
        return 2 * np.multiply(rows, columns)

    def _within(self, field: str, bits: Array) -> None:
        widest = getattr(self, field)
        require(
            np.less_equal(bits, widest),
            f"{field} of an operand must be <= those of the macro, {widest}; widen the macro or "
            "quantise the operator",
            bits,
        )


def _check(array: PhaseArray) -> None:
    for field in ("rows", "columns", "weight_bits", "activation_bits"):
        value = getattr(array, field)
        is_whole = np.floor(value) == value
        require(np.greater_equal(value, 1) & is_whole, f"{field} must be whole and >= 1", value)
    require(np.isin(array.phases, (1, 2)), "phases must be 1 or 2", array.phases)
    require(np.greater(array.clock_s, 0), "clock_s must be > 0", array.clock_s)
    amounts = (
        (array, ("output_bits_beside", "cell_m2", "row_m2", "neuron_m2")),
        (array.times, ("pulse", "step", "phase")),
        (array.energies, ("word_line_j", "set_up_j", "pulse_j", "integration_j", "step_j")),
    )
    for part, fields in amounts:
        for field in fields:
            value = getattr(part, field)
            require(np.greater_equal(value, 0), f"{field} must be >= 0", value)
    array.writing.check()
