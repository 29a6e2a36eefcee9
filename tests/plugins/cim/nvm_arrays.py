"""Arrays of non-volatile cells that the tests of their physics start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codesign_plugins.cim.nvm_buffers import Buffers
from codesign_plugins.cim.nvm_phases import PhaseArray, PhaseEnergies, PhaseTimes
from codesign_plugins.cim.nvm_physics import Areas, Energies, NvmArray
from codesign_plugins.cim.nvm_timing import Step
from codesign_plugins.cim.nvm_writing import Writing

WRITING = Writing(row_s=100e-9, pulses=4.0, cell_j=2e-12, endurance=1e6)
STEP = Step(dac_s=1e-9, read_s=10e-9, adc_s=5e-9, digital_s=2e-9)
ENERGIES = Energies(
    dac_j=1e-14, cell_j=2e-15, adc_j=3e-12, register_j=4e-16, shift_j=5e-15, join_j=6e-15
)
AREAS = Areas(cell_m2=1e-13, row_m2=1e-11, dac_m2=2e-12, adc_m2=1e-9, digital_m2=5e-9)
BUFFERS = Buffers(inputs=1, outputs=1, word_bits=64, read_j=1e-12, write_j=2e-12, word_s=1e-9)

ARRAY = NvmArray(
    rows=128,
    columns=32,
    weight_bits=8,
    activation_bits=8,
    bits_per_cell=2,
    pair="analog",
    dac_bits=1,
    adc_bits=9,
    columns_per_adc=8,
    rows_read=64,
    step=STEP,
    energies=ENERGIES,
    areas=AREAS,
    writing=WRITING,
)
"""128 rows, 32 weights of four pairs of cells, 16 converters of eight columns each."""

CORE = PhaseArray(
    rows=16,
    columns=8,
    weight_bits=4,
    activation_bits=8,
    clock_s=10e-9,
    times=PhaseTimes(pulse=3, step=2, phase=5),
    energies=PhaseEnergies(
        word_line_j=1e-12, set_up_j=2e-12, pulse_j=3e-12, integration_j=4e-12, step_j=5e-12
    ),
    cell_m2=1e-13,
    row_m2=1e-11,
    neuron_m2=1e-10,
    writing=WRITING,
)


def array(**changes: Any) -> NvmArray:
    """``ARRAY`` with other fields."""
    return replace(ARRAY, **changes)


def core(**changes: Any) -> PhaseArray:
    """``CORE`` with other fields."""
    return replace(CORE, **changes)


def joules(physics: Any, rows: Any, columns: Any, activation_bits: int, weight_bits: int) -> Any:
    """Joules of one product."""
    prices = physics.prices()
    counts = physics.counts(rows, columns, activation_bits, weight_bits)
    return sum(count * prices[action] for action, count in counts.items())
