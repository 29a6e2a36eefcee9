"""Two designs of non-volatile cells: an RRAM chip as MNSIM 2.0 ships it, and a core of NeuRRAM.

Nothing of the first is fitted: every figure is one of the configuration of MNSIM 2.0 (ca39ccb,
2024-11-27), converted to SI units. Of the second, times and energies are fitted, see each.
"""

from __future__ import annotations

from typing import Literal

from .nvm_buffers import Buffers
from .nvm_phases import PhaseArray, PhaseEnergies, PhaseTimes
from .nvm_physics import Areas, Energies, NvmArray
from .nvm_timing import Step
from .nvm_writing import Writing

_DIGITAL_S = 2e-9
"""One clock of the digital parts at 500 MHz."""
_CYCLE_S = 20e-9
"""One access of a buffer."""
_READ_S = 3.16e-9
"""Read pulse, as MNSIM quotes it from Xue et al., ISSCC 2019."""
_READ_V2 = 0.1 * 0.15**2
"""Mean square of the read voltage: a tenth of the inputs are one."""
_CELL_S = 0.67 / 1e6 + 0.33 / 1e4
"""Mean conductance, siemens: a third of the cells are on."""
_LEAKAGE_W = 1.006428e-3
"""Of a buffer of up to 2 KB, 90 nm, 64 bits."""
MNSIM_BUFFERS = Buffers(
    inputs=8,
    outputs=2,
    word_bits=64,
    read_j=7.5695e-12 + _LEAKAGE_W * _CYCLE_S,
    write_j=13.1361e-12 + _LEAKAGE_W * _CYCLE_S,
    word_s=_CYCLE_S,
    is_powered_together=True,
)
"""Of the RRAM chip of MNSIM 2.0: an input buffer for each of eight arrays, an output buffer for
each four."""


def mnsim_rram() -> NvmArray:
    """The default RRAM chip of MNSIM 2.0: eight arrays of 256 x 256 pairs, one for each weight bit.

    A weight of nine bits is a sign, which is the choice of the cell in its pair, and eight bits
    in cells of two levels. Currents of a pair are subtracted before the conversion. Two of the
    tool's tiles, each of four arrays with one output buffer, make a macro here.
    """
    return NvmArray(
        rows=256,
        columns=256,
        weight_bits=8,
        activation_bits=9,
        bits_per_cell=1,
        pair="analog",
        dac_bits=1,
        adc_bits=6,
        is_clipped=True,
        columns_per_adc=2,
        rows_read=128,
        arrays=8,
        step=Step(
            dac_s=3e-9,
            read_s=_READ_S,
            adc_s=8e-9,
            # register, shifter, decoder of rows, multiplexer of columns
            digital_s=2 * _DIGITAL_S + 2 * 0.27933e-9 + 2 * 32.744e-12,
        ),
        # registers are filled for each of the four groups, and emptied for two; two additions
        product_s=(4 + 2 + 2) * _DIGITAL_S,
        energies=Energies(
            dac_j=3.9e-6 * 3e-9,
            cell_j=_READ_V2 * _CELL_S * _READ_S,
            adc_j=1.26e-3 * 8e-9,
            shift_j=8.1e-7 * _DIGITAL_S,
            join_j=2.64e-4 * (45 / 65) ** 2 * _DIGITAL_S,
        ),
        areas=Areas(cell_m2=1.44e-12, row_m2=2 * 1150e-12, dac_m2=0.166e-12, adc_m2=1650e-12),
        # the tool has these formulas and calls none of them; it has no endurance
        writing=Writing(row_s=10e-9, cell_j=1.5**2 / 1e5 * 10e-9, endurance=1e6),
        buffers=MNSIM_BUFFERS,
    )


NEURRAM_CORES = 48
NEURRAM_OPS_PER_PRODUCT = 2 * 128 * 256
"""A multiplication and an addition for each weight of a core (Wan et al., Extended Data Fig. 12:
one MAC counts as two operations); a weight is a pair of cells on neighbouring rows, so that this is
also one operation for each of 256 x 256 cells."""
_ROW_OPS = NEURRAM_OPS_PER_PRODUCT / 128
_COLUMN_OPS = NEURRAM_OPS_PER_PRODUCT / 256


def neurram_core(phases: Literal[1, 2] = 1) -> PhaseArray:
    """A core of NeuRRAM, 130 nm: 128 x 256 pairs of RRAM cells and 256 neurons.

    Times are fitted to all ten published throughputs; the worst is then 5.5 % off, and 9.1 % if
    each is predicted from the nine others. Energies are fitted to the five published splits, by
    part: word lines and their set-up, neurons and their steps, input pulses. The totals of the
    five other points are predictions. What writing costs is assumed.

    Args:
        phases: in which the bit planes of an input are integrated.
    """
    return PhaseArray(
        rows=128,
        columns=256,
        weight_bits=4,
        activation_bits=8,
        output_bits_beside=2,
        phases=phases,
        clock_s=20e-9,
        times=PhaseTimes(pulse=16, step=10, phase=30),
        energies=PhaseEnergies(
            word_line_j=6.84e-15 * _ROW_OPS,
            set_up_j=1.73e-15 * _ROW_OPS,
            pulse_j=3.79e-15 * _ROW_OPS,
            integration_j=8.47e-15 * _COLUMN_OPS,
            step_j=0.854e-15 * _COLUMN_OPS,
        ),
        cell_m2=139_337e-12 / (256 * 256),
        row_m2=243_840e-12 / 128,
        neuron_m2=325_120e-12 / 256,
        writing=Writing(row_s=1e-6, pulses=8.5, cell_j=1e-12, endurance=1e6),
    )
