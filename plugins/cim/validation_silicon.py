"""Chips beside the closed forms: each with its signed error, its boundary and what was fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from codesign.validation import Case, NotRun

from . import gates, validation_beyond
from .figures import Peak, peak
from .silicon import (
    CHIPS,
    COLONNADE_FJ,
    COLONNADE_ONE_BIT_FJ,
    COLONNADE_VDD,
    DIMC2,
    JIA,
    JIA_ARRAY,
    JIA_WHOLE,
    Chip,
    colonnade,
    jia,
)

Comparison: TypeAlias = Callable[[], Iterator[Case | NotRun]]
JIA_WHOLE_OPS_PER_JOULE = {0.85: 233e12, 1.2: 119e12}
"""What the published energies of a use come to with the datapath."""
UNCOMPARED = {
    "IMAGINE, arXiv 2412.19750": "the abstract gives the efficiency of a system and no macro",
    "Khwa, ISSCC 2024 34.2": "the title gives efficiencies and no macro",
    "Chih, ISSCC 2021 16.4": "all but the title is recalled and not verified",
    "Fujiwara, ISSCC 2022 11.6": "all but the title is recalled and not verified",
    "Mori, ISSCC 2023 7.4": "all is recalled and not verified",
    "Fujiwara, ISSCC 2024 34.4": "all is recalled and not verified",
}


def comparisons() -> Sequence[Comparison]:
    """The comparisons of each chip, the figures of which are typed."""
    return (
        *(partial(chip_cases, chip) for chip in CHIPS),
        *(jia_boundaries, jia_laws, colonnade_bits, colonnade_weight_bits),
        *(validation_beyond.clocks, validation_beyond.jia_areas, validation_beyond.colonnade_areas),
        uncompared,
    )


def chip_cases(chip: Chip) -> Iterator[Case]:
    """Clock, energy per MAC at full use, and area of a chip.

    Args:
        chip: one whose macro the closed form can build.
    """
    found = _peak(chip)
    area = chip.macros * float(sum(chip.physics.area().values())) + chip.beside_m2
    for quantity, unit, ours, theirs in (
        ("clock", "s", float(chip.physics.clock_s), chip.clock_s),
        ("energy per MAC", "J", float(found.joules_per_mac), chip.joules_per_mac),
        ("area", "m2", area, chip.area_m2),
    ):
        is_set_aside = chip is DIMC2 and quantity == "energy per MAC"
        notes = [chip.notes[key] for key in ("", quantity) if key in chip.notes]
        counted = [f"counts {found.boundary}"] if quantity == "energy per MAC" else []
        yield Case(
            name=chip.name,
            quantity=quantity + ", set aside by its authors" * is_set_aside,
            unit=unit,
            ours=ours,
            theirs=theirs,
            calibrated=not is_set_aside,
            note="; ".join([*notes, *counted]),
        )


def _peak(chip: Chip) -> Peak:
    macro = chip.physics
    return peak(macro, int(macro.activation_bits), int(macro.weight_bits), macros=chip.macros)


def jia_boundaries() -> Iterator[Case]:
    """Efficiency of Jia et al. with and without the datapath, from the energy of each use."""
    for supply in JIA:
        for theirs, actions, name in (
            (supply.ops_per_joule, JIA_ARRAY, "array and converters"),
            (JIA_WHOLE_OPS_PER_JOULE[supply.vdd], JIA_WHOLE, "with datapath"),
        ):
            found = peak(jia(supply), 1, 1, actions=actions)
            computed = "; theirs computed from the same energies" * (actions is JIA_WHOLE)
            yield Case(
                name=f"Jia, JSSC 2020, {supply.vdd} V, {name}",
                quantity="efficiency",
                unit="op/J",
                ours=float(found.ops_per_joule),
                theirs=theirs,
                note=f"one-bit MACs, 589,824 a product; counts {found.boundary}; energies of each "
                f"use are published, not modelled{computed}",
            )


def jia_laws() -> Iterator[Case]:
    """What the laws of voltage make of 0.85 V at 1.2 V, and what the converter formula gives."""
    low, high = JIA
    ratio = high.vdd / low.vdd
    for name, ours, theirs in (
        ("conversion", low.adc_j, high.adc_j),
        ("column", low.column_j, high.column_j),
        ("datapath of an output", low.datapath_j, high.datapath_j),
    ):
        yield Case(
            name=f"Jia, JSSC 2020, {name}, 1.2 V from 0.85 V",
            quantity="energy of a use, by V^2",
            unit="J",
            ours=ours * ratio**2,
            theirs=theirs,
        )
    yield Case(
        name="Jia, JSSC 2020, 1.2 V from 0.85 V",
        quantity="throughput, by delay exponent",
        unit="op/s",
        ours=low.ops_per_s * ratio**gates.DELAY_EXPONENT,
        theirs=high.ops_per_s,
        calibrated=True,
        note="the exponent was fitted to these two points; 2 operations per one-bit MAC",
    )


def colonnade_bits() -> Iterator[Case]:
    """Energy of Colonnade over bits of both operands, at each supply."""
    for bits, published in COLONNADE_FJ.items():
        for vdd, theirs in zip(COLONNADE_VDD, published, strict=True):
            by_table = f"; times {COLONNADE_VDD[vdd]:g} for the supply" * (vdd != 0.8)
            yield Case(
                name=f"Colonnade, JSSC 2021, {bits} b, {vdd} V",
                quantity="energy per MAC",
                unit="J",
                ours=float(peak(colonnade(bits, bits, vdd), bits, bits).joules_per_mac),
                theirs=theirs * 1e-15,
                calibrated=True,
                note=f"bits x (60 + 11.5 bits) fJ, fitted to six points at 0.8 V{by_table}; "
                "all of the macro",
            )


def colonnade_weight_bits() -> Iterator[Case]:
    """Energy of Colonnade with inputs of one bit, which nothing was fitted to."""
    for bits, theirs in COLONNADE_ONE_BIT_FJ.items():
        yield Case(
            name=f"Colonnade, JSSC 2021, 1 b x {bits} b, 0.8 V",
            quantity="energy per MAC",
            unit="J",
            ours=float(peak(colonnade(1, bits), 1, bits).joules_per_mac),
            theirs=theirs * 1e-15,
            note="60 + 11.5 bits of the weight, fitted to operands of equal bits",
        )


def uncompared() -> Iterator[NotRun]:
    """Chips, or figures of them, that the closed forms are not compared with."""
    for name, reason in UNCOMPARED.items():
        yield NotRun(name=name, reason=reason)
