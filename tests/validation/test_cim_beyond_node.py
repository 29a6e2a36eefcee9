"""Rows of ``cim-silicon`` on chips of 65 nm: how far closed forms of 28 nm are off, unfitted."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
from codesign_plugins.cim import gates, validation, validation_beyond
from codesign_plugins.cim.silicon import AIMC1, DIMC1, JIA, colonnade, jia
from codesign_plugins.cim.validation_beyond import (
    AREA,
    CLOCK,
    COLONNADE_BITS,
    COLONNADE_OPS_PER_S,
    PART,
    colonnade_by_formula,
    colonnade_clock_s,
    jia_by_formula,
)

from codesign.testing import check_validation
from codesign.validation import Case, summaries

CASES = [
    one
    for one in check_validation(validation.codesign_validations()["cim-silicon"])
    if isinstance(one, Case)
]
BEYOND = {
    (case.name, case.quantity): case
    for rows in (
        validation_beyond.clocks,
        validation_beyond.jia_areas,
        validation_beyond.colonnade_areas,
    )
    for case in rows()
}
NODES = 65 / 28
COLONNADE_GOPS = {
    1: (75.07, 138.51, 243.93, 391.42, 563.5),
    2: (32.5, 60.42, 104.77, 168.13, 238.32),
    4: (12.52, 23.1, 39.45, 60.42, 83.03),
    8: (4.43, 7.92, 13.32, 19.48, 25.75),
    16: (1.34, 2.26, 3.51, 4.79, 5.99),
}
"""Kim et al., JSSC 2021, figure 15a, as digitised in CiMLoop (d6e1390): by bits of both operands,
for 1, 2, 4, 8 and 16 registers of a column."""


@pytest.mark.parametrize(
    ("name", "quantity", "error", "by_classic_rule"),
    [
        ("Jia, JSSC 2020, 0.85 V", CLOCK, -0.892, -0.749),
        ("Jia, JSSC 2020, array and converters", AREA, +0.316, +1.123),
        ("Colonnade, JSSC 2021, 8 b, registers a column: 1", CLOCK, -0.911, -0.794),
        ("Colonnade, JSSC 2021, all of the macro", AREA, +0.190, +1.543),
        ("Colonnade, JSSC 2021, 8 b, registers a column: 16", CLOCK, -0.968, -0.925),
        ("Jia, JSSC 2020, array and drivers", PART, +0.116, +0.497),
        ("Jia, JSSC 2020, converters", PART, +1.493, +4.787),
        ("Colonnade, JSSC 2021, cells and adders", PART, +0.380, +1.943),
    ],
)
def test_the_signed_error_is_what_it_is_and_not_what_one_would_like(
    name: str, quantity: str, error: float, by_classic_rule: float
) -> None:
    case = BEYOND[name, quantity]
    assert round(case.error, 3) == error
    told = float(case.note.rpartition(" ")[0].rpartition(" ")[2])
    assert round(told / 100, 3) == by_classic_rule


def test_no_row_is_forgotten_and_the_family_lists_all_of_them() -> None:
    assert len(BEYOND) == 8
    assert {(case.name, case.quantity) for case in CASES} > set(BEYOND)


def test_no_summary_mixes_them_with_figures_of_the_closed_forms_node() -> None:
    counted = {part.quantity: part for part in summaries(CASES) if "beyond" in part.quantity}
    assert {quantity: part.cases for quantity, part in counted.items()} == {
        CLOCK: 3,
        AREA: 2,
        PART: 3,
    }
    assert not any(part.calibrated for part in counted.values())
    inside = {part.quantity: part.cases for part in summaries(CASES)}
    assert (inside["clock"], inside["area"]) == (3, 3)


def test_every_row_tells_the_extrapolation_and_that_nothing_was_fitted() -> None:
    for case in BEYOND.values():
        assert not case.calibrated
        assert "by the node" in case.note or "by its square" in case.note
        assert "delays of 28 nm" in case.note or "gates in proportion to the node" in case.note


def test_the_clock_of_jia_by_hand() -> None:
    conversion_ns = 8 * (0.00653 * 2304 + 0.640)
    ours_ns = (conversion_ns + 0.0478) * (0.9 / 0.85) ** 2.66
    theirs_ns = 2 * 2304 * 256 / 0.874e12 * 1e9
    case = BEYOND["Jia, JSSC 2020, 0.85 V", CLOCK]
    assert math.isclose(case.ours * 1e9, ours_ns, rel_tol=1e-9)
    assert math.isclose(case.theirs * 1e9, theirs_ns, rel_tol=1e-9)
    assert math.isclose(theirs_ns, 54 * 25, rel_tol=1e-3)


def test_the_area_of_jia_by_hand() -> None:
    bits = 2304 * 256
    cells = bits * 2 * 0.24496704 / 2**20 * (65 / 22) ** 2
    gates_mm2 = bits * 0.614e-6 * NODES
    converters = 256 * 10 ** (1.206 - 0.0369 * 8) * 2**8 * 1e-6 * NODES
    for name, quantity, ours, theirs in (
        ("array and converters", AREA, cells + gates_mm2 + converters, 3.407),
        ("array and drivers", PART, cells + gates_mm2, 2.91),
        ("converters", PART, converters, 0.497),
    ):
        case = BEYOND[f"Jia, JSSC 2020, {name}", quantity]
        assert math.isclose(case.ours * 1e6, ours, rel_tol=1e-9), name
        assert math.isclose(case.theirs * 1e6, theirs, rel_tol=1e-9), name


@pytest.mark.parametrize("registers", [1, 16])
def test_the_clock_of_colonnade_by_hand(registers: int) -> None:
    tree = 6 * 4.8 + 4.4 + 13 * 2
    accumulator = 4.4 + (23 - 15 - 1) * 2
    ours_ns = 0.0478 * (1 + tree + accumulator) / registers * (0.9 / 0.8) ** 2.66
    case = BEYOND[f"Colonnade, JSSC 2021, 8 b, registers a column: {registers}", CLOCK]
    assert math.isclose(case.ours * 1e9, ours_ns, rel_tol=1e-9)
    theirs_gops = 2 * 128 * 8 / 8 / (case.theirs * 1e9)
    assert math.isclose(theirs_gops, {1: 4.43, 16: 25.75}[registers], rel_tol=1e-9)


def test_the_area_of_colonnade_by_hand() -> None:
    adder, flip_flop = (3 + 2 * 2.4) * 0.614e-6, 6 * 0.614e-6
    adders = 16 * (128 * 9 - (8 + 7 + 1))
    assert adders == 18_176
    cells = 128 * 128 * 655.45e-6 / (32 * 48) * NODES**2
    products = 128 * 128 * 0.614e-6 * NODES
    array = cells + products + adders * adder * NODES
    accumulators = 16 * 23 * (adder + flip_flop) * NODES
    for name, quantity, ours, theirs in (
        ("all of the macro", AREA, array + accumulators, 0.2272),
        ("cells and adders", PART, array, 0.1906208),
    ):
        case = BEYOND[f"Colonnade, JSSC 2021, {name}", quantity]
        assert math.isclose(case.ours * 1e6, ours, rel_tol=1e-9), name
        assert math.isclose(case.theirs * 1e6, theirs, rel_tol=1e-9), name


def test_wholes_leave_out_no_area_that_the_closed_form_gives() -> None:
    for name, macro in (
        ("Jia, JSSC 2020, array and converters", jia_by_formula()),
        ("Colonnade, JSSC 2021, all of the macro", colonnade_by_formula()),
    ):
        assert math.isclose(BEYOND[name, AREA].ours, sum(map(float, macro.area().values()))), name


def test_the_reading_of_colonnade_s_operations_fits_all_of_its_published_points() -> None:
    for bits, points in COLONNADE_GOPS.items():
        for registers, gops in zip((1, 2, 4, 8, 16), points, strict=True):
            adders = bits + 7 + 128 / registers + 2
            clock_ns = colonnade_clock_s(bits, gops * 1e9) * 1e9
            assert math.isclose(clock_ns, 0.4 * adders, rel_tol=0.03), (bits, registers)


def test_rates_of_colonnade_are_the_published_ones_of_eight_bits() -> None:
    assert {n: rate / 1e9 for n, rate in COLONNADE_OPS_PER_S.items()} == {
        1: COLONNADE_GOPS[COLONNADE_BITS][0],
        16: COLONNADE_GOPS[COLONNADE_BITS][-1],
    }


def test_macros_differ_from_those_of_the_other_rows_in_what_is_computed_and_nowhere_else() -> None:
    for found, known, changed in (
        (jia_by_formula(), jia(JIA[0]), {"cycle_s", "cell_area_m2"}),
        (colonnade_by_formula(), colonnade(8, 8), {"columns", "cell_area_m2"}),
        (colonnade_by_formula(16), colonnade(8, 8), {"columns", "cell_area_m2", "pipeline_stages"}),
    ):
        names = {field.name for field in fields(known)}
        assert {n for n in names if getattr(found, n) != getattr(known, n)} == changed


def test_cells_are_those_of_the_chips_that_have_one_by_the_square_of_the_node() -> None:
    for macro, chip in ((jia_by_formula(), AIMC1), (colonnade_by_formula(), DIMC1)):
        ratio = float(macro.node_nm) / float(chip.physics.node_nm)
        assert math.isclose(macro.cell_area_m2, chip.physics.cell_area_m2 * ratio**2)


def test_converters_and_delays_of_jia_are_by_formula() -> None:
    macro = jia_by_formula()
    assert macro.adc_area_m2 == macro.adc_delay_s == macro.cycle_s == 0
    assert (macro.adc_bits, macro.columns_per_adc, macro.rows) == (8, 1, 2304)
    assert macro.delay_exponent == gates.DELAY_EXPONENT
