"""The kind ``cim_nvm_phases``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from codesign.units import Count, Hertz, Joules

from .nvm_engine import NvmMacros
from .nvm_phases import PhaseArray, PhaseEnergies, PhaseTimes
from .quantities import SquareMetres


@dataclass(frozen=True, kw_only=True)
class CimNvmPhases(NvmMacros):
    """Macros of pairs of RRAM cells with an analog neuron for each column.

    All rows and columns work at once. The bit planes of an input come as pulses, which a neuron
    integrates and then digitises step by step, in one phase or two (Wan et al., Nature 608, 2022).

    Attributes:
        phases: in which the bit planes of an input are integrated, 1 or 2.
        output_bits_beside: bits of an output beside those of the input.
        clock: of the times below.
        pulse_cycles: of one input pulse.
        step_cycles: of one conversion step; each gives an output bit.
        phase_cycles: of a phase beside its pulses and steps.
        word_line_energy: of a row whose word lines switch for a bit plane.
        set_up_energy: of a row whose word lines are set up for a phase.
        pulse_energy: of a row that is driven with a bit plane, all its pulses.
        integration_energy: of a neuron that integrates a bit plane.
        step_energy: of a conversion step of a neuron.
        neuron_area: of a neuron.
    """

    kind: ClassVar[str] = "cim_nvm_phases"

    weight_bits: Count = 4
    phases: Count = 1
    output_bits_beside: Count = 2
    clock: Hertz = 50e6
    pulse_cycles: Count
    step_cycles: Count
    phase_cycles: Count
    word_line_energy: Joules
    set_up_energy: Joules = 0.0
    pulse_energy: Joules
    integration_energy: Joules
    step_energy: Joules
    neuron_area: SquareMetres | None = None

    @cached_property
    def physics(self) -> PhaseArray:
        """One macro."""
        return PhaseArray(
            rows=self.rows,
            columns=self.columns,
            weight_bits=self.weight_bits,
            activation_bits=self.activation_bits,
            output_bits_beside=self.output_bits_beside,
            phases=self.phases,
            clock_s=1 / self.clock,
            times=PhaseTimes(
                pulse=self.pulse_cycles, step=self.step_cycles, phase=self.phase_cycles
            ),
            energies=PhaseEnergies(
                word_line_j=self.word_line_energy,
                set_up_j=self.set_up_energy,
                pulse_j=self.pulse_energy,
                integration_j=self.integration_energy,
                step_j=self.step_energy,
            ),
            cell_m2=self.cell_area or 0.0,
            row_m2=self.row_area or 0.0,
            neuron_m2=self.neuron_area or 0.0,
            writing=self.writing,
        )

    @property
    def cells_per_weight(self) -> float:
        """A pair."""
        return 2.0
