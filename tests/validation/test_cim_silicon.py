"""The family ``cim-silicon``: every chip with its signed error, boundary and what was fitted."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import mean

import pytest
from codesign_plugins.cim import validation
from codesign_plugins.cim.figures import peak
from codesign_plugins.cim.silicon import (
    AIMC1,
    CHIPS,
    COLONNADE_FJ,
    COLONNADE_VDD,
    DIMC1,
    DIMC2,
    JIA,
    JIA_ARRAY,
    JIA_WHOLE,
    colonnade,
    jia,
)
from codesign_plugins.cim.validation_silicon import chip_cases

from codesign.testing import check_validation
from codesign.validation import Case, NotRun

FAMILY = validation.codesign_validations()["cim-silicon"]
OUTCOMES = check_validation(FAMILY)
CASES = [one for one in OUTCOMES if isinstance(one, Case)]


def errors(start: str, quantity: str) -> list[float]:
    found = [c.error for c in CASES if c.name.startswith(start) and c.quantity == quantity]
    assert found, (start, quantity)
    return found


def test_every_chip_of_the_references_is_named() -> None:
    names = " ".join(one.name for one in OUTCOMES)
    for chip in ("AIMC1", "DIMC1", "DIMC2", "Jia", "Colonnade", "IMAGINE", "Khwa", "Chih"):
        assert chip in names


def test_nothing_needs_a_file() -> None:
    assert FAMILY.files == ()
    beyond = [case for case in CASES if "beyond its node" in case.quantity]
    assert len(CASES) - len(beyond) == 3 * 3 + 4 + 4 + 6 * 3 + 6
    assert len(beyond) == 3 + 2 + 3


@pytest.mark.parametrize(
    ("chip", "clock", "energy", "area"),
    [(AIMC1, -0.00982, 0.0747, -0.359), (DIMC1, -0.16670, 0.00925, -0.0400)],
)
def test_chips_are_as_near_as_is_said(
    chip: object, clock: float, energy: float, area: float
) -> None:
    name = chip.name  # type: ignore[attr-defined]  # it is a chip
    for quantity, expected in (("clock", clock), ("energy per MAC", energy), ("area", area)):
        (found,) = errors(name, quantity)
        assert math.isclose(found, expected, rel_tol=1e-2), quantity
    assert abs(errors(name, "clock")[0]) < 0.17
    assert abs(errors(name, "energy per MAC")[0]) < 0.11


def test_the_peer_leaves_out_word_lines_and_is_eleven_percent_below() -> None:
    without = replace(AIMC1.physics, control_lines=1)
    found = peak(without, 7, 2)
    assert math.isclose(float(found.joules_per_mac), 1.69506e-15, rel_tol=1e-9)
    _, energy, _ = chip_cases(AIMC1)
    assert energy.error > 0
    error = float(found.joules_per_mac) / AIMC1.joules_per_mac - 1
    assert f"without word lines, as the peer has it, {error:.3%}"[:-1] in energy.note


def test_figures_of_the_peer_s_scripts_come_out_to_their_digits() -> None:
    assert math.isclose(float(AIMC1.physics.clock_s), 44.00812e-9, rel_tol=1e-9)
    assert math.isclose(float(DIMC1.physics.clock_s), 4.27332e-9, rel_tol=1e-9)
    assert math.isclose(float(peak(DIMC1.physics, 8, 8).joules_per_mac), 55.1053125e-15)
    area = sum(map(float, AIMC1.physics.area().values()))
    assert math.isclose(area, 1.244290344998059e-6, rel_tol=1e-9)


def test_the_energy_that_its_authors_set_aside_has_a_quantity_of_its_own() -> None:
    found = {case.quantity: case for case in CASES if case.name == DIMC2.name}
    assert set(found) == {"clock", "energy per MAC, set aside by its authors", "area"}
    aside = found["energy per MAC, set aside by its authors"]
    assert not aside.calibrated
    assert "the sparsity of the measured weights is not known" in aside.note
    assert math.isclose(aside.theirs, 90.909e-15, rel_tol=1e-4)


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_figures_of_chips_that_constants_were_fitted_to_say_so(chip: object) -> None:
    found = [case for case in CASES if case.name == chip.name]  # type: ignore[attr-defined]
    assert len(found) == 3
    for case in found:
        assert case.calibrated != ("set aside" in case.quantity)


@pytest.mark.parametrize("chip", ["AIMC1", "DIMC1", "DIMC2", "Jia", "Colonnade"])
def test_every_chip_with_figures_has_its_clock_energy_and_area(chip: str) -> None:
    found = {case.quantity.partition(",")[0] for case in CASES if case.name.startswith(chip)}
    assert {"clock", "area"} <= found
    assert found & {"energy per MAC", "efficiency"}


def test_every_energy_says_its_boundary_and_the_operations_of_a_mac() -> None:
    found = [c for c in CASES if c.quantity == "efficiency" or c.name in {x.name for x in CHIPS}]
    told = [c for c in found if c.quantity not in ("clock", "area")]
    assert len(told) == 3 + 4
    for case in told:
        assert "2 operations per MAC" in case.note
        assert "counts " in case.note


@pytest.mark.parametrize(("vdd", "array", "whole"), [(0.85, 401e12, 233e12), (1.2, 192e12, 119e12)])
def test_jia_is_401_of_array_and_converters_and_233_with_its_datapath(
    vdd: float, array: float, whole: float
) -> None:
    (supply,) = (one for one in JIA if one.vdd == vdd)
    for expected, actions in ((array, JIA_ARRAY), (whole, JIA_WHOLE)):
        found = peak(jia(supply), 1, 1, actions=actions)
        assert math.isclose(float(found.ops_per_joule), expected, rel_tol=0.002)
        assert math.isclose(float(found.ops_per_s), supply.ops_per_s)
    assert peak(jia(supply), 1, 1).ops_per_joule == found.ops_per_joule


def test_a_product_of_jia_has_589_824_macs() -> None:
    macro = jia(JIA[0])
    counts = macro.counts(macro.rows, macro.columns, 1, 1)
    assert int(macro.rows) * int(macro.columns) == 589_824
    assert set(counts) == {"adc", "column", "output"}
    assert {float(count) for count in counts.values()} == {256.0}
    picojoules = sum(float(n) * float(macro.prices()[a]) for a, n in counts.items()) * 1e12
    assert math.isclose(picojoules, 458.24 + 2483.2 + 2124.8)


def test_efficiencies_of_jia_are_within_two_percent_and_name_their_parts() -> None:
    found = [case for case in CASES if case.quantity == "efficiency"]
    assert [round(case.error, 3) for case in found] == [0.003, -0.001, 0.002, 0.002]
    assert ["output" in case.note for case in found] == [False, True, False, True]
    assert not any(case.calibrated for case in found)


def test_the_square_of_the_supply_is_a_law_of_converters_more_than_of_the_datapath() -> None:
    conversion, column, datapath = errors("Jia", "energy of a use, by V^2")
    assert abs(conversion) < 0.003
    assert -0.06 < column < -0.05
    assert 0.12 < datapath < 0.13


def test_colonnade_over_bits_is_within_five_percent_on_average_at_every_supply() -> None:
    for vdd in COLONNADE_VDD:
        found = [
            case
            for case in CASES
            if case.name.startswith("Colonnade") and f" b, {vdd} V" in case.name and case.calibrated
        ]
        assert len(found) == 6
        assert mean(abs(case.error) for case in found) < 0.04
        assert max(abs(case.error) for case in found) < 0.06


def test_colonnade_over_weight_bits_alone_was_not_fitted_and_is_near_all_the_same() -> None:
    found = [case for case in CASES if " b x " in case.name]
    assert len(found) == 6
    assert not any(case.calibrated for case in found)
    assert mean(abs(case.error) for case in found) < 0.04


def test_the_fit_of_colonnade_is_the_formula() -> None:
    for bits, published in COLONNADE_FJ.items():
        found = peak(colonnade(bits, bits), bits, bits)
        assert math.isclose(float(found.joules_per_mac), bits * (60 + 11.5 * bits) * 1e-15)
        assert math.isclose(float(found.joules_per_mac) * 1e15, published[2], rel_tol=0.05)


def test_the_square_of_the_supply_would_be_off_by_two_for_colonnade() -> None:
    low, _, high = COLONNADE_FJ[8]
    assert 2.2 < high / low / (0.8 / 0.6) ** 2 < 2.3
    assert 4.7 < math.log(high / low) / math.log(0.8 / 0.6) < 4.9


def test_a_supply_without_a_published_point_has_no_figure() -> None:
    with pytest.raises(KeyError):
        colonnade(8, 8, 0.9)


def test_what_is_not_compared_has_a_reason_and_unverified_figures_are_not_used() -> None:
    left = {one.name: one.reason for one in OUTCOMES if isinstance(one, NotRun)}
    assert len(left) == 6
    assert not any("Jia" in name or "Colonnade" in name for name in left)
    recalled = [name for name, reason in left.items() if "recalled and not verified" in reason]
    assert len(recalled) == 4
    compared = " ".join(case.name for case in CASES)
    for name in left:
        assert ":" in name or name not in compared
