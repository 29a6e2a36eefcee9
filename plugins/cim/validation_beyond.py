"""What the closed forms give for chips of another node and another circuit than theirs.

The closed forms are of 28 nm; Jia et al. and Colonnade are of 65 nm, one sums charges and the other
adds along a chain, which the closed forms lack. Nothing is fitted. Supply and node act as ``Sram``
has it: delays follow the supply alone, gates and converters grow in proportion to the node. Cells,
which the closed forms take from CACTI, grow as its square, as memories do in the energy tables.

Every note tells the error by the classic rule too, delay as the node and area as its square:
Dennard et al., "Design of ion-implanted MOSFET's with very small physical dimensions", JSSC 9(5),
1974, table I.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from codesign.validation import Case

from . import gates
from .physics import Array
from .silicon import AIMC1, DIMC1, JIA, Chip, colonnade, jia
from .sram_analog import AnalogSram
from .sram_digital import DigitalSram

CLOCK = "clock, closed form beyond its node"
AREA = "area, closed form beyond its node"
PART = "area of a part, closed form beyond its node"
"""Quantities of their own, so that no summary mixes them with those of the closed forms' node."""

NODE_NM = 65.0
NODE_RATIO = NODE_NM / gates.NODE_NM
"""Beside the node of the closed forms."""
JIA_ARRAY_M2, JIA_CONVERTERS_M2 = 2.91e-6, 0.497e-6
"""Jia et al., JSSC 2020: the array with its drivers, and 256 converters."""
COLONNADE_M2, COLONNADE_CELLS_M2 = 0.2272e-6, 0.1906208e-6
"""Kim et al., JSSC 2021: the macro, and its cells with their adders."""
COLONNADE_BITS = 8
COLONNADE_OPS_PER_S: Mapping[int, float] = {1: 4.43e9, 16: 25.75e9}
"""Kim et al., figure 15a, operands of 8 bits: by the registers of a column."""


def jia_by_formula() -> AnalogSram:
    """The macro of Jia et al. at 0.85 V with one-bit operands, clock and converters by formula."""
    return replace(jia(JIA[0]), cycle_s=0.0, cell_area_m2=_cell_m2(AIMC1))


def colonnade_by_formula(registers: int = 1) -> DigitalSram:
    """Cells of Colonnade with weights of 8 bits at 0.8 V, with adder trees for its chains.

    The closed form is of macros whose columns all hold weights: 16 of 8 bits. The chip has cells
    and adders in all of its 128 columns, too.

    Args:
        registers: of a column; each is taken for a pipeline stage.
    """
    macro = colonnade(COLONNADE_BITS, COLONNADE_BITS)
    full = replace(macro, columns=128 // COLONNADE_BITS)
    return replace(full, pipeline_stages=registers, cell_area_m2=_cell_m2(DIMC1))


def colonnade_clock_s(bits: int, ops_per_s: float) -> float:
    """Seconds of a cycle of Colonnade, which publishes operations per second.

    A sum of 128 products is 7 bits wider than its weights, so that a weight of w bits takes w + 7
    of the 128 columns, as CiMLoop (d6e1390) tells it; one bit of an activation enters in each
    cycle; a MAC is 2 operations. So read, the 25 published points lie within 3 % of its critical
    path, 0.4 ns for each of w + 7 + 128 / registers + 2 adders.

    Args:
        bits: of both operands, 1 to 16.
        ops_per_s: published.
    """
    rows, columns, growth = 128, 128, 7
    macs = rows * (columns // (bits + growth))
    return 2 * macs / bits / ops_per_s


def clocks() -> Iterator[Case]:
    """A cycle of each chip, which its published operations per second give."""
    macro = jia_by_formula()
    yield _clock(
        "Jia, JSSC 2020, 0.85 V",
        macro,
        2 * float(np.multiply(macro.rows, macro.columns)) / JIA[0].ops_per_s,
        "theirs is a product, from 0.874 TOPS and its 589,824 one-bit MACs of 2 operations, 54 "
        "clocks of 40 MHz; ours is a conversion of 8 bits; the exponent of the supply was fitted "
        "to the ratio of two supplies of this chip, the level was not",
    )
    for registers, ops_per_s in COLONNADE_OPS_PER_S.items():
        yield _clock(
            f"Colonnade, JSSC 2021, 8 b, registers a column: {registers}",
            colonnade_by_formula(registers),
            colonnade_clock_s(COLONNADE_BITS, ops_per_s),
            f"theirs from {ops_per_s / 1e9:g} GOPS, simulated, and 128 x 8 MACs of 2 operations "
            "in 8 cycles; its supply is not told, ours is of 0.8 V; ours adds in a tree, cut into "
            "as many equal stages as registers, the chip along a chain of "
            f"{128 // registers} rows",
        )


def jia_areas() -> Iterator[Case]:
    """Array and converters of Jia et al., the boundary that the closed form has."""
    macro = jia_by_formula()
    cells = (
        "cells and drivers of AIMC1, CACTI, by the square of the node; a gate in each cell, where "
        "the chip has a capacitor too"
    )
    for name, quantity, parts, theirs_m2, note in (
        (
            "array and converters",
            AREA,
            ("cell", "product", "adc"),
            JIA_ARRAY_M2 + JIA_CONVERTERS_M2,
            f"neither datapath nor sparsity controller, on both sides; {cells}",
        ),
        ("array and drivers", PART, ("cell", "product"), JIA_ARRAY_M2, cells),
        ("converters", PART, ("adc",), JIA_CONVERTERS_M2, "256 of 8 bits"),
    ):
        yield _area(f"Jia, JSSC 2020, {name}", quantity, macro, parts, theirs_m2, note)


def colonnade_areas() -> Iterator[Case]:
    """The macro of Colonnade, and its cells with their adders."""
    macro = colonnade_by_formula()
    cells = (
        "cells and drivers of DIMC1, CACTI, by the square of the node; trees of 18,176 adders "
        "below 16 weights of 8 bits, where the chip has one in each of 16,384 cells"
    )
    for name, quantity, parts, theirs_m2, note in (
        (
            "all of the macro",
            AREA,
            ("cell", "product", "adder", "accumulator"),
            COLONNADE_M2,
            f"{cells}; ours has neither control nor decoder",
        ),
        ("cells and adders", PART, ("cell", "product", "adder"), COLONNADE_CELLS_M2, cells),
    ):
        yield _area(f"Colonnade, JSSC 2021, {name}", quantity, macro, parts, theirs_m2, note)


def _cell_m2(chip: Chip) -> Array:
    """A cell of a chip with its share of drivers, carried to 65 nm."""
    return chip.physics.cell_area_m2 * np.square(np.divide(NODE_NM, chip.physics.node_nm))


def _clock(name: str, macro: AnalogSram | DigitalSram, theirs_s: float, note: str) -> Case:
    ours = float(macro.clock_s)
    classic = f"delays of 28 nm; by the node {_error(ours * NODE_RATIO, theirs_s)}"
    return Case(
        name=name, quantity=CLOCK, unit="s", ours=ours, theirs=theirs_s, note=f"{note}; {classic}"
    )


def _area(
    name: str,
    quantity: str,
    macro: AnalogSram | DigitalSram,
    parts: Collection[str],
    theirs_m2: float,
    note: str,
) -> Case:
    ours = {part: float(macro.area()[part]) for part in parts}
    by_square = sum(area if part == "cell" else area * NODE_RATIO for part, area in ours.items())
    classic = f"gates in proportion to the node; by its square {_error(by_square, theirs_m2)}"
    return Case(
        name=name,
        quantity=quantity,
        unit="m2",
        ours=sum(ours.values()),
        theirs=theirs_m2,
        note=f"{note}; {classic}",
    )


def _error(ours: float, theirs: float) -> str:
    return f"{100 * (ours / theirs - 1):+.3f} %"
