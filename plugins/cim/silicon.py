"""Published SRAM macros: how each is built, and what was measured.

Figures of AIMC1, DIMC1 and DIMC2 are as the authors of zigzag-imc (df34a6f, BSD-3) transcribed the
papers; those of Jia 2020 and Colonnade as digitised in CiMLoop (d6e1390, MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import gates
from .sram_analog import AnalogSram
from .sram_digital import DigitalSram

_CACTI_AIMC1_M2, _CACTI_DIMC1_M2, _CACTI_DIMC2_M2 = 0.24496704e-6, 655.45e-12, 3960e-12
"""Cells with their drivers as CACTI gives them, transcribed in zigzag-imc."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A macro and what was measured of it.

    Attributes:
        name: short, with its publication.
        physics: of one macro.
        macros: on the chip.
        beside_m2: area of the chip that is no part of a macro.
        clock_s: measured, or None.
        joules_per_mac: measured, at the widths of the macro.
        area_m2: measured.
        notes: what a reader must know, by quantity; ``""`` for all quantities.
    """

    name: str
    physics: AnalogSram | DigitalSram
    macros: int = 1
    beside_m2: float = 0.0
    clock_s: float
    joules_per_mac: float
    area_m2: float
    notes: Mapping[str, str] = field(default_factory=dict)


AIMC1 = Chip(
    name="AIMC1, CICC 2021",
    physics=AnalogSram(
        rows=1024,
        columns=512,
        weight_bits=2,
        activation_bits=7,
        input_bits=7,
        adc_bits=6,
        bits_per_conversion=2,
        # an enable line, and the word line of both cells
        control_lines=3,
        vdd=0.8,
        delay_exponent=0.0,
        node_nm=22,
        # as much again for the drivers of the inputs, as the peer assumes
        cell_area_m2=2 * _CACTI_AIMC1_M2 / (1024 * 1024),
    ),
    clock_s=1 / 22.5e6,
    joules_per_mac=2 / 1050e12,
    area_m2=1.9425e-6,
    notes={
        "": "22 nm, 0.8 V, full toggle and density assumed; constants were fitted by the authors "
        "of zigzag-imc",
        "clock": "delays of 28 nm and 0.9 V",
        "energy per MAC": "1050 TOPS/W at 7 x 2 bits, 2 operations per MAC; without word "
        "lines, as the peer has it, -11.009 %",
        "area": "the chip has repeaters and capacitors too",
    },
)
DIMC1 = Chip(
    name="DIMC1, ISSCC 2022 15.5",
    physics=DigitalSram(
        rows=32,
        columns=6,
        weight_bits=8,
        activation_bits=8,
        input_bits=2,
        booth=True,
        toggle=0.5,
        weight_bit_density=0.5,
        accumulator_bits=32,
        accumulator_toggle=1.0,
        # from the last carry to the sum, which the peer counts for this chip
        overhead_s=gates.XOR_S,
        cell_area_m2=_CACTI_DIMC1_M2 / (32 * 48),
    ),
    macros=64,
    # for floating point: in every macro five adders and accumulators of 32 bits
    beside_m2=64 * 5 * 32 * (2 * gates.ADDER_M2 + gates.FLIP_FLOP_M2),
    clock_s=1 / 195e6,
    joules_per_mac=2 / 36.63e12,
    area_m2=0.9408e-6,
    notes={
        "": "28 nm, 0.9 V; constants were fitted by the authors of zigzag-imc",
        "energy per MAC": "36.63 TOPS/W at 8 x 8 bits, 2 operations per MAC; half of the bits "
        "toggle, half of the weight bits are one",
        "area": "with the adders for floating point",
    },
)
DIMC2 = Chip(
    name="DIMC2, ISSCC 2022 11.7",
    physics=DigitalSram(
        rows=32,
        columns=1,
        weight_bits=8,
        activation_bits=8,
        input_bits=1,
        sets=16,
        toggle=0.5,
        weight_bit_density=0.9,
        cell_area_m2=_CACTI_DIMC2_M2 / (32 * 8 * 16),
    ),
    macros=2,
    clock_s=3e-9,
    joules_per_mac=2 / 22e12,
    area_m2=0.03e-6,
    notes={
        "": "28 nm, 0.9 V; the chip accumulates every input before its tree, in two pipeline "
        "stages; here the tree comes first, in one",
        "energy per MAC": "set aside by the authors of the peer: the sparsity of the measured "
        "weights is not known; 22 TOPS/W at 8 x 8 bits, 2 operations per MAC",
    },
)
CHIPS = (AIMC1, DIMC1, DIMC2)


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What one use of each part of the macro of Jia et al., JSSC 2020, takes at a supply.

    Attributes:
        vdd: volts.
        adc_j: a conversion, of 256.
        column_j: a column of 2304 one-bit products.
        datapath_j: the digital logic near the memory, for each output.
        ops_per_joule: as published, of array and converters, 2 operations per one-bit MAC.
        ops_per_s: as published.
    """

    vdd: float
    adc_j: float
    column_j: float
    datapath_j: float
    ops_per_joule: float
    ops_per_s: float


JIA = (
    Supply(
        vdd=0.85,
        adc_j=1.79e-12,
        column_j=9.7e-12,
        datapath_j=8.3e-12,
        ops_per_joule=400e12,
        ops_per_s=0.874e12,
    ),
    Supply(
        vdd=1.2,
        adc_j=3.56e-12,
        column_j=20.4e-12,
        datapath_j=14.7e-12,
        ops_per_joule=192e12,
        ops_per_s=2.185e12,
    ),
)
JIA_ARRAY = ("column", "adc")
"""What the published efficiency counts."""
JIA_WHOLE = (*JIA_ARRAY, "output")


def jia(supply: Supply) -> AnalogSram:
    """The macro of Jia et al. with one-bit inputs and weights; its cycle gives the throughput."""
    rows, columns = 2304, 256
    return AnalogSram(
        rows=rows,
        columns=columns,
        weight_bits=1,
        activation_bits=1,
        input_bits=1,
        adc_bits=8,
        vdd=supply.vdd,
        node_nm=65,
        adc_energy_j=supply.adc_j,
        column_energy_j=supply.column_j,
        output_energy_j=supply.datapath_j,
        cycle_s=2 * rows * columns / supply.ops_per_s,
    )


COLONNADE_FJ: Mapping[int, tuple[float, float, float]] = {
    1: (17.13, 42.56, 68.1),
    2: (39.75, 101.79, 161.64),
    4: (104.13, 260.63, 423.43),
    8: (292.03, 725.43, 1169.65),
    12: (613.97, 1536.77, 2422.11),
    16: (989.94, 2515.7, 3995.18),
}
"""Kim et al., JSSC 2021, 65 nm: fJ per MAC of so many bits of both operands, at each supply."""
COLONNADE_ONE_BIT_FJ = {1: 68.317, 2: 77.832, 4: 105.271, 8: 144.350, 12: 204.847, 16: 243.189}
"""The same at 0.8 V with inputs of one bit, by bits of the weight."""
COLONNADE_VDD = {0.6: 0.249, 0.7: 0.626, 0.8: 1.0}
"""Energy beside that of 0.8 V, the mean over all bits. It grows as V^4.8 from 0.6 to 0.8 V, where
V^2 is off by 2.2 times, so there is nothing between these supplies and none beyond them."""


def colonnade(input_bits: int, weight_bits: int, vdd: float = 0.8) -> DigitalSram:
    """The bit-serial macro of Kim et al. at some widths.

    A weight takes columns of cells for its bits and 7 more in which its sums grow. A pass takes
    60 + 11.5 w fJ per MAC with weights of w bits, fitted to six points at 0.8 V.

    Args:
        input_bits: bits of an activation, one of which enters in each cycle.
        weight_bits: bits of a weight, up to 16.
        vdd: one of ``COLONNADE_VDD``.
    """
    return DigitalSram(
        rows=128,
        columns=128 // (weight_bits + 7),
        weight_bits=weight_bits,
        activation_bits=input_bits,
        input_bits=1,
        vdd=vdd,
        node_nm=65,
        mac_energy_j=(60 + 11.5 * weight_bits) * 1e-15 * COLONNADE_VDD[vdd],
    )
